from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli
from uv import find_uv_bin

from multisite.errors import ResolutionFailed, ResolverStopped
from multisite.indexes import IndexOptions
from multisite.lockfile import Lock
from multisite.request import Request
from multisite.resolving import Resolution, Upgrade, UvResolver, _shortened
from tests.builders import make_wheel, write_tree
from tests.index import LocalIndex

PYTHON = Path(sys.executable)
BACKEND = """\
def prepare_metadata_for_build_wheel(folder, settings=None):
    import os
    os.mkdir(folder + "/tree-3.dist-info")
    with open(folder + "/tree-3.dist-info/METADATA", "w") as file:
        file.write("Metadata-Version: 2.1\\nName: tree\\nVersion: 3\\n")
    return "tree-3.dist-info"
def build_wheel(folder, settings=None, metadata=None):
    raise SystemExit("not needed")
"""
TREE = {
    "backend.py": BACKEND,
    "pyproject.toml": """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tree"
version = "3"
dependencies = ["top<2"]
[project.optional-dependencies]
more = ["lone"]
[dependency-groups]
dev = ["bottom<2"]
""",
}


class Bench:
    def __init__(self, tmp_path: Path, index: LocalIndex, environ: dict[str, str]) -> None:
        self.index = index
        self.wheels = index.folder
        self.folder = tmp_path / "work"
        self.folder.mkdir()
        self.lockfile = self.folder / ".venv" / "pylock.toml"
        self.environ = environ
        self.options = IndexOptions(index_url=index.url)

    def resolver(self, **options: Any) -> UvResolver:
        given: dict[str, Any] = {"program": find_uv_bin(), "environ": self.environ, "indexes": self.options}
        return UvResolver(**(given | options))

    def resolve(self, *words: str, upgrade: Upgrade | None = None, **request: Any) -> Resolution:
        asked = Request.read(words, folder=self.folder, **request)
        resolver = self.resolver()
        return resolver.resolve(asked, python=PYTHON, lockfile=self.lockfile, upgrade=upgrade or Upgrade())

    def keep(self, resolution: Resolution) -> None:
        self.lockfile.parent.mkdir(exist_ok=True)
        self.lockfile.write_bytes(resolution.data)


def versions(resolution: Resolution) -> dict[str, str]:
    return {package.name: str(package.version) for package in resolution.lock.pylock.packages}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    wheels = tmp_path / "wheels"
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "top", version, {"top.py": ""}, requires=["bottom"])
        make_wheel(wheels, "bottom", version, {"bottom.py": ""})
    make_wheel(wheels, "lone", "1.0", {"lone.py": ""})
    make_wheel(wheels, "later", "1.0", {"later.py": ""}, metadata="Requires-Python: >=3.99")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with LocalIndex(wheels) as index:
        yield Bench(tmp_path, index, kept | {"UV_CACHE_DIR": str(tmp_path / "uv-cache"), "UV_HTTP_RETRIES": "0"})


# It goes on when the present lockfile is being read and the caller has begun its own work, and not before.
HELD = """\
#!/bin/sh
for second in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if [ -e {read} ] && [ -e {begun} ]; then exec {uv} "$@"; fi
    sleep 1
done
echo "nothing was begun" >&2
exit 9
"""


