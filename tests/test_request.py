from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from multisite.errors import InvalidRequest
from multisite.lockfile import Lock
from multisite.pyproject import PyProject
from multisite.request import Request
from multisite.requirements_file import RequirementsFiles
from tests.builders import Tree, make_wheel, write_tree

PROJECT = '[build-system]\nrequires = []\n[project]\nname = "mine"\nversion = "1"\n'
BARE = '[project]\nname = "mine"\nversion = "1"\n'
GROUPS = '[dependency-groups]\ndev = ["six"]\nDocs = []\n'
TABLES = '[project.optional-dependencies]\nplot = ["six"]\n' + GROUPS

HASHES = 'hashes = { sha256 = "' + "0" * 64 + '" }'
LIST = "what was asked for cannot be read:"
END = "Expected semicolon (after name with no version specifier) or end"


def refusal(folder: Path, *words: str, **asked: Any) -> str:
    with pytest.raises(InvalidRequest) as caught:
        Request.read(words, folder=folder, **asked)
    return str(caught.value)


@pytest.mark.parametrize(
    "word",
    [
        "six",
        "Six>=1,<2; python_version >= '3.8'",
        "requests[socks] ~= 2.0",
        "six @ https://index.test/six-1-py3-none-any.whl",
        "six@https://index.test/six-1-py3-none-any.whl",
        "git+https://index.test/six.git@main#subdirectory=x",
        "https://index.test/six.zip",
        "file:///tmp/six.zip",
        "./tree",
        "./tree[extra]",
        "tree/",
        "./tree ; python_version > '3'",
        "dist/mine-1.0-py3-none-any.whl",
        "-e ./tree",
        "--editable=./tree",
        "-e tree",
        "-e git+https://index.test/six.git",
    ],
)
def test_requirements_of_every_form(tmp_path: Path, word: str) -> None:
    write_tree(tmp_path / "tree", {"setup.py": ""})
    make_wheel(tmp_path / "dist", "mine")
    request = Request.read([word], folder=tmp_path)
    assert request.words == (word,)
    assert (request.origin, request.project, request.lockfile) == ("the command line", None, None)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("", "'': an empty requirement"),
        ("  ", "'  ': an empty requirement"),
        ("six =1", "'six =1': Expected semicolon (after name with no version specifier) or end"),
        ("six\n--index-url x", "'six\\n--index-url x': a requirement is one line of printable text"),
        ("--pre", "'--pre': an option is not a requirement"),
        ("-e ./lost", "'-e ./lost': no such file or folder"),
        ("-e ./file.txt", "'-e ./file.txt': only a folder can be editable"),
        ("./lost", "'./lost': no such file or folder"),
        ("lost.whl", "'lost.whl': no such file or folder"),
        ("./empty", "'./empty': the folder has neither pyproject.toml nor setup.py"),
        ("six:1", "'six:1': Expected semicolon (after name with no version specifier) or end"),
    ],
)
def test_a_malformed_requirement_is_named(tmp_path: Path, word: str, sentence: str) -> None:
    write_tree(tmp_path, {"empty": {}, "file.txt": ""})
    assert refusal(tmp_path, word) == sentence


def test_every_problem_is_named(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        {
            "a.txt": "six\n\n# a comment\nsix = 1  # wrong\n-r sub/b.txt\n-c lost.txt\n-r ${SOMEWHERE}/c.txt\n",
            "sub": {
                "b.txt": "--index-url https://x.test\nidna \\\n  >= 3 \\\n  --hash=sha256:00\n-r ../a.txt\nfoo bar\n"
            },
            "latin.txt": b"six\n# \xe9\n",
        },
    )
    assert refusal(tmp_path, "six!", files=[Path("a.txt"), Path("latin.txt"), Path("none.txt")]) == (
        "what was asked for cannot be read:\n"
        "  - 'six!': Expected semicolon (after name with no version specifier) or end\n"
        "  - a.txt:4: 'six = 1': Expected semicolon (after name with no version specifier) or end\n"
        f"  - {tmp_path}/sub/b.txt:6: 'foo bar': Expected semicolon (after name with no version specifier) or end\n"
        f"  - a.txt:6: {tmp_path}/lost.txt: No such file or directory\n"
        "  - latin.txt:2: not UTF-8\n"
        "  - none.txt: No such file or directory"
    )


