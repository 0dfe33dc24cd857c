from __future__ import annotations

import random
import stat
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from multisite.errors import InvalidWheel
from multisite.unpacking import unpack
from multisite.wheel import WheelFile
from tests.builders import make_wheel as build_wheel
from tests.builders import record_hash

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeWheel
    from tests.builders import Rows, Tree

FILES: Tree = {"foo": {"__init__.py": "x = 1\n"}, "foo.pth": "import foo\n"}
INFO = "foo-1.0.dist-info"


def problems(path: Path, folder: Path) -> tuple[str, ...]:
    with pytest.raises(InvalidWheel) as caught, WheelFile.open(path) as wheel:
        unpack(wheel, folder)
    assert caught.value.wheel == path.name
    return caught.value.problems


def member(name: str, mode: int = stat.S_IFREG | 0o644, **attributes: Any) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def edited(path: str, *row: str) -> Any:
    def edit(rows: Rows) -> Rows:
        return [[path, *row] if found[0] == path else found for found in rows]

    return edit


def added(*row: str) -> Any:
    return lambda rows: [*rows, list(row)]


def dropped(path: str) -> Any:
    return lambda rows: [row for row in rows if row[0] != path]


def test_what_a_wheel_holds(make_wheel: MakeWheel) -> None:
    path = make_wheel(
        "Foo.Bar",
        "1.0+local.1",
        {"foo": {"__init__.py": "", "tool.sh": ""}},
        data={"scripts": {"run": "#!python\n"}, "purelib": {"pure.py": ""}, "data": {"share": {"x": ""}}},
        entry_points={"console_scripts": {"foo": "foo:main"}},
        tag=["py3-none-any", "py2-none-any"],
        requires=["idna"],
        executable=["foo/tool.sh"],
        filename="foo_bar-1.0+local.1-py2.py3-none-any.whl",
    )
    with WheelFile.open(path) as wheel:
        assert (wheel.name, str(wheel.version), wheel.tags) == (
            "foo-bar",
            "1.0+local.1",
            ("py2-none-any", "py3-none-any"),
        )
        assert (wheel.dist_info, wheel.data_dir) == ("Foo.Bar-1.0+local.1.dist-info", "Foo.Bar-1.0+local.1.data")
        assert wheel.entry_points == "[console_scripts]\nfoo = foo:main\n"
        assert wheel.metadata["requires_dist"] == ["idna"]
        found = {(one.scheme, one.path): (one.executable, one.is_content) for one in wheel.members}
        assert found == {
            ("site", "foo/__init__.py"): (False, True),
            ("site", "foo/tool.sh"): (True, True),
            ("scripts", "run"): (False, True),
            ("site", "pure.py"): (False, True),
            ("data", "share/x"): (False, True),
            **{
                ("site", f"{wheel.dist_info}/{name}"): (False, name != "RECORD")
                for name in ("METADATA", "WHEEL", "entry_points.txt", "RECORD")
            },
        }
        assert b"".join(wheel.content(wheel.members[0])) == b""


@pytest.mark.parametrize(
    ("dist_info", "data_dir"),
    [
        ("Foo.Bar-1.0", "foo_bar-1.0"),
        ("foo_bar-1.0", "Foo.Bar-1.0"),
        ("foo-bar-1.0", "foo-bar-1.0"),
        ("FOO__BAR-1.0.0", "foo.bar-1"),
    ],
)
def test_folders_are_found_whatever_their_spelling(
    make_wheel: MakeWheel, tmp_path: Path, dist_info: str, data_dir: str
) -> None:
    path = make_wheel(
        "foo_bar",
        "1.0",
        data={"purelib": {"a.py": "1"}, "scripts": {"s": "2"}},
        dist_info=f"{dist_info}.dist-info",
        data_dir=f"{data_dir}.data",
    )
    with WheelFile.open(path) as wheel:
        unpack(wheel, tmp_path / "out")
    assert sorted(found.relative_to(tmp_path / "out").parts[0] for found in (tmp_path / "out").rglob("a.py")) == [
        "site-packages"
    ]
    assert (tmp_path / "out" / "data" / "scripts" / "s").read_text() == "2"


