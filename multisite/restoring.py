"""Damaged files of the store, replaced one by one, each in one step: running programs never miss one.

What replaces a file is made beside the entries, where everything unfinished is made, and renamed to its place. The file
is given a time that is not later than that of the RECORD there, which stands for not having been touched
(docs/formats.md). Nothing is written through a link.
"""

from __future__ import annotations

import filecmp
import os
import stat
from typing import TYPE_CHECKING

from multisite.damage import KINDS, Remedy
from multisite.entry import metadata_folder
from multisite.files import (
    OTHERS_WRITE,
    PUBLISHED,
    flush_folder,
    free_path,
    make_folders,
    naming,
    remove_empty_parents,
    write_atomic,
)
from multisite.index import NAME as INDEX
from multisite.sharing import SharedLayout, link_or_copy
from multisite.trust import Trust
from multisite.verifying import programs_of, verify_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from multisite.entry import StoredDistribution
    from multisite.names import BuildId
    from multisite.verifying import Verified

__all__ = ["discard", "renew", "renew_shared", "tidy"]

_SET_ID = stat.S_ISUID | stat.S_ISGID


def restore(made: Path, folder: Path, aside: Path, *, newest: int | None, trust: Trust) -> list[str]:
    """Put each file of the tree *made* into *folder* where it is another one there; return the paths of those.

    *aside* is a folder, of the same filesystem, for what stands in the way. *newest* is the latest time (ns) that a
    file may have, None where RECORD is among those that are put there. A file of an account that *trust* does not
    trust is another one.
    """
    changed = []
    for path, _, names in os.walk(made):
        for name in names:
            source = made.joinpath(path, name)
            relative = source.relative_to(made)
            if not _is_same(source, folder, folder / relative, trust):
                put(source, folder, relative.as_posix(), aside, newest=newest)
                changed.append(relative.as_posix())
    return sorted(changed)


def tidy(result: Verified, aside: Path, programs: Collection[str], notice: Callable[[str], None]) -> None:
    """Do what needs nothing but what is there: take away what does not belong there, and put modes right.

    *programs* are the files that may be executed; *notice* is told of each step.
    """
    for one in result.faults:
        if KINDS[one.kind].remedy == Remedy.REMOVE:
            notice(f"removing {result.subject}: {one.path}")
            discard(result.folder, one.path, aside)
    for one in result.faults:
        if KINDS[one.kind].remedy == Remedy.MODE:
            reset_mode(result.folder / one.path, executable=one.path in programs)


def renew(made: Path, target: Path, aside: Path, *, store_root: Path, build: BuildId) -> list[str]:
    """Have the entry in *target* be what *made* is, file by file; return what was replaced."""
    trust = Trust().with_owner(store_root)
    changed = restore(made, target, aside, newest=_time_of_record(made, target), trust=trust)
    found = verify_entry(store_root, build, trust=trust, whole=False)
    if found is not None:
        tidy(found, aside, programs_of(found.manifest), changed.append)
    return changed


def renew_shared(result: Verified, members: Sequence[StoredDistribution], aside: Path) -> list[str]:
    """Have a shared folder be what its *members* make, where it was found to be something else; return what was done.

    The members' own files have to be sound.
    """
    changed: list[str] = []
    layout = SharedLayout.of(members)
    programs = {
        path for path, file in layout.files.items() if file.member.place(file.row) in programs_of(file.member.manifest)
    }
    tidy(result, aside, programs, changed.append)
    for number, one in enumerate(result.faults):
        if KINDS[one.kind].remedy == Remedy.FETCH and one.path in layout.files:
            made = aside / f"file-{number}"
            link_or_copy(layout.files[one.path].source, made)
            put(made, result.folder, one.path, aside, newest=None)
            changed.append(f"replaced {result.subject}: {one.path}")
    if layout.site != "site-packages":
        lead(result.folder / "site-packages", layout.site, aside)
    if any(one.path == "shared.json" for one in result.faults):
        write_atomic(result.folder / "shared.json", layout.document(members), mode=PUBLISHED, sync=True)
    if any(one.path == INDEX for one in result.faults):
        write_atomic(result.folder / INDEX, layout.index(), mode=PUBLISHED, sync=True)
    return changed


