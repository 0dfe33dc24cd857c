"""A command that has nothing to do: it is told by a few looks, and by as many of them as there should be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from multisite import settled
from multisite.defaults import default_cache
from multisite.quick import cache_folder
from tests.machine import Machine

# Of the command itself; what an interpreter loads at its start is no business of ours.
START = {"multisite", "multisite.__main__", "multisite.streams", "__future__"}
QUICK = START | {"multisite.quick", "multisite.settled"}
PROBE = """\
import functools, json, os, sys
before, calls = set(sys.modules), []
for name in ("stat", "lstat"):
    real = getattr(os, name)
    def counting(real, *words, **options):
        calls.append("look")
        return real(*words, **options)
    setattr(os, name, functools.partial(counting, real))  # which is no method where it is a class's, as in 3.10
sys.addaudithook(lambda event, arguments: calls.append(event))
from multisite.__main__ import main
sys.argv[0] = "multisite"
code = main()
counted = {event: calls.count(event) for event in ("look", "subprocess.Popen", "os.posix_spawn", "os.fork")}
imported = {name for name in set(sys.modules) - before if name.partition(".")[0] not in {"encodings", "linecache"}}
print(json.dumps([code, sorted(imported), counted]))
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        programs = {"console_scripts": {"alpha": "alpha:main"}}
        for version in ("1.0", "2.0"):
            files = {"alpha.py": f"version = {version!r}\ndef main():\n    print(version)\n"}
            data = {"data": {"share": {"alpha.txt": version}}}
            machine.wheel("alpha", version, files=files, entry_points=programs, data=data)
        machine.wheel("beta")
        machine.run("lock", "alpha==1.0", "beta").succeeded()
        yield machine


def counted(machine: Machine, *words: str | Path) -> tuple[list[str], set[str], dict[str, int]]:
    """Run a command in a process of its own; return what it said, the modules that it loaded, and calls."""
    command = [sys.executable, "-c", PROBE, *map(str, words)]
    done = subprocess.run(command, cwd=machine.work, env=machine.environ(), capture_output=True, text=True, check=False)
    *out, last = done.stdout.splitlines() or [""]
    assert done.returncode == 0, done.stderr
    code, modules, calls = json.loads(last)
    assert code == 0, done.stderr
    return [*out, *done.stderr.splitlines()], set(modules), calls


def is_quick(machine: Machine, *words: str | Path) -> bool:
    return counted(machine, *words)[1] == QUICK


def test_the_version_needs_nothing(machine: Machine) -> None:
    said, modules, _ = counted(machine, "--version")
    assert said[0].startswith("multisite ")
    assert modules == START


def test_nothing_to_do_is_told_by_a_few_looks(machine: Machine) -> None:
    said, modules, calls = counted(machine, "sync")
    assert said == [f"syncing {machine.lockfile}", f"{machine.venv}: unchanged; 2 distributions"]
    assert modules == QUICK
    # One folder of all distributions and four of each of the two; a program and a data file; each file of the start-up
    # code, once compiled; and 24 besides.
    runtime = len(list((machine.venv / ".multisite" / "runtime").rglob("*.py*")))
    assert calls == {"look": 1 + 2 * 4 + 2 + runtime + 24, "subprocess.Popen": 0, "os.posix_spawn": 0, "os.fork": 0}


def test_the_same_is_said_as_by_looking_at_everything(machine: Machine) -> None:
    wholly = machine.run("sync").succeeded().err.splitlines()
    assert counted(machine, "sync")[0] == wholly
    assert counted(machine, "sync", "-q")[0] == []


