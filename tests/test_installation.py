from __future__ import annotations

import csv
import dataclasses
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from multisite.environment import Environment
from multisite.errors import InvalidWheel, StoreNotUsable
from multisite.installation import InstallationPlan, apply_installation, plan_installation
from multisite.interpreter import Interpreter, inspect_interpreter
from multisite.manifest import DataFile
from multisite.report import Severity
from multisite.scripts import declared_scripts, launcher, named_after_version, with_interpreter
from multisite.store import Artifact, Store, StoredDistribution
from tests.builders import record_hash
from tests.pythons import found_pythons

if TYPE_CHECKING:
    from multisite.state import OwnedFile

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return inspect_interpreter(Path(sys.executable))


@pytest.fixture
def environment(tmp_path: Path, interpreter: Interpreter) -> Environment:
    return Environment.create(tmp_path / "venv", interpreter)


class Installer:
    """What a sync does with an environment's own files, and nothing else of it."""

    def __init__(self, environment: Environment, interpreter: Interpreter, store: Store, make_wheel: Make) -> None:
        self.environment = environment
        self.interpreter = interpreter
        self.store = store
        self.make_wheel = make_wheel
        self.owned: dict[str, OwnedFile] = {}

    def add(self, name: str, version: str = "1.0", **options: Any) -> StoredDistribution:
        wheel = self.make_wheel(name, version, **options)
        return self.store.add_wheel(wheel, artifact=Artifact.of(wheel))

    def plan(self, *entries: StoredDistribution, restore: bool = False) -> InstallationPlan:
        return plan_installation(self.environment, self.interpreter, entries, owned=self.owned, restore=restore)

    def install(self, *entries: StoredDistribution, restore: bool = False) -> list[str]:
        plan = self.plan(*entries, restore=restore)
        assert apply_installation(plan, self.environment) == bool(plan)
        self.owned = dict(plan.files)
        return [f"{finding.severity.value}: {finding.message}" for finding in plan.findings]

    def path(self, name: str) -> Path:
        return self.environment.path / name


@pytest.fixture
def installer(environment: Environment, interpreter: Interpreter, store: Store, make_wheel: Make) -> Installer:
    return Installer(environment, interpreter, store, make_wheel)


ALL_KINDS: dict[str, Any] = {
    "files": {"foo": {"__init__.py": "def main():\n    print('it runs')\n"}},
    "entry_points": {"console_scripts": {"foo": "foo:main"}, "gui_scripts": {"foo-gui": "foo:main.__call__"}},
    "data": {
        "scripts": {
            "run-foo.py": "#!python\nprint('script')\n",
            "fooo": "#!pythonw -E\nprint('script')\n",
            "foo.sh": "#!/bin/sh\necho shell\n",
            "table.txt": "no program\n",
        },
        "headers": {"foo.h": "#define FOO\n", "sub": {"bar.h": ""}},
        "data": {"share": {"foo": {"a,b": "data", "c": b"\0\1"}}, "etc": {"foo.conf": "x = 1\n"}},
        "purelib": {"foo_pure.py": "x = 1\n"},
        "platlib": {"foo_plat.py": "x = 1\n"},
    },
    "executable": [
        "foo_bar-1.0.data/scripts/foo.sh",
        "foo_bar-1.0.data/scripts/run-foo.py",
        "foo_bar-1.0.data/scripts/fooo",
        "foo_bar-1.0.data/data/share/foo/c",
    ],
}


def installed_files(prefix: Path, before: set[str]) -> dict[str, tuple[bytes, int]]:
    found = {}
    for path in prefix.rglob("*"):
        name = path.relative_to(prefix).as_posix()
        if path.is_file() and name not in before and "site-packages" not in name and not name.startswith("lib64"):
            content = path.read_bytes().replace(bytes(prefix), b"PREFIX")
            content = called(content) if name in {"bin/foo", "bin/foo-gui"} else content
            found[name] = (content, stat.S_IMODE(path.stat().st_mode))
    return found


def called(program: bytes) -> bytes:
    # Releases of pip differ in how they mend sys.argv[0].
    return b"".join(re.findall(rb"^(?:#!|from |    sys\.exit).*\n?", program, re.MULTILINE))


