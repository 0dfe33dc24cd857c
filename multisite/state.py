"""environment.json: what multisite knows of one environment beside its lockfile (docs/formats.md, "environment.json").

Paths under ``files`` are removed by a later sync, so a reader lets none pass that leads out of the environment.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from multisite.document import Fields, dump_document, load_document
from multisite.names import BuildId, normalize
from multisite.recordlines import by_folder, files_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.utils import NormalizedName

__all__ = [
    "FORMAT",
    "OLDEST",
    "ChosenBuild",
    "EnvironmentState",
    "HistoryItem",
    "InstallDifference",
    "OwnedFile",
    "PythonRecord",
    "RequestRecord",
    "Selection",
    "StateProject",
    "is_inside",
    "stated_id",
]

FORMAT = 2
OLDEST = 1  # of the formats that are read; in that each file stood under "files", and each line of RECORD was whole
_KIND = "environment.json"
_REPAIR = "write it anew: multisite sync"
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
# Separators of Windows, drives of Windows, control characters.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]|\A[A-Za-z]:")


def is_inside(path: str) -> bool:
    """Tell whether *path*, relative and with ``/``, names something in a folder on every platform: it cannot climb."""
    return not _UNSAFE.search(path) and all(part not in {"", ".", ".."} for part in path.split("/"))


def stated_id(document: bytes, where: str | Path) -> str:
    """Return the id in an environment.json, whatever else is wrong in there; nothing where none is stated.

    Raises InvalidDocument, UnsupportedFormat.
    """
    return Fields(load_document(document, kind=_KIND, format=FORMAT, oldest=OLDEST, where=where)).text("id")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """What was asked for when the lockfile was written; ``inputs`` is a SHA-256 over all of it."""

    requirements: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    project: str | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    seed: bool = False
    inputs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What of the lockfile is installed. ``groups`` None stands for the lockfile's default groups."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonRecord:
    """The interpreter that the environment was synced for: what it is, and the file that said so."""

    key: str
    executable: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenBuild:
    """The build of one distribution, and its facts of installation.

    ``store`` is the place of its store among the environment's, ``artifact`` the SHA-256 of the wheel that was wanted,
    ``shared`` the digest of the folder that it shares with others, ``direct_url`` the text of ``direct_url.json``
    (PEP 610).
    """

    build: BuildId
    store: int = 0
    artifact: str | None = None
    shared: str | None = None
    requested: bool = False
    direct_url: str | None = None

    @property
    def root(self) -> str:
        """The folder that imports look in, relative to the store, as the dispatch table has it."""
        if self.shared is not None:
            return f"shared/{self.shared}/site-packages"
        return f"multi-site-packages/{self.build.path}/site-packages"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedFile:
    """A file that multisite wrote for the distribution ``owner``, with the content that it then had."""

    owner: NormalizedName
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallDifference:
    """What an installer would have changed in RECORD: lines that it would have ``added``, sorted, paths ``removed``.

    A path that ends with a slash stands for all below it.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StateProject:
    """A project that is installed editable: its folder relative to the environment, its files in here."""

    name: NormalizedName
    path: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryItem:
    """An earlier lockfile: its copy relative to ``.multisite``, its table's key, the builds. ``time`` is in seconds."""

    lock_sha256: str
    table: str
    file: str
    time: int
    builds: Mapping[NormalizedName, BuildId] = field(default_factory=dict)
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentState:
    """The facts of one environment. ``lockfile`` is relative to it; ``request`` is None after a sync without lock.

    ``project`` is the one whose requirements were locked, ``editables`` are those that the lockfile has.
    ``edits`` are the private copies: the folder of the store whose place each takes -> its folder in the environment.
    ``site_metadata`` tells whether metadata of what is locked stand in site-packages for who looks from outside.
    ``store`` is the folder of the store that it writes to, ``layers`` those of the ones that it only reads.
    """

    id: str
    store: str
    layers: tuple[str, ...] = ()
    lockfile: str
    lock_sha256: str
    python: PythonRecord
    request: RequestRecord | None = None
    selection: Selection = field(default_factory=Selection)
    builds: Mapping[NormalizedName, ChosenBuild] = field(default_factory=dict)
    files: Mapping[str, OwnedFile] = field(default_factory=dict)
    installs: Mapping[NormalizedName, InstallDifference] = field(default_factory=dict)
    project: StateProject | None = None
    editables: tuple[StateProject, ...] = ()
    edits: Mapping[str, str] = field(default_factory=dict)
    site_metadata: bool = False
    history: tuple[HistoryItem, ...] = ()

    @property
    def stores(self) -> tuple[str, ...]:
        """The folders of the stores that it uses, in order of precedence."""
        return (self.store, *self.layers)

    @classmethod
    def from_document(cls, document: bytes, where: str | Path) -> EnvironmentState:
        """Read environment.json. Raises InvalidDocument with every fault, UnsupportedFormat."""
        fields = Fields(load_document(document, kind=_KIND, format=FORMAT, oldest=OLDEST, where=where))
        first = fields.integer("format") == OLDEST
        request, project = fields.optional_mapping("request"), fields.optional_mapping("project")
        state = cls(
            id=_environment_id(fields),
            store=fields.text("store"),
            layers=fields.texts("layers") if "layers" in fields else (),
            lockfile=fields.text("lockfile"),
            lock_sha256=fields.digest("lock_sha256"),
            python=_python(fields.mapping("python")),
            request=None if request is None else _request(request),
            selection=_selection(fields.mapping("selection")),
            builds={normalize(name): _chosen(name, item) for name, item in fields.mapping_map("builds").items()},
            installs=(installs := _installs(fields, first=first)),
            files=_files(fields, {} if first else _recorded(installs)),
            project=None if project is None else _project(project),
            editables=tuple(map(_project, fields.mappings("editables") if "editables" in fields else ())),
            edits=fields.text_map("edits"),
            site_metadata=fields.boolean("site_metadata") if "site_metadata" in fields else False,
            history=tuple(_history_item(item) for item in fields.mappings("history")),
        )
        fields.finish(_KIND, where, hint=_REPAIR)
        return state

    def to_document(self) -> bytes:
        """Return the state as it is written."""
        return dump_document(self._plain(), format=FORMAT, dense=True)

    def _plain(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "store": self.store,
            **({"layers": list(self.layers)} if self.layers else {}),
            "lockfile": self.lockfile,
            "lock_sha256": self.lock_sha256,
            "python": asdict(self.python),
            "request": None if self.request is None else asdict(self.request),
            "selection": asdict(self.selection),
            "builds": {name: _plain_build(chosen) for name, chosen in self.builds.items()},
            **_plain_files(self.files, _recorded(self.installs)),
            "installs": {name: _plain_difference(difference) for name, difference in self.installs.items()},
            "project": None if self.project is None else asdict(self.project),
            "editables": [asdict(installed) for installed in self.editables],
            "edits": dict(self.edits),
            **({"site_metadata": True} if self.site_metadata else {}),
            "history": [_plain_history(item) for item in self.history],
        }


