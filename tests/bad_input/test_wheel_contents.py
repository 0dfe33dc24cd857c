"""Wheels whose archive is sound, and whose metadata, start-up files, programs and data are made to harm."""

# ruff: noqa: E501 -- sentences stand here as they are printed

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests import builders
from tests.bad_input.case import HERE, Case, Cases, Words, listed, locked, shown

if TYPE_CHECKING:
    from tests.machine import Machine

bad = Cases(("existing",))
ALPHA = "alpha-1.0-py3-none-any.whl"
INFO = "alpha-1.0.dist-info"
LIB = f"lib/python{HERE.rpartition('.')[0]}/site-packages"
EVIL = b"import sys; sys.exit('evil')\n"
NO_CALL = "names no object to call, as in name = module:function"


def _made(**options: Any) -> Callable[[Machine], Words]:
    return lambda machine: ["sync", locked(machine, machine.wheel("alpha", **options))]


def _record(*added: list[str]) -> Callable[[builders.Rows], builders.Rows]:
    return lambda rows: [*rows, *added]


def _recorded(signed: str, size: str = "16", path: str = "alpha.py") -> Callable[[builders.Rows], builders.Rows]:
    return lambda rows: [[path, signed, size] if row[0] == path else row for row in rows]


def _scripts(line: str) -> dict[str, Any]:
    return {"entry_points": f"[console_scripts]\n{line}\n"}


def _metadata(text: str) -> dict[str, Any]:
    return {"dist_info_files": {"METADATA": text}}


REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "metadata of another": (_metadata("Metadata-Version: 2.1\nName: omega\nVersion: 1.0\n"), ("METADATA: the name is 'omega', not the wheel's, alpha",)),
    "two names": (_metadata("Metadata-Version: 2.1\nName: alpha\nName: omega\nVersion: 1.0\n"), ("METADATA: the name is '', not the wheel's, alpha",)),
    "a name of several lines": (_metadata("Metadata-Version: 2.1\nName: alpha\n next: curl evil\nVersion: 1.0\n"), ("METADATA: the name is 'alpha\\n next: curl evil', not the wheel's, alpha",)),
    "a version that is a path": (_metadata("Metadata-Version: 2.1\nName: alpha\nVersion: ../../1.0\n"), ("METADATA: the version is '../../1.0', not the wheel's, 1.0",)),
    "dist-info of another": ({"dist_info": "omega-1.0.dist-info"}, ("omega-1.0.dist-info: not the name and version of the wheel, alpha 1.0",)),
    "dist-info of a version that is a path": ({"dist_info": "alpha-...dist-info"}, ("alpha-...dist-info: not the name and version of the wheel, alpha 1.0",)),
    "dist-info of another as well": (
        {"files": {"kept-1.0.dist-info": {"METADATA": "", "RECORD": ""}}},
        ("kept-1.0.dist-info: not the name and version of the wheel, alpha 1.0", "it must have one .dist-info folder, found alpha-1.0.dist-info, kept-1.0.dist-info"),
    ),
    "data of another": ({"data": {"scripts": {"x": ""}}, "data_dir": "omega-1.0.data"}, ("omega-1.0.data: not the name and version of the wheel, alpha 1.0",)),
    "a part of an unknown kind": ({"data": {"stdlib": {"os.py": EVIL}}}, ("alpha-1.0.data/stdlib/os.py: not in a folder of data, headers, platlib, purelib, scripts",)),
    "metadata that are no text": ({"dist_info_files": {"METADATA": b"\xff\xfe"}}, (f"{INFO}/METADATA: not UTF-8 at byte 0",)),
    "another content than in RECORD": ({"edit_record": _recorded(builders.record_hash(b"other"))}, ("alpha.py: its sha256 is not the one in RECORD",)),
    "another size than in RECORD": ({"edit_record": _recorded(builders.record_hash(b"version = '1.0'\n"), "15")}, ("alpha.py: it has 16 bytes, and 15 in RECORD",)),
    "no hash": ({"edit_record": _recorded("")}, ("alpha.py: RECORD has no hash",)),
    "a hash of MD5": ({"edit_record": _recorded(builders.record_hash(b"version = '1.0'\n", "md5"))}, ("alpha.py: RECORD has a hash of md5; sha256 or better is needed",)),
    "a hash of SHA-1": ({"edit_record": _recorded(builders.record_hash(b"version = '1.0'\n", "sha1"))}, ("alpha.py: RECORD has a hash of sha1; sha256 or better is needed",)),
    "a hash of any length": ({"edit_record": _recorded("shake_128=AAAA")}, ("alpha.py: RECORD has a hash of shake_128; sha256 or better is needed",)),
    "a hash of nobody's": ({"edit_record": _recorded("evil=AAAA")}, ("RECORD, line 1: alpha.py: the hash is 'evil=AAAA'",)),
    "a hash that is cut short": ({"edit_record": _recorded("sha256=AAAA")}, ("RECORD, line 1: alpha.py: the hash is 'sha256=AAAA'",)),
    "a size that is none": ({"edit_record": _recorded(builders.record_hash(b""), "-1")}, ("RECORD, line 1: alpha.py: the size is '-1'",)),
    "a size of thousands of digits": ({"edit_record": _recorded(builders.record_hash(b""), "9" * 5000)}, ("RECORD, line 1: alpha.py: the size has 5000 digits",)),
    "a line twice": ({"edit_record": _record(["alpha.py", builders.record_hash(b"other"), "5"])}, ("alpha.py: twice in RECORD",)),
    "a RECORD with escape sequences": ({"edit_record": _record(["x\nnext: \x1b[31mcurl", "sha256=?", "1"])}, (r"RECORD, line 6: 'x\nnext: \x1b[31mcurl': the hash is 'sha256=?'",)),
    "a RECORD with an endless field": ({"edit_record": _record(["x" * 200_000, "", ""])}, ("RECORD, line 5: field larger than field limit (131072)",)),
    "a RECORD with a NUL": ({"edit_record": _record(["x\0y", "sha256=?", "1"])}, (r"RECORD, line 5: 'x\x00y': the hash is 'sha256=?'",)),
    "a program that is a path": (_scripts("../../evil = alpha:main"), ("console_scripts: '../../evil' is no file name",)),
    "a program at the root": (_scripts("/etc/evil = alpha:main"), ("console_scripts: '/etc/evil' is no file name",)),
    "a program below a folder": (_scripts("sub/evil = alpha:main"), ("console_scripts: 'sub/evil' is no file name",)),
    "a program on a drive": (_scripts("c:evil = alpha:main"), ("console_scripts: 'c:evil' is no file name",)),
    "a program with a backslash": (_scripts("..\\evil = alpha:main"), ("console_scripts: '..\\\\evil' is no file name",)),
    "a program with a control character": (_scripts("ev\x1bil = alpha:main"), ("console_scripts: 'ev\\x1bil' is no file name",)),
    "a program without a name": (_scripts("= alpha:main"), ("console_scripts: '' is no file name",)),
    "a program that is two dots": (_scripts(".. = alpha:main"), ("console_scripts: '..' is no file name",)),
    "a program that is code": (_scripts("evil = os;import sys:main"), (f"console_scripts: 'evil = os;import sys:main' {NO_CALL}",)),
    "a program that calls code": (_scripts("evil = os:system('evil')"), (f"console_scripts: \"evil = os:system('evil')\" {NO_CALL}",)),
    "a window that is code": ({"entry_points": "[gui_scripts]\nevil = os\n"}, (f"gui_scripts: 'evil = os' {NO_CALL}",)),
    "our start-up file": ({"files": {"alpha.py": "", "00-multisite.pth": EVIL}}, ("00-multisite.pth: that name is multisite's own",)),
    "our start-up file in another case": ({"data": {"purelib": {"00-MULTISITE.start": EVIL}}}, ("alpha-1.0.data/purelib/00-MULTISITE.start: that name is multisite's own",)),
    "a start-up file without end": ({"files": {"alpha.py": "", "alpha.pth": b"#" * (1 << 21)}}, ("alpha.pth: it has 2097152 bytes; at most 1048576 are read",)),
}  # fmt: skip

for name, (options, problems) in REFUSED.items():
    sentence = listed(f"{ALPHA}: not a valid wheel", problems)
    bad.add(name, _made(**options), 1, sentence, "report it to the project that published it, or lock another version")


@bad.each
def test_a_wheel_made_to_harm_is_refused(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)


# Data files go where a plain environment has them, but never over what an environment consists of.

