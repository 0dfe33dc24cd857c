"""A view: what an environment finds, as a tree of ordinary files, for tools that read files and run nothing.

It has the shape of a virtual environment, so that a tool is told of it as of any other. It holds copies (clones, where
the filesystem has them) and no link into the store: editors and formatters write to what they show, and a link of
whatever kind would let them change the store for every environment. It lies outside of site-packages, so nothing that
the environment's own interpreter imports ever comes from there.

``view.json`` says what is in it. It is written before the tree changes, as that of an empty view, and at the end: so
an interrupted change is one that the next command carries out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.cloning import copy_file
from multisite.document import Fields, dump_document, load_document
from multisite.errors import InvalidDocument, StoreNotUsable
from multisite.files import naming, remove_tree, write_atomic, write_file
from multisite.names import normalize
from multisite.real import really_installed
from multisite.scratch import scratch
from multisite.state import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.utils import NormalizedName

    from multisite.entry import StoredDistribution
    from multisite.environment import Environment
    from multisite.interpreter import Interpreter
    from multisite.layers import Layers
    from multisite.record import RecordEntry
    from multisite.state import ChosenBuild, EnvironmentState

__all__ = ["PATHS_FILE", "View", "ViewPlace", "damaged", "viewed", "write_view"]

PATHS_FILE = "multisite-view.pth"
_FORMAT = 1
_KIND = "view.json"
_CONFIGURATION = "pyvenv.cfg"
_TEXT = (".py", ".pyi")
_NATIVE = (".so", ".pyd")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a view shows: ``python`` is the interpreter's key, ``roots`` are folders relative to the store.

    ``paths`` are further folders, relative to its site-packages where they can be: the environment's own site-packages,
    for what is really installed, and what ``.pth`` files there add. A ``whole`` view has native modules and data files
    too, so that an interpreter can run from it.
    """

    python: str = ""
    whole: bool = False
    roots: Mapping[NormalizedName, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: bytes, where: str | Path) -> View:
        """Read view.json. Raises InvalidDocument with every fault, UnsupportedFormat."""
        fields = Fields(load_document(document, kind=_KIND, format=_FORMAT, where=where))
        view = cls(
            python=fields.text("python"),
            whole=fields.boolean("whole"),
            roots={normalize(name): root for name, root in fields.text_map("roots").items()},
            paths=fields.texts("paths"),
        )
        fields.finish(_KIND, where)
        return view

    def to_document(self) -> bytes:
        """Return the document as it is written."""
        plain = {"python": self.python, "whole": self.whole, "roots": dict(self.roots), "paths": list(self.paths)}
        return dump_document(plain, format=_FORMAT)

    def shows(self, path: str) -> bool:
        """Tell whether a view has the file with this *path* as it is: what tools read, or all there is."""
        folder, _, name = path.rpartition("/")
        if not folder and name.endswith(".pth"):
            return False
        in_metadata = folder.partition("/")[0].endswith(".dist-info")
        return self.whole or in_metadata or name.endswith(_TEXT) or name == "py.typed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewPlace:
    """Where the view of an environment is, or would be."""

    folder: Path
    site_packages: Path
    python: Path

    @classmethod
    def of(cls, environment: Environment) -> ViewPlace:
        """Return the place for *environment*: among multisite's own files in it, which version control leaves out."""
        folder = environment.state_folder / "view"
        return cls(
            folder=folder,
            site_packages=folder / environment.site_packages.relative_to(environment.path),
            python=folder / environment.scripts.name / ("python.exe" if sys.platform == "win32" else "python"),
        )

    @property
    def document(self) -> Path:
        """The file that says what is in it."""
        return self.folder / "view.json"

    def read(self) -> View | None:
        """Return the view that is there, None where there is none. One that is damaged shows nothing.

        Raises UnsupportedFormat where a later multisite wrote it.
        """
        try:
            return View.from_document(self.document.read_bytes(), self.document)
        except InvalidDocument:
            return View()
        except (FileNotFoundError, NotADirectoryError):
            return View() if self.folder.is_dir() else None

    def remove(self) -> bool:
        """Remove the view; return whether there was one."""
        was_there = self.folder.exists() or self.folder.is_symlink()
        remove_tree(self.folder)
        return was_there


