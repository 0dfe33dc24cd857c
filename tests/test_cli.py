"""The command line, end to end, on a machine of each test's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.index import Fault, LocalIndex
from tests.machine import Machine, snapshot


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        machine.wheel(
            "alpha",
            files={"alpha.py": "def main():\n    print('alpha 1.0')\n"},
            entry_points={"console_scripts": {"alpha": "alpha:main"}},
            requires=["beta"],
        )
        machine.wheel("beta", data={"data": {"share": {"beta.txt": "beta"}}})
        yield machine


def newer_alpha(machine: Machine) -> None:
    machine.wheel(
        "alpha",
        "2.0",
        files={"alpha.py": "def main():\n    print('alpha 2.0')\n"},
        entry_points={"console_scripts": {"alpha": "alpha:main", "alphabet": "alpha:main"}},
    )


# What is typed, and what is said.


def test_the_main_job(machine: Machine) -> None:
    done = machine.run("lock", "alpha")
    assert done.code == 0
    assert done.out == ""
    lines = done.err.splitlines()
    assert lines[0] == "locking the command line"
    assert sorted(lines[1:3]) == ["fetched alpha-1.0-py3-none-any.whl", "fetched beta-1.0-py3-none-any.whl"]
    assert lines[3:] == [" + alpha 1.0", " + beta 1.0", f"{machine.venv}: made; 2 distributions, 2 fetched"]
    assert machine.program("alpha").out == "alpha 1.0\n"
    assert (machine.venv / "share/beta.txt").read_text() == "beta"
    assert machine.python("import beta; print(beta.__file__)").out.startswith(str(machine.store))
    assert machine.run("doctor").code == 0


def test_list(machine: Machine) -> None:
    machine.run("lock", "alpha").succeeded()
    builds = {str(name): chosen.build.build for name, chosen in machine.state.builds.items()}
    assert machine.run("list").out.splitlines() == [
        f"Distribution  Version  {'Build'}",
        f"alpha         1.0      {builds['alpha']}",
        f"beta          1.0      {builds['beta']}",
    ]
    rows = machine.run("list", "--json").json
    assert [(row["name"], row["requested"], row["in_store"]) for row in rows] == [
        ("alpha", True, True),
        ("beta", False, True),
    ]


def test_list_of_nothing_makes_no_store(machine: Machine) -> None:
    machine.run("lock", "alpha").succeeded()
    other = machine.work / "plain"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", other], check=True)
    machine.variables["MULTISITE_STORE"] = str(machine.folder / "nowhere")
    done = machine.run("list", "--venv", other)
    assert (done.code, done.out, done.err) == (0, "", f"{other}: nothing is locked; multisite lock REQUIREMENT\n")
    assert not (machine.folder / "nowhere").exists()


def test_list_tells_what_the_store_lost(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    build = machine.state.builds
    (machine.store / "multi-site-packages" / next(iter(build.values())).build.path).rename(machine.folder / "lost")
    assert [(row["name"], row["in_store"]) for row in machine.run("list", "--json").json] == [("beta", False)]


def test_json_of_a_lock(machine: Machine) -> None:
    done = machine.run("lock", "beta", "--json")
    assert done.json == {
        "environment": str(machine.venv),
        "lockfile": str(machine.lockfile),
        "created": True,
        "written": True,
        "changes": [{"name": "beta", "before": None, "after": "1.0"}],
        "distributions": 1,
        "fetched": 1,
        "built": 0,
        "compiled": 0,
        "findings": [],
    }


def test_quiet(machine: Machine) -> None:
    done = machine.run("lock", "beta", "-q")
    assert (done.code, done.out, done.err) == (0, "", "")


USAGE = {
    "no command": ([], "usage: multisite"),
    "unknown command": (["nope"], "argument COMMAND: invalid choice: 'nope'"),
    "unknown option": (["lock", "--nope"], "unrecognized arguments: --nope"),
    "quiet and verbose": (["lock", "-q", "-v"], "argument -v/--verbose: not allowed with argument -q/--quiet"),
    "malformed requirement": (["lock", "a b"], "error: 'a b': "),
    "nothing to lock": (["lock"], "error: nothing to lock: no requirement is given, and "),
    "missing file": (["lock", "-r", "absent.txt"], "error: absent.txt: No such file or directory"),
    "missing lockfile": (
        ["sync", "absent.toml"],
        "absent.toml: there is no such lockfile\nnext: write one: multisite lock",
    ),
    "editable without project": (["lock", "-e", "."], "the folder has neither pyproject.toml nor setup.py"),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage_leaves_nothing(machine: Machine, case: str) -> None:
    words, sentence = USAGE[case]
    done = machine.run(*words)
    assert done.code == 2
    assert done.out == ""
    assert sentence in done.err
    assert not machine.venv.exists()


FAILURES = {
    "unsatisfiable": (["lock", "alpha==9"], 1, "error: no set of versions satisfies what was asked for:\n"),
    "unknown": (["lock", "absent"], 1, "error: no set of versions satisfies what was asked for:\n"),
    "no such interpreter": (["lock", "beta", "--python", "./absent"], 3, "error: absent: there is no such file\n"),
    "no environment": (
        ["sync"],
        3,
        ".venv: there is no environment, and no lockfile to make one from: ./pylock.toml\n",
    ),
    "not an environment": (
        ["lock", "beta", "--venv", "full"],
        3,
        "full: it is no virtual environment: it has no pyvenv.cfg",
    ),
    "a file": (["lock", "beta", "--venv", "file"], 3, "file: it is a file, not a folder"),
    "the store is a file": (["lock", "beta", "--store", "file"], 3, "file: "),
    "doctor without environment": (["doctor"], 3, ".venv: there is no such folder\n"),
    "list without environment": (["list"], 3, ".venv: there is no such folder\n"),
    "a lockfile that is none": (["sync", "broken.toml"], 1, "broken.toml: not a valid lockfile: "),
    "a lockfile that is a folder": (["sync", "full"], 2, "full: it cannot be read: Is a directory\n"),
    "offline": (["sync", "far.toml", "--offline"], 3, "gamma-1-py3-none-any.whl: could not be fetched from "),
}
FAR = """\
lock-version = "1.0"
created-by = "tests"
[[packages]]
name = "gamma"
version = "1"
wheels = [{url = "http://user:secret@127.0.0.1:1/gamma-1-py3-none-any.whl", hashes = {sha256 = "%s"}}]
""" % ("0" * 64)


@pytest.mark.parametrize("case", FAILURES)
def test_failures_leave_nothing(machine: Machine, case: str) -> None:
    words, code, sentence = FAILURES[case]
    (machine.work / "full").mkdir()
    (machine.work / "full/something").touch()
    (machine.work / "file").touch()
    (machine.work / "broken.toml").write_text("lock-version = ")
    (machine.work / "far.toml").write_text(FAR)
    before = snapshot(machine.work, content=True)
    done = machine.run(*words)
    assert done.code == code
    assert sentence in done.err
    assert "secret" not in done.err
    assert "Traceback" not in done.err
    assert snapshot(machine.work, content=True) == before


def test_a_failure_changes_nothing_in_an_environment(machine: Machine) -> None:
    machine.run("lock", "alpha").succeeded()
    before = snapshot(machine.venv)
    assert machine.run("lock", "alpha", "absent").code == 1
    assert machine.run("lock", "alpha==9").code == 1
    machine.index.fail("alpha-2.0-py3-none-any.whl", Fault(content=b"forged"))
    newer_alpha(machine)
    done = machine.run("lock", "alpha", "-U")
    assert done.code == 1
    assert "alpha-2.0-py3-none-any.whl: size is " in done.err or "alpha-2.0-py3-none-any.whl: sha256 is " in done.err
    assert snapshot(machine.venv) == before


def test_verbose_gives_the_whole_explanation(machine: Machine) -> None:
    for number in range(8):
        machine.wheel("chain", f"{number}.0", requires=[f"link{number}==1"])
        machine.wheel(f"link{number}", "1", requires=[f"absent{number}"])
    short = machine.run("lock", "chain")
    whole = machine.run("lock", "chain", "-v")
    assert short.code == whole.code == 1
    assert "earlier steps: --verbose" in short.err
    assert len(whole.err) > len(short.err)


@pytest.fixture
def guarded(machine: Machine) -> Iterator[LocalIndex]:
    with LocalIndex(machine.index.folder, user="me", password="secret") as index:
        machine.variables["UV_INDEX_URL"] = index.url
        yield index


@pytest.mark.parametrize("how", ["option", "file", "variable in a file", "direct", "pyproject"])
def test_credentials_for_resolving_serve_for_fetching(machine: Machine, guarded: LocalIndex, how: str) -> None:
    address, file = guarded.with_credentials(), "file:///nowhere"
    words = {
        "option": ["beta", "--index-url", address],
        "direct": [f"beta @ {guarded.with_credentials()}/../files/beta-1.0-py3-none-any.whl"],
        "pyproject": ["beta"],
    }.get(how, ["-r", "requirements.txt"])
    secret = "${SECRET}" if how == "variable in a file" else "secret"
    machine.variables["SECRET"] = "secret"
    file = f"--index-url {address.replace('secret', secret)}\nbeta\n"
    (machine.work / "requirements.txt").write_text(file)
    if how == "pyproject":
        text = f'[[tool.uv.index]]\nurl = "{address}"\ndefault = true\n[dependency-groups]\ng = ["beta"]\n'
        (machine.work / "pyproject.toml").write_text(text)
        del machine.variables["UV_INDEX_URL"]
        machine.variables["UV_NO_CONFIG"] = "0"
        words = ["--group", "g"]
    done = machine.run("lock", *words)
    assert done.code == 0, done.err
    assert not holding(machine.venv, b"secret")
    assert not holding(machine.store, b"secret")


def holding(folder: Path, what: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and what in path.read_bytes()]


def test_credentials_of_a_lockfile_are_used_and_not_copied(machine: Machine, guarded: LocalIndex) -> None:
    name = "beta-1.0-py3-none-any.whl"
    url = guarded.file_url(name).replace("://", "://me:secret@")
    digits = guarded.sha256(name)
    given = machine.work / "given.toml"
    head = 'lock-version = "1.0"\ncreated-by = "tests"\n# kept\n[[packages]]\nname = "beta"\nversion = "1.0"\n'
    given.write_text(head + f'wheels = [{{name = "{name}", url = "{url}", hashes = {{sha256 = "{digits}"}}}}]\n')
    done = machine.run("sync", given)
    assert done.code == 0
    assert done.err.splitlines()[0] == (
        f"warning: {given}: addresses in it name users or passwords, which should be in ~/.netrc, "
        f"and left out of {machine.lockfile}"
    )
    assert machine.lockfile.read_text() == given.read_text().replace("me:secret@", "")
    assert holding(machine.folder, b"me:secret") == [given]
    again = machine.run("sync", given)
    assert (again.code, "unchanged" in again.err) == (0, True), again.err
    assert machine.run("doctor").code == 0


def test_credentials_are_never_printed(machine: Machine) -> None:
    machine.variables["UV_INDEX_URL"] = "http://user:secret@127.0.0.1:1/simple"
    for words in (["lock", "beta"], ["lock", "beta", "-v"], ["lock", "beta @ http://user:secret@127.0.0.1:1/b.whl"]):
        done = machine.run(*words)
        assert done.code != 0
        assert "secret" not in done.out + done.err


def test_a_newer_minor_version_of_the_format_is_a_warning(machine: Machine) -> None:
    machine.run("lock", "beta", "-o", "pylock.toml").succeeded()
    lockfile = machine.work / "pylock.toml"
    lockfile.write_text(lockfile.read_text().replace('"1.0"', '"1.9"', 1))
    done = machine.run("sync").succeeded()
    assert [line for line in done.err.splitlines() if "1.9" in line] == [
        "warning: pylock minor version 1.9 is not supported"
    ]


# What is loaded, and how it ends.


def test_the_version_loads_next_to_nothing() -> None:
    code = (
        "import sys; sys.argv = ['multisite', '--version']\n"
        "from multisite.__main__ import main\n"
        "assert main() == 0\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'argparse', 'rich', 'packaging', 'logging'}))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "[]"


def test_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys; import multisite.cli, multisite.commands\n"
        "heavy = {'packaging', 'rich', 'urllib3', 'tomli', 'installer', 'filelock', 'uv', 'logging', 'email'}\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & heavy))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_nobody_reads_what_is_written(machine: Machine) -> None:
    machine.run("lock", "alpha").succeeded()
    reading, writing = os.pipe()
    os.close(reading)
    with machine.spawn("list", stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate()
    assert (process.returncode, err) == (1, "")


# Nothing to do.


def test_nothing_to_do_writes_nothing_and_asks_nobody(machine: Machine) -> None:
    machine.run("lock", "alpha").succeeded()
    before, asked = snapshot(machine.venv, machine.store), machine.index.requests.copy()
    for words in (["lock", "alpha"], ["sync"], ["lock", "alpha"], ["sync", machine.lockfile], ["doctor"]):
        done = machine.run(*words).succeeded()
        if words[0] != "doctor":
            assert done.err.endswith(f"{machine.venv}: unchanged; 2 distributions\n")
    assert snapshot(machine.venv, machine.store) == before
    assert machine.index.requests == asked


def test_a_second_environment_takes_only_small_files(machine: Machine) -> None:
    machine.run("lock", "alpha").succeeded()
    machine.index.requests.clear()
    before = {
        path: facts for path, facts in snapshot(machine.store, content=True).items() if "environments" not in path
    }
    done = machine.run("sync", machine.lockfile, "--venv", "second").succeeded()
    assert done.err.splitlines()[-1] == f"{machine.work / 'second'}: made; 2 distributions"
    assert not machine.index.requests
    after = {path: facts for path, facts in snapshot(machine.store, content=True).items() if "environments" not in path}
    assert after == before
    (runtime,) = (machine.work / "second" / ".multisite" / "runtime").iterdir()
    sizes = {
        path: path.lstat().st_size
        for path in (machine.work / "second").rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    assert sum(size for path, size in sizes.items() if not path.is_relative_to(runtime)) < 40_000
    sources = sum(size for path, size in sizes.items() if path.parent == runtime)
    assert sum(size for path, size in sizes.items() if path.parent == runtime / "__pycache__") < 2 * sources
    assert machine.program("alpha", venv=machine.work / "second").out == "alpha 1.0\n"


def test_a_store_that_only_later_releases_write_to_is_left_as_it_is(machine: Machine) -> None:
    first, second = (machine.work / name for name in ("first.toml", "second.toml"))
    for lock, names in ((first, ["alpha"]), (second, ["beta"])):
        machine.run("lock", *names, "--venv", lock.stem).succeeded()
        shutil.copyfile(machine.work / lock.stem / "pylock.toml", lock)
    machine.run("sync", first).succeeded()
    description = json.loads((machine.store / "store.json").read_text())
    (machine.store / "store.json").write_text(json.dumps({**description, "min_writer": 2}))
    before = snapshot(machine.store), snapshot(machine.venv, content=True)
    # It has all that these want; but it would have to know that they want it.
    for venv in (".venv", "new"):
        done = machine.run("sync", second, "--venv", venv)
        assert done.code == 3
        assert done.err.endswith(
            f"error: {machine.store}: store, to write to it, has format 2; this multisite knows format 1\n"
            "next: upgrade multisite: pip install --upgrade multisite\n"
        )
    assert machine.run("sync").succeeded().err.endswith("unchanged; 2 distributions\n")
    assert (snapshot(machine.store), snapshot(machine.venv, content=True)) == before
    assert not (machine.work / "new").exists()
    assert machine.python("import alpha").code == 0


# Changing, and going back.


def test_upgrade_and_back(machine: Machine) -> None:
    machine.run("lock", "alpha").succeeded()
    first = machine.lockfile.read_bytes()
    newer_alpha(machine)
    assert machine.run("lock", "alpha").err.endswith("unchanged; 2 distributions\n")
    done = machine.run("lock", "alpha", "--upgrade-package", "alpha").succeeded()
    assert done.err.splitlines()[-3:] == [
        " ~ alpha 1.0 -> 2.0",
        " - beta 1.0",
        f"{machine.venv}: changed; 1 distribution, 1 fetched",
    ]
    assert machine.program("alphabet").out == "alpha 2.0\n"
    assert not (machine.venv / "share").exists()
    machine.lockfile.write_bytes(first)
    machine.run("sync").succeeded()
    assert machine.program("alpha").out == "alpha 1.0\n"
    assert not (machine.venv / "bin/alphabet").exists()
    assert (machine.venv / "share/beta.txt").exists()
    assert machine.run("doctor").code == 0


def test_a_change_of_ones_own_stays(machine: Machine) -> None:
    machine.run("lock", "alpha").succeeded()
    (machine.venv / "share/beta.txt").write_text("mine")
    done = machine.run("sync").succeeded()
    assert "warning [files] share/beta.txt: it was changed since, and is left alone\n" in done.err
    newer_alpha(machine)
    done = machine.run("lock", "alpha", "-U").succeeded()
    assert (
        "warning [files] share/beta.txt: it is not needed any more, but was changed since it was written,"
        " and is left alone\n" in done.err
    )
    assert (machine.venv / "share/beta.txt").read_text() == "mine"


def test_start_up_lines_come_and_go(machine: Machine) -> None:
    machine.wheel("delta", files={"delta.pth": "import sys; sys.delta = 1\n", "delta.py": ""})
    machine.run("lock", "delta").succeeded()
    probe = "import sys; print(hasattr(sys, 'delta'))"
    assert machine.python(probe).out == "True\n"
    machine.run("lock", "beta").succeeded()
    assert machine.python(probe).out == "False\n"


def test_distributions_that_collide_share_a_folder(machine: Machine) -> None:
    machine.wheel("left", files={"pkg": {"__init__.py": "", "left.py": "", "l.txt": "l"}})
    machine.wheel("right", files={"pkg": {"right.py": "", "r.txt": "r"}})
    machine.run("lock", "left", "right").succeeded()
    probe = (
        "import os, pkg.left, pkg.right, importlib.metadata as m\n"
        "print(sorted(name for name in os.listdir(os.path.dirname(pkg.__file__)) if name[0] != '_'))\n"
        "print(m.version('left'), m.version('right'), len(list(m.distributions())))"
    )
    expected = "['l.txt', 'left.py', 'r.txt', 'right.py']\n1.0 1.0 2\n"
    assert machine.python(probe).out == expected
    shared = snapshot(machine.store / "shared")
    machine.run("sync", machine.lockfile, "--venv", "second").succeeded()
    assert machine.python(probe, venv=machine.work / "second").out == expected
    assert snapshot(machine.store / "shared") == shared
