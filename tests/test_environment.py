from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from multisite import __version__, activation, environment
from multisite.activation import unusable_in_scripts
from multisite.environment import Environment, python_record
from multisite.errors import NotAnEnvironment
from multisite.interpreter import Interpreter, inspect_interpreter
from multisite.state import EnvironmentState
from tests.pythons import found_pythons

PYTHONS = found_pythons()

PROBE = """
import json, os, site, sys, sysconfig
base = os.path.basename
print(json.dumps({
    "path": sys.path, "prefix": sys.prefix, "exec_prefix": sys.exec_prefix, "base_prefix": sys.base_prefix,
    "base_exec_prefix": sys.base_exec_prefix, "executable": sys.executable, "paths": sysconfig.get_paths(),
    "site": site.getsitepackages(), "platlibdir": getattr(sys, "platlibdir", None), "user": site.ENABLE_USER_SITE,
    "base_executable": os.path.realpath(sys._base_executable), "config": sysconfig.get_config_h_filename(),
}))
"""


@pytest.fixture(scope="module")
def own() -> Interpreter:
    return inspect_interpreter(Path(sys.executable))


def probe(python: Path, *options: str) -> dict[str, Any]:
    done = subprocess.run([python, *options, "-c", PROBE], capture_output=True, check=True, cwd=python.parent)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def tree(folder: Path) -> dict[str, str]:
    found = {}
    for path in folder.rglob("*"):
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = "link"
        else:
            found[path.relative_to(folder).as_posix()] = "folder" if path.is_dir() else "file"
    return found


@pytest.mark.parametrize("options", [(), ("-I",), ("-S",)], ids=["plain", "isolated", "no site"])
@pytest.mark.parametrize("version", PYTHONS)
def test_it_is_what_the_standard_library_makes(version: str, options: tuple[str, ...], tmp_path: Path) -> None:
    path, kept = tmp_path / "venv", tmp_path / "kept"
    subprocess.run([PYTHONS[version], "-m", "venv", "--without-pip", path], check=True)
    expected = probe(path / "bin" / "python", *options)
    path.rename(kept)
    made = Environment.create(path, inspect_interpreter(PYTHONS[version]))
    assert probe(made.python, *options) == expected
    assert made.site_packages == path / "lib" / f"python{version}" / "site-packages"
    differences = set(tree(path).items()) ^ set(tree(kept).items())
    allowed = {".gitignore", f"include/python{version}", f"bin/python{version}"}
    assert {name for name, _ in differences} - {f"bin/{script}" for script in SCRIPTS} <= allowed


SCRIPTS = ("activate", "activate.csh", "activate.fish", "Activate.ps1")