def test_what_record_lists_and_the_archive_has_not_is_left_out(make_wheel: MakeWheel, tmp_path: Path) -> None:
    with WheelFile.open(make_wheel("foo", "1.0", FILES, without=["foo/__init__.py"])) as wheel:
        unpack(wheel, tmp_path / "out")
    record = (tmp_path / "out" / "site-packages" / INFO / "RECORD").read_text()
    assert sorted(line.partition(",")[0] for line in record.splitlines()) == [
        *(f"{INFO}/{name}" for name in ("METADATA", "RECORD", "WHEEL")),
        "foo.pth",
    ]


UNSOUND: dict[str, tuple[dict[str, Any], list[str]]] = {
    "extra": ({"extra_members": [("extra.py", b"")]}, ["extra.py: in the archive, but not in RECORD"]),
    "twice": ({"extra_members": [("foo.pth", b"import foo\n")]}, ["foo.pth: twice in the archive"]),
    "twice in RECORD": (
        {"edit_record": added("foo.pth", record_hash(b"other"), "5")},
        ["foo.pth: twice in RECORD"],
    ),
    "wrong hash": (
        {"edit_record": edited("foo.pth", record_hash(b"IMPORT FOO\n"), "11")},
        ["foo.pth: its sha256 is not the one in RECORD"],
    ),
    "wrong hash of metadata": (
        {"edit_record": edited(f"{INFO}/WHEEL", record_hash(b""), "")},
        [f"{INFO}/WHEEL: its sha256 is not the one in RECORD"],
    ),
    "wrong size": (
        {"edit_record": edited("foo.pth", record_hash(b"import foo\n"), "12")},
        ["foo.pth: it has 11 bytes, and 12 in RECORD"],
    ),
    "wrong sha512": (
        {"edit_record": edited("foo.pth", record_hash(b"x", "sha512"), "11")},
        ["foo.pth: its sha512 is not the one in RECORD"],
    ),
    "no hash": ({"edit_record": edited("foo.pth", "", "11")}, ["foo.pth: RECORD has no hash"]),
    "weak hash": (
        {"edit_record": edited("foo.pth", record_hash(b"import foo\n", "md5"), "11")},
        ["foo.pth: RECORD has a hash of md5; sha256 or better is needed"],
    ),
    "RECORD is no table": (
        {"edit_record": lambda rows: [["foo.pth"]]},
        ["RECORD, line 1: expected path, hash and size, found 1 fields"],
    ),
    "no RECORD": ({"without": [f"{INFO}/RECORD"]}, [f"{INFO}/RECORD: missing"]),
    "no WHEEL": ({"without": [f"{INFO}/WHEEL"]}, [f"{INFO}/WHEEL: missing"]),
    "no METADATA": ({"without": [f"{INFO}/METADATA"]}, [f"{INFO}/METADATA: missing"]),
    "climbs": (
        {"extra_members": [("../evil.py", b""), ("foo/../../evil.py", b"")]},
        ["../evil.py: leads out of the wheel", "foo/../../evil.py: leads out of the wheel"],
    ),
    "climbs out of a scheme": (
        {"extra_members": [("foo-1.0.data/data/../../x", b"")]},
        ["foo-1.0.data/data/../../x: leads out of the wheel"],
    ),
    "climbs as a folder": ({"extra_members": [("../evil/", b"")]}, ["../evil/: leads out of the wheel"]),
    "absolute": ({"extra_members": [("/etc/passwd", b"")]}, ["/etc/passwd: leads out of the wheel"]),
    "no path": ({"extra_members": [("foo//x.py", b"")]}, ["foo//x.py: not a path"]),
    "dot": ({"extra_members": [("./x.py", b"")]}, ["./x.py: leads out of the wheel"]),
    "backslash": (
        {"extra_members": [("foo\\x.py", b"")]},
        ["foo\\x.py: a backslash or control character in the name"],
    ),
    "line feed": (
        {"extra_members": [("foo\nx.py", b"")]},
        ["'foo\\nx.py': a backslash or control character in the name"],
    ),
    "symbolic link": (
        {"extra_members": [(member("link", stat.S_IFLNK | 0o777), b"/etc/passwd")]},
        ["link: a symbolic link"],
    ),
    "device": ({"extra_members": [(member("tty", stat.S_IFCHR | 0o666), b"")]}, ["tty: not a regular file"]),
    "compression": (
        {"extra_members": [(member("x.py", compress_type=zipfile.ZIP_BZIP2), b"")]},
        ["x.py: compressed with method 12; wheels are stored or deflated"],
    ),
    "case": (
        {"files": {"a.py": "", "A.py": ""}},
        ["A.py: lands where a.py does, or differs only by case or Unicode form"],
    ),
    "Unicode form": (
        {"files": {"\u00e9.py": "", "e\u0301.py": ""}},
        ["e\u0301.py: lands where \u00e9.py does, or differs only by case or Unicode form"],
    ),
    "two places for one": (
        {"files": {"a.py": ""}, "data": {"purelib": {"a.py": ""}}},
        ["foo-1.0.data/purelib/a.py: lands where a.py does, or differs only by case or Unicode form"],
    ),
    "two ways to bin": (
        {"data": {"scripts": {"x": ""}, "data": {"bin": {"x": ""}}}},
        ["foo-1.0.data/data/bin/x: lands where foo-1.0.data/scripts/x does, or differs only by case or Unicode form"],
    ),
    "file and folder": (
        {"files": {"a": ""}, "data": {"purelib": {"a": {"b.py": ""}}}},
        ["a: a file where foo-1.0.data/purelib/a/b.py needs a folder"],
    ),
    "two dist-infos": (
        {"files": {"bar-1.0.dist-info": {"METADATA": ""}}},
        [
            "bar-1.0.dist-info: not the name and version of the wheel, foo 1.0",
            "it must have one .dist-info folder, found bar-1.0.dist-info, foo-1.0.dist-info",
        ],
    ),
    "two data folders": (
        {"files": {"Foo-1.0.data": {"scripts": {"a": ""}}}, "data": {"scripts": {"b": ""}}},
        ["it must have one .data folder at most, found Foo-1.0.data, foo-1.0.data"],
    ),
    "another's data": (
        {"data": {"scripts": {"b": ""}}, "data_dir": "bar-1.0.data"},
        ["bar-1.0.data: not the name and version of the wheel, foo 1.0"],
    ),
    "another's dist-info": (
        {"dist_info": "bar-1.0.dist-info"},
        ["bar-1.0.dist-info: not the name and version of the wheel, foo 1.0"],
    ),
    "another version's dist-info": (
        {"dist_info": "foo-1.1.dist-info"},
        ["foo-1.1.dist-info: not the name and version of the wheel, foo 1.0"],
    ),
    "no dist-info": ({"dist_info": "foo-1.0.info"}, ["it must have one .dist-info folder, found none"]),
    "unknown scheme": (
        {"data": {"stdlib": {"os.py": ""}}},
        ["foo-1.0.data/stdlib/os.py: not in a folder of data, headers, platlib, purelib, scripts"],
    ),
    "Wheel-Version": ({"wheel_version": "2.0"}, ["WHEEL: Wheel-Version is '2.0'; versions 1.x are known"]),
    "no Wheel-Version": ({"wheel_version": ""}, ["WHEEL: Wheel-Version is ''; versions 1.x are known"]),
    "entry points are no text": (
        {"dist_info_files": {"entry_points.txt": b"\xff"}},
        [f"{INFO}/entry_points.txt: not UTF-8 at byte 0"],
    ),
    "file name": ({"filename": "foo.whl"}, ["its file name is not one of a wheel"]),
    "several at once": (
        {"wheel_version": "3", "extra_members": [("x.py", b"")]},
        [
            "WHEEL: Wheel-Version is '3'; versions 1.x are known",
            "x.py: in the archive, but not in RECORD",
        ],
    ),
    "several hashes": (
        {
            "edit_record": lambda rows: (
                [[path, record_hash(b"x") if signed else "", "99"] for path, signed, _ in rows[:2]] + rows[2:]
            )
        },
        [
            "foo/__init__.py: its sha256 is not the one in RECORD",
            "foo/__init__.py: it has 6 bytes, and 99 in RECORD",
            "foo.pth: its sha256 is not the one in RECORD",
            "foo.pth: it has 11 bytes, and 99 in RECORD",
        ],
    ),
    "several sizes": (
        {"edit_record": lambda rows: [[path, signed, "1"] for path, signed, _ in rows[:2]] + rows[2:]},
        ["foo/__init__.py: it has 6 bytes, and 1 in RECORD", "foo.pth: it has 11 bytes, and 1 in RECORD"],
    ),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("options", "expected"), UNSOUND.values(), ids=UNSOUND.keys())
