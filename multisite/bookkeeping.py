"""The store's own documents, verified: aliases, compiled tables, what it knows of environments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.damage import Damage
from multisite.dispatch import DispatchTable, TableEntry
from multisite.document import Fields, dump_document, load_document
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.files import TEMPORARY
from multisite.names import BuildId
from multisite.registry import Registration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from multisite.entry import StoredDistribution

__all__ = ["Alias", "aliases", "read_alias", "verify_aliases", "verify_registrations", "verify_tables"]

_FORMAT = 1
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """What an alias says: the entry that an artifact or a source leads to, and its content digest."""

    entry: BuildId
    digest: str

    def to_document(self) -> bytes:
        """Return the alias as it is written."""
        return dump_document({"entry": str(self.entry), "digest": self.digest}, format=_FORMAT)


def read_alias(path: Path) -> Alias:
    """Read an alias. Raises InvalidDocument, UnsupportedFormat, OSError."""
    fields = Fields(load_document(path.read_bytes(), kind="alias", format=_FORMAT, where=path))
    entry, digest = fields.text("entry"), fields.digest("digest")
    fields.finish("alias", path)
    try:
        return Alias(entry=BuildId.parse(entry), digest=digest)
    except ValueError as error:
        raise InvalidDocument("alias", path, [str(error)]) from error


def aliases(store_root: Path) -> Iterator[Path]:
    """Yield the files of all aliases, sorted."""
    for pattern in ("artifacts/sha256/*/*", "sources/*"):
        yield from (path for path in sorted(store_root.glob(pattern)) if not TEMPORARY.fullmatch(path.name))


def verify_aliases(store_root: Path, look: Callable[[BuildId], StoredDistribution | None]) -> Iterator[Damage]:
    """Yield what is wrong with aliases; *look* returns an entry, None for one that is not there or is damaged itself.

    One that leads to an entry which is not there counts as absent: that is no damage.
    """
    for path in aliases(store_root):
        shown = path.relative_to(store_root).as_posix()
        try:
            alias = read_alias(path)
            stored = look(alias.entry)
            problem = None if stored is None else _misled(path, alias, stored)
        except (FileNotFoundError, UnsupportedFormat):
            continue
        except InvalidDocument as error:
            problem = "; ".join(error.problems)
        except OSError as error:
            yield Damage(kind="unreadable", path=shown, message=f"{shown} cannot be read: {error.strerror or error}")
            continue
        if problem:
            yield Damage(kind="alias", path=shown, message=f"{shown}: {problem}")


def _misled(path: Path, alias: Alias, stored: StoredDistribution) -> str | None:
    if alias.digest != stored.manifest.digest:
        return f"it has another digest than {alias.entry}"
    try:
        origins = stored.origins()
    except (InvalidDocument, UnsupportedFormat):
        return None  # that is damage of the entry
    known = {artifact.sha256 for artifact in origins.artifacts} | set(origins.sources)
    if known and path.stem not in known:
        return f"it leads to {alias.entry}, which came from something else"
    is_artifact = path.parts[-4:-2] == ("artifacts", "sha256")
    if not _HASH.fullmatch(path.stem) or (is_artifact and path.parent.name != path.stem[:2]):
        return "it is not where it would be found"
    return None


def verify_tables(store_root: Path, look: Callable[[BuildId], StoredDistribution | None]) -> Iterator[Damage]:
    """Yield what is wrong with compiled tables: each is compiled again from the manifests of its distributions.

    One with an entry that is not there cannot be compared, and leads nowhere.
    """
    for path in sorted((store_root / "tables").glob("[!.]*")):
        shown = f"tables/{path.name}"
        try:
            binding, table = DispatchTable.decode(path.read_bytes(), path)
            wanted = _compiled_again(table, look)
        except (FileNotFoundError, UnsupportedFormat):
            continue
        except InvalidDocument as error:
            yield Damage(kind="table", path=shown, message=f"{shown}: {'; '.join(error.problems)}")
        except OSError as error:
            yield Damage(kind="unreadable", path=shown, message=f"{shown} cannot be read: {error.strerror or error}")
        else:
            if binding or (wanted is not None and wanted != table):
                yield Damage(kind="table", path=shown, message=f"{shown}: it is not what its distributions make")


def _compiled_again(table: DispatchTable, look: Callable[[BuildId], StoredDistribution | None]) -> DispatchTable | None:
    rows = []
    for row in table.plain["distributions"]:
        try:
            name, version, root, _, build = row[:5]
            stored = look(BuildId.parse(f"{name}/{version}/{build}"))
        except (ValueError, TypeError) as error:
            raise InvalidDocument("dispatch table", "", [f"{row!r} is no distribution"]) from error
        if stored is None:
            return None
        manifest = stored.manifest
        is_own = root == stored.root or re.fullmatch(r"shared/[0-9a-f]{64}/site-packages", str(root), re.ASCII)
        rows.append(
            TableEntry(
                name=manifest.name,
                version=manifest.version,
                root=root if is_own else stored.root,
                dist_info=manifest.dist_info,
                build=manifest.build,
                shown=manifest.shown,
                top_level=tuple(manifest.top_level),
                pth=manifest.pth,
                start=manifest.start,
                entry_points=manifest.entry_points,
            )
        )
    return DispatchTable.compile(rows)


def verify_registrations(store_root: Path) -> Iterator[Damage]:
    """Yield what cannot be read of what the store knows of environments: garbage collection stops at it."""
    for path in sorted((store_root / "environments").glob("[!.]*.json")):
        shown = f"environments/{path.name}"
        try:
            Registration.from_document(path.read_bytes(), path)
        except (FileNotFoundError, UnsupportedFormat):
            continue
        except InvalidDocument as error:
            yield Damage(kind="registration", path=shown, message=f"{shown}: {'; '.join(error.problems)}")
        except OSError as error:
            yield Damage(kind="unreadable", path=shown, message=f"{shown} cannot be read: {error.strerror or error}")
