from __future__ import annotations

import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from multisite.entry import describe
from multisite.headers import read_native
from multisite.native import Native, Search, linked
from multisite.store import Artifact, Store
from tests.builders import write_tree
from tests.native_files import elf, fat_macho, macho, pe

if TYPE_CHECKING:
    from conftest import MakeWheel
    from tests.builders import Tree


def native_of(folder: Path, content: bytes, path: str = "a/x") -> Native:
    write_tree(folder, {path: content})
    return read_native({path: folder / path})


def search(folders: str, names: str, *, chained: bool = True) -> Search:
    return Search(folders=tuple(folders.split()), names=tuple(names.split()), chained=chained)


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("order", ["<", ">"])
class TestElf:
    def test_what_it_needs_and_where(self, tmp_path: Path, bits: int, order: str) -> None:
        content = elf(["liby.so.1", "libc.so.6"], runpath="$ORIGIN/../b/lib:/usr/lib", bits=bits, order=order)
        assert native_of(tmp_path, content) == Native(
            files=("a/x",), searches=(search("b/lib", "libc.so.6 liby.so.1", chained=False),)
        )

    def test_folders_that_serve_others(self, tmp_path: Path, bits: int, order: str) -> None:
        content = elf(["liby.so.1"], rpath="$ORIGIN/../b", bits=bits, order=order)
        assert native_of(tmp_path, content).searches == (search("b", "liby.so.1"),)

    def test_one_that_needs_nothing(self, tmp_path: Path, bits: int, order: str) -> None:
        assert native_of(tmp_path, elf(bits=bits, order=order)) == Native(files=("a/x",))

    def test_a_table_far_into_a_large_file(self, tmp_path: Path, bits: int, order: str) -> None:
        """What is not the header is not read: the file is larger than there is memory."""
        content = elf(["liby.so.1"], rpath="$ORIGIN/../b", bits=bits, order=order)
        write_tree(tmp_path, {"a/x": content})
        with (tmp_path / "a" / "x").open("r+b") as file:
            file.truncate(1 << 40)
        assert read_native({"a/x": tmp_path / "a" / "x"}).searches == (search("b", "liby.so.1"),)


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("order", ["<", ">"])
def test_macho(tmp_path: Path, bits: int, order: str) -> None:
    needed = ["@rpath/liby.dylib", "@loader_path/../b/libz.dylib", "/usr/lib/libSystem.B.dylib"]
    content = macho(needed, rpaths=["@loader_path/../b"], weak=["@rpath/libweak.dylib"], bits=bits, order=order)
    expected = (search("b", "libz.dylib", chained=False), search("b", "libweak.dylib liby.dylib"))
    assert native_of(tmp_path, content).searches == expected
    both = fat_macho(macho(["@rpath/liby.dylib"], rpaths=["@loader_path/../c"]), content)
    assert native_of(tmp_path, both).searches == (*expected, search("c", "liby.dylib"))


def test_pe(tmp_path: Path) -> None:
    content = pe(["Y.dll", "KERNEL32.dll"], delayed=["Late.DLL"])
    assert native_of(tmp_path, content, "A/X.pyd") == Native(
        files=("a/x.pyd",), searches=(search("a", "kernel32.dll late.dll y.dll"),)
    )
    assert native_of(tmp_path, pe(), "x.exe") == Native(files=("x.exe",))


SOUND = {
    "elf": elf(["liby.so.1"], rpath="$ORIGIN/../b"),
    "macho": macho(["@rpath/liby.dylib"], rpaths=["@loader_path/../b"]),
    "fat": fat_macho(macho(["@rpath/liby.dylib"], rpaths=["@loader_path/../b"])),
    "pe": pe(["y.dll"]),
}


@pytest.mark.parametrize("kind", SOUND)
def test_a_damaged_header_says_nothing_and_does_no_harm(tmp_path: Path, kind: str) -> None:
    content, chance = SOUND[kind], random.Random(kind)
    for number in range(60 if kind == "pe" else 400):
        damaged = bytearray(content[: chance.randrange(8, len(content) + 1)])
        for _ in range(chance.choice([0, 1, 2, 8])):
            damaged[chance.randrange(4, len(damaged))] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)])
        path = f"a/{number}"
        native = native_of(tmp_path, bytes(damaged), path)
        assert set(native.files) <= {path}


@pytest.mark.parametrize("kind", SOUND)
def test_a_cut_off_header_says_nothing(tmp_path: Path, kind: str) -> None:
    content = SOUND[kind]
    for length in range(4, len(content), 7 if kind in {"elf", "macho"} else 101):
        native_of(tmp_path, content[:length], f"a/{length}")
    # Up to where its tables lie, nothing is known.
    assert native_of(tmp_path, content[:100], "a/short").searches == ()


