"""The bootstrap of an environment: what is written, what it does at start, how it is taken out again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from multisite._runtime import TOOLS, record, tools
from multisite.bootstrap import PTH_NAME, Bootstrap, compiled_runtime, runtime_source
from multisite.dispatch import Binding, DispatchTable, TableEntry
from multisite.errors import InterpreterNotUsable

TAG = str(sys.implementation.cache_tag)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    return venv


@pytest.fixture
def bootstrap(prefix: Path) -> Bootstrap:
    (site_packages,) = (prefix / "lib").glob("python*/site-packages")
    return Bootstrap(prefix=prefix, site_packages=site_packages)


def write(bootstrap: Bootstrap, store: Path) -> bool:
    return bootstrap.write(python=bootstrap.prefix / "bin" / "python", cache_tag=TAG, store=store)


def write_table(bootstrap: Bootstrap, store: Path) -> None:
    root = "multi-site-packages/six/1/py3-none-any-0/site-packages"
    (store / root).mkdir(parents=True)
    (store / root / "six.py").write_text("here = __file__\n")
    (store / root / "six-1.dist-info").mkdir()
    (store / root / "six-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: six\nVersion: 1\n")
    (bootstrap.prefix / "pylock.toml").write_bytes(b"")
    found = (bootstrap.prefix / "pylock.toml").stat()
    binding = Binding(
        id="0" * 32,
        stores=(str(store),),
        lockfile="pylock.toml",
        size=0,
        mtime_ns=found.st_mtime_ns,
        sha256="0" * 64,
    )
    entry = TableEntry(
        name="six", version="1", root=root, dist_info="six-1.dist-info", build="py3-none-any-0", top_level=("six",)
    )
    bootstrap.table.write_bytes(DispatchTable.compile([entry]).encode(binding))


def run(bootstrap: Bootstrap, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MULTISITE"))}
    command = [str(bootstrap.prefix / "bin" / "python"), *arguments]
    return subprocess.run(command, env=clean | environ, capture_output=True, text=True, check=False)


def test_a_second_write_writes_nothing(bootstrap: Bootstrap, tmp_path: Path) -> None:
    assert write(bootstrap, tmp_path / "store")
    before = {path: path.stat().st_mtime_ns for path in bootstrap.prefix.rglob("*")}
    assert not write(bootstrap, tmp_path / "store")
    assert {path: path.stat().st_mtime_ns for path in bootstrap.prefix.rglob("*")} == before
    assert bootstrap.differences() == {}


def test_what_is_changed_missing_or_left_over_is_mended(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    runtime = bootstrap.runtime
    (runtime / "__init__.py").write_text("broken")
    (runtime / "metadata.py").unlink()
    (runtime / "of_an_older_release.py").write_text("")
    assert bootstrap.differences() == {runtime / "__init__.py": "changed", runtime / "metadata.py": "missing"}
    assert write(bootstrap, tmp_path / "store")
    assert bootstrap.differences() == {}
    assert not (runtime / "of_an_older_release.py").exists()


def another_release(number: int) -> dict[str, bytes]:
    """Return start-up code that is like no other, and whose parts cannot be used by another."""
    return {**dict.fromkeys(runtime_source(), b"1 / 0\n"), "__init__.py": b"number = %d\n" % number}


def test_a_running_process_keeps_the_start_up_code_that_it_began_with(
    bootstrap: Bootstrap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    folders = [bootstrap.runtime]
    program = "print('waits', flush=True); input(); import six, importlib.metadata as m; print(m.version('six'))"
    command = [str(bootstrap.prefix / "bin" / "python"), "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        releases = [another_release(number) for number in (1, 2)]
        monkeypatch.setattr("multisite.bootstrap.runtime_source", lambda: releases[0])
        assert write(bootstrap, tmp_path / "store")
        assert not write(bootstrap, tmp_path / "store")
        folders.append(bootstrap.runtime)
        assert process.communicate("\n", timeout=60)[0] == "1\n"
    assert sorted((bootstrap.folder / "runtime").iterdir()) == sorted(folders)
    monkeypatch.setattr("multisite.bootstrap.runtime_source", lambda: releases[1])
    assert write(bootstrap, tmp_path / "store")
    assert sorted((bootstrap.folder / "runtime").iterdir()) == sorted([folders[1], bootstrap.runtime])


def test_the_start_up_code_is_compiled_once_for_a_store(bootstrap: Bootstrap, tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = compiled_runtime(python=bootstrap.prefix / "bin" / "python", cache_tag=TAG, store=store)
    assert set(first) == {name[:-3] + f".{TAG}.pyc" for name in runtime_source()}
    # With its bytecode in the store, no interpreter is needed any more.
    assert compiled_runtime(python=tmp_path / "nothing", cache_tag=TAG, store=store) == first
    assert [path.name for path in (store / "runtime").glob("*/*")] == [TAG]


def test_a_store_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("multisite.bootstrap.scratch", refused)
    found = compiled_runtime(python=Path(sys.executable), cache_tag=TAG, store=tmp_path / "store")
    assert set(found) == {name[:-3] + f".{TAG}.pyc" for name in runtime_source()}
    assert not list((tmp_path / "store").rglob("*.pyc"))


def test_an_interpreter_that_cannot_compile_it(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(InterpreterNotUsable, match="it cannot compile the start-up code:\nno"):
        compiled_runtime(python=broken, cache_tag=TAG, store=tmp_path / "store")
    assert list((tmp_path / "store" / "runtime").glob("*/*")) == []


def test_an_interpreter_that_says_half_of_it(tmp_path: Path) -> None:
    """Half of the bytecode is none: it would be taken for whole at every start."""
    cut = tmp_path / "python"
    cut.write_text(f'#!/bin/sh\n{sys.executable} "$@" | head -c 50000\n')
    cut.chmod(0o755)
    with pytest.raises(InterpreterNotUsable, match="it cannot compile the start-up code"):
        compiled_runtime(python=cut, cache_tag=TAG, store=tmp_path / "store")
    assert list((tmp_path / "store" / "runtime").glob("*/*")) == []


def test_a_locked_module_is_imported(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    done = run(bootstrap, "-c", "import six; print(six.here)")
    assert done.stderr == ""
    assert done.stdout.strip().endswith("/store/multi-site-packages/six/1/py3-none-any-0/site-packages/six.py")


def test_the_store_can_be_elsewhere(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    (tmp_path / "store").rename(tmp_path / "mounted")
    elsewhere = {"MULTISITE_STORE": str(tmp_path / "mounted")}
    assert run(bootstrap, "-c", "import six", **elsewhere).returncode == 0
    for isolated in ("-I", "-E"):
        done = run(bootstrap, isolated, "-c", "import six", **elsewhere)
        assert "six 1 is locked, but not in the store" in done.stderr
        assert f"run: multisite sync --venv {bootstrap.prefix}" in done.stderr


def test_a_missing_store_is_one_line_and_an_error_for_each_name(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    done = run(bootstrap, "-c", "print('runs')\nimport six")
    assert done.stdout == "runs\n"
    first, *_, last = done.stderr.splitlines()
    missing = f"its store is missing or cannot be read, nothing locked can be imported: {tmp_path}/store"
    assert first == f"multisite: {bootstrap.prefix}: {missing}; run: multisite sync --venv {bootstrap.prefix}"
    assert last.startswith("ModuleNotFoundError: No module named 'six': six 1 is locked, but not in the store (")


def test_it_can_be_switched_off(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    assert "No module named 'six'\n" in run(bootstrap, "-c", "import six", MULTISITE_DISABLE="1").stderr
    for value in ("0", ""):
        assert run(bootstrap, "-c", "import six", MULTISITE_DISABLE=value).returncode == 0
    assert run(bootstrap, "-E", "-c", "import six", MULTISITE_DISABLE="1").returncode == 0


def header(*numbers: int) -> bytes:
    return b"MSTABLE\n" + b"".join(number.to_bytes(4, "little") for number in numbers)


NO_TABLE = "the environment's table cannot be used, nothing locked can be imported"
BROKEN = {
    "no table": (None, "[Errno 2] No such file or directory: "),
    "empty": (b"", "not a dispatch table"),
    "torn": (header(3, 9, 0, 0, 0, 0), "it is torn"),
    "future": (header(9, 0, 0, 0, 0, 0), "it has format 9, this environment's start-up code knows 3"),
    "damaged": (header(3, 1, 1, 0, 0, 0) + b"\xff\xff", "it is damaged: "),
    "another value": (header(3, 1, 1, 0, 0, 0) + b"NN", "it lacks something: "),
}


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_table_is_one_line_and_the_interpreter_runs(
    bootstrap: Bootstrap, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    write(bootstrap, tmp_path / "store")
    if content is not None:
        bootstrap.table.write_bytes(content)
    done = run(bootstrap, "-c", "print('runs')")
    assert done.stdout == "runs\n"
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"multisite: {bootstrap.prefix}: {NO_TABLE} ({reason}")
    assert line.endswith(f"; run: multisite sync --venv {bootstrap.prefix}")


def damage(table: Path, *, part: int) -> None:
    whole = table.read_bytes()
    lengths = [int.from_bytes(whole[at : at + 4], "little") for at in range(12, 32, 4)]
    at = 32 + sum(lengths[:part])
    table.write_bytes(whole[:at] + b"\xff" * lengths[part] + whole[at + lengths[part] :])


def test_what_turns_out_to_be_damaged_later_is_one_line(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    damage(bootstrap.table, part=1)
    done = run(bootstrap, "-c", "print('runs')\nimport importlib; importlib.invalidate_caches()\nimport six")
    assert done.stdout == "runs\n"
    first, *_, last = done.stderr.splitlines()
    assert first.startswith(f"multisite: {bootstrap.prefix}: {NO_TABLE} (it is damaged: ")
    assert last == "ModuleNotFoundError: No module named 'six'"


def test_damaged_details_are_an_error_that_says_what_to_type(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    damage(bootstrap.table, part=3)
    done = run(bootstrap, "-c", "print('runs')\nimport six")
    assert done.stdout == "runs\n"
    error = done.stderr.splitlines()[-1]
    assert error.startswith(f"ImportError: {bootstrap.prefix}: the environment's table is damaged (")
    assert error.endswith(f"); run: multisite sync --venv {bootstrap.prefix}")


def test_start_up_code_that_is_gone_is_one_line(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    shutil.rmtree(bootstrap.folder / "runtime")
    done = run(bootstrap, "-c", "print('runs')")
    assert done.stdout == "runs\n"
    (line,) = done.stderr.splitlines()
    assert "the start-up code cannot be used, nothing locked can be imported (FileNotFoundError(" in line
    assert line.endswith("; run: multisite sync")


@pytest.mark.parametrize(
    ("name", "content", "wins"),
    [
        ("six-2.dist-info/METADATA", "Metadata-Version: 2.1\nName: six\nVersion: 2\n", "real"),
        ("six-2-py3.8.egg-info", "Metadata-Version: 1.0\nName: six\nVersion: 2\n", "real"),
        ("six.egg-link", "/somewhere\n../\n", "real"),
        ("six-2.dist-info/LICENSE", "", "locked"),
        ("six.egg-info", "", "locked"),
    ],
)
def test_a_real_distribution_of_the_same_name(
    bootstrap: Bootstrap, tmp_path: Path, name: str, content: str, wins: str
) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    path = bootstrap.site_packages / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    done = run(bootstrap, "-c", "import importlib.util; print('locked' if importlib.util.find_spec('six') else 'real')")
    assert done.stdout.strip() == wins, done.stderr


def test_a_path_that_can_be_asked_once(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    real = bootstrap.site_packages / "real-1.dist-info"
    real.mkdir()
    (real / "METADATA").write_text("Metadata-Version: 2.1\nName: real\nVersion: 1\n")
    program = (
        "import sys, importlib.metadata as metadata\n"
        "print(sorted(one.metadata['Name'] for one in metadata.distributions(path=iter(sys.path))))"
    )
    assert run(bootstrap, "-c", program).stdout == "['real', 'six']\n"


def test_a_copied_distribution_keeps_its_facts(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    program = (
        "import copy, pickle, importlib.metadata as metadata\n"
        "six = metadata.distribution('six')\n"
        "others = [copy.copy(six), copy.deepcopy(six), pickle.loads(pickle.dumps(six)), six.at(six._path)]\n"
        "print([(one.read_text('INSTALLER'), type(one) is metadata.PathDistribution) for one in [six, *others]])"
    )
    done = run(bootstrap, "-c", program)
    assert done.stdout == str([("multisite\n", True)] * 5) + "\n", done.stderr


def test_a_pickled_distribution_keeps_its_facts_in_another_process(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    pickled = run(
        bootstrap, "-c", "import pickle, importlib.metadata as m; print(pickle.dumps(m.distribution('six'), 0))"
    )
    program = f"import pickle; print(pickle.loads({pickled.stdout.strip()}).read_text('INSTALLER'))"
    assert run(bootstrap, "-c", program).stdout == "multisite\n\n"


def test_metadata_when_the_finder_was_filtered_out(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    filtered = "import sys\nsys.meta_path[:] = [finder for finder in sys.meta_path if isinstance(finder, type)]\n"
    show = "print(metadata.version('six'))\n"
    before = run(bootstrap, "-c", f"import importlib.metadata as metadata\n{filtered}{show}")
    assert before.stdout == "1\n", before.stderr
    after = run(bootstrap, "-c", f"{filtered}import six, importlib.metadata as metadata\n{show}")
    assert after.stdout == "1\n", after.stderr


def test_a_path_that_comes_to_be_a_link_to_the_folder(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    program = (
        "import os, sys\n"
        f"site, link = {str(bootstrap.site_packages)!r}, {str(tmp_path / 'link')!r}\n"
        "sys.path[sys.path.index(site)] = link\n"
        "try:\n    import six\nexcept ModuleNotFoundError:\n    os.symlink(site, link)\n"
        "import six\nprint(six.__name__)"
    )
    done = run(bootstrap, "-c", program)
    assert done.stdout == "six\n", done.stderr


def test_the_class_of_the_path_entry_finder_without_a_python_frame(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    program = (
        "import _thread, sys\n"
        "finder = sys.path_importer_cache[[path for path in sys.path if path.endswith('site-packages')][0]]\n"
        "found, ended = [], _thread.allocate_lock()\n"
        "sys.unraisablehook = lambda info: found.append(repr(info.exc_value))\n"
        "class Token:\n    def __del__(self):\n        ended.release()\n"
        "ended.acquire()\n"
        "_thread.start_new_thread(getattr, (finder, '__class__', Token()))\n"
        "ended.acquire()\n"
        "print(found)"
    )
    done = run(bootstrap, "-c", program)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_start_up_code_knows_the_names_of_the_tools_that_it_sees_to() -> None:
    assert tools.HABITS.keys() == TOOLS.keys()


CHANGED_TOOL = {
    "without it": "",
    "another kind": "class _add_third_party_paths:\n    pass\n",
    "other arguments": "def _add_third_party_paths(*, paths=()):\n    return paths\n",
}


@pytest.mark.parametrize("text", CHANGED_TOOL.values(), ids=CHANGED_TOOL)
def test_a_tool_that_has_changed_is_left_alone(bootstrap: Bootstrap, tmp_path: Path, text: str) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    (bootstrap.site_packages / "coverage").mkdir()
    (bootstrap.site_packages / "coverage" / "__init__.py").touch()
    (bootstrap.site_packages / "coverage" / "inorout.py").write_text(text)
    program = (
        "import sys, coverage.inorout as module\n"
        "getattr(module, '_add_third_party_paths', dict)()\n"
        "site = [finder.site for finder in sys.meta_path if hasattr(finder, 'site')][0]\n"
        "print(site.unknown, vars(module.__loader__).keys() - {'name', 'path'})"
    )
    done = run(bootstrap, "-c", program)
    unknown = [] if "def" in text else ["coverage.inorout"]
    assert (done.stdout, done.stderr) == (f"{unknown} set()\n", "")


def test_the_hashes_of_the_facts_are_what_they_say() -> None:
    for signed, content in ((record._INSTALLER, record.INSTALLER.encode()), (record._REQUESTED, b"")):
        assert signed == record._signed(content)  # type: ignore[no-untyped-call]


def test_a_damaged_start_is_mended(bootstrap: Bootstrap, tmp_path: Path) -> None:
    assert not bootstrap.mend_start()
    write(bootstrap, tmp_path / "store")
    assert not bootstrap.mend_start()
    (bootstrap.site_packages / PTH_NAME).write_bytes(b"\xff\xfe")
    assert bootstrap.mend_start()
    assert bootstrap.differences() == {}


def test_what_is_removed_leaves_nothing(bootstrap: Bootstrap, tmp_path: Path) -> None:
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    bootstrap.remove()
    assert list(bootstrap.folder.iterdir()) == []
    assert not (bootstrap.site_packages / PTH_NAME).exists()
    bootstrap.remove()
    assert run(bootstrap, "-c", "print(1)").stdout == "1\n"


def test_no_module_is_loaded_at_start_but_the_hot_file(bootstrap: Bootstrap, tmp_path: Path) -> None:
    program = "import sys; print('\\n'.join(sorted(sys.modules)))"
    plain = set(run(bootstrap, "-c", program).stdout.split())
    write(bootstrap, tmp_path / "store")
    write_table(bootstrap, tmp_path / "store")
    assert set(run(bootstrap, "-c", program).stdout.split()) - plain == {"_multisite"}
