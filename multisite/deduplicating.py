"""The command ``dedup``."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from multisite.cloning import CannotShare
from multisite.duplicates import Way, carry_out, listed, plan, read_way, write_way
from multisite.errors import InvalidDocument, InvalidRequest, StoreNotUsable
from multisite.files import write_file
from multisite.layout import demand_store
from multisite.names import normalize
from multisite.scratch import incoming
from multisite.store import Store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from multisite.duplicates import DedupPlan, Listed, Saved
    from multisite.output import Output

__all__ = ["dedup"]


def dedup(options: argparse.Namespace, output: Output, root: Path) -> int:
    """Keep equal files of the store in *root* once, or say what is done at publishing; return the exit code."""
    demand_store(root)
    store = Store.open(root)
    if not options.dry_run:
        store.demand_writable()
    if options.publishing is not None:
        return _publish(options.publishing, output, store)
    way = Way.LINKS if options.links else Way.CLONES
    with output.working(f"looking for equal files in {store.root}"):
        files = list(_files(store, {normalize(name) for name in options.names}, output))
        planned = plan(files, way, also=_shared_files(store.root))
    saved = None
    if not options.dry_run and planned.duplicates:
        with output.working(f"{planned.files} files begin to share"):
            saved = _carried_out(planned, store.root)
    if output.as_json:
        output.document(_document(planned, saved, store))
    else:
        _report(planned, saved, output)
    return int(bool(saved and saved.altered))


def _publish(word: str, output: Output, store: Store) -> int:
    way = None if word == "off" else Way(word)
    if way is Way.CLONES:
        _demand_clones(store.root)
    write_way(store.root, way)
    sentence = "shares nothing" if way is None else f"shares equal files with other builds of its name, by {way.value}"
    if output.as_json:
        output.document({"store": str(store.root), "publishing": None if way is None else way.value})
    else:
        output.say(f"{store.root}: what is published from now on {sentence}")
    return 0


def _demand_clones(root: Path) -> None:
    """Try it. Raises StoreNotUsable."""
    from multisite.cloning import share_blocks
    from multisite.entry import ENTRIES

    with incoming(root / ENTRIES) as folder:
        for name in ("one", "other"):
            write_file(folder / name, bytes(os.statvfs(root).f_bsize))
        try:
            share_blocks(folder / "one", folder / "other")
        except CannotShare as error:
            raise _unshared(root, "--publishing links") from error


def _unshared(root: Path, option: str) -> StoreNotUsable:
    reason = "its filesystem has no blocks that files share (btrfs and XFS have), so there are only hard links"
    return _refused(root, reason, f"read docs/store.md on what links do, then: multisite dedup {option}")


def _refused(root: Path, reason: str, hint: str) -> StoreNotUsable:
    error = StoreNotUsable(root, reason)
    error.hint = hint
    return error


def _files(store: Store, names: set[str], output: Output) -> Iterator[Listed]:
    found = set()
    for build in store.builds():
        if names and build.name not in names:
            continue
        found.add(build.name)
        try:
            entry = store.entry(build)
            yield from listed(entry.folder, entry.record())
        except (InvalidDocument, FileNotFoundError) as error:
            output.warn(f"{error}; it is left as it is: multisite verify --repair {build.name}")
    if missing := sorted(names - found):
        reason = f"{store.root} holds nothing of {', '.join(missing)}"
        raise InvalidRequest(reason, hint="name what is in the store, or nothing for all of it: multisite dedup")


def _shared_files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root / "shared"):
        for name in names:
            yield type(root)(folder, name)


def _carried_out(planned: DedupPlan, root: Path) -> Saved:
    try:
        return carry_out(planned, root)
    except CannotShare as error:
        raise _unshared(root, "--links") from error
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}:
            raise
        reason = f"no hard link can be made there: {error.strerror}"
        raise _refused(root, reason, "leave the store as it is, or move it to another filesystem") from error


def _document(planned: DedupPlan, saved: Saved | None, store: Store) -> dict[str, Any]:
    way = read_way(store.root)
    return {
        "store": str(store.root),
        "way": planned.way.value,
        "publishing": None if way is None else way.value,
        "planned": {"files": planned.files, "bytes": planned.frees, "apart": planned.apart},
        "done": None if saved is None else {"files": saved.files, "altered": [str(path) for path in saved.altered]},
        "duplicates": [
            {
                "sha256": found.sha256,
                "kept": str(found.kept),
                "others": [str(path) for path in found.others],
                "bytes": found.frees,
            }
            for found in planned.duplicates
        ],
    }


def _report(planned: DedupPlan, saved: Saved | None, output: Output) -> None:
    for found in planned.duplicates:
        output.say(f"{found.kept}: {len(found.others)} like it, {_size(found.frees)}", level=1)
    if planned.apart:
        output.say(f"{planned.apart} equal files stay apart, as their modes or owners differ")
    if not planned.duplicates:
        output.say("nothing to share")
    elif saved is None:
        output.say(f"would share {planned.files} files ({planned.way.value}), which frees up to {_size(planned.frees)}")
    else:
        output.say(f"{saved.files} files share now ({planned.way.value}), which frees up to {_size(planned.frees)}")
        for path in saved.altered:
            output.warn(f"{path}: its content is not RECORD's, so it is left as it is: multisite verify --repair")


def _size(count: int) -> str:
    from rich.filesize import decimal

    return decimal(count)