@pytest.mark.parametrize("version", PYTHONS)
def test_from_an_environment_of_an_environment(version: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    subprocess.run([PYTHONS[version], "-m", "venv", "--without-pip", first], check=True)
    subprocess.run([first / "bin" / "python", "-m", "venv", "--without-pip", second], check=True)
    made = Environment.create(tmp_path / "third", inspect_interpreter(second / "bin" / "python"))
    base = inspect_interpreter(PYTHONS[version])
    assert made.configuration["home"] == str(base.base_executable.parent)
    shutil.rmtree(first)
    shutil.rmtree(second)
    assert probe(made.python)["base_prefix"] == str(base.base_prefix)


def test_the_configuration(own: Interpreter, tmp_path: Path) -> None:
    made = Environment.create(tmp_path / "my project" / ".venv", own)
    assert made.configuration == {
        "home": str(own.base_executable.parent),
        "include-system-site-packages": "false",
        "version": ".".join(map(str, own.version_info)),
        "executable": str(own.base_executable.resolve()),
        "prompt": "my project",
        "multisite": __version__,
    }


@pytest.mark.parametrize(
    ("name", "prompt", "expected"), [(".venv", None, "around"), ("env", None, "env"), ("env", "other", "other")]
)
def test_the_prompt(own: Interpreter, tmp_path: Path, name: str, prompt: str | None, expected: str) -> None:
    made = Environment.create(tmp_path / "around" / name, own, prompt=prompt)
    assert made.configuration["prompt"] == expected


def test_system_site_packages(own: Interpreter, tmp_path: Path) -> None:
    made = Environment.create(tmp_path / "venv", own, system_site_packages=True)
    found = probe(made.python)["path"]
    assert found.index(str(made.site_packages)) < found.index(
        str(own.base_prefix / "lib" / own.library / "site-packages")
    )


def test_a_library_with_another_name(own: Interpreter, tmp_path: Path) -> None:
    import dataclasses

    free_threaded = dataclasses.replace(own, library=f"{own.library}t", platform="macosx-11.0-arm64")
    made = Environment.create(tmp_path / "venv", free_threaded)
    assert made.site_packages == tmp_path / "venv" / "lib" / f"{own.library}t" / "site-packages"
    assert (made.scripts / f"{own.library}t").is_symlink()
    assert not (made.path / "lib64").exists()


def run_shell(shell: str, script: str) -> list[str]:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TERM": "dumb"}
    done = subprocess.run([program, "-c", script], capture_output=True, text=True, check=True, env=environ)
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["venv", "a b", "ü'(x)"])
@pytest.mark.parametrize("shell", ["bash", "sh", "zsh"])
def test_activation(own: Interpreter, tmp_path: Path, shell: str, name: str) -> None:
    made = Environment.create(tmp_path / name, own, prompt="hint")
    program = "import sys; print(sys.prefix)"
    script = (
        f'PS1="$ "; before=$PATH; . "{made.scripts}/activate"; python -c "{program}"; echo "$VIRTUAL_ENV"; '
        'echo "$PS1"; '
        'command -v python; deactivate; test "$PATH" = "$before" && test -z "$VIRTUAL_ENV" && echo clean'
    )
    path = str(made.path)
    assert run_shell(shell, script) == [path, path, "(hint) $ ", f"{path}/bin/python", "clean"]


@pytest.mark.parametrize(("shell", "suffix"), [("fish", ".fish"), ("csh", ".csh")])
def test_activation_in_other_shells(own: Interpreter, tmp_path: Path, shell: str, suffix: str) -> None:
    made = Environment.create(tmp_path / "venv", own)
    script = f"source {made.scripts}/activate{suffix}; python -c 'import sys; print(sys.prefix)'; echo $VIRTUAL_ENV"
    assert run_shell(shell, script) == [str(made.path)] * 2


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_is_left_to_fill_in(own: Interpreter, tmp_path: Path, script: str) -> None:
    made = Environment.create(tmp_path / "venv", own)
    text = (made.scripts / script).read_text(encoding="utf-8")
    assert "__VENV_" not in text
    if script != "Activate.ps1":
        assert str(made.path) in text


def test_it_ignores_itself(own: Interpreter, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    Environment.create(tmp_path / ".venv", own)
    done = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_into_an_empty_folder(own: Interpreter, tmp_path: Path) -> None:
    number = tmp_path.stat().st_ino
    made = Environment.create(tmp_path, own)
    assert made.path == tmp_path
    assert tmp_path.stat().st_ino == number


def test_a_link_to_an_empty_folder(own: Interpreter, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "venv").symlink_to("real")
    made = Environment.create(tmp_path / "venv", own)
    assert made.path == tmp_path / "venv"
    assert (tmp_path / "real" / "pyvenv.cfg").is_file()


def refused(path: Path, interpreter: Interpreter) -> str:
    with pytest.raises(NotAnEnvironment) as caught:
        Environment.create(path, interpreter)
    return str(caught.value)


def test_where_none_can_be_made(own: Interpreter, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "work").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("gone")
    Environment.create(tmp_path / "venv", own)
    reasons = {
        "full": "the folder is not empty",
        "file": "it is a file, not a folder",
        "link": "it is a link to gone, which is not there",
        "venv": "it is a virtual environment already",
        "file/venv": f"it cannot be made: {tmp_path}/file is a file",
    }
    for name, reason in reasons.items():
        assert refused(tmp_path / name, own) == f"{tmp_path / name}: {reason}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full", "link", "venv"]
    assert (tmp_path / "full" / "work").read_text() == "mine"


