"""A table of sabotages, one for each check at least: what the doctor says of it, and that its advice mends it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from multisite.bootstrap import runtime_digest
from multisite.doctor import CHECKS, examine
from multisite.environment import Environment
from multisite.interpreter import Interpreter, inspect_interpreter
from multisite.wanted import Wanted
from multisite.workshop import Workshop
from tests.builders import record_hash, write_tree
from tests.sabotage import (
    Case,
    Sabotage,
    basic_wheels,
    broken_interpreter,
    entry_gone,
    extra_not_met,
    finder_taken_away,
    folder_in_its_place,
    folder_put_first,
    in_entry,
    in_site,
    link_in_its_place,
    locked_program_that_ends_it,
    lockfile_for_another_python,
    lockfile_from_before,
    lockfile_of,
    moved_scripts,
    name_of_the_standard_library,
    never_written,
    not_executable,
    not_registered,
    nothing_of_an_environment,
    other_build_chosen,
    other_file_of_the_interpreter,
    other_interpreter,
    project_in_a_folder_that_is_gone,
    really_installed,
    registered_elsewhere,
    remove,
    requirement_not_met,
    shared_changed,
    shared_gone,
    somebodys_program,
    stale_bytecode,
    store_gone,
    table_elsewhere,
    table_of_another_environment,
    table_without_names,
    tool_of_another_shape,
    tool_that_ends_the_interpreter,
    torn_bytecode,
    two_with_one_file,
    two_with_one_program,
    urllib3_future,
    write,
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("doctor") / "case"
    wheels = basic_wheels(root / "wheels")
    environment = Environment.create(root / "venv", inspect_interpreter(Path(sys.executable)))
    environment.lockfile.write_text(lockfile_of(wheels))
    Case(root).sync()
    shutil.copytree(root, root.with_name("pristine"), symlinks=True)
    return root


@pytest.fixture
def case(pristine: Path) -> Case:
    # In the same place each time, for the paths in it.
    shutil.rmtree(pristine)
    shutil.copytree(pristine.with_name("pristine"), pristine, symlinks=True)
    return Case(pristine)


LATER = {
    "environment-unusable": "choose another folder: --venv DIR",
    "interpreter-unusable": "",
    "project-missing": "multisite lock --venv ",
    "lockfile-unfitting": "multisite lock --venv ",
    "requirement-unsatisfied": "multisite lock --venv ",
}
ONE_OF_THEM = "as in any environment, only one of them is there"

# Check, sabotage, the finding's message, and whether doing what they say mends it. {venv}, {site}, {store}, {python}
# and {root} stand for paths, and entries for their folders.
SABOTAGES: list[tuple[str, Sabotage, str, bool]] = [
    (
        "environment-unusable",
        nothing_of_an_environment,
        "{venv}: it is no virtual environment: it has no pyvenv.cfg",
        False,
    ),
    ("interpreter-unusable", remove("venv/pyvenv.cfg"), "{venv}: it has no pyvenv.cfg", False),
    (
        "state-damaged",
        remove("venv/.multisite/environment.json"),
        "{venv}/.multisite/environment.json is missing: no sync has ended here",
        True,
    ),
    ("state-damaged", write("venv/.multisite/environment.json", "{"), "{venv}/.multisite/environment.json: *", True),
    (
        "interpreter-unusable",
        broken_interpreter,
        "{python}: it does not work as a Python interpreter (exit code 127):\nno libpython",
        False,
    ),
    ("store-unusable", store_gone, "store {store}: there is no store", True),
    (
        "interpreter-changed",
        other_interpreter,
        "the interpreter is {key}, and the environment was made for cpython-3.0.0-none",
        True,
    ),
    (
        "interpreter-unusable",
        locked_program_that_ends_it,
        "*\nIt starts without the finder: something that is locked ends it",
        False,
    ),
    (
        "interpreter-replaced",
        other_file_of_the_interpreter,
        "{base} was replaced since the environment was made, by one of the same version",
        True,
    ),
    (
        "lockfile-invalid",
        write("venv/pylock.toml", "lock-version = 1"),
        "{venv}/pylock.toml: not a valid lockfile*",
        True,
    ),
    ("lockfile-invalid", remove("venv/pylock.toml"), "{venv}/pylock.toml: No such file or directory", True),
    (
        "lockfile-changed",
        write("venv/pylock.toml", 'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n'),
        "pylock.toml: it has changed since the environment was made from it; the environment is still the old one",
        True,
    ),
    (
        "lockfile-changed",
        lockfile_from_before,
        "pylock.toml: it is one from before; imports follow it already, programs and data files do not",
        True,
    ),
    (
        "lockfile-unfitting",
        lockfile_for_another_python,
        "{venv}/pylock.toml: it is for Python <3, and this is {version}",
        False,
    ),
    (
        "lockfile-differs",
        other_build_chosen,
        "alpha 1.0 is in the environment, but another wheel of it is locked",
        True,
    ),
    (
        "table-damaged",
        write("venv/.multisite/table", "MSTABLE"),
        "{venv}/.multisite/table: not a valid dispatch*",
        True,
    ),
    (
        "table-differs",
        table_of_another_environment,
        "the table is bound to another id than environment.json says",
        True,
    ),
    ("table-differs", table_elsewhere, "the table does not lead to the chosen build of alpha", True),
    ("table-differs", table_without_names, "the table's names are not those of the chosen builds", True),
    (
        "bootstrap-missing",
        remove(f"venv/.multisite/runtime/{runtime_digest()}/metadata.py"),
        f".multisite/runtime/{runtime_digest()}/metadata.py is missing",
        True,
    ),
    (
        "bootstrap-changed",
        write(f"venv/.multisite/runtime/{runtime_digest()}/messages.py", "x"),
        f".multisite/runtime/{runtime_digest()}/messages.py is not this multisite's",
        True,
    ),
    (
        "bootstrap-changed",
        stale_bytecode,
        "the bytecode of the start-up code's messages.py is of another source, or damaged",
        True,
    ),
    (
        "bootstrap-changed",
        torn_bytecode,
        "the bytecode of the start-up code's __init__.py is of another source, or damaged",
        True,
    ),
    (
        "finder-inactive",
        finder_taken_away,
        "the interpreter starts without the finder, so nothing locked can be imported",
        False,
    ),
    (
        "start-up-silent",
        in_site("zz.pth", "import sys; sys.stderr.write('hello\\n')\n"),
        "it writes to stderr at every start:\nhello\nhello",
        False,
    ),
    ("entry-missing", entry_gone, "beta 1.0 is locked, but not in the store {store}", True),
    (
        "entry-damaged",
        in_entry("beta", "site-packages/beta.py", "changed"),
        "beta 1.0 is damaged in the store: site-packages/beta.py has 7 bytes instead of 0; it is in {venv}",
        True,
    ),
    (
        "entry-damaged",
        in_entry("alpha", "data/data/share/alpha/conf.json", None),
        "alpha 1.0 is damaged in the store: data/data/share/alpha/conf.json is missing; it is in {venv}",
        True,
    ),
    (
        "entry-damaged",
        in_entry("beta", "site-packages/beta-1.0.dist-info/RECORD", '"'),
        "beta 1.0 is damaged in the store: RECORD: line 1: unexpected end of data*",
        True,
    ),
    (
        "shared-damaged",
        shared_changed,
        "the folder that epsilon 1.0, zeta 1.0 share is damaged: site-packages/common/e.py has 12 bytes instead of 0",
        True,
    ),
    (
        "shared-damaged",
        shared_gone,
        "the folder that epsilon 1.0, zeta 1.0 share is damaged: it is missing or cannot be read",
        True,
    ),
    (
        "entry-extra",
        in_entry("alpha", "site-packages/alpha/cache.db", "x"),
        "alpha 1.0 has files in the store that its wheel did not bring (site-packages/alpha/cache.db); *",
        False,
    ),
    (
        "same-file",
        two_with_one_file,
        "common/__init__.py is in epsilon, zeta, which differ; " + ONE_OF_THEM,
        False,
    ),
    (
        "same-file",
        two_with_one_program,
        "bin/alpha is in alpha, delta, which differ; " + ONE_OF_THEM,
        False,
    ),
    (
        "module-elsewhere",
        in_site("beta.py", "x = 1\n"),
        "import beta should find beta, but it leads to {site}/beta.py",
        False,
    ),
    (
        "metadata-elsewhere",
        folder_put_first,
        "the metadata of beta should be those of 1.0 in the store, but they are 9.0 in {root}/first",
        False,
    ),
    (
        "shadowed-by-real",
        really_installed("beta", "3.0", {"beta.py": "v = 3\n"}),
        "beta 3.0 (locked: 1.0) is really installed in {site} and wins",
        True,
    ),
    (
        "shadowed-by-real",
        really_installed("other", "3.0", {"beta.py": "v = 3\n"}),
        "beta of beta is not imported: other, really installed, has it as well",
        True,
    ),
    (
        "shadowed-by-stdlib",
        name_of_the_standard_library,
        "statistics of statistics is never imported: the standard library has a module of that name, *",
        False,
    ),
    (
        "known-limit",
        urllib3_future,
        "urllib3-future replaces urllib3's files in a plain environment; here urllib3 stays what is locked",
        False,
    ),
    (
        "tool-unknown",
        tool_of_another_shape,
        "coverage 99.0: coverage.inorout is not as this multisite knows it, and is left alone; its report may have *",
        False,
    ),
    ("requirement-unsatisfied", requirement_not_met, "alpha 1.0 requires beta>=1, but beta is 0.5", False),
    (
        "requirement-unsatisfied",
        extra_not_met,
        'gamma 1.0 requires delta; extra == "x", but delta is not there',
        False,
    ),
    (
        "project-missing",
        project_in_a_folder_that_is_gone,
        "my-project is imported from ../project, and that folder is gone",
        False,
    ),
    ("script-missing", remove("venv/bin/alpha"), "bin/alpha of alpha is missing", True),
    ("script-changed", write("venv/bin/alpha", "mine"), "bin/alpha of alpha was changed since it was written", True),
    ("script-not-executable", not_executable, "bin/alpha of alpha cannot be executed", True),
    ("script-not-ours", folder_in_its_place, "bin/alpha is not the program of alpha: a folder is there", True),
    ("script-not-ours", link_in_its_place, "bin/alpha is not the program of alpha: a link is there", True),
    ("script-missing", never_written, "bin/delta of delta is missing", True),
    (
        "script-not-ours",
        somebodys_program,
        "bin/delta is not the program of delta: something else was there, and was left alone",
        True,
    ),
    (
        "script-interpreter",
        moved_scripts,
        "bin/alpha, bin/alpha-tool run /old/place/bin/python, not this environment's interpreter",
        True,
    ),
    ("data-missing", remove("venv/share/alpha/conf.json"), "alpha: share/alpha/conf.json missing", True),
    (
        "data-changed",
        write("venv/share/alpha/conf.json", "[]"),
        "alpha: share/alpha/conf.json changed here; a sync leaves that alone",
        False,
    ),
    (
        "not-registered",
        not_registered,
        "the store does not know of this environment, so what it uses could be collected as garbage",
        True,
    ),
    (
        "not-registered",
        registered_elsewhere,
        "the store knows it as /old/place, so what it uses could be collected as garbage",
        True,
    ),
]


def expected(pattern: str, case: Case, interpreter: Interpreter) -> str:
    """Return *pattern* as a regular expression: a ``*`` stands for anything, names in braces for facts."""
    facts = {
        "venv": case.venv,
        "store": case.store,
        "root": case.root,
        "site": next(case.venv.glob("lib/python3*/site-packages")),
        "python": case.venv / "bin" / "python",
        "key": interpreter.key,
        "version": interpreter.version,
        "base": interpreter.base_executable,
    }
    return re.escape(pattern.format_map(facts)).replace(re.escape("*"), "(?s:.*)")


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return inspect_interpreter(Path(sys.executable))


def test_nothing_is_wrong(case: Case) -> None:
    assert case.examine() == ()
    assert case.examine(deep=True) == ()


@pytest.mark.parametrize(
    ("check", "sabotage", "message", "is_mended"),
    [pytest.param(*row, id=f"{row[0]}-{at}") for at, row in enumerate(SABOTAGES)],
)
def test_sabotage(
    case: Case, interpreter: Interpreter, check: str, sabotage: Sabotage, message: str, is_mended: bool
) -> None:
    sabotage(case)
    findings = case.examine()
    assert [finding.check for finding in findings] == [check]
    assert re.fullmatch(expected(message, case, interpreter), findings[0].message), findings[0].message
    if is_mended:
        case.mend(findings)
        assert case.examine(deep=True) == ()
    else:
        assert (findings[0].fix or "").startswith(LATER.get(check, "")), findings[0].fix
        assert check in LATER or findings[0].fix is None


def test_content_of_the_same_size_shows_deep_down(case: Case) -> None:
    in_entry("alpha", "site-packages/alpha/text.txt", "54321")(case)
    record = case.entry("alpha") / "site-packages/alpha-1.0.dist-info/RECORD"
    os.utime(case.entry("alpha") / "site-packages/alpha/text.txt", ns=(0, record.stat().st_mtime_ns))
    assert case.examine() == ()
    findings = case.examine(deep=True)
    assert [(finding.check, finding.message) for finding in findings] == [
        (
            "entry-damaged",
            f"alpha 1.0 is damaged in the store: site-packages/alpha/text.txt has other content; it is in {case.venv}",
        )
    ]
    case.mend(findings)
    assert case.examine(deep=True) == ()


def test_content_of_the_same_size_shows_by_its_time(case: Case) -> None:
    in_entry("alpha", "site-packages/alpha/text.txt", "54321")(case)
    findings = case.examine()
    assert [(finding.check, finding.message) for finding in findings] == [
        (
            "entry-damaged",
            f"alpha 1.0 is damaged in the store: site-packages/alpha/text.txt has other content; it is in {case.venv}",
        )
    ]


def test_a_time_alone_is_no_damage(case: Case) -> None:
    (case.entry("alpha") / "site-packages/alpha/text.txt").touch()
    assert case.examine() == ()


def test_a_record_that_was_changed_with_its_files_shows_deep_down(case: Case) -> None:
    in_entry("alpha", "site-packages/alpha/text.txt", "54321")(case)
    record = case.entry("alpha") / "site-packages/alpha-1.0.dist-info/RECORD"
    record.write_text(record.read_text().replace(record_hash(b"12345"), record_hash(b"54321")))
    findings = case.examine(deep=True)
    assert [finding.check for finding in findings] == ["entry-damaged"]
    assert findings[0].message.endswith(f"RECORD is not the one that it was published with; it is in {case.venv}")
    case.mend(findings)
    assert case.examine(deep=True) == ()


def test_a_tool_that_ends_the_interpreter(case: Case) -> None:
    tool_that_ends_the_interpreter(case)
    (unlike,) = case.examine()  # which reads it
    assert (unlike.check, unlike.message.split(" is ")[0]) == ("tool-unknown", "coverage 99.0: coverage.inorout")
    (finding,) = case.examine(deep=True)
    assert finding.check == "tool-unknown"
    assert finding.message.startswith("whether its tools are known could not be found out: ")


def test_tools_are_read_and_not_imported(case: Case) -> None:
    text = "try:\n    class Reloader:\n        def get_files(self): pass\nfinally:\n    1 / 0\n"
    case.with_wheels(case.wheel("gunicorn", "99.0", files={"gunicorn": {"__init__.py": "1 / 0", "reloader.py": text}}))
    assert case.examine() == ()


def test_bytecode_is_no_extra_file(case: Case) -> None:
    cache = case.entry("alpha") / "site-packages/alpha/__pycache__"
    write_tree(cache, {"__init__.cpython-311.pyc": "x"})
    assert case.examine(deep=True) == ()


@pytest.mark.parametrize("name", ["MULTISITE_DISABLE", "PYTHONNOUSERSITE", "PYTHONSAFEPATH"])
def test_variables_of_the_shell_change_nothing(case: Case, name: str) -> None:
    assert case.examine(environ={name: "1"}) == ()


def test_a_folder_on_pythonpath_is_not_the_environments(case: Case) -> None:
    write_tree(case.root / "path", {"beta.py": "", "beta-9.dist-info": {"METADATA": "Name: beta\nVersion: 9\n"}})
    assert case.examine(environ={"PYTHONPATH": str(case.root / "path")}) == ()


def test_modules_of_the_current_folder_are_not_the_environments(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_tree(case.root / "here", {"beta.py": "", "json.py": "raise SystemExit('wrong json')"}))
    assert case.examine() == ()


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_store_that_is_mounted_elsewhere(case: Case, by_variable: bool) -> None:
    elsewhere = case.store.rename(case.root / "elsewhere")
    variables = {"MULTISITE_STORE": str(elsewhere)} if by_variable else {}
    assert case.examine(store=None if by_variable else elsewhere, environ=variables) == ()
    assert not case.store.exists()


def test_many_real_distributions_are_one_finding(case: Case) -> None:
    for name in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta"):
        requires = "Requires-Dist: beta\n" if name == "alpha" else ""
        really_installed(name, "1.0", {}, requires)(case)
    findings = case.examine()
    pairs = ", ".join(f"{name} 1.0 (locked: 1.0)" for name in ("alpha", "beta", "delta", "epsilon", "gamma"))
    assert [finding.message for finding in findings] == [
        f"6 distributions are really installed and win over the locked ones: {pairs} and 1 more"
    ]
    case.mend(findings)
    assert case.examine() == ()


def test_every_python(case: Case, interpreters: dict[str, Path], tmp_path: Path) -> None:
    for version, python in interpreters.items():
        environment = Environment.create(tmp_path / version, inspect_interpreter(python))
        shutil.copy(case.venv / "pylock.toml", environment.lockfile)
        workshop = Workshop({}, stores=[case.store], offline=True)
        workshop.sync(environment, Wanted.from_lockfile(environment.lockfile, environment, None))
        assert examine(environment, environ={}) == (), version
        write_tree(environment.site_packages, {"beta.py": ""})
        assert [finding.check for finding in examine(environment, environ={})] == ["module-elsewhere"], version


def test_an_interpreter_that_starts_for_tools_only(case: Case) -> None:
    line = "import os, sys; sys.flags.isolated or (os.write(2, b'go away'), os._exit(9))\n"
    write_tree(case.site, {"zz.pth": line})
    findings = case.examine()
    assert [(finding.check, finding.message) for finding in findings] == [
        ("interpreter-unusable", f"{case.environment.python}: it does not start (exit code 9):\ngo away")
    ]


def test_nothing_is_written(case: Case) -> None:
    def files() -> dict[str, int]:
        return {str(path): path.lstat().st_mtime_ns for path in case.root.rglob("*")}

    before = files()
    case.examine(deep=True)
    assert files() == before


ELSEWHERE = {
    "private-copy": "test_edits.py",
    "private-copy-lost": "test_edits.py",
    "private-copy-unused": "test_edits.py",
    "store-absent": "test_stores_in_layers.py",
    "store-untrusted": "test_trust.py",
    **{check.id: "test_view.py" for check in CHECKS if check.subject == "view"},
}


def test_every_check_has_a_sabotage() -> None:
    for check, module in ELSEWHERE.items():
        assert check in Path(__file__).with_name(module).read_text(encoding="utf-8")
    assert {row[0] for row in SABOTAGES} == {check.id for check in CHECKS} - ELSEWHERE.keys()
