"""A table of damage to a store: what ``verify`` says of it, and that ``verify --repair`` mends it or says what will."""

from __future__ import annotations

import importlib.util
import json
import marshal
import os
import py_compile
import random
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multisite.damage import KINDS
from tests.builders import make_wheel, record_hash
from tests.independent_store_check import faults
from tests.machine import Machine, snapshot

posix = pytest.mark.skipif(os.name == "nt", reason="modes and links of POSIX")
FOREIGN = 54321  # an account
TAG = sys.implementation.cache_tag


@dataclass(frozen=True, slots=True)
class Case:
    machine: Machine

    @property
    def store(self) -> Path:
        return self.machine.store

    def entry(self, name: str) -> Path:
        return next((self.store / "multi-site-packages" / name).glob("*/*"))

    def site(self, name: str = "alpha") -> Path:
        return self.entry(name) / "site-packages"

    def record(self, name: str = "alpha") -> Path:
        return next(self.site(name).glob("*.dist-info/RECORD"))

    @property
    def shared(self) -> Path:
        return next((self.store / "shared").glob("[!.]*"))

    def build(self, name: str) -> str:
        return self.entry(name).relative_to(self.store / "multi-site-packages").as_posix()

    def verify(self, *words: str) -> dict[str, Any]:
        done = self.machine.run("verify", "--json", *words)
        assert done.out, done.err
        found: dict[str, Any] = json.loads(done.out)
        left = {finding["check"] for finding in found["findings"] if finding["severity"] != "note"}
        assert done.code == (3 if "unreadable" in left else int(bool(left)))
        return found


def copied(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)  # hard links are kept


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine.opened(tmp_path_factory.mktemp("verify") / "machine") as machine:
        machine.wheel(
            "alpha",
            files={
                "alpha": {"__init__.py": "import alpha.part\n", "part.py": "x = 'one'\n", "run.sh": "#!/bin/sh\n"},
            },
            data={"scripts": {"tool": "#!python\n"}, "data": {"share": {"alpha.txt": "text"}}},
            executable=["alpha/run.sh"],
            requires=["beta", "gamma"],
        )
        machine.wheel("beta", files={"common": {"__init__.py": "", "b.py": "b = 1\n"}})
        machine.wheel("gamma", files={"common": {"__init__.py": "", "c.py": "c = 1\n"}})
        machine.run("lock", "alpha").succeeded()
        copied(machine.store, machine.folder / "pristine")
        yield machine


@pytest.fixture
def case(pristine: Machine) -> Case:
    shutil.rmtree(pristine.store)
    copied(pristine.folder / "pristine", pristine.store)
    pristine.index.requests.clear()
    pristine.variables.clear()
    return Case(pristine)


Sabotage = Callable[[Case], None]


def edit(path: str, content: str, *, name: str = "alpha", quiet: bool = True) -> Sabotage:
    def sabotage(case: Case) -> None:
        file = case.entry(name) / path
        facts = file.stat()
        file.write_text(content)
        if quiet:
            os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    return sabotage


def add(path: str, content: str = "x", *, name: str = "alpha") -> Sabotage:
    def sabotage(case: Case) -> None:
        file = case.entry(name) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    return sabotage


def remove(path: str, *, name: str = "alpha") -> Sabotage:
    return lambda case: (case.entry(name) / path).unlink()


def chmod(path: str, mode: int) -> Sabotage:
    return lambda case: (case.entry("alpha") / path).chmod(mode)


def chown(path: str) -> Sabotage:
    return lambda case: os.chown(case.entry("alpha") / path, FOREIGN, -1)


def linked(path: str, target: str) -> Sabotage:
    def sabotage(case: Case) -> None:
        file = case.entry("alpha") / path
        if file.is_dir():
            shutil.copytree(file, case.machine.folder / "elsewhere", dirs_exist_ok=True)
            shutil.rmtree(file)
        else:
            file.unlink(missing_ok=True)
        file.symlink_to(target.format(folder=case.machine.folder))

    return sabotage


