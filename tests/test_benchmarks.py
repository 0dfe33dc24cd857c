"""The benchmark's own arithmetic, and that the page about speed is what was measured."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import PAGE, PLOTS, RESULTS
from benchmarks.calls import named
from benchmarks.case import Case
from benchmarks.cases import CASES
from benchmarks.figures import Curve, Outcome, Sample, Spread, alternated, ratios
from benchmarks.goals import GOALS
from benchmarks.plots import PLOTS as NAMES
from benchmarks.reasons import REASONS
from benchmarks.rendering import rendered
from benchmarks.results import Results, row

LOG = """\
7 openat(AT_FDCWD</home/me>, "/store/foo/__init__.py", O_RDONLY|O_CLOEXEC) = 3</store/foo/__init__.py>
7 newfstatat(AT_FDCWD</home/me>, "/usr/lib/python3/os.py", {st_mode=S_IFREG|0644, st_size=1, ...}, 0) = 0
7 newfstatat(3</store/foo>, "bar", 0x7ffe, AT_SYMLINK_NOFOLLOW) = -1 ENOENT (No such file or directory)
7 newfstatat(3</store/foo/__init__.py>, "", {st_mode=S_IFREG|0644, st_size=1, ...}, AT_EMPTY_PATH) = 0
8 stat("/storekeeper", 0x7ffe) = -1 ENOENT (No such file or directory)
8 stat("/store", {st_mode=S_IFDIR|0755, st_size=4096, ...}) = 0
8 openat(AT_FDCWD</store>, "notes", O_RDONLY) = -1 ENOENT (No such file or directory)
8 +++ exited with 0 +++
"""


# With no input of its own, the first file that it opens gets that number.
TIMED = """\
import sys
from pathlib import Path
from benchmarks.workbench import Workbench
folder, python = Path(sys.argv[1]), Path(sys.executable)
bench = Workbench(folder, folder, python, quick=True)
bench.timed([str(python), "-c", "import sys; print(sys.stdin.read(), 'said'); sys.stdout.flush()"])
"""


@pytest.mark.parametrize("stdin", ["", "<&-"], ids=["input", "none"])
def test_what_is_timed_has_its_streams(tmp_path: Path, stdin: str) -> None:
    command = ["/bin/sh", "-c", f'exec "$@" {stdin}', "sh", sys.executable, "-c", TIMED, str(tmp_path)]
    subprocess.run(command, cwd=Path(__file__).parents[1], check=True, stdin=subprocess.DEVNULL)
    assert (tmp_path / "output").read_text() == " said\n"


def samples(*values: float) -> list[Sample]:
    return [Sample(value=value, cpu=value / 2) for value in values]


def case(**changes: Any) -> Case:
    values: dict[str, Any] = {"id": "some", "goal": "cold", "title": "some work", "peer": "another", "limit": 1.0}
    return Case(measure=lambda _: pytest.fail("nothing is measured here"), **{**values, **changes})


def results(*rows: dict[str, Any], **changes: Any) -> Results:
    machine = {"processor": "a processor", "processors": 2, "memory": "4 GiB", "system": "Linux 6.1", "libc": "glibc 2"}
    machine |= {"filesystem": "ext4", "python": "Python 3.11.7 (main)\n[GCC]", "multisite": "1.0", "commit": "abc"}
    machine |= {"uv": "0.13", "pip": "26", "virtualenv": "21"}
    values: dict[str, Any] = {"begun": "2030-01-02T03:04:05+00:00", "seconds": 600.0, "quick": False, "load": 0.1}
    return Results(**{**values, "busy": False, "machine": machine, "rows": rows, **changes})


def page() -> str:
    marks = (f"<!-- {name}: made by python -m benchmarks --render -->\nold\n<!-- end -->\n" for name in MARKED)
    return "by hand\n" + "".join(marks)


MARKED = ("run", "goals", "unmet", "rows", "facts")


def test_both_sides_take_turns_after_a_warm_up() -> None:
    order: list[str] = []

    def side(name: str) -> Sample:
        order.append(name)
        return Sample(value=len(order))

    ours, peer = alternated(lambda: side("a"), lambda: side("b"), 3, warm_up=1)
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"
    assert [sample.value for sample in ours] == [3, 6, 7]
    assert [sample.value for sample in peer] == [4, 5, 8]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], (3, 3, 3)),
        ([1.0, 3.0], (2, 1, 3)),
        ([9.0, 1.0, 2.0, 3.0], (2.5, 2, 3)),
        ([5.0, 4.0, 3.0, 2.0, 1.0, 100.0, 0.0, 6.0], (3.5, 2, 5)),
    ],
)
def test_the_spread_is_the_quartiles(values: list[float], expected: tuple[float, float, float]) -> None:
    spread = Spread.of(values)
    assert (spread.median, spread.low, spread.high) == expected


def test_ratios_are_those_of_pairs() -> None:
    assert ratios(samples(1, 30), samples(2, 10)) == [0.5, 3]


def test_samples_of_two_commands_add_up() -> None:
    assert Sample(value=1, cpu=2) + Sample(value=3, cpu=4) == Sample(value=4, cpu=6)
    assert (Sample(value=1, cpu=2) + Sample(value=3)).cpu is None


@pytest.mark.parametrize(
    ("judged", "limit", "met"),
    [("ratio", 0.5, True), ("ratio", 0.4, False), ("ours", 9.0, False), ("ratio", None, None)],
)
def test_a_row_says_whether_the_goal_is_met(judged: str, limit: float | None, met: bool | None) -> None:
    outcome = Outcome(ours=samples(10, 10, 10), peer=samples(20, 20, 1000))
    document = row(case(judged=judged, limit=limit), outcome)
    assert document["met"] is met
    assert document["ratio"] == {"median": 0.5, "low": 0.01, "high": 0.5}
    assert document["ours_cpu"]["median"] == 5


def test_calls_are_those_that_name_a_path_below_the_folders() -> None:
    assert named(LOG, ["/store"]) == {"openat": 2, "newfstatat": 1, "stat": 1}


def test_a_row_that_failed_stands_in_the_table() -> None:
    text = rendered(page(), results(row(case(), None, error="CommandFailed: uv: status 2")))
    assert "| some work | another | **failed** |  |  |  |  | 1.00 | `CommandFailed: uv: status 2` |" in text
    assert "some work: **failed**" in text


def test_the_page_says_what_was_measured() -> None:
    measured = [
        row(case(), Outcome(ours=samples(0.5), peer=samples(1))),
        row(case(id="other", limit=0.01), Outcome(ours=samples(0.1, 0.1), peer=samples(2, 4), facts={"calls": 1234})),
    ]
    text = rendered(page(), results(*measured))
    assert text.startswith("by hand\n<!-- run: ")
    assert "\nold\n" not in text
    assert "| some work | another | 500 ms | 1.00 s | 0.50 |  | 1 | 1.00 | met |" in text
    assert "| some work | another | 100 ms | 3.00 s | 1/26.7 | 1/40 to 1/20 | 2 | 1/100 | **not met** |" in text
    assert "calls 1,234; processor's time 50 ms, 1.50 s" in text
    assert "- some work, 1/26.7 (**not met**): the reason has not been found." in text
    assert rendered(text, results(*measured)) == text


@pytest.mark.parametrize(("change", "words"), [("busy", "not to be trusted"), ("quick", "a first idea only")])
def test_the_page_says_what_is_wrong_with_a_run(change: str, words: str) -> None:
    assert words in rendered(page(), results(**{change: True}))
    assert words not in rendered(page(), results())


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="the page has marks for run; there are run, goals, unmet, rows, facts"):
        rendered("<!-- run: made by python -m benchmarks --render -->\n<!-- end -->", results())


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    curve = Curve(title="start-up", axis="files", unit="s", x=(10, 100), series={"multisite": [1, 2]})
    written = results(row(case(), Outcome(ours=samples(1), peer=samples(2), curve=curve)))
    written.write(tmp_path / "results.json")
    assert dataclasses.asdict(Results.read(tmp_path / "results.json")) == {
        **dataclasses.asdict(written),
        "rows": list(written.rows),
    }


def test_results_of_another_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"format": 2}')
    with pytest.raises(ValueError, match="another format than 1"):
        Results.read(tmp_path / "results.json")


def test_every_goal_has_a_case_and_every_case_a_goal() -> None:
    assert {case.goal for case in CASES if case.limit is not None} == {goal.id for goal in GOALS}
    assert len({case.id for case in CASES}) == len(CASES)


def test_reasons_are_given_for_rows() -> None:
    assert set(REASONS) <= {case.id for case in CASES if case.limit is not None}


def test_the_page_is_what_the_results_say() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text, Results.read(RESULTS)) == text
    for name in NAMES:
        assert f"performance/{name}" in text
        assert (PLOTS / name).is_file()
