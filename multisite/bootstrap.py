"""What starts the finder in an environment: the ``.pth`` file, a copy of the start-up code, the dispatch table.

Everything is compared before it is written, so that a second run writes nothing. The start-up code is compiled by the
environment's own interpreter, once for a store.
"""

from __future__ import annotations

import errno
import hashlib
import marshal
import os
import re
import subprocess
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.batch import write_together
from multisite.errors import InterpreterNotUsable
from multisite.files import make_folders, publish, remove_tree, write_atomic, write_file
from multisite.flushing import flush_tree
from multisite.opening import opened
from multisite.scratch import scratch, sweep
from multisite.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["PTH_NAME", "RUNTIME_LEVEL", "Bootstrap", "runtime_digest", "runtime_source"]

RUNTIME_LEVEL = 2  # every start reads this bytecode: it has no docstrings

_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

# Start-up files are processed in the order of their names; names of other tools' that hook into imports begin with
# "__editable__", "_virtualenv", "a1_coverage", "distutils-precedence". One that begins with a dot is skipped from 3.13.
PTH_NAME = "00-multisite.pth"
_INCOMING = ".incoming-"
_DIGEST = re.compile("[0-9a-f]{32}")

# Start-up files are processed twice in a virtual environment, and what is in the line is compiled each time: so it is
# short, and uses what site has imported. What follows "#" is compiled where the rest of the line fails.
_LINE = "import _frozen_importlib_external as e;globals().get('_multisite',exec)({code!r})"

# It executes the bytecode of the start-up code, which sees to the rest. Where that fails, the start-up code is loaded
# as any module is.
_START = """\
try:exec(e.SourcelessFileLoader('',sys.prefix+{bytecode!r}%sys.implementation.cache_tag).get_code(''),{{'given':(globals(),sitedir,{digest!r})}})
except Exception:exec(line[{at}:])"""

# An exception here would be printed by site as a traceback.
_OTHERWISE = """\
try:
 import os
 p=sys.prefix if sitedir==os.path.join(sys.prefix,{site})else os.path.join(sitedir,{up})
 p=e.spec_from_file_location('_multisite',os.path.join(p,'.multisite','runtime',{digest!r},'__init__.py'))
 e._bootstrap._load(p).begin(globals(),sitedir)
except Exception as x:
 globals().pop('_multisite',0)
 if sys.stderr and not hasattr(sys,'_multisite_failed'):
  sys._multisite_failed=1
  sys.stderr.write('multisite: %s: the start-up code cannot be used, nothing locked can be imported (%r); '
   'run: multisite sync\\n'%(sitedir,x))
"""

# Bytecode that is not compared with its source (PEP 552). It comes through a pipe: an interpreter that writes it into
# files may write a part of it, and say nothing.
_COMPILE = """\
import importlib.util, marshal, sys
compiled = {{}}
for name, source in marshal.loads(sys.stdin.buffer.read()).items():
    code = compile(source, name, "exec", dont_inherit=True, optimize={level})
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source)
    compiled[name[:-3] + "." + sys.implementation.cache_tag + ".pyc"] = head + marshal.dumps(code)
sys.stdout.buffer.write(marshal.dumps(compiled, {marshal}))
"""
_MARSHAL = 4  # the version that each interpreter reads and writes