def listed(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("version", found_pythons())
def test_it_is_what_pip_installs(
    version: str, tmp_path: Path, store: Store, make_wheel: Make, interpreters: dict[str, Path]
) -> None:
    pytest.importorskip("pip")
    found = inspect_interpreter(interpreters[version])
    plain = Environment.create(tmp_path / "plain", found)
    made = Environment.create(tmp_path / "venv", found)
    before = listed(plain.path), listed(made.path)
    wheel = make_wheel("foo-bar", **ALL_KINDS)
    pip = [sys.executable, "-m", "pip", "--python", str(plain.python), "--disable-pip-version-check"]
    command = [*pip, "install", "--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "requires a different" in done.stderr or "does not support" in done.stderr or "SyntaxError" in done.stderr:
        pytest.skip(f"this pip does not install for {version}")
    assert done.returncode == 0, done.stderr

    installer = Installer(made, found, store, make_wheel)
    entry = store.add_wheel(wheel, artifact=Artifact.of(wheel))
    plan = installer.plan(entry)
    assert installer.install(entry) == []
    assert installed_files(made.path, before[1]) == installed_files(plain.path, before[0])

    expected = (plain.site_packages / "foo_bar-1.0.dist-info" / "RECORD").read_text().splitlines()
    difference = plan.installs[entry.manifest.name]
    rows = [row for row in csv.reader(record_lines(entry)) if not row[0].startswith(difference.removed)]
    rows += csv.reader(difference.added)
    added_by_pip = {"foo_bar-1.0.dist-info/INSTALLER", "foo_bar-1.0.dist-info/REQUESTED"}
    added_by_pip |= {"foo_bar-1.0.dist-info/direct_url.json"}
    wanted = [row for row in csv.reader(expected) if row[0] not in added_by_pip]
    assert comparable(rows) == comparable(wanted)


def record_lines(entry: StoredDistribution) -> list[str]:
    return (entry.dist_info / "RECORD").read_text(encoding="utf-8").splitlines()


def comparable(rows: list[list[str]]) -> list[list[str]]:
    # Those that name the interpreter, or whose template differs, are as long and as hashed as they are.
    written = {"../../../bin/foo", "../../../bin/foo-gui", "../../../bin/run-foo.py", "../../../bin/fooo"}
    return sorted([row[0], "", ""] if row[0] in written else row for row in rows)


def test_the_difference_to_record(installer: Installer) -> None:
    entry = installer.add("foo-bar", **ALL_KINDS)
    difference = installer.plan(entry).installs[entry.manifest.name]
    content = installer.environment.python
    script = f"#!{content}\nprint('script')\n".encode()
    assert f"../../../bin/run-foo.py,{record_hash(script)},{len(script)}" in difference.added
    assert f'"../../../share/foo/a,b",{record_hash(b"data")},4' in difference.added
    assert difference.removed == ("foo_bar-1.0.data/",)
    assert list(difference.added) == sorted(difference.added)


def test_programs_run(installer: Installer) -> None:
    entry = installer.add("foo-bar", **ALL_KINDS)
    installer.install(entry)
    environ = {**os.environ, "PYTHONPATH": str(entry.site_packages)}
    for name, said in {"foo": "it runs", "run-foo.py": "script", "fooo": "script", "foo.sh": "shell"}.items():
        output = subprocess.run([installer.path(f"bin/{name}")], env=environ, capture_output=True, check=True).stdout
        assert output.decode().strip() == said


@pytest.mark.parametrize("name", ["with space", "x" * 130, "qu'ote"])
def test_programs_run_from_unusual_paths(
    name: str, tmp_path: Path, interpreter: Interpreter, store: Store, make_wheel: Make
) -> None:
    made = Environment.create(tmp_path / name, interpreter)
    installer = Installer(made, interpreter, store, make_wheel)
    entry = installer.add("foo-bar", **ALL_KINDS)
    installer.install(entry)
    environ = {**os.environ, "PYTHONPATH": str(entry.site_packages)}
    for program in ("foo", "run-foo.py"):
        output = subprocess.run([made.scripts / program], env=environ, capture_output=True, check=True).stdout
        assert output.decode().strip() in {"it runs", "script"}


def test_a_second_time_writes_nothing(installer: Installer) -> None:
    entry = installer.add("foo-bar", **ALL_KINDS)
    assert installer.plan(entry)
    installer.install(entry)
    plan = installer.plan(entry)
    assert not plan
    assert plan.files == installer.owned
    # Somebody who died before noting what he wrote.
    installer.owned = {}
    again = installer.plan(entry)
    assert (again.write, again.findings, again.files) == ((), (), plan.files)


def test_everything_is_taken_out_again(installer: Installer) -> None:
    before = listed(installer.environment.path)
    installer.install(installer.add("foo-bar", **ALL_KINDS))
    assert listed(installer.environment.path) != before
    assert installer.install() == []
    assert listed(installer.environment.path) == before
    assert installer.owned == {}


def test_a_folder_with_other_files_stays(installer: Installer) -> None:
    installer.install(installer.add("foo-bar", **ALL_KINDS))
    installer.path("share/foo/mine").touch()
    installer.install()
    assert sorted(path.name for path in installer.path("share/foo").iterdir()) == ["mine"]


def test_the_folders_of_the_environment_stay(installer: Installer) -> None:
    site = installer.environment.site_packages.relative_to(installer.environment.path).as_posix()
    installer.install(installer.add("foo", data={"data": {site: {"x.txt": ""}, "include": {"y.h": ""}}}))
    assert installer.path(f"{site}/x.txt").is_file()
    installer.install()
    assert not list(installer.environment.site_packages.iterdir())
    assert installer.path("include").is_dir()


def test_what_lands_in_site_packages_has_its_line(installer: Installer) -> None:
    site = installer.environment.site_packages.relative_to(installer.environment.path).as_posix()
    entry = installer.add("foo", data={"data": {site: {"x.txt": ""}}})
    assert installer.plan(entry).installs[entry.manifest.name].added == (f"x.txt,{record_hash(b'')},0",)


def test_a_new_version(installer: Installer) -> None:
    old = installer.add("foo", "1.0", data={"data": {"share": {"same": "s", "other": "1", "gone": "g"}}})
    new = installer.add("foo", "2.0", data={"data": {"share": {"same": "s", "other": "2", "new": "n"}}})
    installer.install(old)
    plan = installer.plan(new)
    assert [file.path for file in plan.write] == ["share/new", "share/other"]
    assert plan.remove == ("share/gone",)
    installer.install(new)
    assert {path.name: path.read_text() for path in installer.path("share").iterdir()} == {
        "same": "s",
        "other": "2",
        "new": "n",
    }


def test_a_plan_changes_nothing(installer: Installer) -> None:
    entry = installer.add("foo-bar", **ALL_KINDS)
    before = listed(installer.environment.path)
    installer.plan(entry)
    assert listed(installer.environment.path) == before


def test_what_was_changed_since_is_left_alone(installer: Installer) -> None:
    old = installer.add("foo", "1.0", data={"data": {"etc": {"foo.conf": "x = 1\n"}}})
    new = installer.add("foo", "2.0", data={"data": {"etc": {"foo.conf": "x = 2\n"}}})
    installer.install(old)
    path = installer.path("etc/foo.conf")
    path.write_text("x = 3\n")
    message = "warning: etc/foo.conf: it was changed since, and is left alone"
    assert installer.install(old) == [message]
    assert installer.install(new) == [message]
    assert installer.install(new) == [message]
    assert path.read_text() == "x = 3\n"
    assert installer.install(new, restore=True) == []
    assert path.read_text() == "x = 2\n"
    path.write_text("x = 4\n")
    assert installer.install() == [
        "warning: etc/foo.conf: it is not needed any more, but was changed since it was written, and is left alone"
    ]
    assert path.read_text() == "x = 4\n"
    assert installer.install() == []


def test_what_was_removed_comes_back(installer: Installer) -> None:
    entry = installer.add("foo", data={"data": {"etc": {"foo.conf": "x = 1\n"}}})
    installer.install(entry)
    shutil.rmtree(installer.path("etc"))
    assert installer.install(entry) == []
    assert installer.path("etc/foo.conf").read_text() == "x = 1\n"
    shutil.rmtree(installer.path("etc"))
    assert installer.install() == []


def test_a_lost_mode_comes_back(installer: Installer) -> None:
    entry = installer.add("foo-bar", **ALL_KINDS)
    installer.install(entry)
    installer.path("bin/foo").chmod(0o644)
    assert [file.path for file in installer.plan(entry).write] == ["bin/foo"]
    installer.install(entry)
    assert os.access(installer.path("bin/foo"), os.X_OK)


def identity(path: Path) -> tuple[int, ...] | None:
    try:
        facts = path.lstat()
    except NotADirectoryError:
        return None
    return facts.st_ino, facts.st_mode, facts.st_size, facts.st_mtime_ns


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_text("mine"), "a file that is not ours is there"),
        (lambda path: path.symlink_to("/nowhere"), "a link that is not ours is there"),
        (lambda path: path.mkdir(), "a folder that is not ours is there"),
        (lambda path: (path.parent.rmdir(), path.parent.touch()), "a file is where its folder would be"),
        (os.mkfifo, "no file that is not ours is there"),
    ],
    ids=["file", "link", "folder", "above", "pipe"],
)
def test_what_is_not_ours_is_left_alone(installer: Installer, make: Callable[[Path], object], reason: str) -> None:
    path = installer.path("share/x")
    path.parent.mkdir()
    make(path)
    before = identity(path.parent), identity(path)
    entry = installer.add("foo", data={"data": {"share": {"x": "ours"}, "etc": {"y": "ours"}}})
    assert installer.install(entry) == [f"warning: share/x: {reason}, and is left alone"]
    assert (identity(path.parent), identity(path)) == before
    assert list(installer.owned) == ["etc/y"]
    assert installer.plan(entry).installs[entry.manifest.name].added == (f"../../../etc/y,{record_hash(b'ours')},4",)
    installer.install()
    assert (identity(path.parent), identity(path)) == before


