from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.content import (
    ContentFile,
    Exclusions,
    build_name,
    content_digest,
    interpreter_line,
    landing,
    script_names,
    starts_as_python,
)
from multisite.errors import InvalidDocument
from multisite.installed import installed_digest
from multisite.store import Artifact, Store
from tests.builders import write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import MakeWheel

ENTRY_POINTS = "[console_scripts]\nfoo = foo:main\n[gui_scripts]\nfoow=foo:main\n[other]\nbar = foo\n"


def content(path: str, *, scheme: str = "site", sha256: str = "0" * 64, size: int = 1) -> ContentFile:
    return ContentFile(scheme=scheme, path=path, sha256=sha256, size=size)


class TestDigest:
    def test_is_what_the_format_says(self) -> None:
        # Written out with sha256sum, so that no change of the code can change the format unnoticed.
        files = [content("b.py", sha256="1" * 64, size=12), content("foo", scheme="scripts", size=0)]
        assert content_digest(files) == "cb761ae0972a3a255e88a1db488fef3602e08e68b177ea79e85487271d38a595"

    @given(st.lists(st.text(min_size=1), unique=True), st.randoms())
    def test_the_order_of_files_means_nothing(self, paths: list[str], random: Any) -> None:
        files = [content(path) for path in paths]
        shuffled = list(files)
        random.shuffle(shuffled)
        assert content_digest(files) == content_digest(shuffled)

    @pytest.mark.parametrize(
        "other", [content("b"), content("a", scheme="data"), content("a", sha256="1" * 64), content("a", size=2)]
    )
    def test_everything_else_does(self, other: ContentFile) -> None:
        assert content_digest([content("a")]) != content_digest([other])


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["py3-none-any"], "py3-none-any"),
        (["py3-none-any", "py2-none-any"], "py2.py3-none-any"),
        (["py2.py3-none-any"], "py2.py3-none-any"),
        (
            ["cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64"],
            "cp311-cp311-manylinux2014_x86_64",
        ),
        ([], "any"),
        (["nonsense"], "any"),
        (["../..-x-y"], "x-y"),
        (["PY3-none-any/../x"], "py3-none-any_.._x"),
    ],
)
def test_build_name(tags: list[str], expected: str) -> None:
    assert build_name(tags, "0123456789abcdef" * 4) == f"{expected}-0123456789abcdef"


@pytest.mark.parametrize(
    ("scheme", "path", "expected"),
    [
        ("purelib", "a.py", ("site", "a.py")),
        ("platlib", "a.py", ("site", "a.py")),
        ("data", "share/x", ("data", "share/x")),
        ("data", "bin/x", ("scripts", "x")),
        ("data", "binary/x", ("data", "binary/x")),
        ("scripts", "bin/x", ("scripts", "bin/x")),
    ],
)
def test_landing(scheme: str, path: str, expected: tuple[str, str]) -> None:
    assert landing(scheme, path) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, set()),
        ("", set()),
        (ENTRY_POINTS, {"foo", "foow"}),
        ("[console_scripts]\n# a = b\n\n  b = c\n", {"b"}),
        ("a = b\n[console_scripts]\r\nc=d [extra]\r\n", {"c"}),
    ],
)
def test_script_names(text: str | None, expected: set[str]) -> None:
    assert script_names(text) == expected


