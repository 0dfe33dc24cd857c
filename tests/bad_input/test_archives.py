"""Archives that are made to harm: names, kinds of files, structures in which readers see different things, bombs."""

# ruff: noqa: E501 -- sentences stand here as they are printed

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bad_input.case import Case, Cases, Words, listed, locked
from tests.bad_input.zipped import Lies, Part, Shape, changed, parts_of, zipped

if TYPE_CHECKING:
    from tests import builders
    from tests.machine import Machine

bad = Cases(("existing",))
ALPHA = "alpha-1.0-py3-none-any.whl"
INFO = "alpha-1.0.dist-info"
LOCK_ANOTHER = "report it to the project that published it, or lock another version"
OUT, CONTROL = "leads out of the wheel", "a backslash or control character in the name"
LONG = "a name of more than 255 bytes, or below more than 100 folders"
SAME = "or differs only by case or Unicode form"
METHOD = "wheels are stored or deflated"
DIFFER = "what stands before it and what the directory says of it differ"


def refused(name: str, arrange: Callable[[Machine], Words], *problems: str, then: str = LOCK_ANOTHER) -> None:
    bad.add(name, arrange, 1, listed(f"{ALPHA}: not a valid wheel", problems), then)


def given(machine: Machine, data: bytes) -> Words:
    """Have the index serve *data* as a wheel; return the command that installs it."""
    wheel = machine.index.folder / ALPHA
    wheel.write_bytes(data)
    return ["sync", locked(machine, wheel)]


# Members that must not be there, whatever RECORD says.

MEMBERS: dict[str, tuple[Part | str, str]] = {
    "absolute": ("/nowhere/evil.py", f"/nowhere/evil.py: {OUT}"),
    "a share of the network": ("//host/share/evil.py", f"//host/share/evil.py: {OUT}"),
    "climbing": ("../../evil.py", f"../../evil.py: {OUT}"),
    "climbing later": ("alpha/../../evil.py", f"alpha/../../evil.py: {OUT}"),
    "climbing out of data": ("alpha-1.0.data/data/../../../evil", f"alpha-1.0.data/data/../../../evil: {OUT}"),
    "climbing as a folder": ("../evil/", f"../evil/: {OUT}"),
    "a dot": ("./evil.py", f"./evil.py: {OUT}"),
    "a drive": ("C:/evil.py", f"C:/evil.py: {OUT}"),
    "a drive without a slash": ("c:evil.py", f"c:evil.py: {OUT}"),
    "an empty name between slashes": ("alpha//evil.py", "alpha//evil.py: not a path"),
    "backslashes": ("..\\evil.py", f"..\\evil.py: {CONTROL}"),
    "NUL": ("evil.py\0.txt", f"'evil.py\\x00.txt': {CONTROL}"),
    "a line feed": ("x\nnext: curl evil", f"'x\\nnext: curl evil': {CONTROL}"),
    "an escape sequence": ("\x1b]0;x\x07.py", f"'\\x1b]0;x\\x07.py': {CONTROL}"),
    "DEL": ("evil\x7f.py", f"'evil\\x7f.py': {CONTROL}"),
    "a name too long": (f"{'x' * 300}.py", f"{'x' * 60}...{'x' * 17}.py: {LONG}"),
    "a name too long in bytes": ("é" * 130, f"{'é' * 130}: {LONG}"),
    "too deep": ("x/" * 101 + "y.py", f"{'x/' * 101}y.py: {LONG}"),
    "a symbolic link": (Part(name=b"link", content=b"/etc", attributes=(stat.S_IFLNK | 0o777) << 16), "link: a symbolic link"),
    "a symbolic link as a folder": (Part(name=b"link/", content=b"/etc", attributes=(stat.S_IFLNK | 0o777) << 16), "link/: a symbolic link"),
    "a character device": (Part(name=b"tty", content=b"", attributes=(stat.S_IFCHR | 0o666) << 16), "tty: not a regular file"),
    "a block device": (Part(name=b"sda", content=b"", attributes=(stat.S_IFBLK | 0o666) << 16), "sda: not a regular file"),
    "a pipe": (Part(name=b"pipe", content=b"", attributes=(stat.S_IFIFO | 0o666) << 16), "pipe: not a regular file"),
    "a socket": (Part(name=b"sock", content=b"", attributes=(stat.S_IFSOCK | 0o666) << 16), "sock: not a regular file"),
    "bzip2": (Part(name=b"x.py", content=b"", method=12), f"x.py: compressed with method 12; {METHOD}"),
    "LZMA": (Part(name=b"x.py", content=b"", method=14), f"x.py: compressed with method 14; {METHOD}"),
    "Zstandard": (Part(name=b"x.py", content=b"", method=93), f"x.py: compressed with method 93; {METHOD}"),
    "an unknown method": (Part(name=b"x.py", content=b"", method=9), f"x.py: compressed with method 9; {METHOD}"),
    "encrypted": (Part(name=b"x.py", content=b"", header={"flags": 1}, listed={"flags": 1}), "x.py: encrypted"),
    "listed nowhere": ("evil.py", "evil.py: in the archive, but not in RECORD"),
    "a second alpha.py": ("alpha.py", "alpha.py: twice in the archive"),
    "a second RECORD": (f"{INFO}/RECORD", f"{INFO}/RECORD: twice in the archive"),
}  # fmt: skip