@pytest.mark.parametrize("name", ["python", "python3", "activate"])
def test_the_interpreter_is_not_ours(installer: Installer, name: str) -> None:
    before = installer.path(f"bin/{name}").read_bytes()
    entry = installer.add("foo", entry_points={"console_scripts": {name: "foo:main"}})
    (message,) = installer.install(entry)
    assert message.endswith("that is not ours is there, and is left alone")
    assert installer.path(f"bin/{name}").read_bytes() == before


def test_of_two_distributions_the_later_by_name_wins(installer: Installer) -> None:
    entries = [installer.add(name, data={"data": {"share": {"x": name}}}) for name in ("b", "a")]
    for order in (entries, entries[::-1]):
        assert installer.install(*order) == ["note: share/x: a has it as well; that of b is used"]
        assert installer.path("share/x").read_text() == "b"
        assert installer.owned["share/x"].owner == "b"
    assert installer.install(entries[1]) == []
    assert installer.path("share/x").read_text() == "a"


def test_two_distributions_with_the_same_content(installer: Installer) -> None:
    entries = [installer.add(name, data={"data": {"share": {"x": "same"}}}) for name in ("a", "b")]
    assert installer.install(*entries) == []
    plan = installer.plan(*entries)
    assert len({difference.added for difference in plan.installs.values()}) == 1