class TestExclusions:
    LANDINGS = frozenset({("site", "m.py"), ("site", "pkg/a.b.py"), ("scripts", "tool.py")})

    @pytest.mark.parametrize(
        ("scheme", "path", "expected"),
        [
            ("site", "f-1.dist-info/METADATA", False),
            ("site", "f-1.dist-info/INSTALLER", True),
            ("site", "f-1.dist-info/REQUESTED", True),
            ("site", "f-1.dist-info/RECORD", True),
            ("site", "f-1.dist-info/RECORD.jws", True),
            ("site", "f-1.dist-info/direct_url.json", True),
            ("site", "f-1.dist-info/uv_cache.json", True),
            ("site", "f-1.dist-info/licenses/RECORD", False),
            ("site", "other/RECORD", False),
            ("site", "foo", False),
            ("data", "foo", False),
            ("scripts", "foo", True),
            ("scripts", "foo.exe", True),
            ("scripts", "Foo.exe", False),
            ("scripts", "foo.EXE", True),
            ("scripts", "foo-script.py", True),
            ("scripts", "foow-script.pyw", True),
            ("scripts", "foo.exe.manifest", True),
            ("scripts", "foo.pya", True),
            ("scripts", "sub/foo", True),
            ("scripts", "bar", False),
            ("scripts", "foo.sh", False),
            ("scripts", "pip3.11", False),
            ("site", "__pycache__/m.cpython-311.pyc", True),
            ("site", "__pycache__/m.cpython-311.opt-1.pyc", True),
            ("site", "__pycache__/m.cpython-311-pytest-8.3.4.pyc", True),
            ("site", "pkg/__pycache__/a.b.cpython-311.pyc", True),
            ("scripts", "__pycache__/tool.cpython-311.pyc", True),
            ("data", "__pycache__/m.cpython-311.pyc", False),
            ("site", "__pycache__/gone.cpython-311.pyc", False),
            ("site", "__pycache__/m.txt", False),
            ("site", "m.pyc", False),
        ],
    )
    def test_what_is_left_out(self, scheme: str, path: str, expected: bool) -> None:
        excluded = Exclusions(dist_info="f-1.dist-info", entry_points=ENTRY_POINTS, landings=self.LANDINGS)
        assert ((scheme, path) in excluded) is expected

    @pytest.mark.parametrize(
        ("entry_point", "name", "expected"),
        [
            ("pip", "pip3.11", True),
            ("pip", "pip3", True),
            ("pip", "pip-x", False),
            ("easy_install", "easy_install-3.11", True),
            ("easy_install", "easy_install-x", False),
        ],
    )
    def test_what_pip_names_after_the_interpreter(self, entry_point: str, name: str, expected: bool) -> None:
        points = f"[console_scripts]\n{entry_point} = a:b\n"
        excluded = Exclusions(dist_info="f-1.dist-info", entry_points=points, landings=())
        assert (("scripts", name) in excluded) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"#!/v/bin/python\nrest", ("/v/bin/python", 16)),
        (b"#!/v/bin/python3.11 -sE\r\nrest", ("/v/bin/python3.11 -sE", 25)),
        (b"#!/v/bin/python", None),
        (b"import os\n", None),
        (b"", None),
        (b"\x7fELF", None),
        (b"#!/bin/sh\necho\n", ("/bin/sh", 10)),
        (b"#!/bin/sh\n'''exec' /v/bin/python \"$0\" \"$@\"\n' '''\nrest", ("/v/bin/python", 49)),
        (b"#!/bin/sh\n'''exec' '/a b/bin/python' \"$0\" \"$@\"\n' '''\nrest", ("/a b/bin/python", 53)),
        (b"#!/bin/sh\n'''exec' '/it'\"'\"'s/bin/python' \"$0\" \"$@\"\n' '''\nx", ("/it's/bin/python", 58)),
        (
            b"#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\nrest",
            ("./python", 82),
        ),
    ],
)
def test_interpreter_line(head: bytes, expected: tuple[str, int] | None) -> None:
    assert interpreter_line(head) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"#!python\n", True),
        (b"#!pythonw\r\n", True),
        (b"#!python -sE", True),
        (b"#! python\n", False),
        (b"#!/usr/bin/python\n", False),
    ],
)
def test_starts_as_python(line: bytes, expected: bool) -> None:
    assert starts_as_python(line) is expected


