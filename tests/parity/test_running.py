"""The harness itself: what is brought to one form, and what it says of a case that is not as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.parity.header import Case, Rule
from tests.parity.normalising import RULES, normalised
from tests.parity.running import compare, noticed
from tests.pythons import found_pythons

if TYPE_CHECKING:
    from tests.parity.environments import Bench

FOLDERS = {"store": "/m/store", "site": "/m/venv/lib/python3.12/site-packages", "venv": "/m/venv", "run": "/m/run"}
ENTRY = "/m/store/multi-site-packages/reg/1.0/py3-none-any-0123/site-packages"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (f"{ENTRY}/reg/__init__.py", "<site>/reg/__init__.py"),
        ("/m/store/shared/0123abcd/site-packages/reg", "<site>/reg"),
        ("/m/store/multi-site-packages/reg/1.0/build/data/x", "/m/store/multi-site-packages/reg/1.0/build/data/x"),
        ("/m/venv/lib/python3.12/site-packages/x.py /m/venv/bin/x /m/run/y", "<site>/x.py <venv>/bin/x <run>/y"),
        (f'["{ENTRY}/ns", "{ENTRY}/ns", "/m/run/ns"]', '["<site>/ns", "<run>/ns"]'),
        (f"_NamespacePath(['{ENTRY}/ns', '{ENTRY}/ns'])", "_NamespacePath(['<site>/ns'])"),
        (f"['{ENTRY}/a', '{ENTRY}/b']", "['<site>/a', '<site>/b']"),
        ("<object at 0x7f0123456789> 0x10", "<object at 0x…> 0x10"),
        ("12:30:01 in 0.03s", "12:30:01 in 0.03s"),
    ],
)
def test_one_form(said: str, expected: str) -> None:
    assert normalised(said, FOLDERS) == expected


def test_a_case_can_have_rules_of_its_own() -> None:
    rule = Rule(pattern=r"in \d\.\d+s", replacement="in …", reason="how long it took")
    assert normalised("in 0.03s", FOLDERS, [rule]) == "in …"


def test_every_rule_has_a_reason() -> None:
    assert all(len(rule.reason) > 20 for rule in RULES)


@pytest.fixture
def version() -> str:
    return list(found_pythons())[-1]


PROBE = "print(any(type(it).__module__.startswith('_multisite') for it in sys.meta_path))"


def case(folder: Path, header: str, body: str) -> Case:
    path = folder / "case.py"
    lines = ["rows = [1]", "says = 'this'", *header.splitlines()]
    path.write_text("\n".join(["# /// parity", *(f"# {line}" for line in lines), "# ///", body, ""]))
    return Case.from_path(path)


def test_a_difference_is_readable(tmp_path: Path, bench: Bench, version: str) -> None:
    probe = f"print('same'); {PROBE}; import regular"
    found = compare(bench, case(tmp_path, "", probe), version)
    expected = """\
what they say differs:
--- plain
+++ multisite
@@ -1,3 +1,3 @@
 $ python {program}
 same
-False
+True"""
    assert found.problems == [expected]
    assert found.changed_lines == ("-False", "+True")


def test_a_limit_is_exactly_what_it_says(tmp_path: Path, bench: Bench, version: str) -> None:
    header = "state = 'limit'\nreason = 'r'\ndiffers = ['-False', '+True']"
    assert compare(bench, case(tmp_path, header, PROBE), version).problems == []
    (problem,) = compare(bench, case(tmp_path, header, "print(1)"), version).problems
    assert problem == "what they say differs:\n(it does not)\nit should be:\n-False\n+True"


def test_a_plain_environment_that_fails_is_no_comparison(tmp_path: Path, bench: Bench, version: str) -> None:
    (problem,) = compare(bench, case(tmp_path, "", "sys.exit('no')"), version).problems
    assert problem == "the plain environment: python {program} failed\n$ python {program}\n! no\n(exit 1)"
    assert compare(bench, case(tmp_path, "fails = true", "sys.exit('no')"), version).problems == []


def test_the_plain_environment_must_see_what_the_case_is_about(tmp_path: Path, bench: Bench, version: str) -> None:
    (problem,) = compare(bench, case(tmp_path, "expects = 'it'", "import regular"), version).problems
    assert problem == "the plain environment does not say 'it':\n$ python {program}"


def test_what_changes_the_store_is_found(tmp_path: Path, bench: Bench, version: str) -> None:
    probe = "import regular\nwith open(regular.__file__, 'a') as stream: stream.write('# changed')"
    (problem,) = compare(bench, case(tmp_path, "keeps_store = true", probe), version).problems
    assert re.fullmatch(r"in the store: multi-site-packages/regular/1\.0/\S+/regular/__init__\.py has changed", problem)


def test_a_case_that_notices_no_broken_finder(tmp_path: Path, bench: Bench, version: str) -> None:
    blind = case(tmp_path, "", "print('whatever')")
    assert list(noticed(bench, blind, version)) == []


def test_what_broken_finders_do_wrong_is_noticed(tmp_path: Path, bench: Bench, version: str) -> None:
    probe = "print(sys.path)\nattempt(where, 'regular')\nattempt(where, 'colorsys')\nsys.path.remove(SITE)\n"
    probe += "forget('regular')\nattempt(where, 'regular')\n"
    seeing = case(tmp_path, "", probe)
    assert set(noticed(bench, seeing, version)) == {"path", "before", "after", "off"}
