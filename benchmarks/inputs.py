"""What is installed in the benchmark: real distributions as of today, and made ones of any number and size."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.builders import Tree, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from benchmarks.workbench import Workbench

__all__ = ["LARGE", "TWELVE", "Inputs"]

# What a project may ask for; 173 distributions when this was written.
LARGE = (
    *("django", "djangorestframework", "celery", "requests", "flask", "sqlalchemy", "pandas", "scipy", "scikit-learn"),
    *("matplotlib", "jupyterlab", "fastapi", "uvicorn", "pytest", "black", "mypy", "sphinx", "boto3", "rich", "httpx"),
    *("pydantic", "aiohttp", "ansible-core"),
)
# Twelve large ones of them, as programs import them: some 3,000 modules.
TWELVE = (
    *("django.contrib.admin", "sqlalchemy.orm", "pandas", "scipy.stats", "sklearn.ensemble", "matplotlib.pyplot"),
    *("jupyterlab.labapp", "fastapi", "celery", "sphinx.application", "boto3", "aiohttp"),
)
# Filling the store is measured with these alone.
ALONE = ("django", "numpy", "sympy")
MODULE = '''"""Module {number} of a distribution that was made to be measured."""

import os

NUMBERS = {{{number}: "a", {number} + 1: "b", {number} + 2: "c"}}


class Thing{number}:
    """Something with a few methods, so that there is bytecode to be made and read."""

    def __init__(self, name, *, size=0):
        self.name = name
        self.size = size

    def __repr__(self):
        return f"<Thing {{self.name}} {{self.size}}>"

    def larger(self, by=1):
        return Thing{number}(self.name, size=self.size + by)

    def place(self, *names):
        return os.path.join(self.name, *names)


def things(count):
    return [Thing{number}(str(number), size=number) for number in range(count)]
'''


class Inputs:
    """Wheels and lockfiles; wheels are kept in the workbench's folder of inputs, and served at *address*."""

    def __init__(self, bench: Workbench, address: str) -> None:
        self.bench = bench
        self.address = address
        self._locks: dict[tuple[str, ...], Path] = {}

    @property
    def wheels(self) -> Path:
        """The folder that is served."""
        return self.bench.inputs / "wheels"

    def requirements(self, names: Iterable[str], filename: str) -> Path:
        """Return a file of requirements, left as it is where it says that already."""
        path = self.bench.folder / filename
        text = "".join(f"{name}\n" for name in names)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        return path

    def large(self) -> Path:
        """Return the lockfile of all."""
        return self.lock(LARGE)

    def without_jupyterlab(self) -> Path:
        """Return the lockfile of all but jupyterlab and what only that needs."""
        return self.lock([name for name in LARGE if name != "jupyterlab"])

    def lock(self, names: Sequence[str]) -> Path:
        """Return a lockfile of these and what they need, with one wheel for each, all of them fetched."""
        key = tuple(sorted(names))
        if key not in self._locks:
            self._locks[key] = self._written(self._fetched(key), f"{len(self._locks)}-real")
        return self._locks[key]

    def large_wheels(self) -> list[Path]:
        """Return the wheels of all."""
        return self._fetched(tuple(sorted(LARGE)))

    def lock_of(self, wheel: Path) -> Path:
        """Return a lockfile of one wheel alone."""
        return self._written([wheel], f"{parse_wheel_filename(wheel.name)[0]}-alone")

    def wheel(self, name: str) -> Path:
        """Return the wheel of one distribution without what it needs."""
        return next(path for path in self._fetched((name,)) if parse_wheel_filename(path.name)[0] == name)

    def made(self, count: int, files: int) -> Path:
        """Return a lockfile of *count* made distributions of *files* modules each."""
        folder = self.wheels / f"made-{files}"
        folder.mkdir(parents=True, exist_ok=True)
        wheels = []
        for number in range(count):
            name = f"made_{files}_{number:04}"
            path = folder / f"{name}-1.0-py3-none-any.whl"
            wheels.append(path if path.exists() else make_wheel(folder, name, files={name: _modules(files)}))
        return self._written(wheels, f"made-{count}-{files}")

    def _fetched(self, names: Sequence[str]) -> list[Path]:
        """Return the wheels of these and what they need: resolved by uv, fetched by pip once."""
        folder = self.wheels / "real"
        folder.mkdir(parents=True, exist_ok=True)
        chosen = self.bench.inputs / f"{hashlib.sha256(' '.join(names).encode()).hexdigest()[:16]}.txt"
        if not chosen.exists():
            wanted = self.requirements(names, "wanted.in")
            resolve = ["pip", "compile", "-q", "--no-header", "--no-annotate", "--python", str(self.bench.python)]
            pins = self.bench.done([self.bench.tool("uv"), *resolve, str(wanted)], cached=False)
            pinned = self.requirements(pins.splitlines(), "pinned.txt")
            options = ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), "-r", str(pinned)]
            self.bench.done([self.bench.tool("pip"), "download", "-q", *options], cached=False)
            chosen.write_text(pins, encoding="utf-8")
        pinned_ones = {line.partition(" ")[0] for line in chosen.read_text(encoding="utf-8").splitlines()}
        wheels = [path for path in sorted(folder.glob("*.whl")) if _pin(path) in pinned_ones]
        assert len(wheels) == len(pinned_ones), f"not every one of {chosen} is in {folder}"
        return wheels

    def _written(self, wheels: Iterable[Path], name: str) -> Path:
        import tomli_w

        packages = []
        for wheel in wheels:
            project, version, _, _ = parse_wheel_filename(wheel.name)
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            url = f"{self.address}/{wheel.relative_to(self.wheels).as_posix()}"
            size = wheel.stat().st_size
            source = {"name": wheel.name, "url": url, "size": size, "hashes": {"sha256": digest}}
            packages.append({"name": canonicalize_name(project), "version": str(version), "wheels": [source]})
        path = self.bench.folder / f"pylock.{name}.toml"
        path.write_text(tomli_w.dumps({"lock-version": "1.0", "created-by": "benchmarks", "packages": packages}))
        return path


def _pin(wheel: Path) -> str:
    name, version, _, _ = parse_wheel_filename(wheel.name)
    return f"{name}=={version}"


def _modules(count: int) -> Tree:
    """Return the tree of a package of *count* modules: one, then subpackages of fifty."""
    tree: dict[str, Tree | str] = {"__init__.py": "from . import part_0\n"}
    for start in range(0, count - 1, 50):
        modules: dict[str, str] = {"__init__.py": "from . import module_0\n"}
        for number in range(start, min(start + 49, count - 2)):
            modules[f"module_{number - start}.py"] = MODULE.format(number=number)
        modules.setdefault("module_0.py", MODULE.format(number=start))
        tree[f"part_{start // 50}"] = modules
    return tree