def test_a_file_in_the_place_of_a_folder(installer: Installer) -> None:
    entries = [installer.add("a", data={"data": {"x": {"y": "a"}}}), installer.add("b", data={"data": {"x": "b"}})]
    message = "warning: x: another file needs a folder of that name; it is left out"
    assert installer.install(*entries) == [message]
    assert installer.path("x/y").read_text() == "a"


@pytest.mark.parametrize("path", [".multisite/table", "pyvenv.cfg", "pylock.toml"])
def test_reserved_names(installer: Installer, path: str) -> None:
    installer.path("pyvenv.cfg").write_text("x")
    entry = installer.add("foo", data={"data": {path: "evil"}})
    assert installer.install(entry) == [f"warning: {path}: the name is reserved; it is left out"]
    assert installer.plan(entry).files == {}


def test_a_launcher_replaces_a_script_of_that_name(installer: Installer) -> None:
    entry = installer.add("foo", data={"scripts": {"x": "old"}}, entry_points={"console_scripts": {"x": "foo:main"}})
    assert installer.install(entry) == []
    assert b"from foo import main" in installer.path("bin/x").read_bytes()
    assert len(installer.plan(entry).installs[entry.manifest.name].added) == 1


def test_what_no_environment_can_hold(installer: Installer) -> None:
    points = "[console_scripts]\n../x = foo:main\nbroken\nname = module\ngood = foo:main\n"
    entry = installer.add("foo")
    evil = DataFile(scheme="data", path="../../x", sha256="0" * 64, size=0, executable=False)
    entry = dataclasses.replace(entry, manifest=dataclasses.replace(entry.manifest, data=(evil,), entry_points=points))
    with pytest.raises(InvalidWheel) as caught:
        installer.plan(entry)
    assert caught.value.problems == (
        "data: the path '../../x' leads out of the environment",
        "console_scripts: '../x' is no file name",
        "console_scripts: 'broken' names no object to call, as in name = module:function",
        "console_scripts: 'name = module' names no object to call, as in name = module:function",
    )


