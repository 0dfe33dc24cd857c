from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from multisite.building import Builder, source_key
from multisite.errors import BuildFailed
from multisite.lockfile import ArchiveSource, DirectorySource, Pinned, SdistSource, Source, VcsSource, WheelSource
from multisite.names import normalize
from tests.builders import Tree, write_tree

ZEROS = "0" * 64
# A backend that needs nothing: it writes a wheel by hand, with the tree's own file in it.
BACKEND = """\
import zipfile
def build_wheel(folder, settings=None, metadata=None):
    print("the backend speaks")
    name = open("wheel-name").read().strip()
    info = "-".join(name.split("-")[:2]) + ".dist-info"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.write("made.py")
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: made\\nVersion: 1\\n")
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", "")
    return name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
WHEEL = "made-1-py3-none-any.whl"
TREE: Tree = {
    "pyproject.toml": PYPROJECT,
    "backend.py": BACKEND,
    "made.py": "answer = 42\n",
    "wheel-name": WHEEL,
    "PKG-INFO": "Metadata-Version: 2.1\nName: made\nVersion: 1\n",
}


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.lock_folder = tmp_path
        self.folder = tmp_path / "out"
        self.folder.mkdir()
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.builder = Builder(
            program=find_uv_bin,
            environ=kept | {"UV_CACHE_DIR": str(tmp_path / "uv-cache")},
            python=Path(sys.executable),
            python_key="cpython-3.11.7-x",
            offline=True,
        )

    def build(self, source: Source, archive: Path | None = None, version: str | None = "1") -> Path:
        pinned = Pinned(name=normalize("made"), version=version, source=source, index=None)
        return self.builder.build(pinned, self.folder, relative_to=self.lock_folder, archive=archive)

    def refusal(self, source: Source, archive: Path | None = None, version: str | None = "1") -> str:
        with pytest.raises(BuildFailed) as caught:
            self.build(source, archive, version)
        assert list(self.folder.iterdir()) == []
        return str(caught.value)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def sdist(**facts: Any) -> SdistSource:
    given: dict[str, Any] = {"filename": "made-1.tar.gz", "url": None, "path": None, "size": None}
    return SdistSource(**(given | {"hashes": {"sha256": ZEROS}} | facts))


def archive(**facts: Any) -> ArchiveSource:
    given: dict[str, Any] = {"filename": "main.zip", "url": None, "path": None, "size": None, "subdirectory": None}
    return ArchiveSource(**(given | {"hashes": {"sha256": ZEROS}} | facts))


def directory(path: str = "tree", subdirectory: str | None = None) -> DirectorySource:
    return DirectorySource(path=path, editable=False, subdirectory=subdirectory)


def vcs(**facts: Any) -> VcsSource:
    given: dict[str, Any] = {"type": "git", "url": None, "path": None, "requested_revision": None, "commit": "0" * 40}
    return VcsSource(**(given | {"subdirectory": None} | facts))


def pack(path: Path, tree: Path, prefix: str) -> Path:
    """Pack a tree as its name's ending says, under a folder ``prefix``."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as file:
            for member in sorted(tree.rglob("*")):
                file.write(member, Path(prefix) / member.relative_to(tree))
    else:
        with tarfile.open(path, "w:gz") as tar:
            tar.add(tree, prefix)
    return path


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=x", "-c", "user.email=x@index.test", "-c", "protocol.file.allow=always"]
    command = ["git", *settings, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def repository(folder: Path, tree: Tree) -> str:
    write_tree(folder, tree)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "one")
    return git(folder, "rev-parse", "HEAD")


