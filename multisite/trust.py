"""Whom an account trusts with what it runs: itself, root, and whom ``MULTISITE_TRUST`` names.

Whoever may write to a file, or to a folder above it, decides what it is. So whatever is used of a store is looked at
from the store's folder down to the file, and so are the folder that the store lies in and the links that lead there.
A folder that all may write to is sound where it is sticky, for then each changes only what is his own. Nothing is
looked at where file modes mean nothing (Windows).
"""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.errors import InvalidRequest, NotTrusted
from multisite.native import SITE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["VARIABLE", "Doubt", "Trust"]

VARIABLE = "MULTISITE_TRUST"
_GROUP = "group:"
_ROOT = 0
# Folders of a store in which others leave what is their own: who uses it, and what their commands hold.
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH
_OPEN = frozenset({"environments", "pins"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why *path* is not trusted; ``fix`` is what can be typed."""

    path: Path
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"

    @property
    def error(self) -> NotTrusted:
        """What is raised for it."""
        return NotTrusted(self.path, self.reason, hint=self.fix)


class Trust:
    """Trust in *users* and *groups*, besides root and the account itself.

    A group is trusted with what it owns: its members may write there, and have files of their own there. The account's
    private group, which nobody else is in, is trusted as well.
    """

    def __init__(self, users: Collection[int] = (), groups: Collection[int] = ()) -> None:
        self.users = frozenset(users)
        self.groups = frozenset(groups)
        self._all_users = self.users | {_ROOT, -1 if os.name == "nt" else os.geteuid()}
        self._sound: set[str] = set()

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Trust:
        """Return whom MULTISITE_TRUST names: users, and groups as ``group:NAME``, with commas between them.

        Raises InvalidRequest for one that is not known here.
        """
        words = [word.strip() for word in environ.get(VARIABLE, "").split(",")]
        users = [_user(word) for word in words if word and not word.startswith(_GROUP)]
        groups = [_group(word.removeprefix(_GROUP)) for word in words if word.startswith(_GROUP)]
        return cls(users, groups)

    def with_owner(self, root: Path) -> Trust:
        """Return trust in the owner of the store *root* besides: where that is not trusted, it has been said."""
        return Trust({*self.users, root.stat().st_uid}, self.groups)

    @property
    def numbers(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Users and groups besides root and whoever runs it, for the start-up code."""
        private = () if self._private_group is None else (self._private_group,)
        return tuple(sorted(self.users)), tuple(sorted({*self.groups, *private}))

    def doubt_of_place(self, root: Path) -> Doubt | None:
        """Return what speaks against the place of a store: the folder that holds it, and links that lead there."""
        if os.name == "nt":
            return None
        spelled = Path(os.path.normpath(root.absolute()))
        for path in (spelled, *spelled.parents):
            if path.is_symlink():
                doubt = self._doubt(path, path.lstat()) or self._doubt_of_folder(path.parent)
                if doubt is not None:
                    return doubt
        above = Path(os.path.realpath(root)).parent
        while not above.exists() and above != above.parent:  # of a store that is to be made
            above = above.parent
        facts = above.stat()
        if facts.st_mode & stat.S_ISVTX and facts.st_mode & stat.S_IWOTH and root.exists():
            # Where everybody can put a folder, its group may be that of the folder above.
            owner = root.stat()
            if owner.st_uid not in self._all_users:
                return self._named(spelled, owner, None, _user_name(owner.st_uid))
        return self._doubt_of_folder(above)

    def doubt(self, root: Path, paths: Iterable[str]) -> Doubt | None:
        """Return what speaks first against files or folders of the store *root*, relative to it with ``/``.

        Each is looked at with every folder above it in the store, and the store's own folder. What was sound once is
        not looked at again; what is missing is sound.
        """
        if os.name == "nt":
            return None
        doubt = self._below(f"{root}/", top=True)
        for path in paths:
            at = 0
            while doubt is None and at >= 0:
                at = path.find("/", at + 1)
                doubt = self._below(f"{root}/{path if at < 0 else path[:at]}")
        return doubt

    def owns(self, facts: os.stat_result) -> bool:
        """Tell whether what has these *facts* belongs to somebody trusted, or to a group that is."""
        return os.name == "nt" or facts.st_uid in self._all_users or facts.st_gid in self.groups

    def doubt_of_file(self, path: str, facts: os.stat_result) -> Doubt | None:
        """Return what speaks against one file or folder, *facts* being those of lstat(2)."""
        if os.name == "nt":
            return None
        if stat.S_ISLNK(facts.st_mode):
            return _link(Path(path))
        return self._doubt(Path(path), facts)

    def _below(self, path: str, *, top: bool = False) -> Doubt | None:
        if path in self._sound:
            return None
        try:
            facts = os.lstat(path)  # with "/" at its end, the store's folder that a link leads to
        except (FileNotFoundError, NotADirectoryError):
            return None
        is_link = stat.S_ISLNK(facts.st_mode)
        if is_link and not top and not _is_inner_link(path):
            return _link(Path(path))
        # There are a thousand of the first kind, and hardly ever another.
        sound = is_link or (facts.st_uid in self._all_users and not facts.st_mode & _WRITABLE)
        doubt = None if sound else self._doubt(Path(path), facts)
        if doubt is None:
            self._sound.add(path)
        return doubt

    def _doubt_of_folder(self, folder: Path) -> Doubt | None:
        facts = folder.stat()
        if facts.st_mode & stat.S_ISVTX and facts.st_uid in self._all_users:
            return None
        return self._doubt(folder, facts)

    def _doubt(self, path: Path, facts: os.stat_result) -> Doubt | None:
        mode, user, group = stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid
        by_all = mode & stat.S_IWOTH and not stat.S_ISLNK(facts.st_mode)
        if by_all and not (mode & stat.S_ISVTX and path.name in _OPEN):
            return self._named(path, facts, "everybody", None)
        if not self.owns(facts):
            return self._named(path, facts, None, _user_name(user))
        by_group = mode & stat.S_IWGRP and not stat.S_ISLNK(facts.st_mode)
        if by_group and not by_all and group not in self.groups | {_ROOT} and group != self._private_group:
            name = _group_name(group)
            return self._named(path, facts, f"the group {name}", f"{_GROUP}{name}")
        return None

    def _named(self, path: Path, facts: os.stat_result, writers: str | None, word: str | None) -> Doubt:
        owner = _user_name(facts.st_uid)
        reason = f"it belongs to {owner} and has mode {stat.S_IMODE(facts.st_mode):04o}, so "
        reason += f"{writers} may change it" if writers else "what it says is theirs to decide"
        ways = []
        if writers is not None:
            mine = facts.st_uid == os.geteuid() or os.geteuid() == _ROOT
            command = f"chmod -R go-w {shlex.quote(str(path))}"
            ways.append(command if mine else f"have {owner} type: {command}")
        if word is not None:
            ways.append(f"where you trust them: {VARIABLE}={word}")
        return Doubt(path=path, reason=reason, fix="; or ".join(ways))

    @cached_property
    def _private_group(self) -> int | None:
        """The group that the account has for itself alone, as most distributions of Linux give one to each."""
        if os.name == "nt":
            return None
        import grp
        import pwd

        try:
            account = pwd.getpwuid(os.geteuid())
            group = grp.getgrgid(account.pw_gid)
        except KeyError:
            return None
        alone = group.gr_name == account.pw_name and set(group.gr_mem) <= {account.pw_name}
        return group.gr_gid if alone and group.gr_gid != _ROOT else None


def _link(path: Path) -> Doubt:
    reason = "it is a link, and a store has none there"
    return Doubt(path=path, reason=reason, fix=f"find out who made it, then remove it: rm {shlex.quote(str(path))}")


def _is_inner_link(path: str) -> bool:
    """Tell whether *path* is the link within a shared folder that a store itself makes."""
    try:
        return path.endswith("/site-packages") and os.readlink(path) == SITE  # noqa: PTH115 -- hundreds of paths
    except OSError:
        return False


def _user(word: str) -> int:
    import pwd

    if word.isdecimal():
        return int(word)
    try:
        return pwd.getpwnam(word).pw_uid
    except KeyError:
        raise InvalidRequest(f"{VARIABLE} names {word}, and there is no such user", hint=_WAY) from None


def _group(word: str) -> int:
    import grp

    if word.isdecimal():
        return int(word)
    try:
        return grp.getgrnam(word).gr_gid
    except KeyError:
        raise InvalidRequest(f"{VARIABLE} names {_GROUP}{word}, and there is no such group", hint=_WAY) from None


_WAY = f"name users by name or number, and groups as {_GROUP}NAME: {VARIABLE}=alice,{_GROUP}lab"


def _user_name(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group_name(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