def test_a_damaged_store_is_noticed(installer: Installer) -> None:
    entry = installer.add("foo", data={"data": {"share": {"x": "right"}}, "scripts": {"y": "#!python\n"}})
    (entry.data("data") / "share/x").write_text("wrong")
    with pytest.raises(StoreNotUsable, match="changed since foo was unpacked"):
        installer.install(entry)
    (entry.data("data") / "share/x").unlink()
    with pytest.raises(StoreNotUsable, match="missing, and foo needs it"):
        installer.install(entry)
    (entry.data("scripts") / "y").unlink()
    with pytest.raises(StoreNotUsable, match="missing"):
        installer.plan(entry)
    assert not installer.path("share/x").exists()


def test_the_store_is_not_linked_to(installer: Installer) -> None:
    entry = installer.add("foo-bar", **ALL_KINDS)
    installer.install(entry)
    path = installer.path("etc/foo.conf")
    assert not path.is_symlink()
    assert path.stat().st_nlink == 1
    path.write_text("changed")
    assert (entry.data("data") / "etc/foo.conf").read_text() == "x = 1\n"


def test_modes_follow_the_umask(installer: Installer) -> None:
    entry = installer.add("foo-bar", **ALL_KINDS)
    old = os.umask(0o077)
    try:
        installer.install(entry)
    finally:
        os.umask(old)
    modes = {name: stat.S_IMODE(installer.path(name).stat().st_mode) for name in ("bin/foo", "etc/foo.conf")}
    assert modes == {"bin/foo": 0o700, "etc/foo.conf": 0o600}


def test_a_moved_environment_gets_its_programs_anew(
    installer: Installer, tmp_path: Path, interpreter: Interpreter, store: Store, make_wheel: Make
) -> None:
    entry = installer.add("foo-bar", **ALL_KINDS)
    installer.install(entry)
    installer.environment.path.rename(tmp_path / "moved")
    moved = Installer(Environment.open(tmp_path / "moved"), interpreter, store, make_wheel)
    moved.owned = installer.owned
    written = [file.path for file in moved.plan(entry).write]
    assert written == ["bin/foo", "bin/foo-gui", "bin/fooo", "bin/run-foo.py"]
    moved.install(entry)
    assert f"#!{tmp_path}/moved/bin/python" in moved.path("bin/foo").read_text()


def test_findings_name_the_distribution(installer: Installer) -> None:
    entries = [installer.add(name, data={"data": {"share": {"x": name}}}) for name in ("a", "b")]
    (finding,) = installer.plan(*entries).findings
    assert (finding.check, finding.severity, finding.subject) == ("files", Severity.NOTE, "b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, []),
        ("", []),
        ("[console_scripts]\na = b:c\n", ["a=b:c"]),
        ("[gui_scripts]\na=b.c:d.e [extra]\n; comment\n", None),
        ("[other]\na = b\n[console_scripts]\n# comment\n a.b-c = d : e \n", ["a.b-c=d:e"]),
        ("[console_scripts]\na = b:c\n[x]\nd = 100%\n", ["a=b:c"]),
    ],
)
def test_declared_scripts(text: str | None, expected: list[str] | None) -> None:
    problems: list[str] = []
    found = [f"{script.name}={script.module}:{script.attr}" for script in declared_scripts(text, problems)]
    if expected is None:
        assert found == ["a=b.c:d.e"]
        assert problems == ["gui_scripts: '; comment' names no object to call, as in name = module:function"]
    else:
        assert (found, problems) == (expected, [])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["pip", "pip3", "pip3.8"], ["pip", "pip3", "pip3.12"]),
        (["pip", "pip3"], ["pip", "pip3", "pip3.12"]),
        (["pip3.8", "pipx"], ["pip3.8", "pipx"]),
        (["easy_install", "easy_install-3.6"], ["easy_install", "easy_install-3.12"]),
    ],
)
def test_programs_that_are_named_after_the_interpreter(names: list[str], expected: list[str]) -> None:
    scripts = [EntryPoint(name, "a:b", "console_scripts") for name in names]
    found = list(named_after_version(scripts, (3, 12, 1)))
    assert sorted(script.name for script in found) == expected
    assert {(script.value, script.group) for script in found} == {("a:b", "console_scripts")}


