"""What an environment is to become: a lockfile, and what of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multisite.lockfile import Lock
from multisite.state import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName

    from multisite.environment import Environment
    from multisite.state import EnvironmentState, RequestRecord

__all__ = ["Wanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an environment is to become.

    ``data`` are the bytes of the lockfile, ``lock`` what they say, ``target`` the file that is to hold them, ``base``
    the folder that relative paths in it start from. ``request`` is what was asked for, where that is known.
    ``requested`` are the names that were asked for, None where that is as it was before.
    """

    data: bytes
    lock: Lock
    target: Path
    base: Path
    selection: Selection = field(default_factory=Selection)
    request: RequestRecord | None = None
    requested: frozenset[NormalizedName] | None = None

    @classmethod
    def from_lockfile(
        cls,
        lockfile: Path,
        environment: Environment,
        before: EnvironmentState | None,
        *,
        extras: Sequence[str] = (),
        groups: Sequence[str] = (),
    ) -> Wanted:
        """Read a *lockfile* that *environment* is to follow; *before* is the environment's state.

        The environment's own lockfile stays where it is, with the same selection unless another is given. Any other is
        copied into the environment, but for one with relative paths, which mean something only where it stands. Given
        *groups* are installed besides the default ones. Raises InvalidLockfile, UnsupportedFormat, OSError.
        """
        data = lockfile.read_bytes()
        lock = Lock.parse(data, lockfile)
        own = before is not None and environment.lockfile_of(before) == lockfile
        in_place = own or lockfile == environment.lockfile or _has_relative_paths(lock.pylock)
        selection = Selection(
            extras=tuple(extras), groups=(*(lock.pylock.default_groups or ()), *groups) if groups else None
        )
        return cls(
            data=data,
            lock=lock,
            target=lockfile if in_place else environment.lockfile,
            base=lockfile.parent,
            selection=before.selection if before is not None and own and not (extras or groups) else selection,
            request=before.request if before is not None and own else None,
        )


def _has_relative_paths(pylock: Pylock) -> bool:
    for package in pylock.packages:
        files = [*(package.wheels or ()), package.sdist, package.archive, package.directory, package.vcs]
        for path in [item.path for item in files if item is not None]:
            if path is not None and not path.startswith("/"):
                return True
    return False
