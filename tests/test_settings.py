"""Static tools are told of a view in the file that each of them reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from multisite.settings import TOOLS, remove_settings, write_setting
from multisite.view import ViewPlace
from tests.builders import Tree, write_tree

MYPY = "python_executable = $MYPY_CONFIG_FILE_DIR/.venv/.multisite/view/bin/python\n"
MYPY_TOML = 'python_executable = "$MYPY_CONFIG_FILE_DIR/.venv/.multisite/view/bin/python"\n'
PYRIGHT = '{\n    "venvPath": ".venv/.multisite",\n    "venv": "view"\n}\n'
PYPROJECT = "[project]  # ours\nname = 'x'\n"

# id: tool, files before, the file that changes, its content after
CASES: dict[str, tuple[str, dict[str, str], str, str]] = {
    "pyright, nothing": ("pyright", {}, "pyrightconfig.json", PYRIGHT),
    "pyright, a project": (
        "pyright",
        {"pyproject.toml": PYPROJECT},
        "pyproject.toml",
        f'{PYPROJECT}\n[tool.pyright]\nvenvPath = ".venv/.multisite"\nvenv = "view"\n',
    ),
    "pyright, its own file comes first": (
        "pyright",
        {"pyproject.toml": "[tool.pyright]\nx = 1\n", "pyrightconfig.json": '{\n  "strict": [] // all\n}\n'},
        "pyrightconfig.json",
        '{\n  "venvPath": ".venv/.multisite",\n  "venv": "view",\n  "strict": [] // all\n}\n',
    ),
    "mypy, nothing": ("mypy", {}, "mypy.ini", f"[mypy]\n{MYPY}"),
    "mypy, a project": (
        "mypy",
        {"pyproject.toml": PYPROJECT},
        "pyproject.toml",
        f"{PYPROJECT}\n[tool.mypy]\n{MYPY_TOML}",
    ),
    "mypy, setup.cfg beside a project without mypy": (
        "mypy",
        {"pyproject.toml": PYPROJECT, "setup.cfg": "[mypy]\nstrict = True\n"},
        "setup.cfg",
        f"[mypy]\n{MYPY}strict = True\n",
    ),
    "mypy, setup.cfg without mypy": (
        "mypy",
        {"pyproject.toml": PYPROJECT, "setup.cfg": "[flake8]\nx = 1\n"},
        "pyproject.toml",
        f"{PYPROJECT}\n[tool.mypy]\n{MYPY_TOML}",
    ),
    "ty, nothing": ("ty", {}, "ty.toml", '[environment]\npython = ".venv/.multisite/view"\n'),
    "ty, other settings": (
        "ty",
        {"pyproject.toml": "[tool.ty.rules]\nx = 'warn'\n"},
        "pyproject.toml",
        "[tool.ty.rules]\nx = 'warn'\n\n[tool.ty.environment]\npython = \".venv/.multisite/view\"\n",
    ),
    "pyrefly, nothing": (
        "pyrefly",
        {},
        "pyrefly.toml",
        'python-interpreter-path = ".venv/.multisite/view/bin/python"\npreset = "basic"\n',
    ),
    "pyrefly, settings": (
        "pyrefly",
        {"pyrefly.toml": "[errors]\nbad-override = false\n"},
        "pyrefly.toml",
        'python-interpreter-path = ".venv/.multisite/view/bin/python"\n[errors]\nbad-override = false\n',
    ),
    "vscode, nothing": (
        "vscode",
        {},
        ".vscode/settings.json",
        '{\n    "python.analysis.extraPaths": [".venv/.multisite/view/lib/python3.12/site-packages"]\n}\n',
    ),
}


def place(venv: Path) -> ViewPlace:
    folder = venv / ".multisite" / "view"
    return ViewPlace(
        folder=folder, site_packages=folder / "lib/python3.12/site-packages", python=folder / "bin" / "python"
    )


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("case", CASES)
def test_written_and_removed(case: str, tmp_path: Path) -> None:
    tool, files, changed, after = CASES[case]
    write_tree(tmp_path, files)
    view = place(tmp_path / ".venv")
    assert write_setting(tool, tmp_path, view).state == "written"
    assert contents(tmp_path) == {**files, changed: after}
    again = write_setting(tool, tmp_path, view)
    assert (again.state, again.file) == ("unchanged", tmp_path / changed)
    assert [(item.tool, item.state) for item in remove_settings(tmp_path, view)] == [(tool, "removed")]
    assert contents(tmp_path) == files
    assert remove_settings(tmp_path, view) == ()


def test_an_environment_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    view = place(tmp_path / "venv")
    for tool in TOOLS:
        assert write_setting(tool, tmp_path / "project", view).state == "written"
    assert all(str(tmp_path / "venv/.multisite") in text for text in contents(tmp_path / "project").values())


@pytest.mark.parametrize(
    ("tool", "files", "reason", "snippet"),
    [
        (
            "mypy",
            {"mypy.ini": "[mypy]\npython_executable = other\n"},
            "it says python_executable = 'other'",
            f"[mypy]\n{MYPY}",
        ),
        (
            "ty",
            {"ty.toml": "environment = { python = 'x' }\n"},
            "it says python = 'x'",
            '[environment]\npython = ".venv/.multisite/view"\n',
        ),
        (
            "ty",
            {"ty.toml": "environment = { root = ['x'] }\n"},
            "how it is written leaves no safe place for it",
            '[environment]\npython = ".venv/.multisite/view"\n',
        ),
        ("pyright", {"pyrightconfig.json": '{"venv": "x"}'}, "it says venv = 'x'", PYRIGHT),
    ],
)
def test_what_is_set_already_is_left_alone(tool: str, files: Tree, reason: str, snippet: str, tmp_path: Path) -> None:
    write_tree(tmp_path, files)
    before = contents(tmp_path)
    result = write_setting(tool, tmp_path, place(tmp_path / ".venv"))
    assert (result.state, result.reason, result.snippet) == ("refused", reason, snippet.rstrip("\n"))
    assert contents(tmp_path) == before


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    write_tree(tmp_path, {"mypy.ini": b"\xff", "pyrightconfig.json": "{"})
    for tool in ("mypy", "pyright"):
        result = write_setting(tool, tmp_path, place(tmp_path / ".venv"))
        assert result.state == "refused"
        assert str(result.reason).startswith("it cannot be read: ")
    assert remove_settings(tmp_path, place(tmp_path / ".venv")) == ()


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.ini"
    real.write_text("[mypy]\n")
    real.chmod(0o640)
    (tmp_path / "mypy.ini").symlink_to(real)
    assert write_setting("mypy", tmp_path, place(tmp_path / ".venv")).state == "written"
    assert (tmp_path / "mypy.ini").is_symlink()
    assert real.read_text() == f"[mypy]\n{MYPY}"
    assert real.stat().st_mode & 0o777 == 0o640


def test_settings_of_other_environments_stay(tmp_path: Path) -> None:
    write_setting("ty", tmp_path, place(tmp_path / "one"))
    before = contents(tmp_path)
    assert remove_settings(tmp_path, place(tmp_path / "two")) == ()
    assert contents(tmp_path) == before