def viewed(environment: Environment, state: EnvironmentState, *, python: str, whole: bool) -> View:
    """Return what a view of *environment* has to show for what *state* says is locked.

    Who is really installed stands in the environment's own site-packages, and is seen there instead, as private copies
    are where they lie.
    """
    real = really_installed(environment.site_packages)
    mixed = {chosen.shared for name, chosen in state.builds.items() if name in real and chosen.shared}
    roots = {name: _root(chosen, mixed) for name, chosen in state.builds.items() if name not in real}
    private = {root: environment.path / state.edits[root] for root in roots.values() if root in state.edits}
    shown = {name: root for name, root in roots.items() if root not in private}
    return View(python=python, whole=whole, roots=shown, paths=tuple(_paths(environment, private.values())))


def _root(chosen: ChosenBuild, mixed: set[str]) -> str:
    # As the finder does: not from a folder that has files of one that is really installed instead.
    return replace(chosen, shared=None).root if chosen.shared in mixed else chosen.root


def _paths(environment: Environment, private: Iterable[Path]) -> Iterator[str]:
    """Yield the lines that lead to what is really in the environment: editable projects stand in ``.pth`` files.

    So are *private* copies, which change: an editor shows the files themselves.
    """
    own = ViewPlace.of(environment).site_packages
    for folder in (environment.site_packages, *sorted(private)):
        yield os.path.relpath(folder, own)
        for file in sorted(folder.glob("*.pth")):
            for line in folder_lines(file.read_text(encoding="utf-8-sig", errors="surrogateescape")):
                yield line if Path(line).is_absolute() else os.path.relpath(folder / line, own)


def folder_lines(text: str) -> list[str]:
    """Return the lines of a ``.pth`` file that name folders; the others are code, which a view never runs."""
    lines = [line.rstrip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "import ", "import\t"))]


def write_view(
    environment: Environment,
    interpreter: Interpreter,
    layers: Layers,
    state: EnvironmentState,
    view: View,
    *,
    anew: bool = False,
) -> bool:
    """Make *view* the environment's, which is held; return whether anything was to be done.

    What is unchanged since is taken over from the view that is there, unless it is to be made *anew*. Raises
    EntryMissing, StoreNotUsable.
    """
    place = ViewPlace.of(environment)
    before = place.read() or View()
    if before == view and not anew and place.python.exists() and place.site_packages.is_dir():
        return False
    place.folder.mkdir(exist_ok=True)
    with scratch(place.folder, before=".", after=".tmp") as new:
        tree = _Tree(folder=new / "site", former=place.site_packages, view=view)
        for name, root in sorted(view.roots.items()):
            kept = before.roots.get(name) == root and before.whole == view.whole and not anew
            tree.add(layers.entry(state.builds[name].build), layers.folder(root), take_over=kept)
        tree.finish()
        write_atomic(place.document, View().to_document())
        _exchange(tree.folder, place.site_packages, aside=new / "former")
    _write_shell(environment, interpreter, place)
    write_atomic(place.document, view.to_document())
    return True


def damaged(place: ViewPlace, view: View, entries: Iterable[StoredDistribution]) -> tuple[str, ...]:
    """Return the files of the view at *place* that are missing, or changed in size: paths in its site-packages."""
    found: dict[str, bool] = {}
    for stored in entries:
        for row in _rows(stored):
            if row.size is not None and view.shows(row.path):
                # Of several with one path, one is there.
                found[row.path] = found.get(row.path, False) or _size(f"{place.site_packages}/{row.path}") == row.size
    wrong = [path for path, is_right in found.items() if not is_right]
    return (*wrong, *(str(path) for path in (place.python, place.folder / _CONFIGURATION) if not path.exists()))


