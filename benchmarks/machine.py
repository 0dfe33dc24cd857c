"""The machine that something was measured on, and the versions of what was."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.workbench import Workbench

__all__ = ["facts", "load"]


def facts(bench: Workbench) -> dict[str, str | int]:
    """Return what is to be known of the machine, and of the programs."""
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        "processors": len(os.sched_getaffinity(0)),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()),
        "filesystem": _filesystem(bench.folder),
        "python": bench.done([str(bench.python), "-VV"]).strip(),
        **dict(_versions(bench).items()),
    }


def load() -> float:
    """Return how many processes wanted a processor, on average over the last minute."""
    return os.getloadavg()[0]


def _versions(bench: Workbench) -> Mapping[str, str]:
    code = "import importlib.metadata as m; print(*map(m.version, ['multisite', 'uv', 'pip', 'virtualenv']))"
    versions = bench.done([bench.tool("python"), "-c", code]).split()
    return {**dict(zip(("multisite", "uv", "pip", "virtualenv"), versions, strict=True)), "commit": _commit()}


def _commit() -> str:
    root = Path(__file__).parents[1]
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _filesystem(folder: Path) -> str:
    """Return the kind of the filesystem that the folder is on: of the longest mount point above it."""
    best = ("", "unknown")
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split(" ")
        if folder.is_relative_to(place) and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1]


def _field(path: Path, name: str) -> str | None:
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(name):
                return line.partition(":")[2].strip()
    return None
