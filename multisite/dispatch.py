"""The dispatch table: what the finder of an environment reads at start, as bytes and as values.

The format is docs/formats.md, "Dispatch table and its key"; ``_runtime`` reads the same bytes with code of its own.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from multisite import manifest
from multisite.errors import InvalidDocument, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Binding", "DispatchTable", "TableEntry", "exact", "parsed", "table_key"]

MAGIC = b"MSTABLE\n"
FORMAT = 3
_HEADER = 32
# What of the compiled table stands in which part of the file; a part with one name is that value alone.
_PARTS = (("names",), ("pth", "start"), ("distributions",), ("entry_points",))
_START_UP = 2  # the part, counted from the binding, that is empty where there is nothing in it
_DISTRIBUTIONS = 3  # the part that is text: one row can be read without the others
_COLUMNS = 7
# The newest version that every supported interpreter reads; 3.14 writes a newer one by default.
_MARSHAL = 4
_REPAIR = "multisite sync"
# What is the same to every reader of METADATA and of entry_points.txt, from Python 3.8 on.
_PLAIN = re.compile(r"[!-~]+")
_SECTION = re.compile(r"\[(?!DEFAULT\])([A-Za-z0-9_.:-]+)\]")
_POINT = re.compile(
    r"([A-Za-z0-9_.](?:[A-Za-z0-9_. :+/!@-]*[A-Za-z0-9_.+!@-])?) *= *"
    r"([A-Za-z0-9_.](?:[A-Za-z0-9_.: \[\],-]*[A-Za-z0-9_\]])?)"
)
_IGNORED = re.compile(r"(?:#[ -~]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEntry:
    """One distribution of an environment, as the table has it. ``root`` is relative to the store, with ``/``.

    ``shown`` are the name and the version that METADATA gives.
    """

    name: str
    version: str
    root: str
    dist_info: str
    build: str
    top_level: tuple[str, ...] = ()
    pth: Mapping[str, str] = field(default_factory=dict)
    start: Mapping[str, str] = field(default_factory=dict)
    entry_points: str | None = None
    shown: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What ties a table to one environment: its stores, and the lockfile that it was made from.

    ``trusted`` are the numbers of users and of groups from whose stores tables may be taken up at start. ``bare`` are
    folders of the interpreter's library that hold no metadata, with their times.
    """

    id: str
    stores: tuple[str, ...]
    lockfile: str
    size: int
    mtime_ns: int
    sha256: str
    layers: tuple[int, ...] | None = None
    edits: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, tuple[str, tuple[int, ...] | None]] = field(default_factory=dict)
    trusted: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    bare: Mapping[str, int] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return the values that ``marshal`` writes."""
        return {
            "id": self.id,
            "stores": self.stores,
            "layers": self.layers,
            "edits": dict(self.edits),
            "lockfile": self.lockfile,
            "size": self.size,
            "mtime_ns": self.mtime_ns,
            "sha256": self.sha256,
            "known": dict(self.known),
            **({"trusted": self.trusted} if any(self.trusted) else {}),
            **({"bare": dict(self.bare)} if self.bare else {}),
        }


@dataclass(frozen=True, slots=True)
class DispatchTable:
    """A compiled table: plain values, the same for every environment with the same key."""

    plain: Mapping[str, Any]

    @classmethod
    def compile(cls, entries: Iterable[TableEntry]) -> DispatchTable:
        """Compile the table of *entries*. Of several with one top-level name, the first by name takes precedence."""
        rows = sorted(entries, key=lambda entry: entry.name)
        owners: dict[str, list[int]] = {}
        for index, entry in enumerate(rows):
            for name in entry.top_level:
                owners.setdefault(name, []).append(index)
        return cls(
            {
                "names": {
                    name: found[0] if len(found) == 1 else tuple(found) for name, found in sorted(owners.items())
                },
                "distributions": tuple(
                    (row.name, row.version, row.root, row.dist_info, row.build, *map(exact, row.shown)) for row in rows
                ),
                "pth": _files([row.pth for row in rows]),
                "start": _files([row.start for row in rows]),
                "entry_points": {at: parsed(row.entry_points) for at, row in enumerate(rows) if row.entry_points},
            }
        )

    def encode(self, binding: Binding | None = None) -> bytes:
        """Return the bytes of a table file; without a *binding*, those of a table that a store shares."""
        values: list[Any] = [binding.to_plain() if binding else {}]
        for names in _PARTS:
            value = {name: _shared(self.plain[name], {}) for name in names}
            values.append(value if len(names) > 1 else value[names[0]])
        rows = values.pop(_DISTRIBUTIONS)
        parts = [marshal.dumps(value, _MARSHAL) for value in values]
        parts.insert(_DISTRIBUTIONS, _text(rows))
        if not (self.plain["pth"] or self.plain["start"]):
            parts[_START_UP] = b""
        return MAGIC + b"".join(number.to_bytes(4, "little") for number in (FORMAT, *map(len, parts))) + b"".join(parts)

    @classmethod
    def decode(cls, data: bytes, where: str | Path) -> tuple[dict[str, Any], DispatchTable]:
        """Read a table file: the binding's plain values (none in a shared table), and the table.

        Raises InvalidDocument where it is torn or damaged, UnsupportedFormat where its format is another.
        """
        if data[:8] != MAGIC or len(data) < _HEADER:
            raise InvalidDocument("dispatch table", where, ["it does not begin as one"], hint=_REPAIR)
        stated, *lengths = (int.from_bytes(data[at : at + 4], "little") for at in range(8, _HEADER, 4))
        if stated != FORMAT:
            raise UnsupportedFormat("dispatch table", where, found=stated, known=FORMAT)
        if len(data) != _HEADER + sum(lengths):
            problem = f"it is torn: {len(data)} bytes instead of {_HEADER + sum(lengths)}"
            raise InvalidDocument("dispatch table", where, [problem], hint=_REPAIR)
        ends = [_HEADER + sum(lengths[:count]) for count in range(len(lengths) + 1)]
        found = [data[start:end] for start, end in pairwise(ends)]
        rows = _rows(found.pop(_DISTRIBUTIONS), where)
        binding, *parts = (_loaded(part, where) for part in found)
        parts.insert(_DISTRIBUTIONS - 1, rows)
        parts[_START_UP - 1] = parts[_START_UP - 1] or {"pth": (), "start": ()}
        if not isinstance(binding, dict) or not isinstance(parts[_START_UP - 1], dict):
            raise InvalidDocument("dispatch table", where, ["it is damaged: not a mapping"], hint=_REPAIR)
        plain: dict[str, Any] = {}
        for names, part in zip(_PARTS, parts, strict=True):
            plain.update(part if len(names) > 1 else {names[0]: part})
        _check(plain, _COMPILED, where)
        if binding:
            _check(binding, _BINDING, where)
        return binding, cls(plain)


def table_key(
    *,
    lock_sha256: str,
    extras: Sequence[str],
    groups: Sequence[str] | None,
    python: str,
    builds: Mapping[str, str],
) -> str:
    """Return the key of a compiled table (64 hexadecimal digits): everything that it depends on.

    *builds* names the builds of distributions that the lockfile does not pin to a wheel. Which distributions share a
    folder follows from the lock and from the rules by which manifests are made.
    """
    parts = {
        "table": FORMAT,
        "manifest": manifest.FORMAT,
        "lock": lock_sha256,
        "extras": sorted(extras),
        "groups": None if groups is None else sorted(groups),
        "python": python,
        "builds": dict(builds),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _files(texts: Sequence[Mapping[str, str]]) -> tuple[tuple[str, int, str], ...]:
    return tuple(sorted((name, index, text) for index, files in enumerate(texts) for name, text in files.items()))


def parsed(text: str) -> tuple[tuple[str, str, str], ...] | None:
    """Return name, value and group of each entry point in *text*; None where it takes the standard library to tell.

    What is plain is read alike by ``configparser`` (Python 3.8 and 3.9) and by the later parsers.
    """
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    groups: list[str] = []
    for line in text.split("\n"):
        section, point = _SECTION.fullmatch(line), _POINT.fullmatch(line)
        if section and section[1] not in groups:
            groups.append(section[1])
        elif point and groups and (groups[-1], point[1]) not in found:
            found[groups[-1], point[1]] = point[1], point[2], groups[-1]
        elif not _IGNORED.fullmatch(line):
            return None
    return tuple(found.values())


def exact(text: str) -> str:
    """Return *text* of METADATA where every parser of its headers gives that, else nothing."""
    return text if _PLAIN.fullmatch(text) else ""


def _shared(value: Any, known: dict[str, str]) -> Any:
    """Return *value* with one object for equal texts, so that marshal writes each once."""
    if isinstance(value, str):
        return known.setdefault(value, value)
    if isinstance(value, tuple):
        return tuple([_shared(item, known) for item in value])
    if isinstance(value, dict):
        return {_shared(key, known): _shared(item, known) for key, item in value.items()}
    return value


def _has_usual_name(row: Sequence[str]) -> bool:
    """Tell whether the metadata folder in a *row* has the name by which the distribution is looked for."""
    return row[3].partition("-")[0].lower().replace("_", "-").replace(".", "-") == row[0]


def _text(rows: Sequence[Sequence[str]]) -> bytes:
    """Return the part that has the distributions; no name in a wheel has a control character."""
    unusual = [str(at) for at, row in enumerate(rows) if not _has_usual_name(row)]
    lines = [" ".join(unusual), *map("\t".join, rows)]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _rows(part: bytes, where: str | Path) -> tuple[tuple[str, ...], ...]:
    try:
        _, *lines = part.decode("utf-8", "surrogatepass").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidDocument("dispatch table", where, [f"it is damaged: {error}"], hint=_REPAIR) from error
    rows = tuple([tuple(line.split("\t")) for line in lines])
    if any(len(row) != _COLUMNS for row in rows):
        problem = f"it is damaged: a distribution without its {_COLUMNS} columns"
        raise InvalidDocument("dispatch table", where, [problem], hint=_REPAIR)
    return rows


def _loaded(part: bytes, where: str | Path) -> Any:
    if not part:
        return {}
    try:
        return marshal.loads(part)  # noqa: S302 -- ours, or a store's that the account trusts
    except (EOFError, MemoryError, TypeError, ValueError) as error:
        raise InvalidDocument("dispatch table", where, [f"it is damaged: {error}"], hint=_REPAIR) from error


_COMPILED: Mapping[str, type | tuple[type, ...]] = {
    "names": dict,
    "distributions": tuple,
    "pth": tuple,
    "start": tuple,
    "entry_points": dict,
}
_BINDING: Mapping[str, type | tuple[type, ...]] = {
    "id": str,
    "stores": tuple,
    "layers": (tuple, type(None)),
    "edits": dict,
    "lockfile": str,
    "size": int,
    "mtime_ns": int,
    "sha256": str,
    "known": dict,
}


def _check(value: Mapping[str, Any], kinds: Mapping[str, type | tuple[type, ...]], where: str | Path) -> None:
    problems = [
        f"{key} is missing or of the wrong type" for key, kind in kinds.items() if not isinstance(value.get(key), kind)
    ]
    if problems:
        raise InvalidDocument("dispatch table", where, problems, hint=_REPAIR)