def test_what_is_unsound(make_wheel: MakeWheel, tmp_path: Path, options: dict[str, Any], expected: list[str]) -> None:
    path = make_wheel("foo", "1.0", **{"files": FILES, **options})
    assert list(problems(path, tmp_path / "out")) == expected
    assert not (tmp_path / "evil.py").exists()


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("bar", "1.0", ["METADATA: the name is 'bar', not the wheel's, foo"]),
        ("foo", "1.1", ["METADATA: the version is '1.1', not the wheel's, 1.0"]),
        ("foo", "one", ["METADATA: the version is 'one', not the wheel's, 1.0"]),
    ],
)
def test_metadata_of_another(
    make_wheel: MakeWheel, tmp_path: Path, name: str, version: str, expected: list[str]
) -> None:
    path = make_wheel(name, version, dist_info=INFO, filename="foo-1.0-py3-none-any.whl")
    assert list(problems(path, tmp_path / "out")) == expected


@pytest.mark.parametrize(
    "options",
    [
        {"wheel_version": "1.9"},
        {"edit_record": edited("foo.pth", record_hash(b"import foo\n", "sha512"), "11")},
        {"edit_record": edited("foo.pth", record_hash(b"import foo\n"), "")},
        {"edit_record": added("foo.pth", record_hash(b"import foo\n"), "11")},
        {"edit_record": dropped(f"{INFO}/RECORD")},
        {"extra_members": [(f"{INFO}/RECORD.jws", b"{}"), ("empty/", b"")]},
        {"compression": zipfile.ZIP_STORED},
        {"build_tag": "2"},
        {"files": {"Foo": {"a.py": ""}, "foo": {"b.py": ""}}},
    ],
)
def test_what_is_sound_all_the_same(make_wheel: MakeWheel, tmp_path: Path, options: dict[str, Any]) -> None:
    path = make_wheel("foo", "1.0", **{"files": FILES, **options})
    with WheelFile.open(path) as wheel:
        unpack(wheel, tmp_path / "out")
    assert (tmp_path / "out" / "site-packages" / INFO / "RECORD").is_file()
    assert not list(tmp_path.rglob("RECORD.jws"))


