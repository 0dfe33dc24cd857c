"""Builder: a wheel from a source, by the build backend that the source names, run by uv with one interpreter.

Sources are strangers' programs, and building runs them; that is what asking for a source means. What is ours to see to
is that nothing but the pinned source is built: archives come checked, and of a repository the pinned commit is taken.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from multisite.addresses import strip_credentials
from multisite.errors import BuildFailed
from multisite.indexes import IndexOptions
from multisite.lockfile import ArchiveSource, DirectorySource, SdistSource, VcsSource
from multisite.processes import ended_by, run_program
from multisite.resolving import uv_environment
from multisite.scratch import temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from multisite.lockfile import Pinned

__all__ = ["Builder", "source_key"]

_KEY_FORMAT = 1
# Set while git runs a hook: they would lead git, and backends that call it, to that hook's repository.
_OTHER_REPOSITORY = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Build with ``uv build``.

    ``program`` returns uv's path when it is needed, ``environ`` is what it and build backends are run with, ``python``
    the interpreter that the wheel is for and ``python_key`` what that is known by in a store.
    """

    program: Callable[[], str]
    environ: Mapping[str, str]
    python: Path
    python_key: str
    indexes: IndexOptions = field(default_factory=IndexOptions)
    offline: bool = False

    def source_key(self, pinned: Pinned) -> str | None:
        """Return what the build of a source is known by in a store; None where nothing names its inputs."""
        return source_key(pinned, self.python_key)

    def build(self, pinned: Pinned, folder: Path, *, relative_to: Path, archive: Path | None = None) -> Path:
        """Build a wheel into ``folder`` and return its path.

        ``relative_to`` is the lockfile's folder; ``archive`` is the fetched file of a source that is one. Raises
        BuildFailed.
        """
        source = pinned.source
        label = _label(pinned)
        with temporary() as work:
            if isinstance(source, DirectorySource):
                tree = _inside(relative_to / source.path, source.subdirectory, label)
            elif isinstance(source, VcsSource):
                clone = self._checkout(label, source, work / "source", relative_to)
                tree = _inside(clone, source.subdirectory, label)
            elif archive is None:
                raise TypeError(f"{pinned.name} is built from an archive, which is not given")
            elif isinstance(source, ArchiveSource):
                tree = _inside(_unpacked(label, archive, work / "source"), source.subdirectory, label)
            else:
                tree = archive
            return self._build(pinned, tree, folder)

    def _build(self, pinned: Pinned, source: Path, folder: Path) -> Path:
        """Run the build in a folder of its own, so that what it made is what is found there."""
        label = _label(pinned)
        with tempfile.TemporaryDirectory(prefix=".wheel-", dir=folder) as name:
            output = self._run(label, [*self._command(), "--out-dir", name, "--", str(source)], cwd=folder)
            wheels = sorted(Path(name).glob("*.whl"))
            if len(wheels) != 1 or not _is_of(wheels[0].name, pinned):
                made = ", ".join(wheel.name for wheel in wheels) or "no wheel"
                raise BuildFailed(label, f"{output}\nit made {made}")
            return wheels[0].rename(folder / wheels[0].name)

    def _command(self) -> list[str]:
        command = [self.program(), "build", "--wheel", "--python", str(self.python), "--no-python-downloads"]
        command += ["--no-create-gitignore", "--no-progress", "--color", "never"]
        command += ["--offline"] if self.offline else []
        return command + self.indexes.effective(self.environ).arguments()

    def _checkout(self, label: str, source: VcsSource, tree: Path, relative_to: Path) -> Path:
        """Clone a repository, with its history: backends read the version from it."""
        if source.type != "git":
            raise BuildFailed(label, f"repositories of {source.type} are not supported; git's are")
        address = str(relative_to / (source.path or ".")) if source.url is None else source.url.removeprefix("git+")
        inside = ["git", "-C", str(tree)]
        self._run(label, ["git", "clone", "--quiet", "--no-checkout", "--", address, str(tree)], cwd=relative_to)
        known = self._run(label, [*inside, "rev-list", "--all"], cwd=relative_to).split()
        if source.commit not in known:  # of no branch or tag: hosts hand it out by its hash
            self._run(label, [*inside, "fetch", "--quiet", "origin", source.commit], cwd=relative_to)
        self._run(label, [*inside, "checkout", "--quiet", "--detach", source.commit], cwd=relative_to)
        self._run(label, [*inside, "submodule", "--quiet", "update", "--init", "--recursive"], cwd=relative_to)
        return tree

    def _run(self, label: str, command: Sequence[str], *, cwd: Path) -> str:
        # Nobody is there to answer: git must not ask for a password.
        environ = {name: value for name, value in uv_environment(self.environ).items() if name not in _OTHER_REPOSITORY}
        environ["GIT_TERMINAL_PROMPT"] = "0"
        try:
            done = run_program(command, environ=environ, cwd=cwd)
        except OSError as error:
            raise BuildFailed(label, f"{command[0]} cannot be run: {error.strerror}") from error
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
        for word in command:
            output = output.replace(word, strip_credentials(word))
        if Path(command[-1]).is_file():  # where the archive lay while it was built is nothing to remember
            output = output.replace(command[-1], Path(command[-1]).name)
        if done.returncode != 0:
            raise BuildFailed(label, "\n".join(filter(None, [output.rstrip(), ended_by(done)])))
        return output


