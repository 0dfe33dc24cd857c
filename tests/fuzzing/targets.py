"""What is given changed samples: each target reads them as the product does."""

# ruff: noqa: E501 -- samples stand here as they are read

from __future__ import annotations

import csv
import importlib.util
import io
import json
import marshal
import os
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from multisite import _runtime, layout
from multisite.archive import survey
from multisite.bytecode import CompiledFile, check_bytecode
from multisite.content import script_names
from multisite.dispatch import Binding, DispatchTable, TableEntry
from multisite.entry import Origins, describe
from multisite.errors import MultisiteError
from multisite.headers import read_native
from multisite.lockfile import Lock
from multisite.locktext import without_credentials
from multisite.manifest import Manifest, closures
from multisite.pins import PinRecord
from multisite.pyproject import PyProject
from multisite.record import format_record, parse_record
from multisite.registry import Registration
from multisite.requirements_file import RequirementsFiles
from multisite.state import EnvironmentState
from multisite.toml import NotToml, load_toml
from multisite.unpacking import unpack
from multisite.view import View
from multisite.wheel import WheelFile, wheel_tags
from tests import native_files
from tests.builders import Tree, make_wheel, record_hash

__all__ = ["TARGETS", "Target"]

DATA = Path(__file__).parents[1] / "data"
WHEEL = "foo-1.0-py3-none-any.whl"
INFO = "foo-1.0.dist-info"
TREE: Tree = {"foo": {"__init__.py": "x = 1\n", "data.bin": bytes(300)}, "foo.pth": "import foo\n", "\u00e9.py": ""}
DIGEST = "0123456789abcdef" * 4

# Read the bytes, in the empty folder, and raise nothing but errors of our own.
Read: TypeAlias = Callable[[bytes, Path], None]


@dataclass(frozen=True)
class Target:
    """``samples`` are sound, or were; ``allowed`` are the errors that an answer may be."""

    samples: Callable[[Path], Sequence[bytes]]
    read: Read
    allowed: tuple[type[Exception], ...] = (MultisiteError,)


def _files(folder: str, name: str) -> Callable[[Path], list[bytes]]:
    """Return the samples of the tests, sound ones and others."""
    return lambda _: [path.read_bytes() for path in sorted((DATA / folder).rglob(name))]


# Wheels.


def _wheels(folder: Path) -> list[bytes]:
    entry_points = {"console_scripts": {"foo": "foo:main"}, "gui_scripts": {"bar": "foo.bar:main"}}
    data = {"scripts": {"run": "#!python\nprint(1)\n"}, "data": {"share": {"x": "y"}}, "headers": {"x.h": ""}}
    options = {"entry_points": entry_points, "data": data, "requires": ["bar>=1; python_version < '4'"]}
    stored = make_wheel(folder, "foo", "1.0", TREE, compression=zipfile.ZIP_STORED, **options).read_bytes()  # type: ignore[arg-type]
    return [stored, make_wheel(folder, "foo", "1.0", TREE, **options).read_bytes()]  # type: ignore[arg-type]


def _read_wheel(data: bytes, folder: Path) -> None:
    path = folder / WHEEL
    path.write_bytes(data)
    out = folder / "out"
    with WheelFile.open(path) as wheel:
        unpack(wheel, out)
    describe(out)


def _part(name: str) -> Read:
    """Return a reader of wheels in which one file of the metadata is the sample, and RECORD knows it."""

    def read(data: bytes, folder: Path) -> None:
        if name == "RECORD":
            path = make_wheel(
                folder, "foo", "1.0", TREE, without=[f"{INFO}/RECORD"], extra_members=[(f"{INFO}/RECORD", data)]
            )
        else:
            path = make_wheel(folder, "foo", "1.0", TREE, dist_info_files={name: data})
        _read_wheel(path.read_bytes(), folder)

    return read


def _own_record(folder: Path) -> list[bytes]:
    path = make_wheel(folder, "foo", "1.0", TREE)
    with zipfile.ZipFile(path) as archive:
        return [archive.read(f"{INFO}/RECORD")]


def _read_record(data: bytes, folder: Path) -> None:
    entries = parse_record(data.decode("utf-8", "surrogateescape"), where="RECORD")
    text = format_record(entries)
    assert sorted(map(repr, parse_record(text, where="RECORD"))) == sorted(map(repr, entries))


def _records(_: Path) -> list[bytes]:
    text = io.StringIO()
    hashes = [record_hash(b"x", name) for name in ("sha256", "sha512", "md5", "blake2b")]
    csv.writer(text).writerows([[f"foo/{at}.py", signed, "1"] for at, signed in enumerate(hashes)])
    return [
        text.getvalue().encode(),
        b'"foo, bar.py",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\r\nRECORD,,\r\n',
    ]