def _size(path: str) -> int | None:
    try:
        return os.lstat(path).st_size
    except OSError:
        return None


def _exchange(new: Path, target: Path, *, aside: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        target.rename(aside)
    new.rename(target)


def _write_shell(environment: Environment, interpreter: Interpreter, place: ViewPlace) -> None:
    """Write what makes a folder a virtual environment: configuration and interpreter, without activation."""
    place.python.parent.mkdir(exist_ok=True)
    place.python.unlink(missing_ok=True)
    if sys.platform == "win32":
        shutil.copy2(environment.python, place.python)
    else:
        place.python.symlink_to(interpreter.base_executable)
    settings = {**environment.configuration, "prompt": f"view of {environment.path.name}"}
    text = "".join(f"{key} = {value}\n" for key, value in settings.items())
    write_atomic(place.folder / _CONFIGURATION, text.encode("utf-8", "surrogateescape"))
    write_atomic(place.folder / ".gitignore", b"*\n")


class _Tree:
    """The site-packages folder of a *view* while it is filled; *former* is what is there until now."""

    def __init__(self, *, folder: Path, former: Path, view: View) -> None:
        self.folder = folder
        self._former = str(former)
        self._view = view
        self._folders: set[str] = set()
        folder.mkdir()

    def add(self, stored: StoredDistribution, root: Path, *, take_over: bool) -> None:
        """Add the files of *stored*, which lie in *root*, or with *take_over* those of the former view."""
        for row in _rows(stored):
            self._add(row, f"{root}/{row.path}", take_over=take_over)

    def finish(self) -> None:
        """Write the file that names the further folders."""
        text = "".join(f"{line}\n" for line in self._view.paths)
        write_file(self.folder / PATHS_FILE, text.encode("utf-8", "surrogateescape"))

    def _add(self, row: RecordEntry, source: str, *, take_over: bool) -> None:
        folder, _, name = row.path.rpartition("/")
        if self._view.shows(row.path):
            content = None
        elif name.endswith(_NATIVE):
            content = b""  # tools ask whether it is there
        elif name.endswith(".pth") and not folder:
            content = _without_code(source)
        else:
            return
        if folder not in self._folders:
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        target = f"{self.folder}/{row.path}"
        with contextlib.suppress(FileExistsError):  # the first has it, as in the finder
            if content is not None:
                _write(target, content)
            elif not (take_over and _linked(f"{self._former}/{row.path}", target, row.size)):
                _copied(source, target)


def _rows(stored: StoredDistribution) -> Iterator[RecordEntry]:
    """Yield what RECORD says of files in site-packages."""
    folder = f"{stored.manifest.dist_info.removesuffix('.dist-info')}.data/"
    return (row for row in stored.record() if is_inside(row.path) and not row.path.startswith(folder))


def _without_code(source: str) -> bytes:
    text = Path(source).read_text(encoding="utf-8-sig", errors="surrogateescape")
    return "".join(f"{line}\n" for line in folder_lines(text)).encode("utf-8", "surrogateescape")


def _write(target: str, content: bytes) -> None:
    # No path object: there are twenty thousand of them.
    with naming(target), open(target, "xb") as file:  # noqa: PTH123
        file.write(content)


def _linked(former: str, target: str, size: int | None) -> bool:
    """Take a file over from the former view, which goes, if it has the size that it should have."""
    try:
        if os.lstat(former).st_size != size:
            return False
        os.link(former, target)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True


def _copied(source: str, target: str) -> None:
    try:
        copy_file(source, target)
    except FileNotFoundError as error:
        if error.filename != source:
            raise
        raise StoreNotUsable(source, "missing, and the view needs it: multisite doctor") from error