def put(source: Path, folder: Path, path: str, aside: Path, *, newest: int | None) -> None:
    """Rename the file *source* to *path* in *folder*; the arguments are those of ``restore``."""
    target = folder / path
    _clear_way(folder, target.parent, aside)
    if newest is not None and source.stat().st_mtime_ns > newest:
        with naming(source):
            os.utime(source, ns=(newest, newest))
    if target.is_dir() and not target.is_symlink():
        _move_aside(target, aside)
    source.replace(target)
    flush_folder(target.parent)
    if target.suffix == ".py":
        _forget_bytecode(target)


def _forget_bytecode(source: Path) -> None:
    """Take away what was compiled of another file in the place of *source*: nothing compares the two at an import."""
    cache = source.parent / "__pycache__"
    if cache.is_dir() and not cache.is_symlink():
        for path in cache.iterdir():
            if path.name.startswith(f"{source.stem}.") and path.suffix == ".pyc" and not path.is_dir():
                path.unlink(missing_ok=True)


def discard(folder: Path, path: str, aside: Path) -> None:
    """Take away the file, link or folder *path* of *folder*; what is gone already is no error."""
    for parent in reversed((folder / path).parents):
        if parent.is_relative_to(folder) and parent.is_symlink():
            return  # it lies elsewhere, and goes with the link
    _move_aside(folder / path, aside)
    remove_empty_parents(folder / path, folder)


def lead(path: Path, target: str, aside: Path) -> None:
    """Make *path* a link to *target*, in one step where it is a file or a link."""
    if path.is_symlink() and path.readlink().as_posix() == target:
        return
    made = aside / "link"
    made.symlink_to(target, target_is_directory=True)
    if path.is_dir() and not path.is_symlink():
        _move_aside(path, aside)
    made.replace(path)
    flush_folder(path.parent)


def reset_mode(path: Path, *, executable: bool) -> None:
    """Take from a file or folder what others could do with it, and let its owner read it; no link is followed."""
    descriptor = _opened(path)
    try:
        facts = path.lstat() if descriptor is None else os.fstat(descriptor)
        if stat.S_ISLNK(facts.st_mode):
            return
        mode = stat.S_IMODE(facts.st_mode) & ~OTHERS_WRITE
        if stat.S_ISDIR(facts.st_mode):
            mode |= stat.S_IRWXU
        else:
            mode = (mode & ~_SET_ID) | stat.S_IRUSR
            mode |= (mode & 0o444) >> 2 if executable else 0
        if descriptor is None:
            path.chmod(mode)
        else:
            with naming(path):
                os.fchmod(descriptor, mode)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _opened(path: Path) -> int | None:
    """Return a descriptor of *path*; None where its mode does not let even its owner open it."""
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None


def _is_same(source: Path, folder: Path, target: Path, trust: Trust) -> bool:
    try:
        facts, wanted = target.lstat(), source.lstat()
    except OSError:
        return False
    if not stat.S_ISREG(facts.st_mode) or facts.st_size != wanted.st_size or not trust.owns(facts):
        return False
    is_linked = any(parent.is_symlink() for parent in target.parents if parent.is_relative_to(folder))
    try:
        return not is_linked and filecmp.cmp(source, target, shallow=False)
    except OSError:
        return False


def _clear_way(folder: Path, parent: Path, aside: Path) -> None:
    """Have real folders lead from *folder* to *parent*."""
    for above in reversed([parent, *parent.parents]):
        if above != folder and above.is_relative_to(folder) and (above.is_symlink() or not above.is_dir()):
            _move_aside(above, aside)
            make_folders(above)


def _move_aside(path: Path, aside: Path) -> None:
    try:
        path.rename(free_path(aside, "removed"))
    except FileNotFoundError:
        return
    flush_folder(path.parent)


def _time_of_record(made: Path, folder: Path) -> int | None:
    """Return the time of the entry's RECORD; None where it is another than the one that was *made*."""
    wanted = metadata_folder(made) / "RECORD"
    there = folder / wanted.relative_to(made)
    try:
        return there.lstat().st_mtime_ns if there.read_bytes() == wanted.read_bytes() else None
    except OSError:
        return None