def test_a_lockfile_that_is_named(machine: Machine) -> None:
    lockfile = machine.work / "pylock.toml"
    shutil.copy(machine.lockfile, lockfile)
    machine.run("sync", "pylock.toml", "--venv", "other").succeeded()
    said, modules, _ = counted(machine, "sync", "pylock.toml", "--venv", "other")
    assert said == [f"syncing {lockfile}", f"{machine.work / 'other'}: unchanged; 2 distributions"]
    assert modules == QUICK
    assert is_quick(machine, "sync", "--venv", machine.work / "other")
    lockfile.write_text(lockfile.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert not is_quick(machine, "sync", "pylock.toml", "--venv", "other")


def test_a_request_that_is_the_same(machine: Machine) -> None:
    (machine.work / "wanted.txt").write_text("-c limits.txt\nalpha\n", encoding="utf-8")
    (machine.work / "limits.txt").write_text("alpha<2\n", encoding="utf-8")
    command = ("lock", "-r", "wanted.txt", "--venv", "other")
    machine.run(*command).succeeded()
    said, modules, calls = counted(machine, *command)
    assert said == ["locking wanted.txt", f"{machine.work / 'other'}: unchanged; 1 distribution"]
    assert "multisite.cli" not in modules
    assert calls["subprocess.Popen"] == 0
    (machine.work / "limits.txt").write_text("alpha>=2\n", encoding="utf-8")
    assert " ~ alpha 1.0 -> 2.0" in counted(machine, *command)[0]


def test_an_input_of_one_size_and_time_may_be_another(machine: Machine) -> None:
    wanted = machine.work / "wanted.txt"
    wanted.write_text("alpha==1.0\n", encoding="utf-8")
    command = ("lock", "-r", "wanted.txt", "--venv", "other")
    machine.run(*command).succeeded()
    assert "multisite.cli" not in counted(machine, *command)[1]
    write_as_before(wanted, b"1.0", b"2.0")
    assert " ~ alpha 1.0 -> 2.0" in counted(machine, *command)[0]


@pytest.mark.parametrize("name", ["UV_PRERELEASE", "PIP_INDEX_URL"])
def test_what_the_resolver_is_told_counts(machine: Machine, name: str) -> None:
    assert "multisite.cli" not in counted(machine, "lock", "alpha==1.0", "beta")[1]
    machine.variables[name] = "allow" if name == "UV_PRERELEASE" else machine.index.url
    assert "multisite.cli" in counted(machine, "lock", "alpha==1.0", "beta")[1]


CONSTRAINTS = {
    "UV_CONSTRAINT": ("unasked.txt", "-c limits.txt\n", "limits.txt", "alpha{}\n"),
    "UV_OVERRIDE": ("unasked.txt", "\n", "unasked.txt", "alpha{}\n"),
    "uv.toml": ("uv.toml", "\n", "uv.toml", 'constraint-dependencies = ["alpha{}"]\n'),
    "pyproject.toml": ("uv.toml", "\n", "pyproject.toml", '[tool.uv]\nconstraint-dependencies = ["alpha{}"]\n'),
}


@pytest.mark.parametrize("options", [(), ("-v",)], ids=["quickly", "the long way"])
@pytest.mark.parametrize("how", CONSTRAINTS)
def test_what_the_resolver_reads_unasked_counts(machine: Machine, how: str, options: tuple[str, ...]) -> None:
    named, includes, path, text = CONSTRAINTS[how]
    machine.variables |= {how: named} if how.startswith("UV_") else {"UV_NO_CONFIG": "0"}
    (machine.work / named).write_text(includes, encoding="utf-8")
    command = ("lock", "alpha", "--no-project", "--venv", "other", *options)
    for limit, version in (("<2", "1.0"), (">=2", "2.0")):
        (machine.work / path).write_text(text.format(limit), encoding="utf-8")
        machine.run(*command).succeeded()
        assert f'version = "{version}"' in (machine.work / "other" / "pylock.toml").read_text(encoding="utf-8")
    counted(machine, *command)  # which asks the new environment's interpreter what it is
    said, _, calls = counted(machine, *command)
    assert "unchanged; 1 distribution" in said[-1]
    assert calls["subprocess.Popen"] == 0


@pytest.mark.parametrize("options", [(), ("-v",)], ids=["quickly", "the long way"])
def test_what_a_folder_asks_for_counts(machine: Machine, options: tuple[str, ...]) -> None:
    (machine.work / "wanted.txt").write_text("-e gamma\n", encoding="utf-8")
    command = ("lock", "-r", "wanted.txt", "--venv", "other", *options)
    for wanted in ("alpha==1.0", "alpha==2.0"):
        machine.project(machine.work / "gamma", "gamma", text=f'dependencies = ["{wanted}"]\n')
        machine.run(*command).succeeded()
        lockfile = machine.work / "other" / "pylock.toml"
        assert f'version = "{wanted[-3:]}"' in lockfile.read_text(encoding="utf-8")


def test_what_a_pyproject_says_to_others_is_no_reason_to_resolve(machine: Machine) -> None:
    command = ("lock", "alpha", "--no-project", "--venv", "other")
    machine.variables["UV_NO_CONFIG"] = "0"
    for line in ("one", "other", "third"):
        (machine.work / "pyproject.toml").write_text(f'[tool.{line}]\nx = 1\n[tool.uv]\nprerelease = "allow"\n')
        said, _, calls = counted(machine, *command)
    assert "unchanged" in said[-1]
    assert calls["subprocess.Popen"] == 0


@pytest.mark.parametrize("options", [(), ("-v",), ("--json",)], ids=["plain", "-v", "--json"])
def test_what_a_distribution_was_made_from_is_written_again(machine: Machine, options: tuple[str, ...]) -> None:
    machine.run("lock", machine.index.folder / "alpha-1.0-py3-none-any.whl").succeeded()
    assert is_quick(machine, "sync")
    path = machine.venv / ".multisite" / "facts" / "alpha.direct_url.json"
    text = path.read_bytes()
    path.unlink()
    machine.run("sync", *options).succeeded()
    assert path.read_bytes() == text


@pytest.mark.parametrize("option", ["-v", "--json"])
def test_who_asks_for_more_has_everything_looked_at(machine: Machine, option: str) -> None:
    assert is_quick(machine, "sync")
    assert "multisite.switching" in counted(machine, "sync", option)[1]
    assert "multisite.syncing" in counted(machine, "sync", option)[1]


def test_an_upgrade_is_always_resolved(machine: Machine) -> None:
    machine.run("lock", "alpha", "--venv", "other", "--upgrade").succeeded()
    machine.wheel("alpha", "3.0")
    assert " ~ alpha 2.0 -> 3.0" in counted(machine, "lock", "alpha", "--venv", "other", "--upgrade")[0]


def remove_entry(machine: Machine) -> None:
    shutil.rmtree(machine.store / "multi-site-packages" / "beta")


def lose_program(machine: Machine) -> None:
    (machine.venv / "bin" / "alpha").unlink()


def change_program(machine: Machine) -> None:
    (machine.venv / "bin" / "alpha").write_text("echo", encoding="utf-8")


def change_data(machine: Machine) -> None:
    path = machine.venv / "share" / "alpha.txt"
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, ns=(1, 1))


