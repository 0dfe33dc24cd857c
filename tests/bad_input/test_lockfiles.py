"""Lockfiles that cannot be read, or do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bad_input.case import Case, Cases, Decorator, Words, entry, listed, locked, lockfile

if TYPE_CHECKING:
    from tests.machine import Machine

bad = Cases()


def refused(*problems: str) -> Decorator:
    return bad(1, listed("ROOT/work/given.toml: not a valid lockfile", problems), "write it anew: multisite lock")


def unfit(reason: str) -> Decorator:
    return bad(1, f"ROOT/work/given.toml: {reason}", "lock for this interpreter: multisite lock")


@refused("it is nested too deep to be read")
def a_lockfile_that_is_nested_without_end(machine: Machine) -> Words:
    return ["sync", lockfile(machine, f'lock-version = "1.0"\nx = {"[" * 3000}{"]" * 3000}\n')]


@refused("it is nested too deep to be read")
def a_lockfile_with_a_key_of_many_parts(machine: Machine) -> Words:
    return ["sync", lockfile(machine, f'lock-version = "1.0"\n{".".join(["x"] * 3000)} = 1\n')]


@refused("a number in it has too many digits to be read")
def a_lockfile_with_a_number_without_end(machine: Machine) -> Words:
    return ["sync", lockfile(machine, f'lock-version = "1.0"\nx = {"9" * 5000}\n')]


@refused("line 1: it begins with a byte order mark (BOM), which TOML has not; save it as UTF-8 without one")
def a_lockfile_with_a_byte_order_mark(machine: Machine) -> Words:
    return ["sync", lockfile(machine, '\ufefflock-version = "1.0"\n')]


@bad(2, "ROOT/work/gone.toml: there is no such lockfile", "write one: multisite lock REQUIREMENT")
def a_lockfile_that_is_not_there(machine: Machine) -> Words:
    return ["sync", "gone.toml"]


@bad(
    3,
    "ROOT/work/.venv: there is no environment, and no lockfile to make one from: ./pylock.toml",
    "name what you need: multisite lock REQUIREMENT",
    states=("new",),
)
def no_lockfile_at_all(machine: Machine) -> Words:
    return ["sync"]


@bad(2, "ROOT/work/folder.toml: it cannot be read: Is a directory", "name another: multisite sync LOCKFILE")
def a_lockfile_that_is_a_folder(machine: Machine) -> Words:
    (machine.work / "folder.toml").mkdir()
    return ["sync", "folder.toml"]


@refused("Invalid statement (at line 3, column 1)")
def a_lockfile_that_is_no_toml(machine: Machine) -> Words:
    return ["sync", lockfile(machine, 'lock-version = "1.0"\ncreated-by = "x"\n<<<<<<< HEAD\npackages = []\n')]


@refused("line 2: not UTF-8")
def a_lockfile_that_is_no_text(machine: Machine) -> Words:
    return ["sync", lockfile(machine, b'lock-version = "1.0"\n# \xff\n')]


@refused(
    "lock-version: Missing required value", "created-by: Missing required value", "packages: Missing required value"
)
def an_empty_lockfile(machine: Machine) -> Words:
    return ["sync", lockfile(machine, "")]


@refused("Unterminated string (at end of document)")
def a_lockfile_that_is_half_there(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"sha256": "0" * 64})
    return ["sync", lockfile(machine, text[:-20])]


@refused(
    "requires-python: Invalid specifier: 'three'",
    "packages[0].wheels[0].size: -1 is negative",
    "packages[0].wheels[0].hashes.sha256: 'xyz' is not such a hash",
    "packages[1].name: Name 'B b' is not normalized",
    "packages[2].name: Missing required value",
)
def a_lockfile_with_several_faults(machine: Machine) -> Words:
    one = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", size=-1, hashes={"sha256": "xyz"})
    two = '[[packages]]\nname = "B b"\nversion = "?"\n[[packages]]\nversion = "1"\n'
    return ["sync", lockfile(machine, f'requires-python = "three"\n{one}{two}')]


@bad(
    3,
    "ROOT/work/given.toml: lockfile has format '2.0'; this multisite knows format 1",
    "upgrade multisite: pip install --upgrade multisite",
)
def a_lockfile_of_a_later_format(machine: Machine) -> Words:
    return ["sync", lockfile(machine, 'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n')]


@refused(
    "packages[0].wheels[0]: Invalid wheel filename '../alpha-1.0-py3-none-any.whl'",
    "packages[1].archive.subdirectory: '../..' leads out of the source",
)
def a_lockfile_whose_files_climb(machine: Machine) -> Words:
    facts = {"hashes": {"sha256": "0" * 64}, "url": "https://h.test/x"}
    text = entry("alpha-1.0-py3-none-any.whl", **facts).replace('name = "alpha-1.0-py3', 'name = "../alpha-1.0-py3')
    archive = f'archive = {{url = "https://h.test/b.zip", subdirectory = "../..", hashes = {{sha256 = "{"0" * 64}"}}}}'
    return ["sync", lockfile(machine, f'{text}[[packages]]\nname = "b"\n{archive}\n')]


@refused("packages[0].wheels[0].hashes: md5 can be forged or is unknown; sha256 is needed")
def a_lockfile_with_hashes_that_can_be_forged(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"md5": "0" * 32})
    return ["sync", lockfile(machine, text)]


@unfit("it is for Python >=4, and this is HERE")
def a_lockfile_for_another_python(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"sha256": "0" * 64})
    return ["sync", lockfile(machine, f'requires-python = ">=4"\n{text}')]


@unfit('it is for other environments: sys_platform == "win32" or sys_platform == "darwin"')
def a_lockfile_for_other_systems(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"sha256": "0" * 64})
    environments = "environments = [\"sys_platform == 'win32'\", \"sys_platform == 'darwin'\"]\n"
    return ["sync", lockfile(machine, environments + text)]


@unfit("native 1.0 has no wheel for this interpreter (cpXY-cpXY-linux_x86_64) and no source distribution")
def a_lockfile_with_wheels_for_another_platform(machine: Machine) -> Words:
    return ["sync", locked(machine, machine.wheel("native", tag="py3-none-win_amd64"))]


@unfit("native 1.0 has no wheel for this interpreter (cpXY-cpXY-linux_x86_64) and no source distribution")
def a_lockfile_with_wheels_for_another_python(machine: Machine) -> Words:
    return ["sync", locked(machine, machine.wheel("native", tag="cp27-cp27mu-manylinux1_x86_64"))]


@unfit("alpha 1.0 needs Python <3, and this is HERE")
def a_distribution_for_another_python(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"sha256": "0" * 64})
    return ["sync", lockfile(machine, text.replace("wheels =", 'requires-python = "<3"\nwheels ='))]


@unfit("several entries for alpha apply")
def two_entries_that_apply_at_once(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"sha256": "0" * 64})
    return ["sync", lockfile(machine, text + text[text.index("[[") :].replace("1.0", "2.0"))]


@bad(
    1,
    "ROOT/work/given.toml: no extra web; it has a, b",
    "choose what it has, or lock with it: multisite lock --extra web",
)
def an_extra_that_the_lockfile_lacks(machine: Machine) -> Words:
    return ["sync", "--extra", "web", lockfile(machine, _with("extras"))]


@bad(
    1,
    "ROOT/work/given.toml: no dependency group web; it has a, b",
    "choose what it has, or lock with it: multisite lock --group web",
)
def a_group_that_the_lockfile_lacks(machine: Machine) -> Words:
    return ["sync", "--group", "web", lockfile(machine, _with("dependency-groups"))]


def _with(key: str) -> str:
    return f'lock-version = "1.0"\ncreated-by = "x"\n{key} = ["b", "a"]\npackages = []\n'


@bad.each
def test_bad_input_gets_a_sentence_and_does_no_damage(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)
