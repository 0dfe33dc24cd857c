"""The blueprint of an environment that was just made, drawn for the next one from the same lockfile.

It is drawn of an environment in a place that no other has, by what makes any environment: where the name of that place
stands, the next one's is filled in. So a blueprint cannot differ from what is made without one, which
``tests/test_raising.py`` compares.
"""

from __future__ import annotations

import base64
import os
import posixpath
import secrets
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multisite import blueprint, settled
from multisite.blueprint import split
from multisite.bootstrap import Bootstrap
from multisite.cache import Cache
from multisite.environment import Environment
from multisite.history import keep
from multisite.installation import plan_installation
from multisite.locktext import without_credentials
from multisite.recall import read_binding
from multisite.registry import RENEWED_AFTER, Registration
from multisite.scratch import temporary
from multisite.settling import looked_at, ways
from multisite.state import InstallDifference
from multisite.wanted import has_relative_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from multisite.installation import InstallationPlan, PlannedFile
    from multisite.interpreter import Interpreter
    from multisite.layers import Layers
    from multisite.state import EnvironmentState
    from multisite.wanted import Wanted

__all__ = ["survey"]

_ID = "\0"  # no name has that
_Parts = tuple[bytes | str, ...]


def survey(
    environment: Environment,
    state: EnvironmentState,
    wanted: Wanted,
    *,
    interpreter: Interpreter,
    layers: Layers,
    environ: Mapping[str, str],
    cache: Path,
) -> None:
    """Keep in the *cache* what makes another *environment* of the same lockfile, where it is a plain one."""
    binding, table = read_binding(environment)
    if table is None or not _is_plain(state, wanted, binding) or os.name != "posix":
        return
    python = str(interpreter.executable)
    if not interpreter.executable.samefile(interpreter.base_executable):
        return  # a program that chooses one each time it is run
    name = blueprint.key(wanted.data, python, os.path.realpath(state.store), environ)
    if blueprint.read(str(cache), name) is not None:
        return
    with temporary() as folder:
        drawing = _Drawing(folder, state, interpreter, layers)
        found = drawing.everything(environment, wanted, binding)
    if found is not None:
        Cache(cache).remember(blueprint.KIND, name, settled.encode(found, blueprint.MAGIC, blueprint.FORMAT))


def _is_plain(state: EnvironmentState, wanted: Wanted, binding: Mapping[str, Any]) -> bool:
    """Tell whether nothing but lockfile, interpreter and store decides what the environment is."""
    chosen = state.builds.values()
    special: list[object] = [
        state.project,
        state.editables,
        state.edits,
        state.layers,
        state.site_metadata,
        state.history,
    ]
    special += [binding["layers"], state.lockfile != "pylock.toml", wanted.addresses]
    special += [state.selection.extras, state.selection.groups is not None]
    special += [item.artifact is None or item.direct_url is not None or item.store for item in chosen]
    if any(special) or has_relative_paths(wanted.lock.pylock):
        return False
    return not without_credentials(wanted.data, wanted.lock.pylock)[1]


