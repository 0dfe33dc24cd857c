"""An entry's manifest: what environments need to know of it without walking its tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from multisite.document import Fields, dump_document, load_document
from multisite.names import BuildId, normalize
from multisite.native import Native, Search, linked
from multisite.state import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

__all__ = ["FORMAT", "DataFile", "Manifest", "claims", "closures", "collide", "top_level"]

FORMAT = 4
_KIND = "entry manifest"
_IMPORTABLE = (".py", ".pyc", ".so", ".pyd", ".pyw")
# A regular package's folder and a module can be only one distribution's; what is no module in a namespace's folder is
# noted because a package of that path would take the folder over.
_SCHEMES = frozenset({"scripts", "headers", "data"})
_EXCLUSIVE = frozenset({"package", "module"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file in an entry's ``data/``: what installing puts somewhere under the environment's prefix."""

    scheme: str
    path: str
    sha256: str
    size: int
    executable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What docs/formats.md, "Entry manifest", says of each field; ``digest`` is the whole content digest.

    ``metadata_name``, ``metadata_version`` and what is required and provided are METADATA's; ``executable`` are paths
    in site-packages; ``files`` and ``size`` count what RECORD lists.
    """

    name: NormalizedName
    version: str
    build: str
    digest: str
    tags: tuple[str, ...]
    dist_info: str
    metadata_name: str
    metadata_version: str
    requires_python: str | None = None
    requires_dist: tuple[str, ...] = ()
    provides_extra: tuple[str, ...] = ()
    entry_points: str | None = None
    top_level: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, str] = field(default_factory=dict)
    pth: Mapping[str, str] = field(default_factory=dict)
    start: Mapping[str, str] = field(default_factory=dict)
    data: tuple[DataFile, ...] = ()
    native: Native = field(default_factory=Native)
    executable: tuple[str, ...] = ()
    files: int = 0
    size: int = 0

    @property
    def build_id(self) -> BuildId:
        """The entry that this describes."""
        return BuildId(name=self.name, version=self.version, build=self.build)

    @property
    def shown(self) -> tuple[str, str]:
        """The name and the version that METADATA gives."""
        return self.metadata_name, self.metadata_version

    @classmethod
    def from_document(cls, document: bytes, where: str | Path) -> Manifest:
        """Read a manifest. Raises InvalidDocument with every fault, UnsupportedFormat."""
        fields = Fields(load_document(document, kind=_KIND, format=FORMAT, where=where))
        metadata = fields.mapping("metadata")
        manifest = cls(
            name=normalize(fields.text("name")),
            version=fields.text("version"),
            build=fields.text("build"),
            digest=fields.digest("digest"),
            tags=fields.texts("tags"),
            dist_info=fields.text("dist_info"),
            metadata_name=metadata.text("name"),
            metadata_version=metadata.text("version"),
            requires_python=metadata.optional_text("requires_python"),
            requires_dist=metadata.texts("requires_dist"),
            provides_extra=metadata.texts("provides_extra"),
            entry_points=fields.optional_text("entry_points"),
            top_level=fields.text_map("top_level"),
            claims=fields.text_map("claims"),
            pth=fields.text_map("pth"),
            start=fields.text_map("start"),
            data=tuple(_data_file(item) for item in fields.mappings("data")),
            native=_native(fields.mapping("native")),
            executable=fields.texts("executable"),
            files=fields.integer("files"),
            size=fields.integer("bytes"),
        )
        _refuse_climbing(fields, manifest)
        fields.finish(_KIND, where)
        return manifest

    def to_document(self) -> bytes:
        """Return the manifest as it is written."""
        return dump_document(self._plain(), format=FORMAT)

    def _plain(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "build": self.build,
            "digest": self.digest,
            "tags": list(self.tags),
            "dist_info": self.dist_info,
            "metadata": {
                "name": self.metadata_name,
                "version": self.metadata_version,
                "requires_python": self.requires_python,
                "requires_dist": list(self.requires_dist),
                "provides_extra": list(self.provides_extra),
            },
            "entry_points": self.entry_points,
            "top_level": dict(self.top_level),
            "claims": dict(self.claims),
            "pth": dict(self.pth),
            "start": dict(self.start),
            "data": [
                {
                    "scheme": file.scheme,
                    "path": file.path,
                    "sha256": file.sha256,
                    "size": file.size,
                    "executable": file.executable,
                }
                for file in self.data
            ],
            "native": {
                "files": list(self.native.files),
                "searches": [
                    {"folders": list(search.folders), "names": list(search.names), "chained": search.chained}
                    for search in self.native.searches
                ],
            },
            "executable": list(self.executable),
            "files": self.files,
            "bytes": self.size,
        }


def _refuse_climbing(fields: Fields, manifest: Manifest) -> None:
    """Add what would lead out of the entry's folders: whoever reads a manifest joins these to them."""
    names = {"dist_info": [manifest.dist_info], "pth": manifest.pth, "start": manifest.start}
    for key, found in names.items():
        for name in filter(None, found):
            if "/" in name or not is_inside(name):
                fields.problem(key, f"{name!r} is not a plain name")
    for number, file in enumerate(manifest.data):
        if file.scheme and file.path and (file.scheme not in _SCHEMES or not is_inside(file.path)):
            fields.problem(f"data[{number}]", f"{file.scheme}/{file.path} is not in a folder of the entry")


