"""How much room ten releases of one distribution take in a store, before and after ``multisite dedup``.

Room is counted by the filesystem itself (statvfs(2)), so DIR has to be on one that nothing else writes to meanwhile: a
partition, or an image that is mounted for it. Wheels are fetched once, into WHEELS, by pip.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.files import remove_tree
from multisite.store import Artifact, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASES = {
    "django": [f"5.2.{patch}" for patch in range(1, 11)],
    "sqlalchemy": [f"2.0.{patch}" for patch in range(36, 46)],
    "numpy": [*(f"2.2.{patch}" for patch in range(7)), *(f"2.3.{patch}" for patch in range(3))],
}
ROWS = ("distribution", "way", "files", "of them shared", "before", "after", "saved", "seconds", "at publishing")


def main() -> None:
    """Print one row of a Markdown table for each distribution."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.space", description=__doc__)
    parser.add_argument("folder", metavar="DIR", type=Path, help="where stores are made")
    parser.add_argument("--wheels", metavar="WHEELS", type=Path, required=True, help="where wheels are kept")
    parser.add_argument("--way", choices=["clones", "links"], default="clones")
    options = parser.parse_args()
    sys.stdout.write(f"| {' | '.join(ROWS)} |\n|{'---|' * len(ROWS)}\n")
    for name, versions in RELEASES.items():
        wheels = list(fetched(name, versions, options.wheels))
        sys.stdout.write(f"| {' | '.join(measured(name, wheels, options.folder, options.way))} |\n")
        sys.stdout.flush()


def fetched(name: str, versions: list[str], folder: Path) -> Iterator[Path]:
    """Yield the wheel of each release for this interpreter."""
    for version in versions:
        place = folder / name / version
        if not list(place.glob("*.whl")):
            options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(place), f"{name}=={version}"]
            subprocess.run([sys.executable, "-m", "pip", "download", *options], check=True)
        yield next(place.glob("*.whl"))


def measured(name: str, wheels: list[Path], folder: Path, way: str) -> Iterator[str]:
    """Yield the cells of a row."""
    empty = used(folder)
    root = folder / "store"
    files = filled(root, wheels)
    before = used(folder) - empty
    begun = time.perf_counter()
    done = dedup(root, *(["--links"] if way == "links" else []))
    seconds = time.perf_counter() - begun
    after = used(folder) - empty
    remove_tree(root)
    dedup(root, "--publishing", way)
    filled(root, wheels)
    published = used(folder) - empty
    remove_tree(root)
    yield from (name, way, str(files), str(done["planned"]["files"]), mebibytes(before), mebibytes(after))
    yield from (f"{1 - after / before:.0%}", f"{seconds:.1f}", mebibytes(published))


def filled(root: Path, wheels: list[Path]) -> int:
    """Put wheels into the store; return how many files they have."""
    store = Store.open(root)
    return sum(store.add_wheel(wheel, artifact=Artifact.of(wheel)).manifest.files for wheel in wheels)


def dedup(root: Path, *options: str) -> dict[str, dict[str, int]]:
    """Run the command."""
    command = [sys.executable, "-m", "multisite", "dedup", "--store", str(root), "--json", "--quiet", *options]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    answer: dict[str, dict[str, int]] = json.loads(done.stdout)
    return answer


def used(folder: Path) -> int:
    """Return how many bytes of the filesystem are taken, once everything is written to it."""
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(2):  # btrfs gives freed room back once it has committed that
        subprocess.run(["sync", "--file-system", str(folder)], check=True)
    facts = os.statvfs(folder)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize


def mebibytes(count: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{count / 2**20:.1f} MiB"


if __name__ == "__main__":
    main()
