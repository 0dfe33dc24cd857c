"""Runs a suite in a plain environment and in a multisite one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tomli

from tests.parity.environments import Environment

if TYPE_CHECKING:
    from tests.suites.suite import Suite

__all__ = ["Outcome", "run"]

_RUNNER = Path(__file__).parents[1] / "probes" / "unittest_outcomes.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How each test of a suite ended, by its name, in both."""

    suite: Suite
    python: str
    version: str
    plain: dict[str, str]
    locked: dict[str, str]

    @property
    def counts(self) -> str:
        """How many tests passed and so on, in the plain environment."""
        return ", ".join(f"{number} {word}" for word, number in sorted(Counter(self.plain.values()).items()))

    def differences(self) -> list[str]:
        """Return the tests that did not end alike, with both outcomes."""
        names = sorted({*self.plain, *self.locked})
        found = [(name, self.plain.get(name, "not run"), self.locked.get(name, "not run")) for name in names]
        return [f"{name}: {plain} / {locked}" for name, plain, locked in found if plain != locked]


def run(suite: Suite, version: str, folder: Path, shared: Path) -> Outcome:
    """Run *suite* in two new environments in *folder*; the store is in *shared*."""
    nothing = shared / "nothing"
    nothing.mkdir(parents=True, exist_ok=True)
    locked, plain = (
        Environment(
            kind=kind,
            version=version,
            venv=folder / kind / "venv",
            store=shared / "store" if kind == "multisite" else folder / "nowhere",
            wheels=nothing,
            index=True,
            installer="pip",
        )
        for kind in ("multisite", "plain")
    )
    lockfile = locked.venv / "pylock.toml"
    for environment in (locked, plain):
        environment.make(suite.requirements, lockfile, system_site=False)
    packages = tomli.loads(lockfile.read_text(encoding="utf-8"))["packages"]
    versions = {package["name"]: package["version"] for package in packages}
    source = _source(suite, versions, shared) if suite.sdist else None
    outcomes = [_run(suite, environment, source) for environment in (plain, locked)]
    return Outcome(
        suite=suite,
        python=version,
        version=versions[suite.sdist or suite.name] if suite.pytest else "",
        plain=outcomes[0],
        locked=outcomes[1],
    )


def _run(suite: Suite, environment: Environment, source: Path | None) -> dict[str, str]:
    work = environment.venv.parent / "work"
    if source:
        work.mkdir()
        for name in suite.keep:
            if (source / name).is_dir():
                shutil.copytree(source / name, work / name)
            elif (source / name).is_file():
                shutil.copy(source / name, work / name)
    else:
        work.mkdir()
    report = work / "report"
    if suite.modules:
        shutil.copy(_RUNNER, work / "runner.py")
        command = ["runner.py", str(report), *suite.modules]
    else:
        command = ["-m", "pytest", "-q", f"--junitxml={report}", "-o", "junit_family=xunit1", *suite.pytest]
    environ = {
        "PATH": f"{environment.venv / 'bin'}{os.pathsep}{os.defpath}",
        "HOME": str(work),
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        # SQLAlchemy's tests take it for: test what is installed.
        "PYTHONNOUSERSITE": "1",
    }
    with (work / "output").open("wb") as output:
        subprocess.run(
            [str(environment.python), *command],
            cwd=work,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=3600,
        )
    if not report.exists():
        raise RuntimeError(f"{environment.kind}: no report\n{(work / 'output').read_text(errors='replace')[-4000:]}")
    return _unittests(report) if suite.modules else _junit(report)


def _unittests(report: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(report.read_text(encoding="utf-8"))
    return found


def _junit(report: Path) -> dict[str, str]:
    found = {}
    for case in ET.parse(report).iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        name = f"{case.get('classname')}::{case.get('name')}"
        found[name] = {"failure": "failed"}.get(kinds[0], kinds[0]) if kinds else "passed"
    return found


def _source(suite: Suite, versions: dict[str, str], shared: Path) -> Path:
    """Return the unpacked source distribution that the tests are in."""
    folder = shared / "sources" / f"{suite.sdist}-{versions[suite.sdist]}"
    if not folder.exists():
        fetched = folder.with_name(folder.name + ".fetched")
        pip = shared / "sources" / "pip"
        if not pip.exists():
            _do(sys.executable, "-m", "venv", pip)
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", suite.sdist]
        requirement = f"{suite.sdist}=={versions[suite.sdist]}"
        _do(pip / "bin" / "python", "-m", "pip", "download", *options, "--dest", fetched, requirement)
        (archive,) = fetched.glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(fetched, filter="data")
        (unpacked,) = (path for path in fetched.iterdir() if path.is_dir())
        unpacked.rename(folder)
    return folder


def _do(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command}\n{done.stdout}{done.stderr}")