def folder_in_its_place(case: Case) -> None:
    (case.site() / "alpha/part.py").unlink()
    (case.site() / "alpha/part.py").mkdir()


def record_follows(case: Case) -> None:
    record = case.record()
    edit("site-packages/alpha/part.py", "x = 'two'\n")(case)
    old, new = (record_hash(text) for text in (b"x = 'one'\n", b"x = 'two'\n"))
    record.write_text(record.read_text().replace(old, new))


def manifest_says(**changes: object) -> Sabotage:
    def sabotage(case: Case) -> None:
        path = case.entry("alpha") / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return sabotage


def alias_says(**changes: object) -> Sabotage:
    def sabotage(case: Case) -> None:
        path = alias(case)
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return sabotage


def alias(case: Case) -> Path:
    document = json.loads((case.entry("alpha") / "artifacts.json").read_text())
    sha256 = str(document["artifacts"][0]["sha256"])
    return case.store / "artifacts" / "sha256" / sha256[:2] / f"{sha256}.json"


def alias_of_another(case: Case) -> None:
    other = json.loads((case.entry("beta") / "manifest.json").read_text())
    alias_says(entry=case.build("beta"), digest=other["digest"])(case)


def alias_torn(case: Case) -> None:
    alias(case).write_bytes(b"")


def in_shared(path: str, content: str | None) -> Sabotage:
    def sabotage(case: Case) -> None:
        file = case.shared / path
        file.unlink(missing_ok=True)  # a hard link
        if content is not None:
            file.write_text(content)

    return sabotage


def through_the_link(case: Case) -> None:
    with (case.site("beta") / "common/b.py").open("r+") as file:
        file.write("B")


def table_torn(case: Case) -> None:
    path = next((case.store / "tables").iterdir())
    path.write_bytes(path.read_bytes()[:-1])


def table_of_other_names(case: Case) -> None:
    path = next((case.store / "tables").iterdir())
    path.write_bytes(path.read_bytes().replace(b"alpha", b"alphb", 1))


def altered_and_compiled(case: Case) -> None:
    file = case.site() / "alpha/part.py"
    edit("site-packages/alpha/part.py", "x = 'two'\n")(case)
    py_compile.compile(str(file), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, doraise=True)


def compiled(source: str, *, mode: str = "UNCHECKED_HASH", tag: str = "", body: bytes | None = None) -> Sabotage:
    """Have bytecode made from another *source* be believed."""

    def sabotage(case: Case) -> None:
        file = case.site() / "alpha/part.py"
        path = Path(importlib.util.cache_from_source(str(file)))
        if tag:
            path = path.with_name(f"part.{tag}.pyc")
        path.parent.mkdir(exist_ok=True)
        facts, honest = file.stat(), file.read_bytes()
        code = marshal.dumps(compile(source, "part.py", "exec")) if body is None else body
        if mode == "TIMESTAMP":
            rest = int(facts.st_mtime).to_bytes(4, "little") + len(honest).to_bytes(4, "little")
            head = bytes(4) + rest
        else:
            flags = 1 if mode == "UNCHECKED_HASH" else 3
            head = flags.to_bytes(4, "little") + importlib.util.source_hash(honest)
        path.write_bytes(importlib.util.MAGIC_NUMBER + head + code)

    return sabotage


def registration_torn(case: Case) -> None:
    next((case.store / "environments").iterdir()).write_text("{")


def runtime_of_another(case: Case) -> None:
    path = next((case.store / "runtime").glob("*/*/messages.*.pyc"))
    path.write_bytes(path.read_bytes()[:16] + marshal.dumps(compile("x = 1", "messages.py", "exec")))


def pyc(name: str) -> str:
    return f"site-packages/alpha/__pycache__/part.{name}.pyc"


