"""What is wrong with files of a store, as data: kinds of damage, and the damage that was found."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from multisite.report import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "Damage", "Kind", "Remedy"]


class Remedy:
    """How a kind of damage is mended: the names of the ways there are."""

    FETCH = "its artifact is fetched again, and the file replaced"
    LINK = "the file is put there again from the entries"
    MODE = "the mode is set"
    REMOVE = "the file is removed"
    WRITE = "the document is written again from what it is derived from"
    NONE = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of damage. ``id`` never changes; ``meaning`` is the sentence for it, for people."""

    id: str
    severity: Severity
    meaning: str
    remedy: str


_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.id: kind
        for kind in (
            Kind(id="missing", severity=_ERROR, meaning="a file is missing", remedy=Remedy.FETCH),
            Kind(id="altered", severity=_ERROR, meaning="a file has another size or hash", remedy=Remedy.FETCH),
            Kind(
                id="kind",
                severity=_ERROR,
                meaning="a link, a folder or something else stands where a file should be, or a link on the way there",
                remedy=Remedy.FETCH,
            ),
            Kind(
                id="record",
                severity=_ERROR,
                meaning="RECORD or the metadata cannot be read, or are not those that the entry was published with",
                remedy=Remedy.FETCH,
            ),
            Kind(
                id="owner",
                severity=_ERROR,
                meaning="a file or folder belongs to an account that is neither the store's nor root",
                remedy=Remedy.FETCH,
            ),
            Kind(
                id="mode",
                severity=_ERROR,
                meaning="others may write to a file or folder, its owner may not read it, it is setuid or setgid, "
                "or it can no longer be executed",
                remedy=Remedy.MODE,
            ),
            Kind(
                id="extra",
                severity=_ERROR,
                meaning="something that could be imported, loaded or followed was put there: code, a link, metadata",
                remedy=Remedy.REMOVE,
            ),
            Kind(
                id="data",
                severity=_NOTE,
                meaning="a program left a data file there, as it would in a plain environment",
                remedy=Remedy.NONE,
            ),
            Kind(
                id="bytecode",
                severity=_ERROR,
                meaning="an interpreter would run bytecode that it does not compile from the source beside it",
                remedy=Remedy.REMOVE,
            ),
            Kind(
                id="manifest",
                severity=_ERROR,
                meaning="`manifest.json` is missing, or does not say what the entry's files say",
                remedy=Remedy.WRITE,
            ),
            Kind(
                id="index",
                severity=_ERROR,
                meaning="`modules.txt` is missing, or does not say what the folder's files say",
                remedy=Remedy.WRITE,
            ),
            Kind(
                id="origins",
                severity=_WARNING,
                meaning="`artifacts.json` is missing or damaged, so that the entry could not be mended",
                remedy=Remedy.WRITE,
            ),
            Kind(
                id="alias",
                severity=_ERROR,
                meaning="an alias of an artifact or a source cannot be read, or leads to an entry of something else",
                remedy=Remedy.WRITE,
            ),
            Kind(
                id="shared",
                severity=_ERROR,
                meaning="`shared.json` is missing or damaged, or a member is not in the store",
                remedy=Remedy.WRITE,
            ),
            Kind(
                id="table",
                severity=_ERROR,
                meaning="a compiled table cannot be decoded, or is not what its distributions' manifests make",
                remedy=Remedy.REMOVE,
            ),
            Kind(
                id="runtime",
                severity=_ERROR,
                meaning="compiled start-up code is not what its interpreter compiles from this multisite's",
                remedy=Remedy.REMOVE,
            ),
            Kind(
                id="registration",
                severity=_ERROR,
                meaning="what the store knows of an environment cannot be read",
                remedy=Remedy.NONE,
            ),
            Kind(
                id="unreadable",
                severity=_ERROR,
                meaning="this account may not read it, or the disk fails",
                remedy=Remedy.NONE,
            ),
        )
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One thing that is wrong. ``kind`` is a key of ``KINDS``, ``path`` the file, relative to what it is damage of.

    ``message`` begins with the path, and says what is wrong with it.
    """

    kind: str
    path: str
    message: str

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return KINDS[self.kind].severity

    @property
    def is_harmless(self) -> bool:
        """Whether it explains rather than warns."""
        return self.severity is Severity.NOTE
