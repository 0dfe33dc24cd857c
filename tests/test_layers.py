"""The house: every module stands in one layer and imports only from layers below it, or beside it without a circle."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import multisite

ROOT = Path(multisite.__file__).parent
ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"
MODULES = sorted(path for path in ROOT.rglob("*.py"))
DISK = {"os", "io", "pathlib", "shutil", "subprocess", "tempfile", "time", "socket", "random"}
START_UP = {"_frozen_importlib_external", "marshal", "sys", "_io"}


def drawn() -> dict[str, int]:
    """Return the layer of each room in the drawing of the house; what lies within a room is indented further."""
    layers: dict[str, int] = {}
    layer = 0
    _, _, drawing = ARCHITECTURE.read_text(encoding="utf-8").partition("```\nmultisite/\n")
    for line in drawing.partition("```")[0].splitlines():
        if heading := re.match(r" L(\d)  ", line):
            layer = int(heading[1])
        elif not re.match(r" {5}\S", line):
            continue
        for module in re.findall(r"\b(\w+)(?:\.py\b|/)", line):
            assert module not in layers, f"{module} is drawn twice"
            layers[module] = layer
    return layers


LAYER_OF = drawn()


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


def test_what_is_drawn_is_there() -> None:
    assert set(LAYER_OF) == set(map(room, MODULES))


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