def _with_member(member: Part | str) -> Callable[[Machine], Words]:
    part = Part(name=member.encode(), content=b"evil") if isinstance(member, str) else member
    return lambda machine: given(machine, zipped([*parts_of(machine.wheel("alpha")), part]))


for name, (member, problem) in MEMBERS.items():
    refused(f"{name}", _with_member(member), problem)


# Files that RECORD lists, and that cannot lie beside each other.

TOGETHER: dict[str, tuple[builders.Tree, str]] = {
    "letter case": ({"alpha.py": "1", "ALPHA.py": "2"}, f"ALPHA.py: lands where alpha.py does, {SAME}"),
    "NFC and NFD": ({"é.py": "1", "e\u0301.py": "2"}, f"e\u0301.py: lands where é.py does, {SAME}"),
    "sharp s": ({"straße.py": "1", "STRASSE.py": "2"}, f"STRASSE.py: lands where straße.py does, {SAME}"),
    "a ligature": ({"\ufb01le.py": "1", "file.py": "2"}, f"file.py: lands where \ufb01le.py does, {SAME}"),
    "the Kelvin sign": ({"\u212a.py": "1", "k.py": "2"}, f"k.py: lands where \u212a.py does, {SAME}"),
    "the order of accents": ({"a\u0315\u0300.py": "1", "\u00e0\u0315.py": "2"}, f"\u00e0\u0315.py: lands where a\u0315\u0300.py does, {SAME}"),
    "a file where a folder is": ({"alpha": {"x.py": ""}, "ALPHA": ""}, "ALPHA: a file where alpha/x.py needs a folder"),
}  # fmt: skip


def _with_files(tree: builders.Tree) -> Callable[[Machine], Words]:
    return lambda machine: ["sync", locked(machine, machine.wheel("alpha", files=tree))]


for name, (tree, problem) in TOGETHER.items():
    refused(f"{name}", _with_files(tree), problem)


# Archives in which one reader sees what another one does not.


def _shaped(**facts: object) -> Callable[[list[Part]], bytes]:
    return lambda parts: zipped(parts, Shape(**facts))  # type: ignore[arg-type]


def _lying(**facts: object) -> Callable[[list[Part]], bytes]:
    return lambda parts: zipped(changed(parts, "alpha.py", **facts))


def _two_directories(parts: list[Part]) -> bytes:
    one = zipped(parts)
    return one + zipped(changed(parts, "alpha.py", content=b"evil = 1\n"))


