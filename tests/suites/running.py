"""Runs a suite in a plain environment and in a multisite one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.programs.offers import download
from tests.programs.pair import Pair
from tests.programs.table import row

if TYPE_CHECKING:
    from tests.parity.environments import Environment
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

    def row(self) -> str:
        """Return the outcome as a row for the documentation."""
        same = "; ".join(self.differences()) or "the same, test for test"
        return row(self.suite.name, self.python, f"`{self.suite.runs}`", self.version, self.counts, same)


def run(suite: Suite, version: str, folder: Path, shared: Path) -> Outcome:
    """Run *suite* in two new environments in *folder*; the store is in *shared*."""
    pair = Pair.make(suite.requirements, version, folder=folder, shared=shared)
    interpreter = pair.locked.interpreter
    source = _source(suite.sdist, pair.versions[suite.sdist], interpreter, shared) if suite.sdist else None
    plain, locked = (_run(suite, environment, source) for environment in (pair.plain, pair.locked))
    release = pair.versions[suite.sdist or suite.name] if suite.pytest else ""
    return Outcome(suite=suite, python=version, version=release, plain=plain, locked=locked)


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


def _source(name: str, version: str, interpreter: Path, shared: Path) -> Path:
    """Return the unpacked source distribution of *name*, which the tests are in."""
    folder = shared / "sources" / f"{name}-{version}"
    if not folder.exists():
        fetched = folder.with_name(f"{folder.name}.fetched")
        words = ["--no-deps", "--no-binary", name, f"{name}=={version}"]
        download(*words, interpreter=interpreter, folder=shared, target=fetched)
        (archive,) = fetched.glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(fetched, filter="data")
        (unpacked,) = (path for path in fetched.iterdir() if path.is_dir())
        unpacked.rename(folder)
    return folder