def _plain_build(chosen: ChosenBuild) -> dict[str, Any]:
    others = {
        "store": chosen.store,
        "artifact": chosen.artifact,
        "shared": chosen.shared,
        "requested": chosen.requested,
        "direct_url": chosen.direct_url,
    }
    stated = {name: value for name, value in others.items() if value not in (None, 0, False)}
    return {"build": f"{chosen.build.version}/{chosen.build.build}", **stated}


def _plain_history(item: HistoryItem) -> dict[str, Any]:
    return {
        "lock_sha256": item.lock_sha256,
        "table": item.table,
        "file": item.file,
        "time": item.time,
        "builds": {name: f"{build.version}/{build.build}" for name, build in item.builds.items()},
        "shared": list(item.shared),
    }


def _environment_id(fields: Fields) -> str:
    # It becomes the name of a file in the store.
    value = fields.text("id")
    if value and not _ID.fullmatch(value):
        fields.problem("id", f"expected 32 hexadecimal digits, found {value!r}")
    return value


def _request(fields: Fields) -> RequestRecord:
    return RequestRecord(
        requirements=fields.texts("requirements"),
        files=fields.texts("files"),
        project=fields.optional_text("project"),
        extras=fields.texts("extras"),
        groups=fields.texts("groups"),
        seed=fields.boolean("seed"),
        inputs=fields.digest("inputs"),
    )