def _overlapping(parts: list[Part]) -> bytes:
    other = replace(parts[0], name=b"other.py", listed={"at": 0})
    return zipped([parts[0], other, *parts[1:]])


HIDDEN = "its directory is not where it says: something stands before it, or between its parts"
COUNT = "it is not a whole zip archive: its directory does not list {} files"
STRUCTURES: dict[str, tuple[Callable[[list[Part]], bytes], tuple[str, ...]]] = {
    "a program in front": (lambda parts: b"#!/bin/sh\n" + zipped(parts), (HIDDEN,)),
    "a program in front that the directory knows": (_shaped(before=b"#!/bin/sh\n"), ("10 bytes in it belong to no file",)),
    "something in front that is accounted for": (lambda parts: zipped([replace(parts[0], before=b"MZ" * 50), *parts[1:]]), ("100 bytes in it belong to no file",)),
    "something between two files": (_lying(before=b"hidden"), ("6 bytes in it belong to no file",)),
    "something before the end": (_shaped(between=b"hidden"), (HIDDEN,)),
    "something after the end": (_shaped(after=b"hidden"), ("something stands after its end, or its comment could be taken for its end",)),
    "an end in the comment": (_shaped(comment=b"PK\5\6" + bytes(30)), ("something stands after its end, or its comment could be taken for its end",)),
    "a whole end in the comment": (_shaped(comment=b"PK\5\6" + bytes(18)), ("it has two ends: which files it holds depends on the reader",)),
    "two archives, one after the other": (_two_directories, (HIDDEN,)),
    "one part of several": (_shaped(end={"disk": 1}), ("it is one part of several",)),
    "fewer files than are listed": (_shaped(end={"here": 1, "count": 1}), (COUNT.format(1),)),
    "more files than are listed": (_shaped(end={"here": 9, "count": 9}), (COUNT.format(9),)),
    "two hundred thousand files and more": (_shaped(end64={"here": 1 << 40, "count": 1 << 40}, end={"here": 0xFFFF, "count": 0xFFFF}), (f"its directory lists {1 << 40} files in 271 bytes; at most 200000 in 67108864 are taken",)),
    "an end in 64 bits that contradicts": (_shaped(end64={"here": 3, "count": 3}), ("its two ends, in 32 and in 64 bits, contradict each other",)),
    "an end in 64 bits that is elsewhere": (_shaped(end64={"where": 7}), ("its end in 64 bits is not where it says",)),
    "an end in 64 bits beyond the file": (_shaped(end64={"where": 1 << 60}), ("its end in 64 bits is not where it says",)),
    "another name in front": (_lying(header={"name": b"other.py"}), (f"alpha.py: {DIFFER}",)),
    "another size in front": (_lying(header={"size": 3}), (f"alpha.py: {DIFFER}",)),
    "another sum in front": (_lying(header={"crc": 3}), (f"alpha.py: {DIFFER}",)),
    "another method in front": (_lying(header={"method": 0}), (f"alpha.py: {DIFFER}",)),
    "an encryption that only the front has": (_lying(header={"flags": 0x801}), (f"alpha.py: {DIFFER}",)),
    "sums that follow, and are others": (_lying(streamed=True, listed={"crc": 3, "flags": 0x808}), (f"alpha.py: {DIFFER}", "16 bytes in it belong to no file")),
    "a second name for readers of Unicode": (_lying(listed={"extra": struct.pack("<HH", 0x7075, 13) + b"\1abcd../evil"}), ("alpha.py: it has a second name",)),
    "a second name in front": (_lying(header={"extra": struct.pack("<HH", 0x7075, 13) + b"\1abcd../evil"}), (f"alpha.py: {DIFFER}",)),
    "files that share their bytes": (_overlapping, (
            "other.py: it lies within another file",
            f"other.py: {DIFFER}",
            "56 bytes in it belong to no file")),
    "a file that is nowhere": (_lying(listed={"at": 1 << 30}), ("56 bytes in it belong to no file", "alpha.py: it is not where the directory says")),
    "a size that is too small": (_lying(header={"size": 5}, listed={"size": 5}), ("alpha.py: damaged: Bad CRC-32 for file 'alpha.py'",)),
    "a size that is too large": (_lying(header={"size": 99}, listed={"size": 99}), ("alpha.py: it has 99 bytes, and 16 in RECORD",)),
    "a sum that is wrong": (_lying(header={"crc": 3}, listed={"crc": 3}), ("alpha.py: damaged: Bad CRC-32 for file 'alpha.py'",)),
}  # fmt: skip