def lose_table(machine: Machine) -> None:
    (machine.venv / ".multisite" / "table").unlink()


def change_start(machine: Machine) -> None:
    (machine.environment.site_packages / "00-multisite.pth").write_text("\n", encoding="utf-8")


def install_really(machine: Machine) -> None:
    (machine.environment.site_packages / "gamma.py").touch()


def change_lockfile(machine: Machine) -> None:
    machine.lockfile.write_bytes(machine.lockfile.read_bytes() + b"\n")


def write_as_before(path: Path, old: bytes, new: bytes) -> None:
    """Write *new* for *old* in the place of the file *path*, as what sets all times to that of a release does."""
    before, content = path.stat(), path.read_bytes()
    assert len(old) == len(new)
    assert old in content
    path.write_bytes(content.replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def change_lockfile_at_a_fixed_time(machine: Machine) -> None:
    write_as_before(machine.lockfile, b'"1.0"', b'"2.0"')


def forget_registration(machine: Machine) -> None:
    (machine.store / "environments" / f"{machine.state.id}.json").unlink()


def open_to_all(machine: Machine) -> None:
    machine.store.chmod(0o777)


def open_an_entry(machine: Machine) -> None:
    next((machine.store / "multi-site-packages" / "beta").glob("*/*")).chmod(0o775)


def begin_a_sync(machine: Machine) -> None:
    (machine.venv / ".multisite" / "next.json").write_bytes(
        (machine.venv / ".multisite" / "environment.json").read_bytes()
    )


def move(machine: Machine) -> None:
    machine.venv.rename(machine.work / "moved")
    shutil.copytree(machine.work / "moved", machine.venv, symlinks=True)


def trust_somebody(machine: Machine) -> None:
    machine.variables["MULTISITE_TRUST"] = "root"


def ask_for_bytecode(machine: Machine) -> None:
    machine.variables["MULTISITE_COMPILE"] = "all"


CHANGES = [
    ask_for_bytecode,
    remove_entry,
    lose_program,
    change_program,
    change_data,
    lose_table,
    change_start,
    install_really,
    change_lockfile,
    change_lockfile_at_a_fixed_time,
    forget_registration,
    open_to_all,
    open_an_entry,
    begin_a_sync,
    move,
    trust_somebody,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_whatever_is_another_has_all_of_it_looked_at(machine: Machine, change: Callable[[Machine], None]) -> None:
    cache, folder = str(machine.folder / "home" / ".cache" / "multisite"), str(machine.venv)

    def answer() -> tuple[str, ...] | None:
        path = Path(cache, settled.KIND, settled.name_for(folder))
        since = (settled.read(str(path)) or {}).get("since", 0)
        return settled.answer(cache, folder, ["sync"], machine.environ(), since + 1, settled.program())

    assert answer() is not None
    change(machine)
    assert answer() is None


def test_once_a_day_the_store_is_told_that_the_environment_is_there(machine: Machine) -> None:
    cache, folder = str(machine.folder / "home" / ".cache" / "multisite"), str(machine.venv)
    seen = (settled.read(str(Path(cache, settled.KIND, settled.name_for(folder)))) or {})["since"]
    day = 24 * 3600
    times = [seen - 1, seen, seen + day - 1, seen + day]
    own = settled.program()
    told = [settled.answer(cache, folder, ["sync"], machine.environ(), now, own) is not None for now in times]
    assert told == [False, True, True, False]


@pytest.mark.parametrize("damage", [b"", b"MSSETTLED\0", bytes(4096), b"MSSETTLED\0\x01\0\0\0\x02\0\0\0[\xff"])
def test_what_is_damaged_counts_for_nothing(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "settled"
    path.write_bytes(damage)
    assert settled.read(str(path)) is None
    path.write_bytes(settled.encode({"a": 1}))
    assert settled.read(str(path)) == {"a": 1}
    path.write_bytes(settled.encode({"a": 1})[:-1])
    assert settled.read(str(path)) is None


def test_a_project_that_is_imported_from_its_folder_is_always_looked_at(machine: Machine) -> None:
    machine.project(machine.work / "gamma", "gamma")
    machine.run("lock", "-e", "gamma", "--venv", "other").succeeded()
    assert not is_quick(machine, "sync", "--venv", "other")


@pytest.mark.parametrize(
    ("environ", "known"),
    [
        ({"MULTISITE_CACHE": "/c/../d"}, True),
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, True),
        ({"HOME": "/h"}, True),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, True),
        ({}, False),
    ],
)
def test_the_cache_is_where_every_command_has_it(
    environ: dict[str, str], known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MULTISITE_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    expected = str(default_cache(os.environ)) if known else None
    assert cache_folder(os.environ) == expected