EVIL = "x = 'two'\n"
# What is done; the checks and messages that it leads to, by subject; True where --repair mends it.
DAMAGE: dict[str, tuple[Sabotage, list[tuple[str, str, str]], bool]] = {
    "missing": (
        remove("site-packages/alpha/part.py"),
        [("missing", "alpha", "site-packages/alpha/part.py is missing")],
        True,
    ),
    "missing data": (
        remove("data/data/share/alpha.txt"),
        [("missing", "alpha", "data/data/share/alpha.txt is missing")],
        True,
    ),
    "another size": (
        edit("site-packages/alpha/part.py", "x = 1\n"),
        [("altered", "alpha", "site-packages/alpha/part.py has 6 bytes instead of 10")],
        True,
    ),
    "another content": (
        edit("site-packages/alpha/part.py", EVIL),
        [("altered", "alpha", "site-packages/alpha/part.py has other content")],
        True,
    ),
    "an edit": (
        edit("site-packages/alpha/part.py", EVIL, quiet=False),
        [("altered", "alpha", "site-packages/alpha/part.py has other content")],
        True,
    ),
    "a link": (
        linked("site-packages/alpha/part.py", "/etc/passwd"),
        [("kind", "alpha", "site-packages/alpha/part.py is a link")],
        True,
    ),
    "a link in the place of a folder": (
        linked("site-packages/alpha", "{folder}/elsewhere"),
        [
            ("extra", "alpha", "site-packages/alpha is a link that no wheel brought"),
            ("missing", "alpha", "site-packages/alpha/__init__.py is missing"),
            ("missing", "alpha", "site-packages/alpha/part.py is missing"),
            ("missing", "alpha", "site-packages/alpha/run.sh is missing"),
        ],
        True,
    ),
    "a folder": (
        folder_in_its_place,
        [
            ("data", "alpha", "site-packages/alpha/part.py/ is a folder that no wheel brought"),
            ("kind", "alpha", "site-packages/alpha/part.py is a folder"),
        ],
        True,
    ),
    "written by others": (
        chmod("site-packages/alpha/part.py", 0o666),
        [("mode", "alpha", "site-packages/alpha/part.py can be written to by others (mode 0666)")],
        True,
    ),
    "a folder written by others": (
        chmod("site-packages/alpha", 0o775),
        [("mode", "alpha", "site-packages/alpha/ can be written to by others (mode 0775)")],
        True,
    ),
    "setuid": (
        chmod("site-packages/alpha/run.sh", 0o4755),
        [("mode", "alpha", "site-packages/alpha/run.sh runs as its owner or group (setuid, setgid) (mode 4755)")],
        True,
    ),
    "no program": (
        chmod("site-packages/alpha/run.sh", 0o644),
        [("mode", "alpha", "site-packages/alpha/run.sh can no longer be executed (mode 0644)")],
        True,
    ),
    "no script": (
        chmod("data/scripts/tool", 0o600),
        [("mode", "alpha", "data/scripts/tool can no longer be executed (mode 0600)")],
        True,
    ),
    "unreadable": (
        chmod("data/data/share/alpha.txt", 0),
        [("mode", "alpha", "data/data/share/alpha.txt may not be read by its owner (mode 0000)")],
        True,
    ),
    "of another account": (
        chown("site-packages/alpha/part.py"),
        [("owner", "alpha", f"site-packages/alpha/part.py belongs to another account ({FOREIGN})")],
        True,
    ),
    "a module": (
        add("site-packages/alpha/more.py"),
        [("extra", "alpha", "site-packages/alpha/more.py is a file that no wheel brought")],
        True,
    ),
    "a library": (
        add("site-packages/alpha/lib/libc.so.6"),
        [("extra", "alpha", "site-packages/alpha/lib/libc.so.6 is a file that no wheel brought")],
        True,
    ),
    "metadata": (
        add("site-packages/alpha-1.0.dist-info/entry_points.txt"),
        [("extra", "alpha", "site-packages/alpha-1.0.dist-info/entry_points.txt is a file that no wheel brought")],
        True,
    ),
    "a planted link": (
        linked("site-packages/alpha/data", "/etc"),
        [("extra", "alpha", "site-packages/alpha/data is a link that no wheel brought")],
        True,
    ),
    "a program's data": (
        add("site-packages/alpha/cache/state.db"),
        [("data", "alpha", "site-packages/alpha/cache/state.db is a file that no wheel brought")],
        False,
    ),
    "RECORD torn": (
        edit("site-packages/alpha-1.0.dist-info/RECORD", '"'),
        [("record", "alpha", "RECORD: line 1: unexpected end of data")],
        True,
    ),
    "RECORD missing": (
        remove("site-packages/alpha-1.0.dist-info/RECORD"),
        [("record", "alpha", "site-packages/alpha-1.0.dist-info/RECORD is missing")],
        True,
    ),
    "RECORD that follows an edit": (
        record_follows,
        [("record", "alpha", "RECORD is not the one that it was published with")],
        True,
    ),
    "manifest missing": (remove("manifest.json"), [("manifest", "alpha", "manifest.json is missing")], True),
    "manifest torn": (
        edit("manifest.json", "{"),
        [("manifest", "alpha", "manifest.json: *")],
        True,
    ),
    "manifest of other modules": (
        manifest_says(top_level={"json": "package"}),
        [("manifest", "alpha", "manifest.json: it does not say what the entry's files say")],
        True,
    ),
    "index missing": (remove("modules.txt"), [("index", "alpha", "modules.txt is missing")], True),
    "index of other modules": (
        edit("modules.txt", "multisite modules 1 1\n\tjson.py\n"),
        [("index", "alpha", "modules.txt: it does not say what the folder's files say")],
        True,
    ),
    "artifacts missing": (remove("artifacts.json"), [("origins", "alpha", "artifacts.json is missing")], True),
    "artifacts torn": (edit("artifacts.json", "[]"), [("origins", "alpha", "artifacts.json: *")], True),
    "alias torn": (alias_torn, [("alias", "", "artifacts/sha256/*: it is empty")], True),
    "alias to another entry": (
        alias_of_another,
        [("alias", "", "artifacts/sha256/*: it leads to beta/1.0/*, which came from something else")],
        True,
    ),
    "alias with another digest": (
        alias_says(digest="0" * 64),
        [("alias", "", "artifacts/sha256/*: it has another digest than alpha/1.0/*")],
        True,
    ),
    "shared file altered": (
        in_shared("site-packages/common/b.py", "b = 2\n"),
        [("altered", "shared", "site-packages/common/b.py has other content")],
        True,
    ),
    "shared file missing": (
        in_shared("site-packages/common/c.py", None),
        [("missing", "shared", "site-packages/common/c.py is missing")],
        True,
    ),
    "shared file added": (
        in_shared("site-packages/common/d.py", ""),
        [("extra", "shared", "site-packages/common/d.py is a file that no wheel brought")],
        True,
    ),
    "shared.json missing": (in_shared("shared.json", None), [("shared", "shared", "shared.json is missing")], True),
    "index of a shared folder": (
        in_shared("modules.txt", "multisite modules 1 0\n"),
        [("index", "shared", "modules.txt: it does not say what the folder's files say")],
        True,
    ),
    "through the hard link": (
        through_the_link,
        [
            ("altered", "beta", "site-packages/common/b.py has other content"),
            ("altered", "shared", "site-packages/common/b.py has other content"),
        ],
        True,
    ),
    "table torn": (table_torn, [("table", "", "tables/*: it is torn: *")], True),
    "table of other names": (
        table_of_other_names,
        [("table", "", "tables/*: it is not what its distributions make")],
        True,
    ),
    "start-up code": (
        runtime_of_another,
        [("runtime", "", f"runtime/*/{TAG}/messages.{TAG}.pyc: it is not what its source compiles to")],
        True,
    ),
    "unchecked bytecode of another source": (
        compiled(EVIL),
        [("bytecode", "alpha", f"{pyc(str(TAG))}: it is not what its source compiles to")],
        True,
    ),
    "bytecode with the time and size of its source": (
        compiled(EVIL, mode="TIMESTAMP"),
        [("bytecode", "alpha", f"{pyc(str(TAG))}: it is not what its source compiles to")],
        True,
    ),
    "bytecode whose hash is right": (
        compiled(EVIL, mode="CHECKED_HASH"),
        [("bytecode", "alpha", f"{pyc(str(TAG))}: it is not what its source compiles to")],
        True,
    ),
    "bytecode with assertions left out": (
        compiled(EVIL, tag=f"{TAG}.opt-1"),
        [("bytecode", "alpha", f"{pyc(f'{TAG}.opt-1')}: it is not what its source compiles to")],
        True,
    ),
    "a source, and its own bytecode": (
        altered_and_compiled,
        [("altered", "alpha", "site-packages/alpha/part.py has other content")],
        True,
    ),
    "bytecode that is none": (
        compiled("", body=b"\xff"),
        [("bytecode", "alpha", f"{pyc(str(TAG))}: it cannot be read: *")],
        True,
    ),
    "bytecode of no source": (
        add("site-packages/alpha/__pycache__/other.cpython-311.pyc"),
        [
            (
                "extra",
                "alpha",
                "site-packages/alpha/__pycache__/other.cpython-311.pyc is bytecode of no source that a wheel brought",
            )
        ],
        True,
    ),
    "what is known of an environment": (
        registration_torn,
        [("registration", "", "environments/*.json: *")],
        False,
    ),
}
AS_ROOT = {"of another account", "unreadable"}


