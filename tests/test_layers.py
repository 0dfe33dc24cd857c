"""The house: every module stands in one layer and imports only from layers below it, or beside it without a circle."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import multisite

ROOT = Path(multisite.__file__).parent
ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"
LAYERS = {
    0: "_runtime",
    1: """errors names addresses toml document record content native manifest lockfile locktext dispatch state report
        result insertion""",
    2: """files cache wheel unpacking headers entry sharing store installed interpreter interpreters environment
        view settings real sitemetadata
        cloning processes activation scripts installation bootstrap lockstep scratch history recall registry pins
        direct_url sourcetree remaking layout turns""",
    3: """credentials proxies transport receiving indexes uvconfig pyproject requirements_file request resolving
        fetching building providing wanted switching syncing locking editables place doctor""",
    4: "arguments streams output bars logged workshop showing commands cli __main__ __init__",
}
LAYER_OF = {module: layer for layer, modules in LAYERS.items() for module in modules.split()}
MODULES = sorted(path for path in ROOT.rglob("*.py"))
DISK = {"os", "io", "pathlib", "shutil", "subprocess", "tempfile", "time", "socket", "random"}
START_UP = {"marshal", "os", "sys", "_frozen_importlib_external", "_io"}


def room(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports(path: Path, *, top_only: bool = False, typing: bool = True) -> list[str]:
    """Return the modules that the file imports: anywhere, or at its top and outside of ``if TYPE_CHECKING``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(tree.body if top_only else ast.walk(tree))
    if not typing:
        guarded = {
            id(child)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for child in ast.walk(node)
        }
        nodes = [node for node in nodes if id(node) not in guarded]
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append("." * node.level + (node.module or ""))
    return found


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_every_module_has_a_layer(path: Path) -> None:
    assert room(path) in LAYER_OF


@pytest.mark.parametrize("module", sorted(LAYER_OF))
def test_the_house_is_drawn_in_the_docs(module: str) -> None:
    assert re.search(rf"\b{module}(\.py|/)", ARCHITECTURE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_imports_point_upward_only(path: Path) -> None:
    if room(path) == "__init__":
        return
    for name in imports(path):
        if name.startswith("multisite."):
            assert LAYER_OF[name.split(".")[1]] <= LAYER_OF[room(path)], f"{ids(path)} imports {name}"


def test_no_circles() -> None:
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        inner = {name.split(".")[1] for name in imports(path, typing=False) if name.startswith("multisite.")}
        graph.setdefault(room(path), set()).update(inner - {room(path)})
    order: list[str] = []

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join([*trail, module])
        if module not in order:
            for other in sorted(graph.get(module, ())):
                visit(other, (*trail, module))
            order.append(module)

    for module in sorted(graph):
        visit(module, ())


@pytest.mark.parametrize("path", [path for path in MODULES if LAYER_OF.get(room(path)) == 1], ids=ids)
def test_the_first_layer_touches_no_disk(path: Path) -> None:
    touched = {name.split(".")[0] for name in imports(path, typing=False)} & DISK
    assert not touched


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) == "_runtime"], ids=ids)
def test_the_start_up_code_imports_nothing_of_ours(path: Path) -> None:
    assert not [name for name in imports(path) if name.split(".")[0] == "multisite"]


def test_the_hot_file_imports_only_what_is_loaded_already() -> None:
    assert set(imports(ROOT / "_runtime" / "__init__.py", top_only=True)) == START_UP


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_modules_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 60, f"{ids(path)}: {node.name}"


@pytest.mark.parametrize("path", [path for path in MODULES if LAYER_OF.get(room(path), 0) in (1, 2, 3)], ids=ids)
def test_only_the_command_line_prints_or_exits(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            assert ast.unparse(node.func) not in {"print", "sys.exit", "exit", "os._exit"}, (
                f"{ids(path)}: {node.lineno}"
            )
