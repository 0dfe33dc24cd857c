"""What an environment is to become: a lockfile, and what of it."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from multisite.errors import InvalidLockfile, InvalidRequest, LockfileGone
from multisite.history import kept_copy, restoring
from multisite.lockfile import Lock
from multisite.locktext import without_credentials
from multisite.state import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName

    from multisite.state import EnvironmentState, RequestRecord

__all__ = ["HasLockfile", "Wanted", "has_relative_paths"]


class HasLockfile(Protocol):
    """An environment, or the place of one that is yet to be made."""

    @property
    def path(self) -> Path:
        """Its folder."""

    @property
    def state_folder(self) -> Path:
        """The folder of multisite's own files in it."""

    @property
    def lockfile(self) -> Path:
        """Where its lockfile is unless another file was made that."""

    def lockfile_of(self, state: EnvironmentState) -> Path:
        """Return its lockfile according to *state*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an environment is to become.

    ``data`` are the bytes of the lockfile, ``lock`` what they say, ``target`` the file that is to hold them, ``base``
    the folder that relative paths in it start from, without links. ``request`` is what was asked for, where that is
    known. ``requested`` are the names that were asked for, None where that is as it was before. ``project`` is the
    folder of the project that is to be there itself, editable; with ``keeps_project`` one that is there stays.
    ``addresses`` are those that a user and a password stood in, for fetching only. ``site_metadata`` is that of the
    environment's state, None where it is as it was before.
    """

    data: bytes
    lock: Lock
    target: Path
    base: Path
    selection: Selection = field(default_factory=Selection)
    request: RequestRecord | None = None
    requested: frozenset[NormalizedName] | None = None
    project: Path | None = None
    keeps_project: bool = False
    addresses: tuple[str, ...] = ()
    site_metadata: bool | None = None

    @classmethod
    def from_lockfile(
        cls,
        lockfile: Path,
        environment: HasLockfile,
        before: EnvironmentState | None,
        *,
        extras: Sequence[str] = (),
        groups: Sequence[str] = (),
        named: bool = False,
    ) -> Wanted:
        """Read a *lockfile* that *environment* is to follow; *before* is the environment's state.

        The environment's own lockfile stays where it is, with the same selection unless another is given or the file
        was *named* by the user. Any other is copied into the environment, without users and passwords, but for one with
        relative paths, which mean something only where it stands. Given *groups* are installed besides the default
        ones. A project that is installed editable stays. Raises InvalidLockfile, UnsupportedFormat, InvalidRequest,
        OSError.
        """
        try:
            data = lockfile.read_bytes()
        except FileNotFoundError:
            if before is not None and environment.lockfile_of(before) == lockfile:
                raise LockfileGone(lockfile, environment.path, _ways_on(lockfile, environment, before)) from None
            hint = "write one: multisite lock REQUIREMENT"
            raise InvalidRequest(f"{lockfile}: there is no such lockfile", hint=hint) from None
        except OSError as error:
            reason = f"{lockfile}: it cannot be read: {error.strerror}"
            raise InvalidRequest(reason, hint="name another: multisite sync LOCKFILE") from error
        try:
            lock = Lock.parse(data, lockfile)
        except InvalidLockfile as error:
            if before is not None and _is_same(environment.lockfile_of(before), lockfile):
                error.hint = "; or ".join(_ways_on(lockfile, environment, before))
            raise
        own = before is not None and _is_same(environment.lockfile_of(before), lockfile)
        in_place = own or _is_same(environment.lockfile, lockfile) or has_relative_paths(lock.pylock)
        public, addresses = without_credentials(data, lock.pylock)
        if not in_place and addresses:
            data, lock = public, Lock.parse(public, lockfile)
        selection = Selection(
            extras=tuple(extras), groups=(*(lock.pylock.default_groups or ()), *groups) if groups else None
        )
        keeps_selection = own and not (extras or groups or named)
        return cls(
            data=data,
            lock=lock,
            target=lockfile if in_place else environment.lockfile,
            base=Path(os.path.realpath(lockfile.parent)),
            selection=before.selection if before is not None and keeps_selection else selection,
            request=before.request if before is not None and own else None,
            project=_project(environment, before),
            keeps_project=True,
            addresses=addresses,
        )

    @classmethod
    def from_history(cls, environment: HasLockfile, before: EnvironmentState) -> Wanted | None:
        """Return what makes *environment* what it was, once its lockfile is gone; None where no copy was kept."""
        data = kept_copy(environment.state_folder, before.lock_sha256)
        if data is None:
            return None
        target = environment.lockfile_of(before)
        lock = Lock.parse(data, target)
        return cls(
            data=data,
            lock=lock,
            target=target,
            base=Path(os.path.realpath(target.parent)),
            selection=before.selection,
            request=before.request,
            project=_project(environment, before),
            keeps_project=True,
        )


def _ways_on(lockfile: Path, environment: HasLockfile, before: EnvironmentState) -> list[str]:
    """Return what can be typed once the *lockfile* of *environment* is gone or damaged."""
    put_back = restoring(environment.state_folder, before.lock_sha256, lockfile)
    copied = restoring(environment.state_folder, before.lock_sha256, environment.lockfile)
    ways = [] if put_back is None else [f"put it back: {put_back}"]
    if copied is not None and not _is_same(lockfile, environment.lockfile):
        sync = f"multisite sync {shlex.quote(str(environment.lockfile))} --venv {shlex.quote(str(environment.path))}"
        ways.append(f"go on with a copy in the environment: {copied} && {sync}")
    return ways or [f"name what you need: multisite lock REQUIREMENT --venv {shlex.quote(str(environment.path))}"]


def _project(environment: HasLockfile, before: EnvironmentState | None) -> Path | None:
    """Return the folder of the project that is installed editable, None where there is none or it was moved."""
    if before is None or before.project is None:
        return None
    folder = Path(os.path.realpath(environment.path / before.project.path))
    return folder if folder.is_dir() else None


def _is_same(path: Path, other: Path) -> bool:
    return path == other or os.path.realpath(path) == os.path.realpath(other)


def has_relative_paths(pylock: Pylock) -> bool:
    """Tell whether a lockfile means something only where it stands."""
    for package in pylock.packages:
        files = [*(package.wheels or ()), package.sdist, package.archive, package.directory, package.vcs]
        for path in [item.path for item in files if item is not None]:
            if path is not None and not Path(path).is_absolute():
                return True
    return False