def test_an_encrypted_member(make_wheel: MakeWheel, tmp_path: Path) -> None:
    path = make_wheel("foo", "1.0", FILES)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    assert problems(path, tmp_path / "out") == ("foo/__init__.py: encrypted",)


def test_a_name_cut_by_nul(make_wheel: MakeWheel, tmp_path: Path) -> None:
    path = make_wheel("foo", "1.0", {"abcde.py": ""})
    path.write_bytes(path.read_bytes().replace(b"abcde.py", b"a.py\0.py"))
    assert problems(path, tmp_path / "out") == (r"'a.py\x00.py': a backslash or control character in the name",)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 17])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foo-1.0-py3-none-any.whl"
    path.write_bytes(content)
    (found,) = problems(path, tmp_path / "out")
    assert found.startswith("it is not a whole zip archive: ")


def test_an_empty_archive(tmp_path: Path) -> None:
    path = tmp_path / "foo-1.0-py3-none-any.whl"
    path.write_bytes(b"PK\x05\x06" + b"\0" * 18)
    assert problems(path, tmp_path / "out") == ("it must have one .dist-info folder, found none",)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), WheelFile.open(tmp_path / "foo-1.0-py3-none-any.whl"):
        pass


def test_a_damaged_member(make_wheel: MakeWheel, tmp_path: Path) -> None:
    path = make_wheel("foo", "1.0", {"a.py": "x" * 1000, "b.py": "1" * 1000}, compression=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"x" * 1000, b"x" * 999 + b"z").replace(b"1" * 1000, b"2" * 1000))
    assert problems(path, tmp_path / "out") == (
        "a.py: damaged: Bad CRC-32 for file 'a.py'",
        "b.py: damaged: Bad CRC-32 for file 'b.py'",
    )


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("sound")
    data: dict[str, Tree] = {"scripts": {"run": "#!python\n"}, "data": {"share": {"x": "y" * 100}}}
    return build_wheel(folder, "foo", "1.0", FILES, data=data).read_bytes()