def matches(text: str, pattern: str) -> bool:
    import re

    return re.fullmatch(re.escape(pattern).replace(r"\*", "(?s:.*)"), text) is not None


def check_findings(case: Case, found: list[dict[str, str]], expected: list[tuple[str, str, str]]) -> None:
    assert [finding["check"] for finding in found] == [check for check, _, _ in expected], found
    for finding, (_, name, pattern) in zip(found, expected, strict=True):
        subject = {"": "", "shared": f"shared/{case.shared.name}: "}.get(name)
        prefix = f"{case.build(name)}: " if subject is None else subject
        assert matches(finding["message"], prefix + pattern), finding["message"]


@posix
@pytest.mark.parametrize("name", DAMAGE)
def test_damage(case: Case, name: str) -> None:
    if name in AS_ROOT and os.geteuid() != 0:
        pytest.skip("needs another account")
    sabotage, expected, is_mended = DAMAGE[name]
    sabotage(case)
    before = snapshot(case.store, content=True)
    found = case.verify()
    assert snapshot(case.store, content=True) == before
    check_findings(case, found["findings"], expected)
    left = case.verify("--repair")
    if is_mended:
        assert left["findings"] == []
        assert case.verify()["findings"] == []
        assert faults(case.store, case.machine.index.folder) == []
        assert case.machine.python("import alpha, common.b, common.c; print(alpha.part.x)").out == "one\n"
    else:
        check_findings(case, left["findings"], expected)


