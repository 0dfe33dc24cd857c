from __future__ import annotations

from pathlib import Path

import pytest

from multisite.credentials import Credentials
from multisite.indexes import IndexOptions
from tests.builders import write_tree

FILE = "https://corp.test/files/x-1.0-py3-none-any.whl"
NAMED = '[[{}index]]\nname = "my-corp"\nurl = "https://corp.test/simple"\n'
GIVEN = '[[{}index]]\nurl = "https://me:p%2Fw@corp.test/simple"\n'
BY_VARIABLES = {"UV_INDEX_MY_CORP_USERNAME": "me", "UV_INDEX_MY_CORP_PASSWORD": "p/w"}


def found(folder: Path, environ: dict[str, str]) -> tuple[str, str] | None:
    environ = {"HOME": str(folder / "home"), "XDG_CONFIG_DIRS": str(folder / "system"), **environ}
    addresses = IndexOptions().addresses(environ, folder / "work" / "inner")
    return Credentials(addresses, environ=environ).find(FILE)


@pytest.mark.parametrize("variables", [{}, BY_VARIABLES], ids=["in the address", "by variables"])
@pytest.mark.parametrize(
    ("place", "table"),
    [
        ("work/inner/uv.toml", ""),
        ("work/uv.toml", ""),
        ("work/inner/pyproject.toml", "tool.uv."),
        ("home/.config/uv/uv.toml", ""),
        ("system/uv/uv.toml", ""),
    ],
)
def test_a_configuration_file(tmp_path: Path, place: str, table: str, variables: dict[str, str]) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text((NAMED if variables else GIVEN).format(table))
    assert found(tmp_path, variables) == ("me", "p/w")
    assert found(tmp_path, {**variables, "UV_NO_CONFIG": "1"}) is None
    assert found(tmp_path, {**variables, "UV_CONFIG_FILE": str(tmp_path / "other.toml")}) is None


def test_the_file_that_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GIVEN.format(""))
    assert found(tmp_path, {"UV_CONFIG_FILE": str(tmp_path / "mine.toml")}) == ("me", "p/w")


@pytest.mark.parametrize("variable", ["UV_INDEX", "UV_DEFAULT_INDEX"])
def test_a_named_index_of_a_variable(tmp_path: Path, variable: str) -> None:
    environ = {variable: "my-corp=https://corp.test/simple"}
    assert found(tmp_path, environ) is None
    assert found(tmp_path, {**environ, **BY_VARIABLES}) == ("me", "p/w")
    assert found(tmp_path, {variable: "my-corp=https://me:p%2Fw@corp.test/simple"}) == ("me", "p/w")


def test_one_that_has_user_and_password_and_variables(tmp_path: Path) -> None:
    environ = {"UV_INDEX": "my-corp=https://old:one@corp.test/simple", **BY_VARIABLES}
    assert found(tmp_path, environ) == ("me", "p/w")


def test_the_nearest_file_and_the_variables_count_first(tmp_path: Path) -> None:
    write_tree(
        tmp_path, {"work": {"uv.toml": GIVEN.format(""), "inner": {"uv.toml": GIVEN.format("").replace("me:", "i:")}}}
    )
    assert found(tmp_path, {}) == ("i", "p/w")
    assert found(tmp_path, {"UV_INDEX_URL": "https://mine:own@corp.test/other"}) == ("mine", "own")


@pytest.mark.parametrize("text", ["[", 'index = "x"\n', "[[index]]\nname = 1\n", "\xff"])
def test_a_file_that_is_nothing_of_the_kind(tmp_path: Path, text: str) -> None:
    write_tree(tmp_path, {"work": {"inner": {"uv.toml": text.encode("latin-1"), "pyproject.toml": "tool = 1\n"}}})
    assert found(tmp_path, {}) is None


def test_addresses_that_cannot_be_read_hurt_nobody(tmp_path: Path) -> None:
    for address in ("http://me:pw@127.0.0.1:99999/simple", "http://[::1/simple", "not an address"):
        assert found(tmp_path, {"UV_INDEX_URL": address, "UV_EXTRA_INDEX_URL": address}) is None