def test_what_is_larger_than_it_may_be_is_not_written(make_wheel: MakeWheel, tmp_path: Path) -> None:
    path = make_wheel(
        "foo",
        "1.0",
        files={"large.bin": b"\0" * 10_000_000},
        edit_record=lambda rows: [[*row[:2], "5"] if row[0] == "large.bin" else row for row in rows],
    )
    folder = tmp_path / "out"
    with WheelFile.open(path) as wheel, pytest.raises(InvalidWheel) as caught:
        unpack(wheel, folder)
    assert caught.value.problems == ("large.bin: it has 10000000 bytes, and 5 in RECORD",)
    assert not (folder / "site-packages" / "large.bin").exists()


def try_to_unpack(path: Path, folder: Path) -> bool:
    """Return whether the wheel is sound; whatever else than InvalidWheel it raises fails the test."""
    try:
        with WheelFile.open(path) as wheel:
            unpack(wheel, folder)
    except InvalidWheel:
        return False
    return True


def test_a_truncated_wheel(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foo-1.0-py3-none-any.whl"
    for length in range(0, len(sound), 7):
        path.write_bytes(sound[:length])
        assert not try_to_unpack(path, tmp_path / str(length))


def test_a_damaged_wheel(sound: bytes, tmp_path: Path) -> None:
    # Any byte may be another; what still is unpacked has the content that RECORD says.
    path, chance = tmp_path / "foo-1.0-py3-none-any.whl", random.Random(1)
    for attempt in range(1500):
        content = bytearray(sound)
        for _ in range(chance.choice((1, 1, 2, 8))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        folder = tmp_path / str(attempt)
        if try_to_unpack(path, folder):
            assert (folder / "site-packages" / "foo" / "__init__.py").read_text() == "x = 1\n"


def test_sizes_that_lie(make_wheel: MakeWheel, tmp_path: Path) -> None:
    path = make_wheel("foo", "1.0", {"a.py": bytes(100_000)})
    content = path.read_bytes()
    at = content.index(b"PK\x01\x02")
    lying = content[: at + 24] + struct.pack("<I", 10) + content[at + 28 :]
    path.write_bytes(lying)
    assert problems(path, tmp_path / "out")[0].startswith("a.py: ")