@pytest.mark.parametrize("character", [":", "\n", "\x1b", "\udcff"])
def test_a_path_that_activation_scripts_cannot_hold(own: Interpreter, tmp_path: Path, character: str) -> None:
    path = tmp_path / f"a{character}b"
    assert refused(path, own) == (
        f"{path}: activation scripts cannot hold {str(path)!r}, because of the {character!r} in it"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a$b", "a`b", 'a"b', "a\\b", "a$(touch x)b", "a!b"])
def test_a_path_that_a_shell_would_run_is_refused_or_quoted(own: Interpreter, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if unusable_in_scripts(name):
        assert "activation scripts cannot hold" in refused(path, own)
        return
    made = Environment.create(path, own)
    assert run_shell("bash", f". '{made.scripts}/activate'; echo \"$VIRTUAL_ENV\"") == [str(path)]


def test_an_existing_environment_that_programs_cannot_name(own: Interpreter, tmp_path: Path) -> None:
    made = Environment.create(tmp_path / "venv", own)
    moved = made.path.rename(tmp_path / "a\udcff")
    with pytest.raises(NotAnEnvironment) as caught:
        Environment.open(moved)
    assert str(caught.value) == (
        f"{moved}: programs cannot name it: {str(moved)!r} is no text in the locale's encoding"
    )
    assert Environment.remains(moved).fault is None


@pytest.mark.parametrize("exists", [True, False], ids=["empty folder", "missing"])
def test_a_failure_leaves_nothing(
    own: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(activation, "write_activation_scripts", fail)
    path = tmp_path / "venv"
    if exists:
        path.mkdir()
    assert refused(path, own) == f"{path}: it cannot be made: No space left on device"
    assert tree(tmp_path) == ({"venv": "folder"} if exists else {})


def test_made_twice_at_the_same_time(own: Interpreter, tmp_path: Path) -> None:
    results: list[object] = []

    def make() -> None:
        try:
            results.append(Environment.create(tmp_path / "venv", own))
        except NotAnEnvironment as error:
            results.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [result for result in results if isinstance(result, Environment)]
    assert len(made) == 1
    assert len(results) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["venv"]
    assert probe(made[0].python)["prefix"] == str(tmp_path / "venv")


def test_the_mode_is_left_to_the_umask(own: Interpreter, tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        made = Environment.create(tmp_path / "venv", own)
    finally:
        os.umask(old)
    assert made.path.stat().st_mode & 0o777 == 0o750
    assert (made.path / "pyvenv.cfg").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("version", PYTHONS)
@pytest.mark.parametrize("maker", ["venv", "uv", "virtualenv"])
def test_opening_what_others_made(maker: str, version: str, tmp_path: Path) -> None:
    path, python = tmp_path / "venv", PYTHONS[version]
    if maker == "venv":
        command = [str(python), "-m", "venv", "--without-pip", str(path)]
    elif maker == "uv":
        from uv import find_uv_bin

        command = [find_uv_bin(), "venv", "--quiet", "--no-config", "--python", str(python), str(path)]
    else:
        command = [sys.executable, "-m", "virtualenv", "-q", "--no-seed", "-p", str(python), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if maker == "virtualenv" and done.returncode != 0:
        pytest.skip(f"virtualenv makes none for {version}: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    opened = Environment.open(path)
    assert str(opened.site_packages) in probe(opened.python)["site"]
    assert opened.scripts == path / "bin"


def files(folder: Path, *names: str, configuration: str | None = "home = /usr/bin\nversion = 3.12.1\n") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    folder.mkdir(exist_ok=True)
    if configuration is not None:
        (folder / "pyvenv.cfg").write_text(configuration)
    return folder


def site(version: str) -> str:
    return f"lib/python{version}/site-packages/x.py"


@pytest.mark.parametrize(
    ("names", "configuration", "expected"),
    [
        ([site("3.12")], "home = /usr/bin\nversion = 3.12.1\n", "3.12"),
        ([site("3.12"), site("3.11")], "home = /usr/bin\nversion = 3.12.1\n", "3.12"),
        ([site("3.12"), site("3.11")], "HOME=/usr/bin\nversion_info=3.11.7.final.0", "3.11"),
        ([site("3.12")], "home = /usr/bin\n", "3.12"),
        ([site("3.13t")], "home = /usr/bin\nversion = 3.13.0\n", "3.13t"),
        ([site("3.12")], "home = /usr/bin\nversion = 3.9.1\n", "3.12"),
        ([site("3.12")], "home = /usr/bin\nversion = new\n\nnoise\n", "3.12"),
    ],
)
def test_site_packages(tmp_path: Path, names: list[str], configuration: str, expected: str) -> None:
    path = files(tmp_path / "venv", "bin/python", *names, configuration=configuration)
    assert Environment.open(path).site_packages == path / f"lib/python{expected}/site-packages"


def opening(path: Path) -> str:
    with pytest.raises(NotAnEnvironment) as caught:
        Environment.open(path)
    assert str(caught.value).startswith(f"{path}: ")
    return caught.value.reason


def test_what_is_no_environment(tmp_path: Path) -> None:
    path = tmp_path / "venv"
    assert opening(path) == "there is no such folder"
    path.touch()
    assert opening(path) == "it is a file, not a folder"
    path.unlink()
    files(path, configuration=None)
    assert opening(path) == "it is no virtual environment: it has no pyvenv.cfg"
    (path / "pyvenv.cfg").mkdir()
    assert opening(path) == "its pyvenv.cfg cannot be read: Is a directory"
    (path / "pyvenv.cfg").rmdir()
    files(path, configuration="version = 3.12.1\n")
    assert opening(path) == "it is no virtual environment: its pyvenv.cfg names no home"
    files(path)
    assert opening(path) == "its lib/python3.*/site-packages cannot be told: there are none"
    files(path, site("3.12"))
    assert opening(path) == f"its interpreter is gone: there is no {path / 'bin/python'}"
    (path / "bin").mkdir()
    (path / "bin/python").symlink_to("/gone/python")
    assert opening(path) == f"its interpreter is gone: {path / 'bin/python'} leads to /gone/python"
    files(path, site("3.11"), configuration="home = /usr/bin\n")
    assert opening(path) == (
        "its lib/python3.*/site-packages cannot be told: there are several (python3.11, python3.12)"
    )


STATE = Path(__file__).parent / "data" / "environment_json" / "valid" / "small.json"


def test_the_state_is_written_only_when_it_changed(own: Interpreter, tmp_path: Path) -> None:
    made = Environment.create(tmp_path / "venv", own)
    assert made.read_state() is None
    state = EnvironmentState.from_document(STATE.read_bytes(), STATE)
    assert made.write_state(state)
    assert made.read_state() == state
    before = made.state_file.stat().st_ino
    assert not made.write_state(state)
    assert made.state_file.stat().st_ino == before
    assert made.lockfile_of(state) == tmp_path / "pylock.toml"
    assert made.lockfile == tmp_path / "venv" / "pylock.toml"


def test_the_record_of_an_interpreter(own: Interpreter, tmp_path: Path) -> None:
    made = Environment.create(tmp_path / "venv", own)
    inside = inspect_interpreter(made.python)
    assert python_record(inside) == python_record(own)
    assert python_record(own).size == own.base_executable.stat().st_size


def test_the_record_of_an_interpreter_does_not_depend_on_its_name(own: Interpreter, tmp_path: Path) -> None:
    versioned = tmp_path / own.library
    versioned.write_bytes(b"")
    (tmp_path / "python").symlink_to(own.library)
    (tmp_path / "other").write_bytes(b"x")
    records = [
        environment.python_record(replace(own, base_executable=tmp_path / name)) for name in ("python", own.library)
    ]
    assert records[0] == records[1]
    assert records[0].executable == str(versioned)
    other = environment.python_record(replace(own, base_executable=tmp_path / "other"))
    assert other.executable == str(tmp_path / "other")
