"""A plain environment and one of multisite's that hold the same, put back as they were before each attack."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from tests.container import open_folder
from tests.hostile.attack import LOCKED
from tests.machine import Machine
from tests.parity.environments import Environment
from tests.parity.wheels import Wheels, write_wheels
from tests.pythons import found_pythons

__all__ = ["Setup"]

_CODE = "version = {!r}\ndef main():\n    print(version)\n"


def _alpha(version: str, *, points: str, **more: str) -> dict[str, object]:
    return {
        "alpha/__init__.py": _CODE.format(version),
        f"alpha/new_in_{version.replace('.', '_')}.py": "",
        "@dist-info/entry_points.txt": f"[versions]\nalpha-{version} = alpha\n[console_scripts]\n{points}",
        "@data/data/share/alpha/alpha.txt": version,
        "@requires": ["beta"],
        **more,
    }


_OLD, _ALL = "alpha-says = alpha:main\n", "alpha-says = alpha:main\nalpha-new = alpha:main\n"
WHEELS: Wheels = {
    "alpha-0.9": _alpha("0.9", points=_OLD),
    "alpha-1.0": _alpha("1.0", points=_OLD),
    "alpha-2.0": _alpha("2.0", points=_ALL),
    "beta-1.0": {
        "beta/__init__.py": _CODE.format("1.0")
        + "def remember():\n    import os\n"
        + "    open(os.path.join(os.path.dirname(__file__), 'remembered.txt'), 'w').write('by beta')\n",
        "beta/data.txt": "data",
        "@dist-info/entry_points.txt": "[versions]\nbeta-1.0 = beta\n",
    },
    "gamma-1.0": {
        "gamma/__init__.py": _CODE.format("1.0"),
        "@dist-info/entry_points.txt": "[versions]\ngamma-1.0 = gamma\n",
        "@requires": ["alpha"],
    },
}
_PROJECTS = {
    "delta/setup.py": (
        "from setuptools import setup\n"
        "setup(name='delta', version='1.0', packages=['delta'], install_requires=['alpha'],"
        " entry_points={'versions': ['delta-1.0=delta'], 'console_scripts': ['delta-says=delta:main']})\n"
    ),
    "delta/delta/__init__.py": _CODE.format("1.0"),
    "pyproject.toml": (
        '[project]\nname = "epsilon"\nversion = "1.0"\nrequires-python = ">=3.8"\ndependencies = ["alpha ==1.0"]\n'
        "[tool.uv]\npackage = false\n[tool.poetry]\npackage-mode = false\n[tool.pdm]\ndistribution = false\n"
    ),
    "r.txt": "alpha==1.0\nbeta==1.0\n",
}
# Where the interpreter keeps the wheels of its pip and setuptools, and what ensurepip would install of them.
_BUNDLED = """\
import ensurepip, os
print(os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"), "pip==" + ensurepip.version())
print("setuptools==" + ensurepip._SETUPTOOLS_VERSION if hasattr(ensurepip, "_SETUPTOOLS_VERSION") else "")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The two environments of the Python *version*; the machine's is multisite's."""

    version: str
    machine: Machine
    tools: Path

    @classmethod
    @contextmanager
    def opened(cls, version: str) -> Iterator[Setup]:
        """Make both, in a folder that every account reaches."""
        with _open_folder() as folder, Machine.opened(folder / "machine") as machine:
            write_wheels(machine.index.folder, WHEELS)
            setup = cls(version=version, machine=machine, tools=folder / "tools")
            setup.tools.mkdir()
            shutil.copy2(find_uv_bin(), setup.tools / "uv")
            python = found_pythons()[version]
            names = [f"{name}=={pinned}" for name, pinned in LOCKED.items()]
            machine.run("lock", *names, "--python", python, "--no-project").succeeded()
            plain = Environment(
                kind="plain",
                version=version,
                venv=setup.folder("plain") / ".venv",
                store=folder / "nowhere",
                wheels=machine.index.folder,
                index=False,
                installer="pip",
            )
            plain.make((), machine.lockfile, system_site=False)
            for kind in ("plain", "multisite"):
                setup._seed(kind)
                for name, text in _PROJECTS.items():
                    path = setup.folder(kind) / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding="utf-8")
            for part in (*setup._changing, machine.lockfile):
                subprocess.run(["cp", "-a", part, setup._kept(part)], check=True)
            yield setup

    @property
    def store(self) -> Path:
        return self.machine.store

    @property
    def lockfile(self) -> Path:
        """A copy of the lockfile, for when the environment with it is gone."""
        return self._kept(self.machine.lockfile)

    def folder(self, kind: str) -> Path:
        """Return the folder in which the attack runs; the environment is ``.venv`` in it."""
        return self.machine.work if kind == "multisite" else self.machine.folder / "plain"

    def site(self, kind: str) -> Path:
        return self.folder(kind) / ".venv" / "lib" / f"python{self.version}" / "site-packages"

    def restore(self) -> None:
        """Put everything back as it was."""
        for part in self._changing:
            shutil.rmtree(part, ignore_errors=True)
            subprocess.run(["cp", "-a", self._kept(part), part], check=True)

    def give_away(self, owner: int) -> None:
        """Make everything that account's."""
        subprocess.run(["chown", "-R", f"{owner}:{owner}", *map(str, self._changing)], check=True)

    def provide(self, tool: str) -> None:
        """Install a tool, the first of some requirements, from the package index in an environment of its own."""
        place = self.tools / tool.split(maxsplit=1)[0]
        python = str(place / "bin" / "python")
        if not place.exists():
            subprocess.run([find_uv_bin(), "venv", "--quiet", "--python", sys.executable, place], check=True)
            subprocess.run([find_uv_bin(), "pip", "install", "--quiet", "--python", python, *tool.split()], check=True)

    def environ(self, kind: str) -> dict[str, str]:
        """Return the variables of an attack: the environment is active, and there is the machine's index only."""
        folder, venv = self.folder(kind), self.folder(kind) / ".venv"
        url = self.machine.index.url
        tools = [str(path) for path in (self.tools, *sorted(self.tools.glob("*/bin")))]
        return {
            "PATH": os.pathsep.join([str(venv / "bin"), *tools, os.defpath]),
            "TOOLS": str(self.tools),
            "LANG": "C.UTF-8",
            "HOME": str(folder / "home"),
            "VIRTUAL_ENV": str(venv),
            "VENV": str(venv),
            "SITE": str(self.site(kind)),
            "STORE": str(self.store) if kind == "multisite" else str(folder / "nowhere"),
            "RUN": str(folder),
            "BASE": str(found_pythons()[self.version]),
            "WHEELS": str(self.machine.index.folder),
            "PIP_INDEX_URL": url,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_INDEX_URL": url,
            "UV_CACHE_DIR": str(folder / "uv-cache"),
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }

    @property
    def _changing(self) -> tuple[Path, ...]:
        return self.folder("plain"), self.folder("multisite"), self.store

    def _kept(self, part: Path) -> Path:
        kept = self.machine.folder / "kept"
        kept.mkdir(exist_ok=True)
        return kept / part.name

    def _seed(self, kind: str) -> None:
        """Install the pip that the interpreter brings, and its setuptools where it has one, and have them compiled."""
        python = str(self.folder(kind) / ".venv" / "bin" / "python")
        base = found_pythons()[self.version]
        bundled = subprocess.run([base, "-c", _BUNDLED], capture_output=True, text=True, check=True).stdout.split()
        command = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--no-index", "--python", python]
        subprocess.run([*command, "--no-cache", "--find-links", *bundled], check=True)
        subprocess.run([python, "-m", "pip", "list"], check=True, capture_output=True, env=self.environ(kind))


@contextmanager
def _open_folder() -> Iterator[Path]:
    """Make a folder that every account reaches, in memory where there is room for programs."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or os.statvfs(memory).f_flag & os.ST_NOEXEC or shutil.disk_usage(memory).free < 1 << 30:
        with open_folder() as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        os.chmod(name, 0o755)
        yield Path(name)