class _Drawing:
    """What is drawn in *folder*, of an environment in a place of a name that nothing else has."""

    def __init__(self, folder: Path, state: EnvironmentState, interpreter: Interpreter, layers: Layers) -> None:
        self._name = secrets.token_hex(16)
        self._path = Path(f"/{secrets.token_hex(16)}", self._name)
        self._folder = folder / "environment"
        self._state = state
        self._interpreter = interpreter
        self._layers = layers
        self._programs: list[PlannedFile] = []
        python = str(self._path / "bin" / "python").encode()
        self._number = _unlikely()
        self._marks = {python: "python", str(self._path).encode(): "path", self._name.encode(): "name"}

    def everything(self, environment: Environment, wanted: Wanted, binding: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the blueprint; None where something is to be said of what is installed."""
        self._folder.mkdir()
        outline = Environment.outline(self._folder, self._path, self._interpreter)
        plan = self._plan(outline)
        if plan.findings:
            return None
        bootstrap = Bootstrap(prefix=outline.path, site_packages=outline.site_packages)
        root = self._layers.root
        bootstrap.write(
            python=environment.python, cache_tag=self._interpreter.cache_tag, store=root, trust=self._layers.trust
        )
        keep(outline, self._state.lock_sha256, wanted.data)
        copies = [file for file in plan.write if isinstance(file.content, Path)]
        (table_key, _) = binding["known"][self._state.lock_sha256]
        return {
            "store": (root / "store.json").read_bytes(),
            "python": [(path, settled.take(path, settled.THROUGH)) for path in self._interpreters()],
            "sound": self._sound(),
            "there": [f"tables/{table_key}"],
            "pinned": [*map(str, self._builds()), *(f"shared/{digest}" for digest in self._shared())],
            **self._tree(plan),
            "programs": [(file.path, _mode(file), split(_bytes(file), self._marks)) for file in self._programs],
            "records": self._records(copies),
            "copies": [(file.path, _mode(file), _below(file, root), file.size) for file in copies],
            "state": self._state_parts(plan),
            "registration": self._registration_parts(table_key),
            "binding": dict(binding),
            "table": _around_binding((environment.state_folder / "table").read_bytes()),
            "looked_at": self._looks(environment),
            "holds": RENEWED_AFTER,
            "changes": [f" + {name} {item.build.version}" for name, item in sorted(self._state.builds.items())],
        }

    def _looks(self, environment: Environment) -> list[tuple[bool, str, int, list[str]]]:
        """Return what the next sync has to look at; first whether the folder is one of the environment's."""
        own, number = f"{environment.path}/", self._state.id
        found = []
        for folder, kind, names in looked_at(environment, self._state):
            inside = f"{folder}/".startswith(own)
            below = folder[len(own) - 1 :] if inside else folder
            found.append((inside, below, kind, [name.replace(number, _ID) for name in names]))
        return found

    def _plan(self, outline: Environment) -> InstallationPlan:
        site_packages = self._path / outline.site_packages.relative_to(outline.path)
        elsewhere = replace(outline, path=self._path, site_packages=site_packages)
        entries = [self._layers.first.entry(build) for build in self._builds()]
        plan = plan_installation(elsewhere, self._interpreter, entries, owned={})
        self._programs = [file for file in plan.write if isinstance(file.content, bytes)]
        return plan

    def _builds(self) -> list[Any]:
        return sorted(chosen.build for chosen in self._state.builds.values())

    def _shared(self) -> list[str]:
        return sorted({chosen.shared for chosen in self._state.builds.values() if chosen.shared})

    def _interpreters(self) -> list[str]:
        return [str(self._interpreter.base_executable), self._state.python.executable]

    def _sound(self) -> list[str]:
        """Return every folder of the store on the way to what is imported; what is in there is published with it."""
        return sorted(ways(chosen.root for chosen in self._state.builds.values()))

    def _records(self, copies: list[PlannedFile]) -> dict[str, str]:
        """Return the RECORD of each entry that data files are copied from."""
        entries = [self._layers.first.entry(self._state.builds[name].build) for name in {file.owner for file in copies}]
        paths = [(entry.folder, entry.dist_info / "RECORD", entry.store_root) for entry in entries]
        return {
            folder.relative_to(root).as_posix(): record.relative_to(root).as_posix() for folder, record, root in paths
        }

    def _tree(self, plan: InstallationPlan) -> dict[str, Any]:
        """Return folders, links and small files as they were drawn, and the folders of what is installed."""
        folders: dict[str, None] = {}
        links, files = [], []
        for path in sorted(self._folder.rglob("*")):
            name = path.relative_to(self._folder).as_posix()
            if path.is_symlink():
                links.append((name, os.readlink(path)))  # noqa: PTH115 -- as text
            elif path.is_dir():
                folders[name] = None
            else:
                mode = 0o777 if path.stat().st_mode & stat.S_IXUSR else 0o666
                files.append((name, mode, split(path.read_bytes(), self._marks)))
        wanted = {folder for file in plan.write for folder in _above(file.path)}
        return {"folders": sorted({*folders, *wanted}), "flushed": sorted(folders), "links": links, "files": files}

    def _state_parts(self, plan: InstallationPlan) -> _Parts:
        """Return environment.json in parts: hash and size of programs, which name the interpreter, are filled in."""
        marks = {self._state.id.encode(): "id"}
        files, installs = dict(plan.files), dict(plan.installs)
        numbers = {file.sha256: at for at, file in enumerate(self._programs)}  # equal ones have the same anywhere
        for file in self._programs:
            at = numbers[file.sha256]
            size, text = self._number + at, base64.urlsafe_b64encode(bytes.fromhex(file.sha256)).rstrip(b"=").decode()
            marks |= {file.sha256.encode(): f"sha256 {at}", text.encode(): f"base64 {at}", b"%d" % size: f"size {at}"}
            files[file.path] = replace(files[file.path], size=size)
            before = installs[file.owner]
            added = tuple(line.replace(f"{text},{file.size}", f"{text},{size}") for line in before.added)
            installs[file.owner] = InstallDifference(added=added, removed=before.removed)
        builds = {name: replace(chosen, requested=False) for name, chosen in self._state.builds.items()}
        state = replace(self._state, files=files, installs=installs, builds=builds, request=None)
        return split(state.to_document(), marks)

    def _registration_parts(self, table_key: str) -> _Parts:
        host = secrets.token_hex(16)
        registration = Registration(
            id=self._state.id,
            path=self._path,
            device=self._number,
            seen=self._number + 1,
            host=host,
            builds=tuple(self._builds()),
            shared=tuple(self._shared()),
            table=table_key,
        )
        marks = {self._state.id.encode(): "id", str(self._path).encode(): "path", host.encode(): "host"}
        marks |= {b"%d" % self._number: "device", b"%d" % (self._number + 1): "seen"}
        return split(registration.to_document(), marks)


def _unlikely() -> int:
    """Return a number whose digits stand nowhere by chance, and neither do those of the next thousands."""
    return 10**17 + secrets.randbelow(8 * 10**17)


def _above(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _mode(file: PlannedFile) -> int:
    return 0o777 if file.executable else 0o666


def _bytes(file: PlannedFile) -> bytes:
    if not isinstance(file.content, bytes):
        raise TypeError(f"{file.path} is copied")
    return file.content


def _below(file: PlannedFile, root: Path) -> str:
    if isinstance(file.content, bytes):
        raise TypeError(f"{file.path} is written")
    return file.content.relative_to(root).as_posix()


def _around_binding(table: bytes) -> tuple[bytes, bytes, bytes]:
    """Return what of a dispatch table stands before the length of the binding, then up to it, and after it."""
    lengths = [int.from_bytes(table[at : at + 4], "little") for at in range(12, min(len(table), 64), 4)]
    # As many as make up the file together with the header that they are in.
    count = next(count for count in range(1, len(lengths) + 1) if 12 + 4 * count + sum(lengths[:count]) == len(table))
    begin = 12 + 4 * count
    return table[:12], table[16:begin], table[begin + lengths[0] :]