def _structured(make: Callable[[list[Part]], bytes]) -> Callable[[Machine], Words]:
    return lambda machine: given(machine, make(parts_of(machine.wheel("alpha"))))


for name, (make, problems) in STRUCTURES.items():
    refused(name, _structured(make), *problems)


# Too much.


def _stored(machine: Machine) -> list[Part]:
    """Return a wheel's files as they are, so that sizes are the same whatever compresses them."""
    return [replace(part, method=0) for part in parts_of(machine.wheel("alpha"))]


def a_bomb(machine: Machine) -> Words:
    """One file, of which front and directory say that ten megabytes become ten gigabytes."""
    size: Lies = {"size": 0xFFFFFFFF, "extra": struct.pack("<HHQ", 1, 8, 10 << 30)}
    bomb = Part(name=b"zeros.bin", content=bytes(10 << 20), method=0, header=size, listed=size)
    return given(machine, zipped([*_stored(machine), bomb]))


def a_bomb_in_pieces(machine: Machine) -> Words:
    size: Lies = {"size": 0xF0000000}
    pieces = [Part(name=b"%d.bin" % number, content=b"", header=size, listed=size) for number in range(40)]
    return given(machine, zipped([*_stored(machine), *pieces]))


RULE = "at most 512 MiB or 50 times the size is taken"
TRUST = "if you know what is in it: MULTISITE_UNPACKED_LIMIT={}G multisite sync"
refused("a bomb", a_bomb, f"its 10486773 bytes unpack to 10737418635; {RULE}", then=TRUST.format(11))
refused("a bomb in pieces", a_bomb_in_pieces, f"its 4475 bytes unpack to 161061273995; {RULE}", then=TRUST.format(151))


def _limited(limit: str) -> Callable[[Machine], Words]:
    def arrange(machine: Machine) -> Words:
        machine.variables["MULTISITE_UNPACKED_LIMIT"] = limit
        return given(machine, zipped(changed(_stored(machine), "alpha.py", content=bytes(5000))))

    return arrange


refused(
    "more than is permitted",
    _limited("4k"),
    "its 5879 bytes unpack to 5379; MULTISITE_UNPACKED_LIMIT permits 4k",
    then=TRUST.format(1),
)
bad.add(
    "a limit that is none",
    _limited("much"),
    2,
    "MULTISITE_UNPACKED_LIMIT is 'much': not an amount",
    "write it as in MULTISITE_UNPACKED_LIMIT=20G",
)


def _sized(name: str, size: int) -> Callable[[Machine], Words]:
    def arrange(machine: Machine) -> Words:
        parts = parts_of(machine.wheel("alpha", files={"alpha.py": "", "alpha.pth": ""}, entry_points="#"))
        return given(machine, zipped(changed(parts, name, header={"size": size}, listed={"size": size})))

    return arrange


for name, size, most in (
    (f"{INFO}/METADATA", 100 << 20, 16 << 20),
    (f"{INFO}/WHEEL", 2 << 20, 1 << 20),
    (f"{INFO}/entry_points.txt", 50 << 20, 1 << 20),
    (f"{INFO}/RECORD", 100 << 20, 64 << 20),
    ("alpha.pth", 2 << 20, 1 << 20),
):
    refused(f"too large {name}", _sized(name, size), f"{name}: it has {size} bytes; at most {most} are read")


