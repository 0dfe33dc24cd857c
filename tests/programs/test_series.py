"""Comparisons that are run by hand: which, what they come to, and the page that is written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.programs.series import Comparison, Verdict, run
from tests.programs.table import row

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def comparison(
    name: str, *differences: str, missing: tuple[str, ...] = (), pythons: tuple[str, ...] = (HERE,)
) -> Comparison:
    def compare(version: str, folder: Path, shared: Path) -> Verdict:
        assert folder == shared / f"{name}-{version}"
        assert list(folder.iterdir()) == []
        (folder / "left").touch()
        if "fails" in differences:
            raise OSError("on purpose")
        return Verdict(words="seen", differences=differences, row=row(name, version, "new"))

    return Comparison(name=name, pythons=pythons, compare=compare, missing=lambda: missing)


SERIES = (
    comparison("same"),
    comparison("other", "a line"),
    comparison("broken", "fails"),
    comparison("lacking", missing=("libGL.so.1",)),
    comparison("old", pythons=("2.7",)),
)


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (["same"], 0, [f"same {HERE}: equal, seen, ", "1 compared in ", "all equal or known"]),
        (["other"], 1, [f"other {HERE}: DIFFERENT, seen, ", "  a line\n", f"different: other {HERE}"]),
        (["broken", "same"], 1, [f"same {HERE}: equal, ", "1 compared in ", f"different: broken {HERE}"]),
        (["lacking", "old"], 3, [f"lacking {HERE}: not on this machine: libGL.so.1", "old 2.7: no such Python here"]),
        ([], 1, [f"different: other {HERE}, broken {HERE}"]),
    ],
)
def test_what_is_told(
    names: list[str], code: int, said: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("programs", None, SERIES, [*names, "--folder", str(tmp_path)]) == code
    told = capsys.readouterr().out
    assert [text for text in said if text not in told] == []


def test_rows_are_written_and_folders_removed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- t -->\n| h |\n|-|\n<!-- end of t -->\n")
    run("t", None, SERIES, ["--folder", str(tmp_path), "--write", str(page)])
    new = "".join(f"{row(name, HERE, 'new')}\n" for name in ("other", "same"))
    assert page.read_text() == f"<!-- t -->\n| h |\n|-|\n{new}<!-- end of t -->\n"
    # What broke is left to be looked at.
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [f"broken-{HERE}"]


def test_a_name_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        run("programs", None, SERIES, ["sme", "--folder", str(tmp_path)])
    assert ended.value.code == 2
