"""A table of damage to a store: what ``verify`` says of it, and that ``verify --repair`` mends it or says what will."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multisite.damage import KINDS
from tests.builders import make_wheel
from tests.independent_store_check import faults
from tests.machine import Machine, snapshot
from tests.store_damage import DAMAGE, EVIL, TAG, Case, Sabotage, add, edit, pyc

posix = pytest.mark.skipif(os.name == "nt", reason="modes and links of POSIX")


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
