from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from multisite.errors import InvalidDocument, MultisiteError, UnsupportedFormat
from multisite.state import EnvironmentState, is_inside

DATA = Path(__file__).parent / "data" / "environment_json"
VALID = sorted((DATA / "valid").glob("*.json"))
INVALID = sorted((DATA / "invalid").glob("*.json"))


def stem(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", VALID, ids=stem)
def test_what_is_read_is_written(path: Path) -> None:
    state = EnvironmentState.from_document(path.read_bytes(), path)
    assert EnvironmentState.from_document(state.to_document(), path) == state
    assert state.to_document() == EnvironmentState.from_document(state.to_document(), path).to_document()


@pytest.mark.parametrize("path", INVALID, ids=stem)
def test_every_fault_is_reported(path: Path) -> None:
    with pytest.raises(MultisiteError) as caught:
        EnvironmentState.from_document(path.read_bytes(), path.name)
    assert f"{caught.value}\n" == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_the_values_of_a_full_document() -> None:
    path = DATA / "valid" / "full.json"
    state = EnvironmentState.from_document(path.read_bytes(), path)
    django = state.builds[next(name for name in state.builds if name == "django")]
    assert django.build.path == "django/5.2/py3-none-any-0123456789abcdef"
    assert django.requested
    assert state.request is not None
    assert state.request.requirements == ("django",)
    assert state.files["bin/django-admin"].owner == "django"
    assert state.selection.groups == ("dev",)
    assert state.project is not None
    assert state.project.path == ".."
    assert state.history[0].time == 1_700_000_000


def test_what_lines_of_record_say_is_not_repeated() -> None:
    path = DATA / "valid" / "dense.json"
    state = EnvironmentState.from_document(path.read_bytes(), path)
    found = {name: (file.owner, file.size) for name, file in state.files.items()}
    assert found == {"bin/foo": ("foo", 4), "bin/foo-too": ("bar", 9), "share/a,b": ("foo", 4)}
    assert list(state.files) == sorted(state.files)
    document = json.loads(state.to_document())
    assert set(document["files"]) == {"bin/foo-too", "share/a,b"}
    assert document["unowned"] == ["at the top"]
    assert document["builds"]["foo"] == {"build": "1.0/py3-none-any-0123456789abcdef"}


def test_a_file_in_the_library_has_one_path_also_where_it_was_said_to_have_two() -> None:
    path = DATA / "valid" / "dense.json"
    document = json.loads(path.read_bytes())
    in_library, digest = "lib/pkgconfig/foo.pc", document["files"]["share/a,b"]["sha256"]
    document["installs"]["foo"]["added"]["../../pkgconfig"] = ["foo.pc,ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8,4"]
    document["files"][in_library] = {"owner": "foo", "sha256": digest, "size": 4}
    document["unowned"].append("pkgconfig/foo.pc")
    state = EnvironmentState.from_document(json.dumps(document).encode(), path)
    assert set(state.files) == {"bin/foo", "bin/foo-too", "share/a,b", in_library}
    written = json.loads(state.to_document())
    assert (in_library in written["files"], written["unowned"]) == (True, ["at the top"])
    assert EnvironmentState.from_document(state.to_document(), path) == state


def test_a_truncated_document_is_refused_wherever_it_ends() -> None:
    document = (DATA / "valid" / "small.json").read_bytes().rstrip()
    for end in range(len(document)):
        with pytest.raises(InvalidDocument):
            EnvironmentState.from_document(document[:end], "environment.json")


def test_an_unknown_format_says_what_to_do() -> None:
    document = (DATA / "valid" / "small.json").read_bytes().replace(b'"format": 1', b'"format": 3')
    with pytest.raises(UnsupportedFormat) as caught:
        EnvironmentState.from_document(document, "environment.json")
    assert caught.value.hint == "upgrade multisite: pip install --upgrade multisite"


def test_a_damaged_one_says_what_to_do() -> None:
    with pytest.raises(InvalidDocument) as caught:
        EnvironmentState.from_document(b'{"format": 1}', "environment.json")
    assert caught.value.hint == "write it anew: multisite sync"


def test_values_are_frozen() -> None:
    path = DATA / "valid" / "small.json"
    state = EnvironmentState.from_document(path.read_bytes(), path)
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.id = "x"  # type: ignore[misc]


@pytest.mark.parametrize("path", ["bin/x", "share/man/man3/A::B.3", "a", ".hidden/..x", "a b/ü"])
def test_a_path_inside(path: str) -> None:
    assert is_inside(path)


@pytest.mark.parametrize(
    "path", ["", "/", "/a", "a/", "a//b", "..", "a/../b", ".", "./a", "a\\b", "c:/a", "C:a", "a\0"]
)
def test_a_path_that_may_lead_out(path: str) -> None:
    assert not is_inside(path)