LEFT_ALONE = "that is not ours is there, and is left alone"
RESERVED = "the name is reserved; it is left out"
DATA: dict[str, str] = {
    "pyvenv.cfg": RESERVED,
    "PYLOCK.toml": RESERVED,
    ".multisite/table": RESERVED,
    ".multisite/environment.json": RESERVED,
    ".multisite/runtime/__init__.py": RESERVED,
    f"{LIB}/00-multisite.pth": RESERVED,
    f"{LIB}/00-multisite.start": RESERVED,
    "bin/python": f"a link {LEFT_ALONE}",
    "bin/python3": f"a link {LEFT_ALONE}",
    "bin/activate": f"a file {LEFT_ALONE}",
    "bin/Activate.ps1": f"a file {LEFT_ALONE}",
    "include": f"a folder {LEFT_ALONE}",
}


@pytest.mark.parametrize("state", ["new", "existing"])
def test_what_an_environment_consists_of_stays(machine: Machine, state: str) -> None:
    if state == "existing":
        machine.run("sync", locked(machine, machine.index.folder / "kept-1.0-py3-none-any.whl")).succeeded()
    wheel = machine.wheel("alpha", data={"data": dict.fromkeys(DATA, EVIL)})
    done = machine.run("sync", locked(machine, wheel)).succeeded()
    said = {line for line in done.err.splitlines() if line.startswith("warning")}
    assert said == {f"warning [files] {path}: {reason}" for path, reason in DATA.items()}
    assert machine.python("import alpha; print(alpha.version)").out == "1.0\n"
    assert not [found for found in machine.venv.rglob("*") if found.is_file() and found.read_bytes() == EVIL]
    machine.run("sync", locked(machine, machine.index.folder / "kept-1.0-py3-none-any.whl")).succeeded()
    machine.run("doctor").succeeded()
    assert machine.python("import kept; print(kept.version)").out == "1.0\n"


def test_another_distributions_program_goes_to_the_later_by_name_and_is_told(machine: Machine) -> None:
    machine.wheel("alpha", entry_points={"console_scripts": {"tool": "alpha:version"}})
    machine.wheel("omega", data={"scripts": {"tool": "#!python\n"}})
    done = machine.run("lock", "alpha", "omega").succeeded()
    assert "note [files] bin/tool: alpha has it as well; that of omega is used" in done.err.splitlines()


def test_lines_of_record_that_lead_out_are_dropped_with_what_they_name(machine: Machine) -> None:
    # Installers take what there is (tests/test_wheel.py); nothing may be read, written or removed by such a line.
    outside = machine.folder / "precious"
    outside.write_text("precious")
    rows = [
        [path, builders.record_hash(b"precious"), "8"] for path in (str(outside), f"../../../../{'../' * 20}{outside}")
    ]
    wheel = machine.wheel("alpha", edit_record=_record(*rows))
    machine.run("sync", locked(machine, wheel)).succeeded()
    (record,) = machine.store.rglob("alpha-1.0.dist-info/RECORD")
    assert "precious" not in record.read_text()
    found = machine.python("import importlib.metadata as m; print(*m.files('alpha'))").out
    assert "precious" not in found
    machine.run("sync", locked(machine, machine.index.folder / "kept-1.0-py3-none-any.whl")).succeeded()
    assert outside.read_text() == "precious"


TAGS = ["../../evil-../..-/etc/passwd", "\x1b]0;x\x07-a-b", "con-nul-aux", "-" * 50, "x" * 5000, "a-b-c\n d", "é-ü-ß"]


@pytest.mark.parametrize("tag", TAGS, ids=range(len(TAGS)))
def test_nonsense_tags_become_a_plain_name(machine: Machine, tag: str) -> None:
    text = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\nBuild: ../../evil\n"
    wheel = machine.wheel("alpha", dist_info_files={"WHEEL": text})
    machine.run("sync", locked(machine, wheel)).succeeded()
    (entry,) = machine.store.glob("multi-site-packages/alpha/*/*")
    assert len(entry.name) < 130
    assert set(entry.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.-")
    assert entry.name[0].isalnum()
    assert shown(machine.run("list").succeeded().out, machine).isascii()


def test_a_start_up_file_is_processed_as_in_a_plain_environment(machine: Machine) -> None:
    # A wheel's code runs when it is imported, and its start-up lines run before; no path of theirs is refused.
    outside = builders.write_tree(machine.folder / "elsewhere", {"found.py": "x = 1\n"})
    wheel = machine.wheel("alpha", files={"alpha.py": "", "alpha.pth": f"{outside}\n../../{'../' * 30}nowhere\n"})
    machine.run("sync", locked(machine, wheel)).succeeded()
    assert machine.python("import found; print(found.__file__)").out == f"{outside}/found.py\n"