def test_every_kind_of_damage_is_in_the_table() -> None:
    checks = {check for _, findings, _ in DAMAGE.values() for check, _, _ in findings}
    assert checks | {"unreadable"} == set(KINDS)


@pytest.mark.parametrize(
    "sabotage",
    [
        pytest.param(lambda case: case.machine.python("import alpha, common.b").succeeded(), id="written by imports"),
        pytest.param(add(pyc("cpython-311-pytest-9.0")), id="of pytest"),
        pytest.param(add(pyc("pypy310")), id="of another implementation"),
        pytest.param(add("site-packages/alpha/__pycache__/part.f-1.py311.nbi"), id="of numba"),
        pytest.param(add(f"{pyc(str(TAG))}.139872"), id="being written"),
        pytest.param(add(pyc(str(TAG)), "too short"), id="torn"),
        pytest.param(lambda case: (case.site() / "alpha/part.py").touch(), id="touched"),
    ],
)
def test_what_is_no_damage(case: Case, sabotage: Sabotage) -> None:
    sabotage(case)
    assert case.verify()["findings"] == []


def test_bytecode_of_every_interpreter(case: Case, interpreters: dict[str, Path]) -> None:
    file = case.site() / "alpha/part.py"
    facts, honest = file.stat(), file.read_text()
    file.write_text(EVIL)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    for python in interpreters.values():
        subprocess.run([python, "-m", "py_compile", file], check=True)
        subprocess.run([python, "-O", "-m", "py_compile", case.site() / "alpha/__init__.py"], check=True)
    file.write_text(honest)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    case.machine.variables["PATH"] = os.pathsep.join(str(python.parent) for python in interpreters.values())
    found = case.verify()
    tags = {finding["message"].partition("part.")[2].partition(".pyc")[0] for finding in found["findings"]}
    assert tags == {f"cpython-{version.replace('.', '')}" for version in interpreters}
    assert found["unchecked"] == []
    assert case.verify("--repair")["findings"] == []
    assert len([path for path in case.site().rglob("*.opt-1.pyc") if "__init__" in path.name]) == len(interpreters)