@bad.each
def test_an_archive_made_to_harm_is_refused(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)


# Names that are dangerous on Windows: ordinary ones elsewhere, and projects do have an aux.py.

WINDOWS = ["con", "CON.py", "nul.txt", "AUX .py", "com1.tar.gz", "lpt\u00b2", "conin$", "alpha/prn/x.py", "x.py.", "x.py ", "a./b.py",
           "x.py:stream", "what?.py", "a*.py", 'a"b.py', "a<b.py"]  # fmt: skip


@pytest.mark.parametrize("name", WINDOWS)
def test_a_name_that_windows_reserves(machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    wheel = machine.wheel("alpha", files={"alpha.py": "", name: ""})
    monkeypatch.setattr("multisite.wheel._WINDOWS", True)
    done = machine.run("sync", "-q", locked(machine, wheel))
    sentence = f"{ALPHA}: not a valid wheel: {name}: a name that Windows takes for something else"
    assert (done.err, done.code) == (f"error: {sentence}\nnext: {LOCK_ANOTHER}\n", 1)
    monkeypatch.undo()
    machine.run("sync", locked(machine, wheel)).succeeded()


# What looks odd, and is what a plain environment takes too.


def _twice_in_64_bits(parts: list[Part]) -> bytes:
    return zipped(parts, Shape(end64={}, end={"here": 0xFFFF, "count": 0xFFFF, "size": 0xFFFFFFFF, "at": 0xFFFFFFFF}))


def _with_folder(parts: list[Part]) -> bytes:
    return zipped([Part(name=b"alpha/", content=b"", method=0, attributes=(stat.S_IFDIR | 0o755) << 16 | 0x10), *parts])


ODD: dict[str, Callable[[list[Part]], bytes]] = {
    "a comment": _shaped(comment=b"made by hand"),
    "sums that follow": lambda parts: zipped([replace(part, streamed=True) for part in parts]),
    "an end in 64 bits": _twice_in_64_bits,
    "an end in 64 bits that is not needed": _shaped(end64={}),
    "folders": _with_folder,
    "an archive within": lambda parts: zipped(changed(parts, "alpha.py", method=0)),
    "set-user-ID": _lying(attributes=(stat.S_IFREG | 0o6777) << 16),
    "no kind of file": _lying(attributes=0),
    "made on Windows": _lying(attributes=0x20),
}


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_an_archive_that_is_only_odd(machine: Machine, make: Callable[[list[Part]], bytes]) -> None:
    machine.run(*given(machine, make(parts_of(machine.wheel("alpha"))))).succeeded()
    assert machine.python("import alpha; print(alpha.version)").out == "1.0\n"
    (found,) = machine.store.glob("multi-site-packages/alpha/*/*/site-packages/alpha.py")
    assert not stat.S_IMODE(found.stat().st_mode) & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX | 0o022)


def test_an_archive_that_contains_itself_is_a_file_like_any_other(machine: Machine) -> None:
    inner = machine.wheel("alpha").read_bytes()
    wheel = machine.wheel(
        "alpha", files={"alpha.py": "version = 1\n", "again.zip": inner}, compression=zipfile.ZIP_STORED
    )
    machine.run("sync", locked(machine, wheel)).succeeded()
    assert not list(Path(machine.store).rglob("again/*"))


def test_a_wheel_that_unpacks_to_much_is_taken_where_that_is_permitted(machine: Machine) -> None:
    wheel = machine.wheel("alpha", files={"alpha.py": "version = 1\n", "zeros.bin": bytes(4 << 20)})
    machine.variables["MULTISITE_UNPACKED_LIMIT"] = "5M"
    machine.run("sync", locked(machine, wheel)).succeeded()