def _data_file(fields: Fields) -> DataFile:
    return DataFile(
        scheme=fields.text("scheme"),
        path=fields.text("path"),
        sha256=fields.digest("sha256"),
        size=fields.integer("size"),
        executable=fields.boolean("executable"),
    )


def _native(fields: Fields) -> Native:
    return Native(
        files=fields.texts("files"),
        searches=tuple(
            Search(folders=item.texts("folders"), names=item.texts("names"), chained=item.boolean("chained"))
            for item in fields.mappings("searches")
        ),
    )


def top_level(paths: Iterable[str]) -> dict[str, str]:
    """Return what ``import`` could find among files of site-packages: name -> package, module or namespace."""
    kinds: dict[str, str] = {}
    # The order in which the import system prefers them in one folder.
    for kind, name in sorted(_named(path) for path in paths if not _is_foreign(path.partition("/")[0])):
        # A name with a dot can only be asked for below its parent.
        if name and "." not in name:
            kinds.setdefault(name, kind[1:])
    return kinds


def _named(path: str) -> tuple[str, str]:
    name, separator, rest = path.partition("/")
    if separator:
        return ("0package" if _module_of(rest) == "__init__" else "2namespace"), name
    return "1module", _module_of(name) or ""


def claims(paths: Iterable[str]) -> dict[str, str]:
    """Return the paths among files of site-packages that no other distribution can add to: -> package, module, folder.

    The outermost on each branch; a ``folder`` is a namespace's that holds files which are no modules.
    """
    own = [path for path in paths if not _is_foreign(path.partition("/")[0])]
    packages = {folder for folder, _, name in (path.rpartition("/") for path in own) if _module_of(name) == "__init__"}
    found: dict[str, str] = {}
    for path in own:
        outermost = next((folder for folder in _folders(path) if folder in packages), None)
        folder, _, name = path.rpartition("/")
        module = _module_of(name)
        if outermost:
            found[outermost] = "package"
        elif folder.endswith("__pycache__"):
            continue
        elif module:
            path = f"{folder}/{module}" if folder else module
            found[path] = "package" if found.get(path) == "package" else "module"
        elif folder:
            found.setdefault(folder, "folder")
    return dict(sorted(found.items()))


def _is_foreign(name: str) -> bool:
    return name.endswith((".dist-info", ".data")) or name == "__pycache__"


def _module_of(name: str) -> str | None:
    """Return the module that a file of this *name* is, None for other files."""
    if "/" in name or not name.endswith(_IMPORTABLE):
        return None
    module, _, suffixes = name.partition(".")
    # An extension module's suffix names interpreter and platform; nothing imports source called a.b.py.
    return (module or None) if f".{suffixes}" in _IMPORTABLE or name.endswith((".so", ".pyd")) else None


def _folders(path: str) -> list[str]:
    """Return the folders of *path*, from the outermost."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]


def collide(one: Manifest, other: Manifest) -> bool:
    """Tell whether two distributions have files in one regular package's folder, or the same module."""
    return bool(_contested(one, other) or _contested(other, one))


def _contested(one: Manifest, other: Manifest) -> bool:
    for path, kind in other.claims.items():
        if kind in _EXCLUSIVE and one.claims.get(path) in _EXCLUSIVE:
            return True
        if any(one.claims.get(above) == "package" for above in _within(path)):
            return True
    return False


def _within(path: str) -> list[str]:
    return _folders(f"{path}/")


def closures(manifests: Sequence[Manifest]) -> list[tuple[Manifest, ...]]:
    """Return the groups of distributions that one folder has to hold; most are in none.

    They collide, or native files of one look for those of the other (``multisite.native``), directly or through others.
    A group of one has native files in site-packages that look for its own under the prefix.

    Members are sorted by build, groups by their first member.
    """
    leader = list(range(len(manifests)))

    def find(at: int) -> int:
        while leader[at] != at:
            leader[at] = leader[leader[at]]
            at = leader[at]
        return at

    # Only who claims a path exclusively can be collided with; most distributions meet nobody there.
    holders: dict[str, list[int]] = {}
    for at, manifest in enumerate(manifests):
        for path, kind in manifest.claims.items():
            if kind in _EXCLUSIVE:
                holders.setdefault(path, []).append(at)
    for at, manifest in enumerate(manifests):
        met = {holder for path in manifest.claims for above in _within(path) for holder in holders.get(above, ())}
        for holder in met:
            if find(holder) != find(at) and collide(manifest, manifests[holder]):
                leader[find(at)] = find(holder)
    links = linked([manifest.native for manifest in manifests])
    for one, other in links:
        leader[find(one)] = find(other)
    groups: dict[int, list[Manifest]] = {}
    for at, manifest in enumerate(manifests):
        groups.setdefault(find(at), []).append(manifest)
    kept = [group for at, group in groups.items() if len(group) > 1 or (at, at) in links]
    found = [tuple(sorted(group, key=lambda one: one.build_id)) for group in kept]
    return sorted(found, key=lambda group: group[0].build_id)
