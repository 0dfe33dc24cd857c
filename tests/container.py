"""A container of a test's own: other folders in other places, nothing to be written to, another user.

Linux's namespaces for mounts; root is needed to make one, and nothing that is done in it can be seen outside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.machine import Done

__all__ = ["NOBODY", "Container", "can_be_made", "open_folder"]

NOBODY = 65534
_SCRIPT = """\
set -e
while [ "$1" != -- ]; do
    case "$1" in
    open) mount --bind "$2" "$4"; mount -t tmpfs -o mode=755 tmpfs "$3"
          mkdir -p "$2"; mount --bind "$4" "$2"; shift 4;;
    bind) mkdir -p "$3"; mount --bind "$2" "$3"; shift 3;;
    hide) mount -t tmpfs -o mode=755 tmpfs "$2"; shift 2;;
    read) mount --bind "$2" "$2"; mount -o remount,ro,bind "$2"; shift 2;;
    esac
done
shift
exec "$@"
"""


@cache
def can_be_made() -> bool:
    """Tell whether this machine, and this account, can make one."""
    if os.name == "nt" or os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")):
        return False
    command = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that every account reaches."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        yield folder


@dataclass(frozen=True)
class Container:
    """``binds`` are folders that are seen at other places, ``hidden`` are not seen, nobody writes to ``read_only``.

    ``interpreters`` are folders that ``user`` reaches even where they lie in somebody's home.
    """

    user: int | None = None
    binds: Mapping[Path, Path] = field(default_factory=dict)
    hidden: Sequence[Path] = ()
    read_only: Sequence[Path] = ()
    interpreters: Sequence[Path] = ()

    def run(self, *command: str | Path, environ: Mapping[str, str] | None = None) -> Done:
        with tempfile.TemporaryDirectory() as aside:
            words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SCRIPT, "sh", *self._mounts(aside)]
            words.append("--")
            if self.user is not None:
                words += ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
            variables = {"PATH": os.environ["PATH"], "HOME": "/nowhere", **(environ or {})}
            done = subprocess.run(
                [*words, *map(str, command)], capture_output=True, text=True, check=False, env=variables, cwd="/"
            )
        return Done(done.returncode, done.stdout, done.stderr)

    def _mounts(self, aside: str) -> Iterator[str]:
        for folder in self.interpreters:
            closed = [above for above in folder.parents if not above.stat().st_mode & 0o001]
            if closed:
                yield from ("open", str(folder), str(closed[-1]), aside)
        for source, target in self.binds.items():
            yield from ("bind", str(source), str(target))
        for folder in self.hidden:
            yield from ("hide", str(folder))
        for folder in self.read_only:
            yield from ("read", str(folder))