# Lockfiles, projects, requirements.

_MARKERS = {
    "implementation_name": "cpython", "implementation_version": "3.12.1", "os_name": "posix", "platform_machine": "x86_64",
    "platform_release": "6", "platform_system": "Linux", "platform_version": "1", "python_full_version": "3.12.1",
    "platform_python_implementation": "CPython", "python_version": "3.12", "sys_platform": "linux",
}  # fmt: skip


def _read_lockfile(data: bytes, folder: Path) -> None:
    lock = Lock.parse(data, "pylock.toml")
    without_credentials(data, lock.pylock)
    again = Lock.parse(Lock.format(lock.pylock), "pylock.toml")
    again.select(["cp312-cp312-linux_x86_64", "py3-none-any"], _MARKERS)


def _read_pyproject(data: bytes, folder: Path) -> None:
    project = PyProject.parse(data)
    if project.problems:
        return
    list(project.missing(extras=["x"], groups=["dev"]))
    list(project.names(extras=["x"], groups=["dev"], project=True))


def _read_requirements(data: bytes, folder: Path) -> None:
    (folder / "requirements.txt").write_bytes(data)
    (folder / "other.txt").write_text("-r requirements.txt\nbeta\n")
    files = RequirementsFiles()
    files.read(folder / "requirements.txt", shown="requirements.txt")
    "\n".join(files.problems).encode()


PROJECTS = [
    b"""[build-system]\nrequires = ["flit_core"]\n[project]\nname = "foo"\nversion = "1"\nrequires-python = ">=3.8"
dependencies = ["bar>=1", 'baz[x] @ https://h.test/baz.zip ; python_version < "4"']
[project.optional-dependencies]\nx = ["bar[y]~=1.0"]\n[dependency-groups]\ndev = [{include-group = "test"}, "pytest"]\ntest = ["a"]\n""",
]
REQUIREMENTS = [
    b"""bar>=1 \\\n  --hash=sha256:0000\n-r other.txt\n-c other.txt\n./folder[x] ; python_version > '3'
baz @ git+https://u:p@h.test/baz@v1\n-e file:///srv/x#egg=x\n${X}\n--index-url https://h.test # comment\n""",
]

# Documents of our own.


def _read_manifest(data: bytes, folder: Path) -> None:
    manifest = Manifest.from_document(data, "manifest.json")
    assert Manifest.from_document(manifest.to_document(), "again") == manifest
    closures([manifest, manifest])


def _read_state(data: bytes, folder: Path) -> None:
    state = EnvironmentState.from_document(data, "environment.json")
    assert EnvironmentState.from_document(state.to_document(), "again") == state


def _read_registration(data: bytes, folder: Path) -> None:
    registration = Registration.from_document(data, "x.json")
    registration.to_document()
    registration.is_there()


def _read_pin(data: bytes, folder: Path) -> None:
    pin = PinRecord.from_document(data, "x.pin")
    pin.to_document()
    pin.holds(1_700_000_000.0)


def _read_origins(data: bytes, folder: Path) -> None:
    origins = Origins.from_document(data, "artifacts.json")
    assert Origins.from_document(origins.to_document(), "again") == origins


def _read_store(data: bytes, folder: Path) -> None:
    (folder / "multi-site-packages").mkdir()
    (folder / "store.json").write_bytes(data)
    layout.describe_store(folder)


def _read_view(data: bytes, folder: Path) -> None:
    View.from_document(data, "view.json").to_document()


def _documents(*values: dict[str, object]) -> Callable[[Path], list[bytes]]:
    return lambda _: [json.dumps(value).encode() for value in values]


ORIGINS = {"format": 1, "artifacts": [{"sha256": DIGEST, "size": 7, "filename": WHEEL, "urls": ["https://h.test/x"]}], "sources": [DIGEST]}  # fmt: skip
VIEW = {"format": 1, "python": "cpython-3.12.1", "whole": False, "roots": {"foo": "multi-site-packages/foo/1/a/site-packages"}, "paths": [".."]}  # fmt: skip


# The dispatch table.


def _tables(_: Path) -> list[bytes]:
    rows = [
        TableEntry(
            name=name, version="1.0", root=f"multi-site-packages/{name}/1.0/x/site-packages", dist_info=f"{name}-1.0.dist-info",
            build="x", top_level=(name, "shared"), pth={f"{name}.pth": "import x\n"}, entry_points="[x]\na = b:c\n",
        )
        for name in ("foo", "bar")
    ]  # fmt: skip
    binding = Binding(id="0" * 32, stores=("/nowhere",), lockfile="pylock.toml", size=1, mtime_ns=2, sha256=DIGEST)
    table = DispatchTable.compile(rows)
    return [table.encode(binding), table.encode()]


