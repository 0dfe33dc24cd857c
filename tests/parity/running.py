"""A case run in environments, and what came of it."""

from __future__ import annotations

import difflib
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from tests.parity.environments import Bench, Environment, filled, given, unpack
from tests.parity.header import BROKEN, Case
from tests.parity.normalising import normalised

__all__ = ["Comparison", "compare", "noticed"]

_PRELUDE = Path(__file__).parent / "prelude.py"
_PROBES = Path(__file__).parents[1] / "probes"
_PASSED_ON = ("LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What the commands of a case said in one environment, brought to one form."""

    lines: tuple[str, ...]
    failed: tuple[str, ...]
    store: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A case's two transcripts, and what is wrong with them."""

    case: Case
    version: str
    plain: Transcript
    other: Transcript

    @property
    def difference(self) -> str:
        """The readable difference, empty where there is none."""
        return "\n".join(difflib.unified_diff(self.plain.lines, self.other.lines, "plain", "multisite", lineterm=""))

    @property
    def changed_lines(self) -> tuple[str, ...]:
        """The lines that differ, as a limit's ``differs`` has them."""
        lines = difflib.unified_diff(self.plain.lines, self.other.lines, n=0, lineterm="")
        return tuple(line for line in list(lines)[2:] if not line.startswith("@@"))

    @property
    def problems(self) -> list[str]:
        """Everything that is not as the case says, as texts to read."""
        case, found = self.case, []
        if bool(self.plain.failed) != case.fails:
            said = "\n".join(self.plain.lines)
            found.append(f"the plain environment: {'; '.join(self.plain.failed) or 'nothing'} failed\n{said}")
        text = "\n".join(self.plain.lines)
        found += [f"the plain environment does not say {it!r}:\n{text}" for it in case.expects if it not in text]
        if self.changed_lines != case.differs:
            wanted = "\n".join(["\nit should be:", *case.differs]) if case.differs else ""
            found.append(f"what they say differs:\n{self.difference or '(it does not)'}{wanted}")
        return found + self.store_problems

    @property
    def store_problems(self) -> list[str]:
        """What the probe changed in the store."""
        return [f"in the store: {path} {what}" for path, what in self.other.store.items()]


def compare(bench: Bench, case: Case, version: str, *, kind: str = "multisite", keep: bool = False) -> Comparison:
    """Run *case* in a plain environment and one of *kind*."""
    plain, other = (_said(bench, case, version, each, keep=keep) for each in ("plain", kind))
    return Comparison(case=case, version=version, plain=plain, other=other)


def noticed(bench: Bench, case: Case, version: str) -> Iterator[str]:
    """Yield the names of the broken finders against which *case* fails."""
    plain = _said(bench, case, version, "plain", keep=False)
    for kind in BROKEN:
        other = _said(bench, case, version, kind, keep=False)
        if Comparison(case=case, version=version, plain=plain, other=other).problems:
            yield kind


def _said(bench: Bench, case: Case, version: str, kind: str, *, keep: bool) -> Transcript:
    with _opened(bench, case, version, kind, keep=keep) as (environment, folder):
        return _transcript(case, environment, folder)


@contextmanager
def _opened(bench: Bench, case: Case, version: str, kind: str, *, keep: bool) -> Iterator[tuple[Environment, Path]]:
    """Give an environment and a folder with the probe, and take away what is not to be kept."""
    environment = bench.environment(case, version, kind)
    folder = bench.folder / "runs" / f"{case.path.stem}-{version}-{kind}-{uuid.uuid4().hex[:6]}"
    folder.mkdir(parents=True)
    if keep:
        print(f"{kind}: {environment.venv}, the probe in {folder}", file=sys.stderr)
    try:
        yield environment, folder
    finally:
        if not keep:
            shutil.rmtree(folder)
            bench.remove(case, environment)


def _folders(case: Case, environment: Environment, folder: Path) -> dict[str, str]:
    paths = {
        "program": folder / f"program{case.path.suffix}",
        "run": folder,
        "venv": environment.venv,
        "site": environment.site,
        "python": environment.python,
        "interpreter": environment.interpreter,
        "wheels": environment.wheels,
        "store": environment.store,
        "host": Path(sys.executable),
        "probes": _PROBES,
        "uv": Path(find_uv_bin()),
    }
    return {name: str(path) for name, path in paths.items()}


def _transcript(case: Case, environment: Environment, folder: Path) -> Transcript:
    folders = _folders(case, environment, folder)
    _write(case, environment, folder, folders)
    environ = _environ(case, environment, folders)
    before = _contents(environment.store) if case.keeps_store else {}
    lines: list[str] = []
    failed: list[str] = []
    for line in case.run:
        if line.split()[0] == "lock":
            _lock(environment, filled(line, folders).split()[1:])
            continue
        code, said = _run(line, environment, folders, environ, folder, case.timeout)
        failed += [line] if code else []
        lines += [f"$ {line}", *normalised(said, folders, case.normalise).splitlines()]
        lines += [f"(exit {code})"] if code else []
    after = _contents(environment.store) if case.keeps_store else {}
    return Transcript(lines=tuple(lines), failed=tuple(failed), store=_changes(before, after))


def _lock(environment: Environment, requirements: Sequence[str]) -> None:
    """Change what both environments hold; the plain one is changed first, so it brings its own lockfile about."""
    if environment.kind != "plain":
        environment.lock(requirements, environment.venv / "pylock.toml")
        return
    twin = environment.venv.parents[1] / "locking"
    other = environment.twin(twin / "venv")
    if not other.venv.exists():
        other.make(requirements, other.venv / "pylock.toml", system_site=False)
    else:
        other.lock(requirements, other.venv / "pylock.toml")
    environment.lock(requirements, other.venv / "pylock.toml")


def _write(case: Case, environment: Environment, folder: Path, folders: Mapping[str, str]) -> None:
    prelude = _PRELUDE.read_text(encoding="utf-8") if case.prelude and case.path.suffix == ".py" else ""
    Path(folders["program"]).write_text(prelude + case.body, encoding="utf-8")
    (folder / "home").mkdir()
    for name, text in case.files.items():
        path = folder / filled(name, folders)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(filled(text, folders), encoding="utf-8")
    for name, requirements in case.folders.items():
        for requirement in requirements:
            unpack(environment.wheels, requirement, folder / name)


def _environ(case: Case, environment: Environment, folders: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the probe: its own, where things are, and what pip and uv need to find the wheels."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    sources = {"PIP_FIND_LINKS": folders["wheels"], "UV_FIND_LINKS": folders["wheels"]}
    if environment.index:
        sources["XDG_CONFIG_HOME"] = os.environ.get("XDG_CONFIG_HOME", str(Path("~/.config").expanduser()))
        sources.update((name, os.environ[name]) for name in os.environ if name.startswith(("PIP_INDEX", "UV_INDEX")))
    else:
        sources.update(PIP_NO_INDEX="1", UV_NO_INDEX="1")
    return {
        "LANG": "C.UTF-8",
        **passed,
        "PATH": f"{environment.venv / 'bin'}{os.pathsep}{os.defpath}",
        "HOME": f"{folders['run']}/home",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **sources,
        **{f"PARITY_{name.upper()}": folder for name, folder in folders.items()},
        **given(case.environ, folders),
    }


def _run(
    line: str,
    environment: Environment,
    folders: Mapping[str, str],
    environ: Mapping[str, str],
    folder: Path,
    timeout: int,
) -> tuple[int, str]:
    """Run one command; return its exit code and all that it said, stderr after stdout."""
    words = [filled(word, folders) for word in shlex.split(line)]
    own = environment.venv / "bin" / words[0]
    words[0] = str(own) if own.exists() else words[0]
    done = subprocess.run(
        words, cwd=folder, env=environ, capture_output=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL
    )
    out, err = (text.decode("utf-8", "backslashreplace") for text in (done.stdout, done.stderr))
    return done.returncode, out + "".join(f"! {line}\n" for line in err.splitlines())


def _contents(store: Path) -> dict[str, str]:
    """Return what nobody may change in a store: path -> mode and content."""
    found = {}
    for path in sorted(store.rglob("*")) if store.is_dir() else []:
        if "__pycache__" not in path.parts and not path.is_dir():
            data = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
            found[str(path.relative_to(store))] = f"{path.lstat().st_mode:o} {hashlib.sha256(data).hexdigest()}"
    return found


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    gone = {path: "is gone" for path in before if path not in after}
    new = {path: "is new" for path in after if path not in before}
    return {**gone, **new, **{path: "has changed" for path in before if after.get(path, before[path]) != before[path]}}