def source_key(pinned: Pinned, python_key: str) -> str | None:
    """Return the name of a build from source (docs/formats.md, "Artifact and source aliases"); None for folders."""
    inputs = _inputs(pinned)
    if inputs is None:
        return None
    document = {"format": _KEY_FORMAT, "python": python_key, **inputs}
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _inputs(pinned: Pinned) -> dict[str, str | None] | None:
    source = pinned.source
    if isinstance(source, (SdistSource, ArchiveSource)):
        subdirectory = source.subdirectory if isinstance(source, ArchiveSource) else None
        return {"kind": "sdist", "subdirectory": subdirectory, **_strongest(source.hashes)}
    if isinstance(source, VcsSource):
        url = strip_credentials(source.url) if source.url is not None else source.path
        return {"kind": "vcs", "url": url, "commit": source.commit, "subdirectory": source.subdirectory}
    return None


def _strongest(hashes: Mapping[str, str]) -> dict[str, str]:
    algorithm = next(name for name in ("sha256", *sorted(hashes, reverse=True)) if name in hashes)
    return {algorithm: hashes[algorithm]}


def _inside(tree: Path, subdirectory: str | None, label: str) -> Path:
    """Return a folder of a source; Lock.parse has seen to its spelling, links are looked through here."""
    folder = Path(os.path.realpath(tree / (subdirectory or ".")))
    if not folder.is_dir():
        hint = "put the folder back, or lock without it: multisite lock"
        raise BuildFailed(label, f"{folder}: no such folder", hint=hint)
    if not folder.is_relative_to(os.path.realpath(tree)):
        raise BuildFailed(label, f"{subdirectory}: leads out of the source")
    return folder


def _unpacked(label: str, archive: Path, folder: Path) -> Path:
    """Unpack an archive that was asked for by its address: uv builds sdists only, with an sdist's name."""
    if not hasattr(tarfile, "data_filter"):  # Python 3.10 before 3.10.12, 3.11 before 3.11.4
        raise BuildFailed(label, "this Python cannot unpack archives safely; run multisite with a later one")
    folder.mkdir()
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:  # drops drives, roots and ".." by itself
                file.extractall(folder)  # noqa: S202 -- see there
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        # RuntimeError: an encrypted member of a zip file
        raise BuildFailed(label, f"{archive.name} cannot be unpacked: {error}") from error
    members = list(folder.iterdir())
    return members[0] if len(members) == 1 and members[0].is_dir() else folder


def _label(pinned: Pinned) -> str:
    return f"{pinned.name} {pinned.version}" if pinned.version else pinned.name


def _is_of(filename: str, pinned: Pinned) -> bool:
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return False
    return name == pinned.name and pinned.version in {None, str(version)}
