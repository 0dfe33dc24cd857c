"""Runs scenarios in an interpreter under test, plain and locked, and compares the answers."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multisite.bootstrap import Bootstrap
from multisite.dispatch import Binding, DispatchTable, TableEntry
from multisite.index import module_index
from tests.finder.scenario import BUILD

if TYPE_CHECKING:
    from tests.finder.scenario import Scenario

__all__ = ["Answers", "Pair", "Server", "naive_pair", "pair"]

Answers = list[Any]
HERE = Path(__file__).parent
PROGRAM = HERE.parent / "probes" / "finder_server"
NAIVE = HERE / "naive.py"
MTIME_NS = 1_700_000_000_000_000_000


class Server:
    """A process of the interpreter under test that forks a child for each scenario."""

    def __init__(self, python: Path, setup: dict[str, str]) -> None:
        self._run = Path(setup["run"])
        command = [str(python), "-I", "-S", "-B", str(PROGRAM), json.dumps(setup)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, scenario: Scenario) -> None:
        """Send *scenario*; the answer is waited for in ``answers()``, so that two servers work at the same time."""
        assert self._process.stdin is not None
        document = {
            **scenario.document(),
            "table": table(scenario, self._run / "store").hex(),
            "indexes": indexes(scenario),
        }
        self._process.stdin.write(json.dumps(document) + "\n")
        self._process.stdin.flush()

    def answers(self) -> Answers:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the interpreter under test has ended"
        answer = json.loads(line)
        assert "crash" not in answer, answer["crash"]
        answers: Answers = answer["answers"]
        return answers

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@dataclass(frozen=True)
class Pair:
    """The plain environment and the other one, of one interpreter."""

    plain: Server
    ours: Server

    def differences(self, scenario: Scenario) -> list[tuple[Any, Any, Any]]:
        """Return (step, plain answer, our answer) of each step whose answers differ."""
        for server in (self.plain, self.ours):
            server.ask(scenario)
        plain, ours = self.plain.answers(), self.ours.answers()
        return [(mine[0], mine[1], its[1]) for mine, its in zip(plain, ours, strict=True) if mine != its]

    def close(self) -> None:
        self.plain.close()
        self.ours.close()


def pair(python: Path, folder: Path) -> Pair:
    """Return the pair of *python* that compares multisite's finder; scenarios are built in *folder*."""
    prefix = folder / "template"
    tag = subprocess.run(
        [
            str(python),
            "-I",
            "-S",
            "-c",
            "import sys; print(sys.implementation.cache_tag, *sys.version_info[:2])",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    site = prefix / "lib" / f"python{tag[1]}.{tag[2]}" / "site-packages"
    site.mkdir(parents=True)
    Bootstrap(prefix=prefix, site_packages=site).write(python=python, cache_tag=tag[0], store=folder / "compiled")
    ours = {"run": str(folder / "locked"), "variant": "locked", "template": str(prefix)}
    return Pair(_plain(python, folder), Server(python, ours))


def naive_pair(python: Path, folder: Path) -> Pair:
    """Return the pair of *python* that compares the naive finder."""
    naive = {"run": str(folder / "naive"), "variant": "locked", "naive": str(NAIVE)}
    return Pair(_plain(python, folder), Server(python, naive))


def _plain(python: Path, folder: Path) -> Server:
    return Server(python, {"run": str(folder / "plain"), "variant": "plain"})


def indexes(scenario: Scenario) -> dict[str, str]:
    """Return the module index of each folder of the store, by the folder's path in there."""
    roots, entries = scenario.roots(), scenario.entries()
    files: dict[str, list[str]] = {}
    for dist in scenario.locked:
        for root in {roots[dist.key], entries[dist.key]}:
            files.setdefault(root, []).extend(dist.files)
    return {root: module_index(paths).decode("ascii") for root, paths in files.items()}


def _shown(metadata: str) -> tuple[str, str]:
    headers = message_from_string(metadata)
    return headers.get("Name", ""), headers.get("Version", "")


def table(scenario: Scenario, store: Path) -> bytes:
    """Return the dispatch table of the scenario's locked distributions."""
    roots = scenario.roots()
    entries = [
        TableEntry(
            name=dist.key,
            version=dist.version,
            root=roots[dist.key],
            dist_info=dist.info,
            build=BUILD,
            top_level=dist.top_level,
            pth={path: text for path, text in dist.files.items() if path.endswith(".pth") and "/" not in path},
            entry_points=dist.files.get(dist.info + "/entry_points.txt"),
            shown=_shown(dist.files.get(dist.info + "/METADATA", "")),
        )
        for dist in scenario.locked
    ]
    binding = Binding(
        id="0" * 32,
        stores=(str(store),),
        lockfile="pylock.toml",
        size=0,
        mtime_ns=MTIME_NS,
        sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )
    return DispatchTable.compile(entries).encode(binding)