def _selection(fields: Fields) -> Selection:
    return Selection(extras=fields.texts("extras"), groups=fields.optional_texts("groups"))


def _python(fields: Fields) -> PythonRecord:
    return PythonRecord(
        key=fields.text("key"),
        executable=fields.text("executable"),
        size=fields.integer("size"),
        mtime_ns=fields.integer("mtime_ns"),
    )


def _build_id(fields: Fields, key: str, name: str, text: str) -> BuildId:
    try:
        return BuildId.parse(f"{normalize(name)}/{text}")
    except ValueError as error:
        if text:  # otherwise it is reported already
            fields.problem(key, str(error))
        return BuildId(name=normalize(name), version="", build="")


def _chosen(name: str, fields: Fields) -> ChosenBuild:
    return ChosenBuild(
        build=_build_id(fields, "build", name, fields.text("build")),
        store=fields.integer("store") if "store" in fields else 0,
        artifact=fields.digest("artifact") if "artifact" in fields and fields.optional_text("artifact") else None,
        shared=fields.optional_digest("shared") if "shared" in fields else None,
        requested=fields.boolean("requested") if "requested" in fields else False,
        direct_url=fields.optional_text("direct_url") if "direct_url" in fields else None,
    )


def _plain_difference(difference: InstallDifference) -> dict[str, Any]:
    return {"added": by_folder(difference.added), "removed": list(difference.removed)}


def _installs(fields: Fields, *, first: bool) -> dict[NormalizedName, InstallDifference]:
    found = {}
    for name, item in fields.mapping_map("installs").items():
        added = tuple(sorted(item.texts("added"))) if first else lines_of(item.texts_map("added"))
        found[normalize(name)] = InstallDifference(added=added, removed=item.texts("removed"))
    return found


def _recorded(installs: Mapping[NormalizedName, InstallDifference]) -> dict[str, OwnedFile]:
    """Return the files that lines of RECORD are about; of two distributions' the later by name gave it."""
    return {
        path: OwnedFile(owner=owner, sha256=sha256, size=size)
        for owner, difference in sorted(installs.items())
        for path, sha256, size in files_of(difference.added)
        if is_inside(path)
    }


def _plain_files(files: Mapping[str, OwnedFile], known: Mapping[str, OwnedFile]) -> dict[str, Any]:
    """Return what has to be said of *files* beside what is *known* of them by lines of RECORD."""
    others = {path: asdict(file) for path, file in files.items() if known.get(path) != file}
    unowned = sorted(known.keys() - files.keys())
    return {"files": others, **({"unowned": unowned} if unowned else {})}


def _files(fields: Fields, known: Mapping[str, OwnedFile]) -> dict[str, OwnedFile]:
    unowned = set(fields.texts("unowned") if "unowned" in fields else ())
    found = {path: file for path, file in known.items() if path not in unowned}
    for path, item in fields.mapping_map("files").items():
        if not is_inside(path):
            item.problem("", "the path leads out of the environment")
        owner = normalize(item.text("owner"))
        found[path] = OwnedFile(owner=owner, sha256=item.digest("sha256"), size=item.integer("size"))
    return dict(sorted(found.items()))


def _project(fields: Fields) -> StateProject:
    paths = fields.texts("files")
    for path in paths:
        if not is_inside(path):
            fields.problem("files", f"{path!r} leads out of the environment")
    return StateProject(name=normalize(fields.text("name")), path=fields.text("path"), files=paths)


def _history_item(fields: Fields) -> HistoryItem:
    file = fields.text("file")
    if file and not is_inside(file):
        fields.problem("file", f"{file!r} leads out of the environment")
    builds = fields.text_map("builds")
    return HistoryItem(
        lock_sha256=fields.digest("lock_sha256"),
        table=fields.digest("table"),
        file=file,
        time=fields.integer("time"),
        builds={normalize(name): _build_id(fields, f"builds.{name}", name, text) for name, text in builds.items()},
        shared=fields.digests("shared"),
    )