FOUND: dict[str, tuple[Tree, dict[str, Any], dict[str, Any]]] = {
    "a project that can be built": (
        {"pyproject.toml": PROJECT, "requirements.txt": "six", "pylock.toml": ""},
        {},
        {"origin": "pyproject.toml", "files": ("pyproject.toml",), "project": True, "lockfile": False},
    ),
    "left out": (
        {"pyproject.toml": PROJECT},
        {"project": False},
        {"origin": "pyproject.toml", "files": ("pyproject.toml",), "project": False, "lockfile": False},
    ),
    "a project that cannot be built": (
        {"pyproject.toml": BARE},
        {},
        {"origin": "pyproject.toml", "files": ("pyproject.toml",), "project": False, "lockfile": False},
    ),
    "a build without a project": (
        {"pyproject.toml": "[build-system]\nrequires = []\n", "setup.py": ""},
        {},
        {"origin": "pyproject.toml", "files": ("pyproject.toml",), "project": True, "lockfile": False},
    ),
    "settings of tools alone": (
        {"pyproject.toml": "[tool.ruff]\n", "requirements.txt": "six"},
        {},
        {"origin": "requirements.txt", "files": ("requirements.txt",), "project": False, "lockfile": False},
    ),
    "groups alone": (
        {"pyproject.toml": GROUPS, "requirements.txt": "six"},
        {"groups": ["dev"]},
        {"origin": "pyproject.toml", "files": (), "project": False, "lockfile": False},
    ),
    "a lockfile": (
        {"pylock.toml": ""},
        {"seed": True, "extras": ["x"]},
        {"origin": "pylock.toml", "files": (), "project": False, "lockfile": True},
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_with_nothing_given_the_folder_says_what_is_wanted(tmp_path: Path, case: str) -> None:
    tree, asked, expected = FOUND[case]
    request = Request.read(folder=write_tree(tmp_path, tree), **asked)
    assert {
        "origin": request.origin,
        "files": tuple(map(str, request.files)),
        "project": request.project == tmp_path,
        "lockfile": request.lockfile == tmp_path / "pylock.toml",
    } == expected


def test_words_and_files_leave_the_project_out(tmp_path: Path) -> None:
    write_tree(tmp_path, {"pyproject.toml": PROJECT + TABLES, "a.txt": "six"})
    request = Request.read(["idna"], folder=tmp_path, files=[Path("a.txt")], groups=["Dev", "docs"], seed=True)
    assert request.project is None
    assert request.words == ("idna", "pip")
    assert request.origin == "the command line, a.txt"


def test_nothing_at_all_is_no_request(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        f"nothing to lock: no requirement is given, and {tmp_path} has no pyproject.toml with a project, "
        "no requirements.txt and no pylock.toml"
    )


@pytest.mark.parametrize(
    ("pyproject", "asked", "sentence"),
    [
        (None, {"words": ["six"], "groups": ["dev"]}, "dependency groups need a pyproject.toml, and {} has none"),
        (
            None,
            {"words": ["six"], "extras": ["x"]},
            "extras belong to a project: give them as name[extra], or -r pyproject.toml",
        ),
        (None, {"files": [Path("pyproject.toml")]}, "pyproject.toml: No such file or directory"),
        (BARE + TABLES, {"extras": ["x"]}, "pyproject.toml: no extra 'x'; it has plot"),
        (BARE + TABLES, {"groups": ["x"]}, "pyproject.toml: no dependency group 'x'; it has dev, docs"),
        (BARE, {"words": ["six"], "groups": ["x"]}, "pyproject.toml: no dependency group 'x'; it has none"),
        ("what", {}, "pyproject.toml: Expected '=' after a key in a key/value pair (at end of document)"),
        (
            "project = 1",
            {},
            LIST
            + "\n  - pyproject.toml: project: not a table\n  - pyproject.toml: project.name: missing, or not a text",
        ),
        (
            BARE + 'dependencies = ["six", "six=1", 2]\n'
            '[project.optional-dependencies]\nx = "six"\n'
            '[dependency-groups]\na = [{include-group = "b"}, {include-group = "A"}, {other = 1}, "idna>"]\nc = 3\n',
            {},
            "\n  - pyproject.toml: ".join(
                [
                    LIST,
                    "project.dependencies[1]: 'six=1': " + END,
                    "project.dependencies[2]: not a text",
                    "project.optional-dependencies.x: not a list",
                    "dependency-groups.a[2]: not a text",
                    "dependency-groups.a[3]: 'idna>': " + END,
                    "dependency-groups.a[0].include-group: no group 'b'",
                    "dependency-groups.c: not a list",
                    "dependency-groups.a: it includes itself: a -> a",
                ]
            ),
        ),
    ],
)
def test_a_pyproject_that_does_not_hold_what_is_wanted(
    tmp_path: Path, pyproject: str | None, asked: dict[str, Any], sentence: str
) -> None:
    if pyproject is not None:
        write_tree(tmp_path, {"pyproject.toml": pyproject})
    words = asked.get("words", ())
    others = {key: value for key, value in asked.items() if key != "words"}
    assert refusal(tmp_path, *words, **others) == sentence.format(tmp_path)


def test_extras_that_only_the_backend_knows_are_its_business(tmp_path: Path) -> None:
    write_tree(tmp_path, {"pyproject.toml": PROJECT + 'dynamic = ["optional-dependencies"]\n'})
    assert Request.read(folder=tmp_path, extras=["any"]).extras == ("any",)


def test_what_is_remembered_holds_no_credentials(tmp_path: Path) -> None:
    word = "six @ https://me:secret@index.test/six.whl"
    request = Request.read([word, "git+ssh://git@index.test/x"], folder=tmp_path)
    assert request.to_document() == {
        "requirements": ["six @ https://index.test/six.whl", "git+ssh://git@index.test/x"],
        "files": [],
        "groups": [],
        "extras": [],
        "seed": False,
        "project": None,
    }


class TestInputs:
    """The digest over what was asked for: it changes with each thing that a resolution depends on, and nothing else."""

    TREE: ClassVar[Tree] = {
        "pyproject.toml": PROJECT + TABLES,
        "a.txt": "-r b.txt\n",
        "b.txt": "six\n",
        "c.txt": "idna<4\n",
        "tree": {"setup.py": "", "other.py": ""},
        "unrelated.txt": "",
    }

    def inputs(self, folder: Path, python: str = "python", settings: tuple[str, ...] = (), **changed: Any) -> str:
        asked: dict[str, Any] = {"words": ["six", "./tree"], "files": [Path("a.txt")], "constraints": [Path("c.txt")]}
        return Request.read(folder=folder, **(asked | changed)).inputs(python, settings)

    def test_equal_for_equal_requests(self, tmp_path: Path) -> None:
        write_tree(tmp_path, self.TREE)
        before = self.inputs(tmp_path, settings=("b", "a"))
        write_tree(tmp_path, {"unrelated.txt": "changed", "tree": {"other.py": "changed"}})
        assert self.inputs(tmp_path, settings=("a", "b")) == before

    @pytest.mark.parametrize(
        "change",
        [
            {"words": ["six"]},
            {"words": ["six ", "./tree"]},
            {"files": []},
            {"constraints": []},
            {"groups": ["dev"]},
            {"seed": True},
            {"python": "another"},
            {"settings": ("--index-url",)},
        ],
    )
    def test_another_request(self, tmp_path: Path, change: dict[str, Any]) -> None:
        write_tree(tmp_path, self.TREE)
        assert self.inputs(tmp_path, **change) != self.inputs(tmp_path)

    @pytest.mark.parametrize(
        "change", [{"a.txt": "-r b.txt # x\n"}, {"b.txt": "six<2\n"}, {"c.txt": ""}, {"tree": {"setup.py": "x"}}]
    )
    def test_another_file(self, tmp_path: Path, change: Tree) -> None:
        write_tree(tmp_path, self.TREE)
        before = self.inputs(tmp_path)
        write_tree(tmp_path, change)
        assert self.inputs(tmp_path) != before


STATIC = '[project]\nname = "p"\nversion = "1"\n'
DYNAMIC = '[project]\nname = "p"\nversion = "1"\ndynamic = ["{}"]\n'
SOURCES = STATIC + '[dependency-groups]\ndev = ["q"]\n[tool.uv.sources]\nq = {}\n'
Asked = dict[str, Any]
HOME: Asked = {"words": []}
TOLD: dict[str, tuple[bool, Tree, Asked]] = {
    "names": (True, {}, {"words": ["six", "q @ https://x.test/q.whl"]}),
    "files": (
        True,
        {"a.txt": "six\n-r b.txt\n", "b.txt": "-c c.txt\n", "c.txt": "six<2\n"},
        {"files": [Path("a.txt")]},
    ),
    "a static project": (True, {"pyproject.toml": STATIC}, HOME),
    "a dynamic version": (True, {"pyproject.toml": DYNAMIC.format("readme")}, HOME),
    "dynamic dependencies": (False, {"pyproject.toml": DYNAMIC.format("dependencies")}, HOME),
    "dynamic extras": (True, {"pyproject.toml": DYNAMIC.format("optional-dependencies")}, HOME),
    "a dynamic extra": (False, {"pyproject.toml": DYNAMIC.format("optional-dependencies")}, {"extras": ["x"]}),
    "no project": (False, {"pyproject.toml": "[build-system]\nrequires = []\n", "setup.py": ""}, HOME),
    "sources of an index": (True, {"pyproject.toml": SOURCES.format('{ index = "x" }')}, HOME),
    "sources in folders": (False, {"pyproject.toml": SOURCES.format('[{ path = "../q" }]')}, HOME),
    "sources of the workspace": (False, {"pyproject.toml": SOURCES.format("{ workspace = true }")}, HOME),
    "of a group": (False, {"pyproject.toml": SOURCES.format('{ path = "q" }')}, {"words": ["six"], "groups": ["dev"]}),
    "not asked for": (True, {"pyproject.toml": SOURCES.format('{ path = "q" }')}, {"words": ["six"]}),
    "a static folder": (True, {"q": {"pyproject.toml": STATIC}}, {"words": ["./q"]}),
    "a folder": (False, {"q": {"setup.py": ""}}, {"words": ["./q"]}),
    "a folder by address": (False, {}, {"words": ["q @ file:///q"]}),
    "a folder in a file": (False, {"a.txt": "./q\n"}, {"files": [Path("a.txt")]}),
    "an editable one": (False, {"a.txt": "-e q\n"}, {"files": [Path("a.txt")]}),
    "one by a long option": (False, {"a.txt": "--editable=q\n"}, {"files": [Path("a.txt")]}),
    "a file elsewhere": (False, {"a.txt": "-r https://x.test/a.txt\n"}, {"files": [Path("a.txt")]}),
    "a variable": (False, {"a.txt": "-r ${X}.txt\n"}, {"files": [Path("a.txt")]}),
}


@pytest.mark.parametrize("case", TOLD)
def test_whether_the_files_decide_alone(tmp_path: Path, case: str) -> None:
    told, tree, asked = TOLD[case]
    write_tree(tmp_path, tree)
    assert Request.read(folder=tmp_path, **asked).is_told == told


def requested(request: Request, *locked: str) -> set[str]:
    pins = [f'[[packages]]\nname = "{name}"\nsdist = {{ path = "{name}-1.tar.gz", {HASHES} }}\n' for name in locked]
    pins.append('[[packages]]\nname = "local"\ndirectory = { path = "." }\n')
    text = 'lock-version = "1.0"\ncreated-by = "x"\n' + "".join(pins)
    return set(request.requested_names(Lock.parse(text.encode(), "pylock.toml")))


def test_what_is_asked_for_is_told_from_what_others_need(tmp_path: Path) -> None:
    write_tree(tmp_path, {"tree": {"setup.py": ""}, "a.txt": "-r b.txt\n-c c.txt\n", "b.txt": "D.d", "c.txt": "e"})
    request = Request.read(["A_a>1", "b @ https://x.test/b.whl", "./tree"], folder=tmp_path, files=[Path("a.txt")])
    assert requested(request, "a-a", "b", "c", "d-d", "e") == {"a-a", "b", "d-d", "local"}


def test_a_project_asks_for_its_dependencies_extras_and_groups(tmp_path: Path) -> None:
    text = """\
dependencies = ["a"]
[project.optional-dependencies]
More_ = ["b"]
other = ["c"]
[dependency-groups]
dev = ["d", {include-group = "Test"}, {include-group = "both"}]
test = [{include-group = "both"}]
both = ["e"]
"""
    write_tree(tmp_path, {"pyproject.toml": BARE + text})
    names = ("a", "b", "c", "d", "e", "pip")
    assert requested(Request.read(folder=tmp_path), *names) == {"a", "local"}
    whole = Request.read(folder=tmp_path, extras=["more-"], groups=["dev"], seed=True)
    assert requested(whole, *names) == {"a", "b", "d", "e", "pip", "local"}
    assert requested(Request.read(["pip"], folder=tmp_path, groups=["test"]), *names) == {"e", "pip", "local"}


def test_groups_that_include_each_other_in_very_many_ways_are_judged_at_once() -> None:
    members = ["".join(f'{{include-group = "g{other}"}}, ' for other in range(at + 1, 60)) for at in range(60)]
    groups = "".join(f"g{at} = [{included}]\n" for at, included in enumerate(members))
    assert PyProject.parse(f"[dependency-groups]\n{groups}".encode()).problems == ()


def test_files_that_include_each_other_too_deep(tmp_path: Path) -> None:
    for at in range(2000):
        (tmp_path / f"{at}.txt").write_text(f"-r {at + 1}.txt\n")
    files = RequirementsFiles()
    files.read(tmp_path / "0.txt", shown="0.txt")
    last = f"'{tmp_path / '51.txt'}': included by more than 50 files, one by the other"
    assert files.problems == [f"{tmp_path / '50.txt'}:1: {last}"]