def _read_table(data: bytes, folder: Path) -> None:
    DispatchTable.decode(data, "table")


def _read_table_at_start(data: bytes, folder: Path) -> None:
    path = folder / "table"
    path.write_bytes(data)
    _runtime.read_table(str(path))  # type: ignore[no-untyped-call]


# Native files.


def _natives(_: Path) -> list[bytes]:
    return [
        native_files.elf(["libbar.so.1"], rpath="$ORIGIN/../bar"),
        native_files.elf(["libbar.so.1"], runpath="$ORIGIN", bits=32, order=">"),
        native_files.macho(["@rpath/libbar.dylib"], rpaths=["@loader_path/.."]),
        native_files.macho(["@loader_path/x.dylib"], bits=32, order=">"),
        native_files.fat_macho(native_files.macho(["@rpath/x.dylib"]), native_files.macho(["@rpath/y.dylib"])),
        native_files.pe(["KERNEL32.dll", "bar.dll"]),
    ]


def _read_native(data: bytes, folder: Path) -> None:
    path = folder / "x.so"
    path.write_bytes(data)
    read_native({"foo/x.so": path, "../../x.so": path})


def _read_archive(data: bytes, folder: Path) -> None:
    survey(io.BytesIO(data))


def _read_texts(data: bytes, folder: Path) -> None:
    text = data.decode("utf-8", "replace")
    wheel_tags(text)
    script_names(text)


SOURCE = b"import os\nclass A:\n    x = (1, 'two', 3.0, None, frozenset({4, 5}))\n    def f(self, a, *b, c=1, **d):\n        return [a for a in b]\n"


def _bytecode(_: Path) -> list[bytes]:
    """Return bytecode that is believed without a look at its source, and such that has its hash."""
    code = marshal.dumps(compile(SOURCE, "m.py", "exec", dont_inherit=True))
    hashed = importlib.util.source_hash(SOURCE)
    return [importlib.util.MAGIC_NUMBER + flags.to_bytes(4, "little") + hashed + code for flags in (1, 3)]


def _read_bytecode(data: bytes, folder: Path) -> None:
    source = folder / "m.py"
    source.write_bytes(SOURCE)
    path = folder / "__pycache__" / f"m.{sys.implementation.cache_tag}.pyc"
    path.parent.mkdir()
    path.write_bytes(data)
    file = CompiledFile.of(path)
    assert file is not None
    found = check_bytecode([file], Path(sys.executable), os.environ, processes=1)
    if found:
        raise ValueError(found[path])


TARGETS: dict[str, Target] = {
    "archive": Target(_wheels, _read_archive),
    "wheel": Target(_wheels, _read_wheel),
    "wheel-metadata": Target(lambda _: [b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\nRequires-Dist: bar>=1; extra == 'x'\nProvides-Extra: x\n\nText\n"], _part("METADATA")),
    "wheel-wheel": Target(lambda _: [b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\nTag: py2-none-any\n"], _part("WHEEL")),
    "wheel-entry-points": Target(lambda _: [b"[console_scripts]\nfoo = foo:main\n[gui_scripts]\nbar=foo.bar:main [x]\n# no\n[other]\na=b\n"], _part("entry_points.txt")),
    "wheel-record": Target(_own_record, _part("RECORD")),
    "record": Target(_records, _read_record),
    "texts": Target(lambda _: [b"[console_scripts]\nfoo = foo:main\n", b"Wheel-Version: 1.0\nTag: py3-none-any\n"], _read_texts),
    "lockfile": Target(_files("lockfiles", "*.toml"), _read_lockfile),
    "toml": Target(_files("lockfiles", "*.toml"), lambda data, _: (load_toml(data), None)[1], (NotToml,)),
    "pyproject": Target(lambda _: PROJECTS, _read_pyproject),
    "requirements": Target(lambda _: REQUIREMENTS, _read_requirements),
    "manifest": Target(_files("manifests", "*.json"), _read_manifest),
    "environment": Target(_files("environment_json", "*.json"), _read_state),
    "registration": Target(_files("registrations", "*.json"), _read_registration),
    "pin": Target(_files("pins", "*.pin"), _read_pin),
    "origins": Target(_documents(ORIGINS), _read_origins),
    "store": Target(_documents({"format": 1, "id": "0" * 32, "min_writer": 1}), _read_store),
    "view": Target(_documents(VIEW), _read_view),
    "table": Target(_tables, _read_table),
    "table-at-start": Target(_tables, _read_table_at_start, (ValueError,)),
    "native": Target(_natives, _read_native),
    "bytecode": Target(_bytecode, _read_bytecode, (ValueError,)),
}  # fmt: skip
