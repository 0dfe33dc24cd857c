"""Patches, as git reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multisite.patches import file_patch
from tests.builders import write_tree

LINES = st.lists(st.sampled_from([b"one\n", b"two\n", b"three\r\n", b"\n", b"\xff\xfe\n", b"\x0c\n"]), max_size=12)
CONTENTS = st.none() | st.builds(lambda lines, end: b"".join(lines) + end, LINES, st.sampled_from([b"", b"end"]))


def applied(folder: Path, patch: bytes) -> None:
    done = subprocess.run(["git", "apply", "-"], cwd=folder, input=patch, capture_output=True, check=False)
    assert done.returncode == 0, (done.stderr, patch)


@pytest.mark.parametrize("path", ["a.py", "a folder/a file.py", 'ä\t"quoted" \\.py', "deep/er/x"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"one\ntwo\n", b"one\nthree\n"),
        (b"one", b"two"),
        (b"one\r\ntwo\r\n", b"one\r\ntwo\n"),
        (b"x\0y" * 100, b"x\0z" * 4000),
        (b"text\n", bytes(range(256))),
        (None, b"new\n"),
        (None, b""),
        (None, b"\0"),
        (b"old\n", None),
        (b"", None),
        (b"", b"filled"),
    ],
)
def test_git_applies_it(tmp_path: Path, path: str, before: bytes | None, after: bytes | None) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if before is not None:
        file.write_bytes(before)
    applied(tmp_path, file_patch(path, before, after))
    assert (file.read_bytes() if file.exists() else None) == after


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=CONTENTS, after=CONTENTS)
def test_whatever_the_lines(tmp_path: Path, before: bytes | None, after: bytes | None) -> None:
    patch, file = file_patch("file", before, after), tmp_path / "file"
    file.unlink(missing_ok=True)
    if before == after:
        assert patch == b""
        return
    if before is not None:
        file.write_bytes(before)
    applied(tmp_path, patch)
    assert (file.read_bytes() if file.exists() else None) == after


def test_the_program_patch_applies_it(tmp_path: Path) -> None:
    folder = write_tree(tmp_path, {"a": {"b.py": "one\ntwo\n"}, "gone.py": "x\n"})
    text = file_patch("a/b.py", b"one\ntwo\n", b"one\nthree\n") + file_patch("new.py", None, b"new\n")
    try:
        subprocess.run(["patch", "-s", "-p1"], cwd=folder, input=text + file_patch("gone.py", b"x\n", None), check=True)
    except FileNotFoundError:
        pytest.skip("there is no program patch on this machine")
    left = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.py")}
    assert left == {"a/b.py": "one\nthree\n", "new.py": "new\n"}


@pytest.mark.parametrize("after", [b"one\n", b"two\n"])
@pytest.mark.parametrize("executable", [True, False])
def test_a_mode(tmp_path: Path, after: bytes, executable: bool) -> None:
    file = write_tree(tmp_path, {"tool": "one\n"}) / "tool"
    file.chmod(0o644 if executable else 0o755)
    applied(tmp_path, file_patch("tool", b"one\n", after, executable=executable, was_executable=not executable))
    assert (file.read_bytes(), bool(file.stat().st_mode & 0o100)) == (after, executable)


def test_a_program_is_executable(tmp_path: Path) -> None:
    applied(tmp_path, file_patch("tool", None, b"#!/bin/sh\n", executable=True))
    assert (tmp_path / "tool").stat().st_mode & 0o111