def content(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as file:
        return file.read("made.py").decode()


def test_an_sdist_is_built(bench: Bench, tmp_path: Path) -> None:
    packed = pack(tmp_path / "made-1.tar.gz", write_tree(tmp_path / "tree", TREE), "made-1")
    wheel = bench.build(sdist(), packed)
    assert wheel == bench.folder / WHEEL
    assert content(wheel) == "answer = 42\n"
    assert [path.name for path in bench.folder.iterdir()] == [WHEEL]


@pytest.mark.parametrize("name", ["main.zip", "v1.0.tar.gz"])
@pytest.mark.parametrize("subdirectory", [None, "python/made"])
def test_an_archive_of_any_name_is_built(bench: Bench, tmp_path: Path, name: str, subdirectory: str | None) -> None:
    tree = tmp_path / "tree"
    write_tree(tree / (subdirectory or "."), TREE)
    packed = pack(tmp_path / name, tree, "made-main")
    assert content(bench.build(archive(filename=name, subdirectory=subdirectory), packed)) == "answer = 42\n"


@pytest.mark.parametrize("subdirectory", [None, "python"])
def test_a_folder_is_built(bench: Bench, tmp_path: Path, subdirectory: str | None) -> None:
    write_tree(tmp_path / "tree" / (subdirectory or "."), TREE)
    assert content(bench.build(directory(subdirectory=subdirectory), version=None)) == "answer = 42\n"


@pytest.mark.parametrize("address", ["path", "url", "git+url"])
def test_the_pinned_commit_is_built(bench: Bench, tmp_path: Path, address: str) -> None:
    folder = tmp_path / "repository"
    commit = repository(folder, TREE)
    write_tree(folder, {"made.py": "answer = 43\n"})
    git(folder, "commit", "--quiet", "--all", "--message", "two")
    facts = {
        "path": {"path": "repository"},
        "url": {"url": folder.as_uri()},
        "git+url": {"url": f"git+{folder.as_uri()}"},
    }
    assert content(bench.build(vcs(commit=commit, **facts[address]))) == "answer = 42\n"


def test_a_commit_of_no_branch_is_asked_for_by_its_hash(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    repository(folder, TREE)
    write_tree(folder, {"made.py": "answer = 43\n"})
    git(folder, "commit", "--quiet", "--all", "--message", "two")
    lost = git(folder, "rev-parse", "HEAD")
    git(folder, "reset", "--quiet", "--hard", "HEAD~1")
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    assert content(bench.build(vcs(commit=lost, url=folder.as_uri()))) == "answer = 43\n"


def test_a_hook_s_repository_is_not_meant(bench: Bench, tmp_path: Path) -> None:
    commit = repository(tmp_path / "repository", TREE)
    repository(tmp_path / "other", {"x": "1"})
    environ = dict(bench.builder.environ) | {"GIT_DIR": str(tmp_path / "other" / ".git"), "GIT_INDEX_FILE": "x"}
    bench.builder = Builder(
        program=bench.builder.program, environ=environ, python=bench.builder.python, python_key="x", offline=True
    )
    assert content(bench.build(vcs(commit=commit, path="repository"))) == "answer = 42\n"


def test_a_failing_build_shows_its_output_whole(bench: Bench, tmp_path: Path) -> None:
    backend = "def build_wheel(*_):\n    print('first words')\n    raise RuntimeError('last words')\n"
    write_tree(tmp_path / "tree", {**TREE, "backend.py": backend})
    sentence = bench.refusal(directory())
    assert sentence.startswith("made 1: building a wheel failed:\n")
    assert "first words" in sentence
    assert "RuntimeError: last words" in sentence


@pytest.mark.parametrize(
    ("wheel", "version", "made"),
    [
        ("other-1-py3-none-any.whl", "1", "other-1-py3-none-any.whl"),
        ("made-2-py3-none-any.whl", "1", "made-2-py3-none-any.whl"),
        ("other-1-py3-none-any.whl", None, "other-1-py3-none-any.whl"),
    ],
)
def test_another_distribution_than_the_pinned_is_refused(
    bench: Bench, tmp_path: Path, wheel: str, version: str | None, made: str
) -> None:
    write_tree(tmp_path / "tree", {**TREE, "wheel-name": wheel})
    assert bench.refusal(directory(), version=version).endswith(f"\nit made {made}")


def test_what_cannot_be_built_says_why(bench: Bench, tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", {"inner": {}})
    (tmp_path / "tree" / "out").symlink_to(tmp_path)
    (tmp_path / "junk.zip").write_bytes(b"junk")
    failed = "made 1: building a wheel failed:\n"
    assert bench.refusal(directory("lost")) == f"{failed}{tmp_path}/lost: no such folder"
    assert bench.refusal(directory(subdirectory="lost")) == f"{failed}{tmp_path}/tree/lost: no such folder"
    assert bench.refusal(directory(subdirectory="out")) == f"{failed}out: leads out of the source"
    assert bench.refusal(vcs(type="hg", url="x")) == f"{failed}repositories of hg are not supported; git's are"
    assert bench.refusal(archive(), tmp_path / "junk.zip").startswith(f"{failed}junk.zip cannot be unpacked: ")
    with pytest.raises(TypeError, match=r"^made is built from an archive, which is not given$"):
        bench.build(sdist())


def test_an_archive_that_leads_out_is_refused(bench: Bench, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("../evil.py")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    assert "'../evil.py' would be extracted to" in bench.refusal(archive(), tmp_path / "evil.tar.gz")


def test_credentials_are_not_shown(bench: Bench) -> None:
    sentence = bench.refusal(vcs(url="http://me:secret@127.0.0.1:1/x.git"))
    assert "127.0.0.1" in sentence
    assert "secret" not in sentence


def test_a_program_that_is_not_there(bench: Bench, tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", TREE)
    bench.builder = Builder(program=lambda: "/no/uv", environ={}, python=Path(sys.executable), python_key="x")
    assert bench.refusal(directory()).endswith("\n/no/uv cannot be run: No such file or directory")


def test_a_signal_that_ends_it_is_named(bench: Bench, tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", TREE)
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\necho Building... >&2\nkill -9 $$\n")
    killed.chmod(0o755)
    bench.builder = Builder(program=lambda: str(killed), environ={}, python=Path(sys.executable), python_key="x")
    assert bench.refusal(directory()).endswith("\nBuilding...\nkilled was ended by SIGKILL")


def canonical(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@pytest.mark.parametrize(
    ("source", "document"),
    [
        (sdist(), {"kind": "sdist", "sha256": ZEROS, "subdirectory": None}),
        (sdist(hashes={"sha512": "1", "blake2b": "2"}), {"kind": "sdist", "sha512": "1", "subdirectory": None}),
        (archive(subdirectory="a"), {"kind": "sdist", "sha256": ZEROS, "subdirectory": "a"}),
        (
            vcs(url="https://me:secret@index.test/x", subdirectory="a"),
            {"kind": "vcs", "url": "https://index.test/x", "commit": "0" * 40, "subdirectory": "a"},
        ),
        (vcs(path="../x"), {"kind": "vcs", "url": "../x", "commit": "0" * 40, "subdirectory": None}),
    ],
)
def test_a_source_is_known_by_its_inputs(source: Source, document: dict[str, Any]) -> None:
    pinned = Pinned(name=normalize("made"), version="1", source=source, index=None)
    assert source_key(pinned, "python") == canonical({"format": 1, "python": "python", **document})


def test_a_folder_and_a_wheel_have_no_source_key() -> None:
    wheel = WheelSource(filename=WHEEL, url=None, path=None, size=None, hashes={"sha256": ZEROS})
    for source in (directory(), wheel):
        assert source_key(Pinned(name=normalize("made"), version="1", source=source, index=None), "python") is None