def test_what_is_done_while_uv_works(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.lockfile.parent.mkdir()
    bench.lockfile.write_bytes(bench.resolve("top<2").data)
    read, begun, held = tmp_path / "read", tmp_path / "begun", tmp_path / "held"
    held.write_text(HELD.format(read=read, begun=begun, uv=find_uv_bin()))
    held.chmod(0o755)
    real = Lock.parse

    def parse(data: bytes, where: Path | str) -> Lock:
        if where == bench.lockfile:
            read.touch()
        return real(data, where)

    monkeypatch.setattr(Lock, "parse", parse)
    resolver = bench.resolver(program=str(held), meanwhile=begun.touch)
    asked = Request.read(["top"], folder=bench.folder)
    resolution = resolver.resolve(asked, python=PYTHON, lockfile=bench.lockfile, upgrade=Upgrade())
    assert resolution.data == bench.lockfile.read_bytes()


def test_what_uv_resolves_is_written_in_our_form(bench: Bench) -> None:
    resolution = bench.resolve("top")
    assert resolution.lock == Lock.parse(resolution.data, bench.lockfile)
    document = tomli.loads(resolution.data.decode())
    assert document["created-by"] == "multisite"
    name = "top-2.0-py3-none-any.whl"
    size = (bench.wheels / name).stat().st_size
    assert document["packages"][1] == {
        "name": "top",
        "version": "2.0",
        "wheels": [{"url": bench.index.file_url(name), "size": size, "hashes": {"sha256": bench.index.sha256(name)}}],
    }
    assert versions(resolution) == {"top": "2.0", "bottom": "2.0"}
    assert not bench.lockfile.exists()
    assert bench.resolve("top").data == resolution.data


def test_locked_versions_stay_until_they_are_told_to_move(bench: Bench) -> None:
    bench.keep(bench.resolve("top<2", "bottom<2"))
    assert versions(bench.resolve("top")) == {"top": "1.0", "bottom": "1.0"}
    assert versions(bench.resolve("top", upgrade=Upgrade(names=("top",)))) == {"top": "2.0", "bottom": "1.0"}
    assert versions(bench.resolve("top", upgrade=Upgrade(everything=True))) == {"top": "2.0", "bottom": "2.0"}
    assert versions(bench.resolve("top>1")) == {"top": "2.0", "bottom": "1.0"}


def test_a_lockfile_that_cannot_be_read_is_written_anew(bench: Bench) -> None:
    bench.lockfile.parent.mkdir()
    bench.lockfile.write_text("nonsense")
    resolution = bench.resolve("lone")
    assert versions(resolution) == {"lone": "1.0"}
    assert len(resolution.warnings) == 1
    assert resolution.warnings[0].startswith(f"{bench.lockfile}: not a valid lockfile: ")
    assert resolution.warnings[0].endswith("\nall versions are chosen anew")


def test_warnings_of_uv_are_handed_on(bench: Bench) -> None:
    assert bench.resolve("lone[nothing]").warnings == (
        "The package `lone==1.0` does not have an extra named `nothing`",
    )


@pytest.mark.parametrize("word", ["./tree", "tree @ ./tree", "-e ./tree", "./tree[more]"])
def test_a_local_folder_is_named_from_the_lockfile(bench: Bench, word: str) -> None:
    write_tree(bench.folder / "tree", TREE)
    resolution = bench.resolve(word)
    (tree,) = (package for package in resolution.lock.pylock.packages if package.name == "tree")
    assert tree.directory is not None
    assert tree.directory.path == "../tree"
    assert bool(tree.directory.editable) == word.startswith("-e")
    assert ("lone" in versions(resolution)) == ("more" in word)


def test_a_local_wheel_is_named_from_the_lockfile(bench: Bench) -> None:
    wheel = make_wheel(bench.folder / "dist", "mine", "4", {"mine.py": ""})
    (package,) = bench.resolve(f"dist/{wheel.name}").lock.pylock.packages
    assert package.archive is not None
    assert package.archive.path == f"../dist/{wheel.name}"


def test_requirements_files_and_constraints(bench: Bench) -> None:
    write_tree(
        bench.folder,
        {"a.txt": "-r sub/b.txt\n", "sub": {"b.txt": "top  # the top\n", "c.txt": "lone"}, "limits.txt": "bottom<2\n"},
    )
    resolution = bench.resolve("top", files=[Path("a.txt"), Path("sub/c.txt")], constraints=[Path("limits.txt")])
    assert versions(resolution) == {"top": "2.0", "bottom": "1.0", "lone": "1.0"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"top": "1.0", "bottom": "2.0"}),
        ({"extras": ["more"]}, {"top": "1.0", "bottom": "2.0", "lone": "1.0"}),
        ({"groups": ["dev"]}, {"top": "1.0", "bottom": "1.0"}),
        ({"groups": ["dev"], "words": ["lone"]}, {"lone": "1.0", "bottom": "1.0"}),
    ],
)
def test_projects_extras_and_groups(bench: Bench, asked: dict[str, Any], expected: dict[str, str]) -> None:
    write_tree(bench.folder, TREE)
    words = asked.pop("words", ())
    assert versions(bench.resolve(*words, **asked)) == expected


def test_groups_need_no_project(bench: Bench) -> None:
    write_tree(bench.folder, {"pyproject.toml": '[dependency-groups]\ndev = ["lone"]\n'})
    assert versions(bench.resolve(groups=["dev"])) == {"lone": "1.0"}


def test_the_lock_is_for_one_interpreter_whatever_the_project_s_settings_say(bench: Bench) -> None:
    settings = "[tool.uv.pip]\nuniversal = true\n"
    write_tree(bench.folder, {"pyproject.toml": f'[project]\nname = "x"\nversion = "1"\n{settings}'})
    words = (f"top ; sys_platform == '{sys.platform}'", f"lone ; sys_platform != '{sys.platform}'")
    assert versions(bench.resolve(*words)) == {"top": "2.0", "bottom": "2.0"}


def test_no_solution_is_explained(bench: Bench) -> None:
    with pytest.raises(ResolutionFailed) as caught:
        bench.resolve("top<2", "top>=2")
    assert str(caught.value) == (
        "no set of versions satisfies what was asked for:\n"
        "Because you require top<2 and top>=2, we can conclude that your requirements are unsatisfiable."
    )


def test_another_interpreter_s_distribution_is_no_solution(bench: Bench) -> None:
    with pytest.raises(ResolutionFailed, match=r"does not satisfy Python>=3\.99"):
        bench.resolve("later")


EXPLANATION = """\
Because all of:
    notebook>=7.0.1,<=7.0.7
    notebook==7.1.0a0
depend on jupyterlab>=4, we can conclude that all of:
    notebook>=7.0.1,<=7.0.7
depend on jupyterlab>=4.
         And because b depends on c, we can conclude that all of:
             b
         depend on jupyterlab>=4.
         And because d depends on jupyterlab>=4.6, we can conclude that notebook>=7 depends on jupyterlab>=4.
         And because you require jupyterlab<3, we can conclude that your requirements are unsatisfiable.

hint: Pre-releases are available for notebook"""