def test_only_native_files_are_named(tmp_path: Path) -> None:
    files: Tree = {
        "libx.so.1.2": elf(),
        "program": elf(),
        "text.so": "INPUT(libx.so.1.2)",
        "x.py": "",
        "A.class": bytes.fromhex("cafebabe 00000034"),
    }
    write_tree(tmp_path, {"a": files})
    paths = [f"a/{name}" for name in files]
    found = {path: tmp_path / path for path in (*paths, "a/missing.so")}
    assert read_native(found).files == ("a/libx.so.1.2", "a/program")


def test_an_entry_tells_what_its_wheel_brought(store: Store, make_wheel: MakeWheel) -> None:
    files: Tree = {
        "b": {
            "x.so": elf(["liby.so"], rpath="$ORIGIN/../c"),
            "__init__.py": "",
            "big": b"\x7fELF" + bytes(3 << 20),
        },
        "top.so": elf(["liby.so"], runpath="$ORIGIN/c"),
    }
    tool = elf(["liby.so"], rpath="$ORIGIN/../lib")
    library = elf(["libown.so", "libother.so"], rpath="$ORIGIN")
    data: dict[str, Tree] = {
        "scripts": {"tool": tool},
        "platlib": {"d": {"z": elf()}},
        "data": {"lib": {"libdata.so": library, "libown.so": elf()}, "share": {"text": ""}},
    }
    wheel = make_wheel("b", "1.0", files, data=data)
    found = store.add_wheel(wheel, artifact=Artifact.of(wheel))
    assert found.manifest.native == Native(
        files=("../../libdata.so", "../../libown.so", "b/big", "b/x.so", "d/z", "top.so"),
        searches=(search("../..", "libother.so"), search("c", "liby.so", chained=False), search("c", "liby.so")),
    )
    # Without the word of whoever unpacked it.
    assert describe(found.folder) == found.manifest


@pytest.fixture(scope="module")
def compiler() -> str:
    found = shutil.which("gcc") or shutil.which("cc")
    if found is None or sys.platform != "linux":
        pytest.skip("no C compiler for Linux on this machine")
    return found


@pytest.mark.parametrize(
    ("flags", "chained"), [(["-Wl,--enable-new-dtags"], False), (["-Wl,--disable-new-dtags"], True)]
)
def test_what_a_linker_makes(tmp_path: Path, compiler: str, flags: list[str], chained: bool) -> None:
    write_tree(tmp_path, {"y.c": "int y(void) { return 1; }", "x.c": "int y(void); int x(void) { return y(); }"})
    shared = [compiler, "-shared", "-fPIC"]
    subprocess.run([*shared, "y.c", "-Wl,-soname,liby.so.1", "-o", "liby.so.1"], cwd=tmp_path, check=True)
    path = ["-Wl,-rpath,$ORIGIN/../../b/lib", "-Wl,-rpath,/usr/lib"]
    subprocess.run([*shared, "x.c", "liby.so.1", *path, *flags, "-o", "x.so"], cwd=tmp_path, check=True)
    for command in ([], ["strip", "--strip-all"], ["objcopy", "--strip-section-headers"]):
        if command and (
            shutil.which(command[0]) is None
            or subprocess.run([*command, "x.so"], cwd=tmp_path, check=False, capture_output=True).returncode
        ):
            continue  # an older binutils
        content = (tmp_path / "x.so").read_bytes()
        (found,) = native_of(tmp_path, content, "a/lib/x.so").searches
        assert "liby.so.1" in found.names
        assert (found.folders, found.chained) == (("b/lib",), chained)


# Wheels whose headers say something, and who of them finds whom.
REAL = {
    "linux": ("--platform=manylinux_2_28_x86_64", ["shiboken6==6.9.*", "PySide6_Essentials==6.9.*"]),
    "macos": ("--platform=macosx_12_0_universal2", ["shiboken6==6.9.*", "PySide6_Essentials==6.9.*"]),
    "windows": ("--platform=win_amd64", ["shiboken6==6.9.*", "PySide6_Essentials==6.9.*"]),
}


@pytest.mark.index
@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("system", REAL)
def test_real_wheels(tmp_path: Path, system: str) -> None:
    platform, requirements = REAL[system]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--dest=."]
    done = subprocess.run(
        [*command, platform, "--python-version=3.11", *requirements],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"the index has no such wheels: {done.stderr.splitlines()[-1:]}")
    natives = []
    for wheel in sorted(tmp_path.glob("*.whl")):
        site = tmp_path / wheel.stem
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        found = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
        natives.append(read_native(found))
    essentials, shiboken = natives
    assert len(essentials.files) > 100
    assert {file.partition("/")[0] for file in shiboken.files} == {"shiboken6"}
    assert linked([essentials, shiboken]) == (set() if system == "windows" else {(0, 1)})