def test_bytecode_that_nobody_can_judge_is_counted(case: Case) -> None:
    add(pyc("cpython-399"))(case)
    add(pyc("cpython-311-pytest-9.0"))(case)
    done = case.machine.run("verify").succeeded()
    assert "not checked: bytecode of cpython-399: no such interpreter is known (1 files)\n" in done.err
    assert "not checked: bytecode of tools, in __pycache__: only they know what it is (1 files)\n" in done.err


def test_what_it_says(case: Case) -> None:
    done = case.machine.run("verify")
    files = sum(1 for path in case.store.rglob("*") if path.is_file() and "site-packages" in path.parts)
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[-1].endswith(" bytecode files compiled again: nothing is wrong")
    assert f"{case.store}: 3 entries, " in done.err
    assert files
    edit("site-packages/alpha/part.py", EVIL)(case)
    done = case.machine.run("verify", "-q")
    fix = f"multisite verify --repair alpha --store {case.store}"
    message = f"error [altered] {case.build('alpha')}: site-packages/alpha/part.py has other content\n    {fix}\n"
    assert (done.code, done.out, done.err) == (1, message, "")
    done = case.machine.run("verify", "--repair", "alpha").succeeded()
    assert done.out == ""
    assert f"replaced {case.build('alpha')}: site-packages/alpha/part.py\n" in done.err
    assert done.err.endswith("1 mended, nothing is wrong any more\n")
    assert case.machine.fetched() == ["alpha-1.0-py3-none-any.whl"]


def test_names(case: Case) -> None:
    edit("site-packages/common/b.py", "b = 2\n", name="beta")(case)
    assert case.verify("alpha")["findings"] == []
    assert {finding["check"] for finding in case.verify("Beta")["findings"]} == {"altered"}
    done = case.machine.run("verify", "delta")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: delta: nothing of that name is in the store {case.store}\n")


def test_no_store(case: Case) -> None:
    done = case.machine.run("verify", "--store", case.machine.folder / "none")
    assert (done.code, done.err.splitlines()[0]) == (
        3,
        f"error: store {case.machine.folder / 'none'}: there is no store",
    )
    assert not (case.machine.folder / "none").exists()


def test_an_artifact_that_cannot_be_had(case: Case) -> None:
    edit("site-packages/alpha/part.py", EVIL)(case)
    case.machine.index.folder.rename(case.machine.folder / "hidden")
    try:
        done = case.machine.run("verify", "--repair", "--offline")
    finally:
        (case.machine.folder / "hidden").rename(case.machine.index.folder)
    assert done.code == 1
    assert f"the artifact of {case.build('alpha')} could not be had: alpha-1.0-py3-none-any.whl: " in done.out
    assert done.out.endswith(f"    multisite doctor --fix --venv {case.machine.venv}\n")


def test_another_wheel_of_that_name_is_refused(case: Case, tmp_path: Path) -> None:
    edit("site-packages/alpha/part.py", EVIL)(case)
    other = make_wheel(tmp_path, "alpha", files={"alpha.py": "y = 1\n"})
    path = case.entry("alpha") / "artifacts.json"
    document = json.loads(path.read_text())
    document["artifacts"][0]["urls"] = [other.as_uri()]
    path.write_text(json.dumps(document))
    next((case.store / "environments").iterdir()).unlink()
    before = snapshot(case.entry("alpha"), content=True)
    found = case.verify("--repair")
    assert [finding["check"] for finding in found["findings"]] == ["altered"]
    assert "could not be had" in found["findings"][0]["message"]
    assert snapshot(case.entry("alpha"), content=True) == before