def test_a_long_explanation_is_shortened_to_its_end() -> None:
    assert _shortened(EXPLANATION) == (
        "notebook>=7 depends on jupyterlab>=4.\n"
        "And because you require jupyterlab<3, we can conclude that your requirements are unsatisfiable.\n"
        "hint: Pre-releases are available for notebook\n"
        "(2 earlier steps: --verbose)"
    )
    assert ResolutionFailed(EXPLANATION, shortened=_shortened(EXPLANATION)).explanation == EXPLANATION


def test_an_index_that_does_not_answer_is_no_contradiction(bench: Bench) -> None:
    bench.options = IndexOptions(index_url="http://me:secret@127.0.0.1:1/simple")
    with pytest.raises(ResolverStopped) as caught:
        bench.resolve("lone")
    assert str(caught.value).startswith("the resolver stopped:\n")
    assert "127.0.0.1:1/simple/lone/" in caught.value.explanation
    assert "secret" not in caught.value.explanation


def test_a_resolver_that_is_not_there(bench: Bench) -> None:
    request = Request.read(["lone"], folder=bench.folder)
    with pytest.raises(
        ResolverStopped, match=r"^the resolver stopped:\n/no/uv cannot be run: No such file or directory$"
    ):
        bench.resolver(program="/no/uv").resolve(request, python=PYTHON, lockfile=bench.lockfile, upgrade=Upgrade())


def test_credentials_of_the_index_do_not_reach_the_lockfile(bench: Bench, tmp_path: Path) -> None:
    with LocalIndex(bench.wheels, user="me", password="secret") as guarded:
        bench.options = IndexOptions(index_url=guarded.with_credentials())
        resolution = bench.resolve(
            "lone", f"bottom @ {guarded.with_credentials()}/../files/bottom-2.0-py3-none-any.whl"
        )
    assert versions(resolution) == {"lone": "1.0", "bottom": "2.0"}
    assert b"secret" not in resolution.data


def test_offline_uses_what_is_on_this_machine(bench: Bench) -> None:
    bench.options = IndexOptions(find_links=(str(bench.wheels),), no_index=True)
    request = Request.read(["top"], folder=bench.folder)
    resolver = bench.resolver(offline=True)
    resolution = resolver.resolve(request, python=PYTHON, lockfile=bench.lockfile, upgrade=Upgrade())
    assert versions(resolution) == {"top": "2.0", "bottom": "2.0"}
    assert not bench.index.requests


@pytest.mark.parametrize(
    ("given", "environ", "effective"),
    [
        (
            IndexOptions(),
            {"PIP_INDEX_URL": "https://a.test", "PIP_EXTRA_INDEX_URL": "https://b.test  https://c.test"},
            IndexOptions(index_url="https://a.test", extra_index_urls=("https://b.test", "https://c.test")),
        ),
        (
            IndexOptions(),
            {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"},
            IndexOptions(no_index=True, find_links=("/wheels",)),
        ),
        (IndexOptions(), {"PIP_NO_INDEX": "off"}, IndexOptions()),
        (IndexOptions(), {"PIP_INDEX_URL": "https://a.test", "UV_INDEX": "https://b.test"}, IndexOptions()),
        (IndexOptions(no_index=True), {"PIP_INDEX_URL": "https://a.test"}, IndexOptions(no_index=True)),
    ],
)
def test_pip_s_variables_count_where_nothing_else_is_said(
    given: IndexOptions, environ: dict[str, str], effective: IndexOptions
) -> None:
    assert given.effective(environ) == effective


def test_index_options_become_uv_s() -> None:
    options = IndexOptions(index_url="a", extra_index_urls=("b", "c"), find_links=("d",), no_index=True)
    assert options.arguments() == [
        *("--index-url", "a"),
        *("--extra-index-url", "b"),
        *("--extra-index-url", "c"),
        *("--find-links", "d"),
        "--no-index",
    ]
    assert replace(options, index_url=None, extra_index_urls=(), find_links=(), no_index=False).arguments() == []


def test_addresses_with_credentials_are_found() -> None:
    options = IndexOptions(index_url="https://a:b@x.test", find_links=("/wheels", "https://y.test"))
    environ = {"UV_INDEX": "mine=https://c:d@z.test https://e.test"}
    assert options.addresses(environ) == (
        "https://c:d@z.test",
        "https://e.test",
        "https://a:b@x.test",
        "https://y.test",
    )


def test_a_signal_that_ends_it_is_named(bench: Bench, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    asked = Request.read(["top"], folder=bench.folder)
    with pytest.raises(ResolverStopped) as caught:
        bench.resolver(program=str(killed)).resolve(asked, python=PYTHON, lockfile=bench.lockfile, upgrade=Upgrade())
    assert str(caught.value) == "the resolver stopped:\nkilled was ended by SIGKILL"
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("find out who ended it")