def test_launchers_for_windows() -> None:
    (script,) = declared_scripts("[gui_scripts]\na = b:c\n", [])
    name, content = launcher(script, python="C:\\venv\\Scripts\\python.exe", platform="win-amd64")
    assert name == "a.exe"
    assert content.startswith(b"MZ")
    assert b"#!C:\\venv\\Scripts\\pythonw.exe\n" in content


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"#!python\nx\ny\n", b"#!/v/bin/python\nx\ny\n"),
        (b"#!pythonw -sE\r\nx", b"#!/v/bin/python\nx"),
        (b"#!python", b"#!/v/bin/python\n"),
        (b"#!/usr/bin/python\nx", b"#!/usr/bin/python\nx"),
        (b"# !python\n", b"# !python\n"),
        (b"\x7fELF", b"\x7fELF"),
    ],
)
def test_the_interpreter_of_a_script(content: bytes, expected: bytes) -> None:
    assert with_interpreter(content, python="/v/bin/python") == expected


@pytest.mark.parametrize("name", ["a b", "a\tb", "a \tb", "it's\ta b"])
def test_programs_start_below_a_folder_with_whitespace(tmp_path: Path, name: str) -> None:
    python = tmp_path / name / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    made = launcher(EntryPoint("x", "os:getcwd", "console_scripts"), python=str(python), platform="linux-x86_64")[1]
    script = with_interpreter(b"#!python\nimport sys\nsys.exit(sys.executable)\n", python=str(python))
    for content in (made.replace(b"from os import getcwd", b"import sys; getcwd = lambda: sys.executable"), script):
        program = tmp_path / "program"
        program.write_bytes(content)
        program.chmod(0o755)
        done = subprocess.run([program], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, f"{python}\n")


def test_the_detour_of_a_path_with_a_space() -> None:
    found = with_interpreter(b"#!python\nx = 1\n", python="/a b/python")
    assert re.fullmatch(rb"#!/bin/sh\n'''exec' '/a b/python' \"\$0\" \"\$@\"\n' '''\nx = 1\n", found)


@pytest.mark.parametrize("content", [b"", b"x =", b"\0" * 6], ids=["emptied", "shortened", "zeros"])
def test_a_file_that_somebody_shortened_is_none_that_a_power_failure_tore(installer: Installer, content: bytes) -> None:
    foo = installer.add("foo", data={"data": {"etc": {"foo.conf": "x = 1\n"}}})
    installer.install(foo)
    path = installer.path("etc/foo.conf")
    path.write_bytes(content)
    assert installer.install(foo) == ["warning: etc/foo.conf: it was changed since, and is left alone"]
    assert path.read_bytes() == content
    os.utime(path, (10**9, 10**9))
    reason = "since before the machine was booted it holds parts of what was written; it is written again"
    assert installer.install(foo) == [f"note: etc/foo.conf: {reason}"]
    assert path.read_text(encoding="utf-8") == "x = 1\n"


def test_nothing_is_torn_where_the_boot_cannot_be_told(
    installer: Installer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    foo = installer.add("foo", data={"data": {"etc": {"foo.conf": "x = 1\n"}}})
    installer.install(foo)
    installer.path("etc/foo.conf").write_bytes(b"")
    os.utime(installer.path("etc/foo.conf"), (10**9, 10**9))
    monkeypatch.setattr("multisite.torn._KERNEL", tmp_path / "none")
    assert installer.install() == [
        "warning: etc/foo.conf: it is not needed any more, but was changed since it was written, and is left alone"
    ]


def test_the_folder_of_what_is_gone_already_is_flushed(installer: Installer, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"data": {"etc": {"foo.conf": "x = 1\n"}, "share": {"foo": {"a.txt": "a", "b.txt": "b"}}}}
    installer.install(installer.add("foo", data=data))
    # As a command leaves it that was killed before it had flushed the folders.
    installer.path("etc/foo.conf").unlink()
    shutil.rmtree(installer.path("share/foo"))
    flushed: list[Path] = []
    monkeypatch.setattr("multisite.installation.flush_folder", flushed.append)
    apply_installation(installer.plan().adding, installer.environment)
    assert flushed == []
    apply_installation(installer.plan().taking_away, installer.environment)
    assert sorted(flushed) == [installer.path("etc"), installer.path("share")]