# Each is a wheel of its own; what an installer makes of it must have the wheel's digest.
SCRIPT = b"import sys\nprint(sys.prefix)\n"
WHEELS: dict[str, dict[str, Any]] = {
    "plain": {"files": {"plain": {"__init__.py": "x = 1\n"}}},
    "console-scripts": {
        "files": {"console.py": "def main(): pass\n"},
        "entry_points": {
            "console_scripts": {"console-a": "console:main"},
            "gui_scripts": {"console-b": "console:main"},
        },
    },
    "every-scheme": {
        "files": {"every.py": ""},
        "data": {
            "purelib": {"every_pure": {"__init__.py": ""}},
            "platlib": {"every_plat.py": "y = 2\n"},
            "scripts": {"every.sh": "#!/bin/sh\necho\n", "every-py": b"#!python\n" + SCRIPT},
            "headers": {"every": {"every.h": "#define X\n"}, "top.h": ""},
            "data": {"share": {"every": {"x.txt": "x\n"}}, "etc": {"every.conf": b"\0\r\n"}},
        },
    },
    "first-lines": {
        "data": {
            "scripts": {
                "first-args": b"#!python -sE\n" + SCRIPT,
                "first-w": b"#!pythonw\n" + SCRIPT,
                "first-crlf": b"#!python\r\nprint()\r\n",
                "first-3": b"#!python3\n" + SCRIPT,
                "first-empty": b"",
                "first-binary": bytes(range(256)) * 300,
                "first-env": b"#!/usr/bin/env python\n" + SCRIPT,
                "first.py": b"#!python\n" + SCRIPT,
            }
        },
        "executable": ["first_lines-1.0.data/scripts/first-binary"],
    },
    "data-in-bin": {"data": {"data": {"bin": {"data-in-bin": b"\x7fELF", "data-py": b"#!/usr/bin/python\n"}}}},
    "bytecode": {
        "files": {
            "bytecode": {
                "__init__.py": "z = 3\n",
                "__pycache__": {"__init__.cpython-311.pyc": b"old", "__init__.cpython-39.opt-1.pyc": b"old"},
                "sourceless.pyc": b"bytecode",
            }
        }
    },
    "wrappers": {
        "files": {"wrappers.py": "def main(): pass\n"},
        "data": {"scripts": {"wrapped": b"#!python\nold\n", "wrapped.pya": b"old", "unwrapped": b"#!python\nnew\n"}},
        "entry_points": {"console_scripts": {"wrapped": "wrappers:main"}},
    },
    "own-files": {
        "files": {"own.py": ""},
        "dist_info_files": {"INSTALLER": "somebody\n", "REQUESTED": "", "licenses": {"LICENSE": "free\n"}},
    },
    "Odd_Names.here": {
        "files": {"odd.py": ""},
        "data": {"headers": {"odd.h": ""}, "scripts": {"odd": b"#!python\n"}},
        "dist_info": "Odd_Names.here-1.0.dist-info",
        "data_dir": "Odd_Names.here-1.0.data",
        "filename": "odd_names_here-1.0-py3-none-any.whl",
    },
    "unicode": {"files": {"unicode_": {"__init__.py": "", "дані.txt": "\u2028", 'a,b "c".txt': ""}}},
}