def runtime_source() -> dict[str, bytes]:
    """Return the start-up code as it is copied into environments: file name -> content."""
    folder = files("multisite") / "_runtime"
    return {item.name: item.read_bytes() for item in folder.iterdir() if item.name.endswith(".py")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """The bootstrap of the environment at *prefix* with the given site-packages folder."""

    prefix: Path
    site_packages: Path

    @property
    def folder(self) -> Path:
        """The folder of multisite's own files in the environment."""
        return self.prefix / ".multisite"

    @property
    def table(self) -> Path:
        """The dispatch table."""
        return self.folder / "table"

    @property
    def runtime(self) -> Path:
        """The folder of this multisite's start-up code. That of another release is another folder.

        Processes load parts of the start-up code for as long as they live, so those of the release that they began
        with stay there until the ``.pth`` file is exchanged once more.
        """
        return self.folder / "runtime" / runtime_digest()

    def expected(self) -> dict[Path, bytes]:
        """Return what belongs into the environment besides table and bytecode: path -> content."""
        runtime = self.runtime
        wanted = {runtime / name: content for name, content in runtime_source().items()}
        wanted[self.folder / "facts" / "INSTALLER"] = b"multisite\n"
        wanted[self.folder / "facts" / "REQUESTED"] = b""
        wanted[self.site_packages / PTH_NAME] = self._pth()
        return wanted

    def _pth(self) -> bytes:
        parts = self.site_packages.relative_to(self.prefix).parts
        digest, up = self.runtime.name, [repr(os.pardir)] * len(parts)
        otherwise = _OTHERWISE.format(site=",".join(map(repr, parts)), up=",".join(up), digest=digest)
        bytecode = str(Path(os.sep, ".multisite", "runtime", digest, "__pycache__", "__init__.%s.pyc"))
        line = _LINE.format(code=_START.format(digest=digest, bytecode=bytecode, at=1000))
        line = line.replace("1000", str(len(line)))  # which has one digit less, and "#" follows
        return f"{line}#exec({otherwise!r})\n".encode("ascii")

    def present(self) -> Iterator[Path]:
        """Yield what is there of all that, bytecode included."""
        yield from (path for path in self.expected() if path.exists())
        yield from sorted(path for path in self._own_files() if path.suffix == ".pyc")

    def differences(self) -> dict[Path, str]:
        """Return the files that are not as they should be: path -> ``missing`` or ``changed``."""
        return {
            path: "changed" if path.exists() else "missing"
            for path, content in self.expected().items()
            if _content(path) != content
        }

    def write(self, *, python: Path, cache_tag: str, store: Path, trust: Trust | None = None) -> bool:
        """Write what differs, the ``.pth`` file last; return whether anything did.

        The start-up code's bytecode is taken from the *store*, or compiled by *python* and kept there; *trust* says
        whose is taken.
        """
        wanted = self.expected()
        wanted.update(self._bytecode(python=python, cache_tag=cache_tag, store=store, trust=trust))
        stale = [path for path, content in wanted.items() if _content(path) != content]
        start = self.site_packages / PTH_NAME
        write_together((path, wanted[path], 0o666) for path in stale if path != start)
        left_over = [path for path in self._own_files() if path not in wanted]
        for path in left_over:
            path.unlink()
        if start in stale:
            self._remove_former(_content(start) or b"")
            write_atomic(start, wanted[start], sync=True)
        return bool(stale or left_over)

    def _remove_former(self, line: bytes) -> None:
        """Remove the start-up code of other releases but for that which the *line* of the ``.pth`` file names."""
        runtime = self.runtime
        for path in sorted(runtime.parent.iterdir()):
            if _DIGEST.fullmatch(path.name):
                is_used = path == runtime or path.name.encode() in line
            else:  # the first releases had no folder of their own
                is_used = not _DIGEST.search(line.decode("latin-1"))
            if not is_used and path.is_dir() and not path.is_symlink():
                remove_tree(path)
            elif not is_used:
                path.unlink(missing_ok=True)

    def mend_start(self) -> bool:
        """Write the ``.pth`` file anew where it is there and damaged; return whether it was."""
        path = self.site_packages / PTH_NAME
        if _content(path) in {None, self._pth()}:
            return False
        write_atomic(path, self._pth(), sync=True)
        return True

    def _own_files(self) -> Iterator[Path]:
        runtime = self.runtime
        for folder in (runtime, runtime / "__pycache__"):
            if folder.is_dir():
                yield from (path for path in folder.iterdir() if path.is_file() and ".opt-" not in path.name)

    def _bytecode(self, *, python: Path, cache_tag: str, store: Path, trust: Trust | None) -> dict[Path, bytes]:
        compiled = compiled_runtime(python=python, cache_tag=cache_tag, store=store, trust=trust)
        folder = self.runtime / "__pycache__"
        return {folder / name: content for name, content in compiled.items()}

    def remove(self) -> None:
        """Take the bootstrap out of the environment; the ``.pth`` file goes first. What is gone already is no error."""
        (self.site_packages / PTH_NAME).unlink(missing_ok=True)
        self.table.unlink(missing_ok=True)
        for name in ("runtime", "facts"):
            remove_tree(self.folder / name)


def runtime_digest() -> str:
    """Return what the start-up code is known by: the name of the folder in a store that its bytecode is kept in."""
    source = runtime_source()
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + source[name] + b"\0" for name in sorted(source)))
    return digest.hexdigest()[:32]


def compiled_runtime(*, python: Path, cache_tag: str, store: Path, trust: Trust | None = None) -> Mapping[str, bytes]:
    """Return the bytecode of the start-up code for *python*: file name in ``__pycache__`` -> content.

    It is compiled once for a *store*, and each time for one that cannot be written to, or whose bytecode others could
    have changed: *trust* says who may. Raises InterpreterNotUsable where *python* cannot compile it.
    """
    source = runtime_source()
    target = store / "runtime" / runtime_digest() / cache_tag
    found = _trusted(target, store, trust or Trust())
    if found is not None:
        return found
    compiled = _compiled(source, python=python)
    try:
        if not target.is_dir():
            with opened(store):
                make_folders(target.parent)
                with scratch(target.parent, before=_INCOMING) as folder:
                    _publish(compiled, folder / "compiled", target)
            found = _trusted(target, store, trust or Trust())
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
    return compiled if found is None else found


def _publish(compiled: Mapping[str, bytes], aside: Path, target: Path) -> None:
    aside.mkdir()
    for name, content in compiled.items():
        write_file(aside / name, content)
    flush_tree(aside)
    publish(aside, target, sync=True)


def _compiled(source: Mapping[str, bytes], *, python: Path) -> Mapping[str, bytes]:
    """Return what *python* compiles *source* to: file name in ``__pycache__`` -> content."""
    command = [str(python), "-I", "-S", "-c", _COMPILE.format(level=RUNTIME_LEVEL, marshal=_MARSHAL)]
    done = subprocess.run(command, input=marshal.dumps(dict(source), _MARSHAL), capture_output=True, check=False)
    try:
        compiled: Mapping[str, bytes] = marshal.loads(done.stdout) if not done.returncode else {}  # noqa: S302 -- it is run anyway
    except (EOFError, ValueError, TypeError):
        compiled = {}
    if len(compiled) != len(source):
        said = done.stderr.decode("utf-8", "replace").rstrip()
        raise InterpreterNotUsable(str(python), f"it cannot compile the start-up code:\n{said}")
    return compiled


def _trusted(folder: Path, store: Path, trust: Trust) -> dict[str, bytes] | None:
    """Return the bytecode in *folder*; None where there is none, or others could have changed it."""
    if not folder.is_dir():
        return None
    try:
        sweep(folder.parent, before=_INCOMING)  # who was killed just after publishing it left a folder
        paths = [path.relative_to(store).as_posix() for path in folder.iterdir()]
        if trust.doubt_of_place(store) is None and trust.doubt(store, paths) is None:
            return _contents(folder)
    except FileNotFoundError:
        pass  # garbage collection has taken it away
    return None


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