WATCH = """\
import os, pathlib, sys
site = pathlib.Path(sys.argv[1])
files = [site / name for name in sys.argv[2:]]
print("ready", flush=True)
count = 0
while not pathlib.Path(sys.argv[0] + ".stop").exists() or count < 10:
    for file in files:
        file.read_bytes()
    count += 1
print(count)
"""


def test_a_running_program_misses_no_file(case: Case, tmp_path: Path) -> None:
    program = tmp_path / "watch.py"
    program.write_text(WATCH)
    names = [f"alpha/{name}" for name in ("__init__.py", "part.py", "run.sh")]
    words: list[str | Path] = [sys.executable, program, case.site(), *names]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for turn in range(5):
            for name in names:
                (case.site() / name).chmod(0o644)
                edit(f"site-packages/{name}", f"{turn}")(case)
            assert case.verify("--repair", "alpha")["findings"] == []
        program.with_name(f"{program.name}.stop").touch()
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert int(out.split()[-1]) >= 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing_behind(case: Case, number: signal.Signals) -> None:
    from tests.index import Fault

    edit("site-packages/alpha/part.py", EVIL)(case)
    fault = Fault(hold=__import__("threading").Event())
    case.machine.index.fail("alpha-1.0-py3-none-any.whl", fault)
    process = case.machine.spawn("verify", "--repair")
    try:
        assert fault.arrived.wait(60)
        process.send_signal(number)
        _, err = process.communicate()
    finally:
        case.machine.index.faults.clear()
        assert fault.hold is not None
        fault.hold.set()
    assert (process.returncode, err.splitlines()[-1]) == (
        (130, "interrupted") if number == signal.SIGINT else (143, "terminated")
    )
    assert list((case.store / "multi-site-packages/.incoming").iterdir()) == []
    assert case.verify("--repair")["findings"] == []


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), count=st.integers(1, 6))
def test_random_damage_is_found_exactly_and_mended(pristine: Machine, seed: int, count: int) -> None:
    shutil.rmtree(pristine.store)
    copied(pristine.folder / "pristine", pristine.store)
    case = Case(pristine)
    generator = random.Random(seed)
    files = sorted(
        path
        for top in ("multi-site-packages/alpha", "multi-site-packages/beta", "multi-site-packages/gamma")
        for path in (case.store / top).rglob("*")
        if path.is_file() and path.name not in {"RECORD", "manifest.json", "artifacts.json", "modules.txt"}
    )
    wanted = set()
    for file in generator.sample(files, min(count, len(files))):
        wanted.add((damaged(file, generator), str(file.relative_to(case.store / "multi-site-packages"))))
    found = {
        (finding["check"], f"{finding['subject']}/{finding['message'].split(': ', 1)[1].split(' ')[0]}")
        for finding in case.verify()["findings"]
        if not finding["subject"].startswith("shared/")  # some of its files are the same
    }
    assert found == wanted
    case.verify("--repair")
    assert case.verify()["findings"] == []
    assert faults(case.store, pristine.index.folder) == []
    kept = snapshot(pristine.folder / "pristine", content=True)
    mended = snapshot(case.store, content=True)
    moved = {
        path.replace(str(pristine.folder / "pristine"), str(case.store), 1): content for path, content in kept.items()
    }
    assert mended == moved


def damaged(file: Path, generator: random.Random) -> str:
    """Damage a file somehow; return the kind of that."""
    way = generator.choice(["missing", "altered", "kind", "mode"])
    if way == "missing":
        file.unlink()
    elif way == "altered":
        content = file.read_bytes()
        file.write_bytes(bytes([*content[:-1], content[-1] ^ 1]) if content else b"x")
    elif way == "kind":
        file.unlink()
        file.symlink_to("/dev/null")
    elif way == "mode":
        file.chmod(stat.S_IMODE(file.stat().st_mode) | generator.choice([0o020, 0o002, 0o4000]))
    return way