def make_environment(folder: Path) -> Path:
    from uv import find_uv_bin

    subprocess.run([find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    return folder


@pytest.fixture(scope="session")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an interpreter that has pip."""
    folder = tmp_path_factory.mktemp("pip") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder / "bin" / "python"


def by_pip(environment: Path, wheels: list[Path], pip: Path) -> None:
    command = [str(pip), "-m", "pip", "--python", str(environment / "bin" / "python"), "--disable-pip-version-check"]
    options = ["install", "--quiet", "--no-index", "--no-deps", "--no-cache-dir", "--no-warn-script-location"]
    subprocess.run([*command, *options, *map(str, wheels)], check=True)


def by_uv(environment: Path, wheels: list[Path], pip: Path) -> None:
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", "install", "--python", str(environment / "bin" / "python"), "--quiet"]
    options = ["--no-index", "--no-deps", "--offline", "--no-cache"]
    subprocess.run([*command, *options, *map(str, wheels)], check=True)


def digests(store: Store, wheels: list[Path]) -> dict[str, str]:
    added = [store.add_wheel(wheel, artifact=Artifact.of(wheel)).manifest for wheel in wheels]
    return {manifest.dist_info: manifest.digest for manifest in added}


def site_packages(environment: Path) -> Path:
    return next((environment / "lib").glob("python*/site-packages"))


posix = pytest.mark.skipif(os.name == "nt", reason="the layout of POSIX")


@posix
@pytest.mark.parametrize("installer", [by_pip, by_uv])
@pytest.mark.parametrize(
    "folder",
    ["venv", "a folder with spaces", "it's", f"{'long' * 40}/venv"],
    ids=["plain", "spaces", "quote", "too-long-for-a-kernel"],
)
def test_what_installers_make_of_a_wheel_has_its_digest(
    tmp_path: Path,
    make_wheel: MakeWheel,
    store: Store,
    pip: Path,
    installer: Callable[[Path, list[Path], Path], None],
    folder: str,
) -> None:
    wheels = [make_wheel(name, **options) for name, options in WHEELS.items()]
    environment = make_environment(tmp_path / folder)
    installer(environment, wheels, pip)
    site = site_packages(environment)
    expected = digests(store, wheels)
    assert {info: installed_digest(site, info, environment) for info in expected} == expected


@posix
def test_an_environment_may_be_looked_at_through_a_link(
    tmp_path: Path, make_wheel: MakeWheel, store: Store, pip: Path
) -> None:
    wheels = [make_wheel("every-scheme", **WHEELS["every-scheme"])]
    environment = make_environment(tmp_path / "venv")
    by_uv(environment, wheels, pip)
    (tmp_path / "link").symlink_to("venv")
    seen = tmp_path / "link"
    expected = digests(store, wheels)
    assert {info: installed_digest(site_packages(seen), info, seen) for info in expected} == expected


@posix
def test_every_change_is_seen(tmp_path: Path, make_wheel: MakeWheel, store: Store, pip: Path) -> None:
    wheels = [make_wheel("every-scheme", **WHEELS["every-scheme"])]
    environment = make_environment(tmp_path / "venv")
    by_uv(environment, wheels, pip)
    site, (info, digest) = site_packages(environment), next(iter(digests(store, wheels).items()))
    changed = [
        site / "every.py",
        site / info / "METADATA",
        environment / "bin" / "every-py",
        environment / "bin" / "every.sh",
        environment / "share" / "every" / "x.txt",
        *(environment / "include" / "site").rglob("top.h"),
    ]
    assert len(changed) == 6
    for path in changed:
        before = path.read_bytes()
        path.write_bytes(before + b"#")
        assert installed_digest(site, info, environment) != digest, path
        path.write_bytes(before)
    assert installed_digest(site, info, environment) == digest


class TestInstalledTreesThatAreDamaged:
    RECORD = "f.py,,\n../../../bin/f,,\nf-1.dist-info/RECORD,,\n"

    def tree(self, tmp_path: Path, record: str | None) -> tuple[Path, str, Path]:
        prefix = tmp_path / "v"
        info = {} if record is None else {"RECORD": record}
        site = write_tree(prefix / "lib" / "python3.11" / "site-packages", {"f-1.dist-info": info, "f.py": ""})
        return site, "f-1.dist-info", prefix

    def test_what_is_missing(self, tmp_path: Path) -> None:
        site, info, prefix = self.tree(tmp_path, self.RECORD)
        with pytest.raises(InvalidDocument) as caught:
            installed_digest(site, info, prefix)
        assert caught.value.problems == (f"{prefix / 'bin' / 'f'}: missing",)

    def test_what_is_outside(self, tmp_path: Path) -> None:
        site, info, prefix = self.tree(tmp_path, "../../../../x,,\n/etc/passwd,,\nf.py,,\n")
        with pytest.raises(InvalidDocument) as caught:
            installed_digest(site, info, prefix)
        assert caught.value.problems == (f"{tmp_path / 'x'}: not in {prefix}", f"/etc/passwd: not in {prefix}")

    @pytest.mark.parametrize("record", [None, "f.py\n"])
    def test_what_has_no_record(self, tmp_path: Path, record: str | None) -> None:
        site, info, prefix = self.tree(tmp_path, record)
        with pytest.raises(InvalidDocument, match="RECORD"):
            installed_digest(site, info, prefix)


def test_the_digest_does_not_depend_on_the_archive(make_wheel: MakeWheel, store: Store, tmp_path: Path) -> None:
    wheel = make_wheel("plain", **WHEELS["plain"])
    other = tmp_path / "stored" / wheel.name
    other.parent.mkdir()
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(other, "w", zipfile.ZIP_STORED) as target:
        for name in reversed(source.namelist()):
            target.writestr(name, source.read(name))
    assert digests(store, [wheel]) == digests(store, [other])
    renamed = shutil.copy(wheel, tmp_path / "plain-1.0-7-py2.py3-none-any.whl")
    assert digests(store, [wheel]) == digests(store, [tmp_path / "plain-1.0-7-py2.py3-none-any.whl"])
    assert renamed
