"""Headers of cases: all of them are good, and a bad one is told everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.header import Case, HeaderError, cases

GOOD = '# /// parity\n# rows = [1]\n# says = "this"\n# ///\nprint()\n'
EVERYTHING_WRONG = """\
# /// parity
# rows = [0, "one"]
# state = "limit"
# cost = "dear"
# python = "new"
# wheels = {"no version" = {}}
# requirements = ["a b c"]
# run = []
# flags = "-I"
# colour = "red"
# normalise = [{pattern = "("}]
# ///
"""


def write(folder: Path, text: str, name: str = "case.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_every_header_is_good() -> None:
    _, bad = cases()
    assert not bad, "\n".join(map(str, bad))


def test_a_small_case(tmp_path: Path) -> None:
    case = Case.from_path(write(tmp_path, GOOD))
    assert (case.rows, case.says, case.state, case.cost) == ((1,), "this", "equal", "offline")
    assert case.run == ("python {program}",)
    assert not case.own_environments
    assert [version for version in ("3.7", "3.8", "3.14") if case.runs_on(version)] == ["3.8", "3.14"]


def test_a_shell_probe_is_run_by_the_shell(tmp_path: Path) -> None:
    assert Case.from_path(write(tmp_path, GOOD, "case.sh")).run == ("sh -eu {program}",)


@pytest.mark.parametrize(
    "line",
    ["files = {'{site}/x.py' = ''}", "run = ['lock regular==2.0']", "private = true", "keeps_store = true"],
)
def test_environments_of_its_own(line: str, tmp_path: Path) -> None:
    assert Case.from_path(write(tmp_path, GOOD.replace("# ///\n", f"# {line}\n# ///\n"))).own_environments


def test_everything_that_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(HeaderError) as caught:
        Case.from_path(write(tmp_path, EVERYTHING_WRONG))
    assert caught.value.problems == [
        "'colour' is nothing that a header says",
        "'rows' must be a list of rows of the table, not [0, 'one']",
        "'says' is missing: a sentence",
        "'cost' must be offline, index or long, not 'dear'",
        "'python' must be a version specifier, not 'new'",
        "'wheels' must be a table of tables: name-version -> path -> text, not {'no version': {}}",
        "'requirements' must be a list of requirements, not ['a b c']",
        "'flags' must be a list of options, not '-I'",
        "'run' must be a list of commands, not []",
        "'normalise' must be a list of tables with pattern, with and reason, not [{'pattern': '('}]",
        "'reason' is missing: it is limit",
        "'differs' belongs to a limit, and to each",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("print()\n", "it has no header between '# /// parity' and '# ///'"),
        ("# /// parity\n# rows =\n# ///\n", "its header is no TOML: Invalid value (at end of document)"),
        (
            GOOD.replace("# ///\n", "# state = 'mended'\n# ///\n"),
            "'reason' is missing: it is mended",
        ),
        (
            GOOD.replace("# ///\n", "# run = ['x']\n# flags = ['-I']\n# ///\n"),
            "'flags' and 'arguments' do not go with 'run'",
        ),
        (
            GOOD.replace("# ///\n", "# normalise = [{pattern = '(', with = '', reason = 'r'}]\n# ///\n"),
            "'normalise' has a pattern that is none: '(': missing ), unterminated subpattern at position 0",
        ),
    ],
)
def test_a_bad_header(text: str, problem: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(HeaderError) as caught:
        Case.from_path(path)
    assert caught.value.problems == [problem]
    assert str(caught.value) == f"{path}: {problem}"


def test_bad_files_do_not_hide_good_ones(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, "", "other.py")
    good, bad = cases(tmp_path)
    assert [case.path.name for case in good] == ["case.py"]
    assert [error.path.name for error in bad] == ["other.py"]
