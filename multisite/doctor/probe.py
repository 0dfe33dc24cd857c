"""What the doctor runs in an environment's own interpreter: a program of its own, for CPython 3.8 and later.

It reads questions from stdin and writes answers to stdout, both JSON; what comes before the mark on either stream was
said while the interpreter started. No module is imported but those that it needs itself, and tools where it is asked
for these; else their sources are read, for importing them can take longer than all the rest.
"""

from __future__ import annotations

import sys

MARK = "multisite doctor: "
# Tools of the standard library, which may be imported without a thought.
STANDARD = ("importlib.metadata", "trace")

if __name__ == "__main__":
    sys.stderr.write("\n" + MARK + "\n")
    sys.stderr.flush()
    # The current folder, which the interpreter puts there for a program on the command line, is not the environment's.
    if sys.path and not sys.path[0]:
        del sys.path[0]

import ast  # noqa: E402
import importlib.machinery  # noqa: E402
import importlib.metadata  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import marshal  # noqa: E402
import sysconfig  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator


def module(name: str, roots: list[str]) -> dict[str, Any]:
    """Say where *name* leads; where nowhere, whether the folders *roots* have a module of that name."""
    try:
        spec = importlib.util.find_spec(name)
    except Exception as error:  # noqa: BLE001 -- any finder may raise anything, and the answer is to tell
        return {"error": f"{type(error).__name__}: {error}"}
    if spec is None:
        return {"importable": importlib.machinery.PathFinder.find_spec(name, roots) is not None}
    is_file = spec.loader is not None and spec.has_location
    return {
        "origin": spec.origin if is_file or spec.origin in ("built-in", "frozen") else None,
        "locations": [str(location) for location in spec.submodule_search_locations or ()],
    }


def distribution(name: str) -> dict[str, Any]:
    """Say which version of a distribution there is, and in what folder."""
    try:
        found = importlib.metadata.distribution(name)
        return {"version": found.version, "folder": str(found.locate_file(""))}
    except importlib.metadata.PackageNotFoundError:
        return {}
    except Exception as error:  # noqa: BLE001 -- damaged metadata fail in many ways
        return {"error": f"{type(error).__name__}: {error}"}


def is_stale(source: Path) -> bool:
    """Tell whether the bytecode of *source*, which is used without a look at it, is of other content, or damaged."""
    compiled = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
    try:
        data = compiled.read_bytes()
    except OSError:
        return False
    if data[:8] != importlib.util.MAGIC_NUMBER + b"\1\0\0\0":
        return False
    try:
        marshal.loads(data[16:])  # noqa: S302 -- the start-up code, which this interpreter has run
    except (EOFError, ValueError, TypeError):
        return True
    return data[8:16] != importlib.util.source_hash(source.read_bytes())


def is_there(name: str) -> bool:
    """Tell whether the top-level package of the module *name* is found."""
    try:
        return importlib.util.find_spec(name.partition(".")[0]) is not None
    except Exception:  # noqa: BLE001 -- any finder may raise anything; then there is nothing to import
        return False


def unknown(site: Any, tools: list[str]) -> list[str]:
    """Import the modules *tools* that there are; return those that the start-up code does not know in this shape."""
    for name in tools:
        try:
            importlib.import_module(name)
        except BaseException:  # noqa: BLE001, S112 -- what cannot be imported is used by nobody here
            continue
    return sorted(set(getattr(site, "unknown", ())))


def source(name: str) -> bytes | None:
    """Return the source of the module *name*, without importing what it is in; None where there is none to read."""
    spec = importlib.util.find_spec(name.partition(".")[0])
    for end in [at for at, letter in enumerate(name) if letter == "."]:
        if spec is None or spec.submodule_search_locations is None:
            return None
        following = name.find(".", end + 1)
        part = name if following < 0 else name[:following]
        spec = importlib.machinery.PathFinder.find_spec(part, list(spec.submodule_search_locations))
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin).read_bytes()


def defined(body: list[ast.stmt], before: str = "") -> Iterator[str]:
    """Yield the names that statements define; those in a class with its name in front."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield before + node.name
        if isinstance(node, ast.ClassDef):
            yield from defined(node.body, before + node.name + ".")
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (before + (item.asname or item.name.partition(".")[0]) for item in node.names)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for part in ("body", "orelse", "finalbody"):
                yield from defined(getattr(node, part, []), before)
            for handler in getattr(node, "handlers", []):
                yield from defined(handler.body, before)
            targets = getattr(node, "targets", [getattr(node, "target", None)])
            parts = (part for target in targets if target is not None for part in ast.walk(target))
            yield from (before + part.id for part in parts if isinstance(part, ast.Name))


def is_of_another_shape(name: str) -> bool:
    """Tell whether the module *name* of a tool, by its source, has none of what the start-up code knows of it."""
    absent = importlib.import_module("_multisite.habits").absent
    habits = importlib.import_module("_multisite.tools").HABITS[name]
    try:
        content = source(name)
        names = None if content is None else frozenset(defined(ast.parse(content).body))
    except Exception:  # noqa: BLE001 -- any finder may raise anything, and a file may hold anything
        return False
    known = ((place in names) != (habit is absent) for place, habit, *_ in habits) if names else [True]
    return not any(known)


def main() -> None:
    """Answer the questions on stdin."""
    asked = json.load(sys.stdin)
    ours = [
        finder
        for finder in sys.meta_path
        if type(finder).__module__.partition(".")[0] == "_multisite" and hasattr(finder, "site")
    ]
    if asked.get("tools"):
        # It is asked in a process of its own: whatever these do when they are imported, the rest is known by then.
        sys.stdout.write("\n" + MARK + json.dumps(unknown(ours[0].site, asked["tools"])) + "\n")
        return
    tools = frozenset(getattr(sys.modules.get("_multisite"), "TOOLS", ()))
    there = sorted(filter(is_there, tools.difference(STANDARD)))
    unlike = [] if asked["imports"] or not ours else list(filter(is_of_another_shape, there))
    answer = {
        "version": sys.version.split()[0],
        "is_active": bool(ours),
        "rows": [list(row) for row in ours[0].site.table.distributions] if ours else [],
        "tools": there,
        "unknown_tools": unlike + (unknown(ours[0].site, sorted(tools.intersection(STANDARD))) if ours else []),
        "standard": sorted({sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}),
        "stale_bytecode": [path.name for path in sorted(Path(asked["runtime"]).glob("*.py")) if is_stale(path)],
        "modules": {name: module(name, roots) for name, roots in asked["modules"].items()},
        "distributions": {name: distribution(known) for name, known in asked["distributions"].items()},
    }
    sys.stdout.write("\n" + MARK + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
