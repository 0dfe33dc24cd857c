"""Wheels that are none, damaged, or not what they say."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests import builders
from tests.bad_input.case import Case, Cases, Decorator, Words, hashed, listed, locked, lockfile

if TYPE_CHECKING:
    from tests.machine import Machine

bad = Cases()


def refused(*problems: str) -> Decorator:
    sentence = listed("alpha-1.0-py3-none-any.whl: not a valid wheel", problems)
    return bad(1, sentence, "report it to the project that published it, or lock another version")


@refused("it is not a whole zip archive: File is not a zip file")
def a_truncated_wheel(machine: Machine) -> Words:
    wheel = machine.wheel("alpha", files={"alpha.py": "x" * 5000})
    wheel.write_bytes(wheel.read_bytes()[:-200])
    return ["sync", locked(machine, wheel)]


@refused("it is not a whole zip archive: File is not a zip file")
def a_wheel_that_is_no_archive(machine: Machine) -> Words:
    wheel = machine.index.folder / "alpha-1.0-py3-none-any.whl"
    wheel.write_bytes(b"not an archive")
    return ["sync", locked(machine, wheel)]


@refused("it is not a whole zip archive: File is not a zip file")
def an_empty_wheel(machine: Machine) -> Words:
    wheel = machine.index.folder / "alpha-1.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    return ["sync", locked(machine, wheel)]


@refused("alpha.py: encrypted")
def an_encrypted_wheel(machine: Machine) -> Words:
    wheel = machine.wheel("alpha")
    data = bytearray(wheel.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    wheel.write_bytes(bytes(data))
    return ["sync", locked(machine, wheel)]


@refused("alpha.py: damaged: Bad CRC-32 for file 'alpha.py'")
def a_wheel_with_a_damaged_file(machine: Machine) -> Words:
    wheel = machine.wheel("alpha", files={"alpha.py": "original = 1\n"}, compression=zipfile.ZIP_STORED)
    wheel.write_bytes(wheel.read_bytes().replace(b"original", b"modified"))
    return ["sync", locked(machine, wheel)]


@refused("WHEEL: Wheel-Version is '2.0'; versions 1.x are known")
def a_wheel_of_a_later_format(machine: Machine) -> Words:
    return ["sync", locked(machine, machine.wheel("alpha", wheel_version="2.0"))]


@refused("METADATA: Metadata-Version is '9.1'; versions 1.x and 2.x are known")
def metadata_of_a_later_format(machine: Machine) -> Words:
    text = "Metadata-Version: 9.1\nName: alpha\nVersion: 1.0\n"
    wheel = machine.wheel("alpha", dist_info_files={"METADATA": text})
    return ["sync", locked(machine, wheel)]


@refused(
    "METADATA: the name is 'omega', not the wheel's, alpha", "METADATA: the version is '3.0', not the wheel's, 1.0"
)
def metadata_of_another_distribution(machine: Machine) -> Words:
    text = "Metadata-Version: 2.1\nName: omega\nVersion: 3.0\n"
    return ["sync", locked(machine, machine.wheel("alpha", dist_info_files={"METADATA": text}))]


def _with_record(machine: Machine, change: Callable[[list[str]], list[str]]) -> Words:
    def edit(rows: builders.Rows) -> builders.Rows:
        return [change(row) if row[0] == "alpha.py" else row for row in rows]

    return ["sync", locked(machine, machine.wheel("alpha", edit_record=edit))]


@refused("alpha.py: its sha256 is not the one in RECORD", "alpha.py: it has 16 bytes, and 99 in RECORD")
def a_record_with_other_hashes_and_sizes(machine: Machine) -> Words:
    return _with_record(machine, lambda row: [row[0], builders.record_hash(b"other"), "99"])


@refused("alpha.py: RECORD has no hash")
def a_record_without_hashes(machine: Machine) -> Words:
    return _with_record(machine, lambda row: [row[0], "", ""])


@refused("RECORD, line 1: expected path, hash and size, found 4 fields")
def a_record_that_cannot_be_read(machine: Machine) -> Words:
    return _with_record(machine, lambda row: ["../alpha.py", "sha256=?", "many", "more"])


@refused("unlisted.py: in the archive, but not in RECORD")
def a_record_and_files_that_disagree(machine: Machine) -> Words:
    wheel = machine.wheel(
        "alpha",
        files={"alpha.py": "", "listed.py": ""},
        without=["listed.py"],
        extra_members=[("unlisted.py", b"")],
    )
    return ["sync", locked(machine, wheel)]


@refused("alpha-1.0.dist-info/RECORD: missing")
def a_wheel_without_a_record(machine: Machine) -> Words:
    return ["sync", locked(machine, machine.wheel("alpha", without=["alpha-1.0.dist-info/RECORD"]))]


@refused("it must have one .dist-info folder, found none")
def a_wheel_without_dist_info(machine: Machine) -> Words:
    wheel = machine.index.folder / "alpha-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("alpha.py", "")
    return ["sync", locked(machine, wheel)]


@refused(
    "../evil.py: leads out of the wheel",
    "/etc/evil: leads out of the wheel",
    "a\\b.py: a backslash or control character in the name",
    "link: a symbolic link",
)
def files_that_lead_out_of_the_wheel(machine: Machine) -> Words:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    members: list[builders.Member] = [("../evil.py", b""), ("/etc/evil", b""), ("a\\b.py", b""), (link, b"/etc")]
    return ["sync", locked(machine, machine.wheel("alpha", extra_members=members))]


@refused(
    "A.py: lands where a.py does, or differs only by case or Unicode form",
    "alpha-1.0.data/purelib/a.py: lands where a.py does, or differs only by case or Unicode form",
)
def two_files_in_one_place(machine: Machine) -> Words:
    wheel = machine.wheel("alpha", files={"a.py": "1", "A.py": "2"}, data={"purelib": {"a.py": "3"}})
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    "omega-1.0-py3-none-any.whl: not a valid wheel: it is omega 1.0, and alpha is locked",
    "report it to the project that published it, or lock another version",
)
def a_wheel_of_another_distribution_by_its_address(machine: Machine) -> Words:
    wheel = machine.wheel("omega")
    facts = f'{{url = "{machine.index.file_url(wheel.name)}", hashes = {{sha256 = "{hashed(wheel)}"}}}}'
    text = f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "alpha"\narchive = {facts}\n'
    return ["sync", lockfile(machine, text)]


@bad.each
def test_bad_input_gets_a_sentence_and_does_no_damage(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)
