"""Changes to files and folders that are done whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "OTHERS_WRITE",
    "PUBLISHED",
    "TEMPORARY",
    "WITHOUT_LOCKS",
    "flush_folder",
    "free_path",
    "left_over",
    "locked",
    "make_folders",
    "naming",
    "publish",
    "remove_empty_parents",
    "remove_tree",
    "temporary_name",
    "write_atomic",
    "write_file",
    "write_new",
]

# No text translation on Windows, and never through a link that somebody put there.
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
# What is published can be written by its owner at most, whatever the umask: others would change everybody's programs.
PUBLISHED = 0o644
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_FOLDER = 0o755
_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR})
_ATTEMPTS = 20
# What flock(2) says where the filesystem has none.
WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})
_PAUSE = 0.02  # seconds between two looks at a lock
TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp", re.ASCII | re.DOTALL)


def write_new(path: Path | str, *, mode: int = 0o666) -> int:
    """Create the file *path* and return a descriptor to write to it. Raises FileExistsError.

    The kernel takes the umask off *mode*: the only way to honour it without changing it for every thread.
    """
    return os.open(path, _NEW_FILE, mode)


@contextlib.contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Have what fails in the block be about *path*: a full disk does not say which file there was no room for."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


def write_atomic(path: Path, data: bytes, *, mode: int = 0o666, exact: bool = False, sync: bool = False) -> None:
    """Give the file *path* the content *data*; readers see the old content or the new.

    The umask is taken off *mode*, but where that is *exact*. With *sync* the content is on the disk before the name is.
    """
    temporary = temporary_name(path)
    try:
        with naming(path):
            with open(write_new(temporary, mode=mode), "wb") as file:
                file.write(data)
                if exact:
                    temporary.chmod(mode)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:  # an interruption as well: no temporary file stays, and it is raised again
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    if sync:
        flush_folder(path.parent)


def write_file(path: Path, data: bytes) -> None:
    """Write *data* to the file *path* where nobody reads yet. Raises OSError that names it, whatever failed."""
    with naming(path):
        path.write_bytes(data)


def make_folders(path: Path) -> None:
    """Make the folder *path*, and those above it that are missing, for what is published: only their owner writes."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        # Somebody else may be making, or removing, the same.
        folder.mkdir(_FOLDER, exist_ok=True)


def temporary_name(path: Path) -> Path:
    """Return where to write what is to become *path*; ``left_over`` knows such names."""
    return path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")


def left_over(folder: Path) -> list[Path]:
    """Return the temporary files directly in *folder*: being written, or left by who died."""
    try:
        return [path for path in folder.iterdir() if TEMPORARY.fullmatch(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def publish(folder: Path, target: Path, *, sync: bool = False) -> bool:
    """Rename *folder* to *target*; False, with nothing changed, when *target* is there already.

    Makes the folders above *target*, again when somebody removes them, being empty, at the same moment. With *sync*
    every name on the way to *target* is on the disk when this returns, from that of the folder that holds both.
    """
    for attempt in range(_ATTEMPTS):
        try:
            make_folders(target.parent)
            # POSIX renames over an empty folder; nothing is lost with that.
            folder.rename(target)
        except FileNotFoundError:
            if attempt == _ATTEMPTS - 1 or not folder.exists():
                raise
        except OSError as error:
            # Windows says "access denied" for a folder in the way.
            if error.errno not in _TAKEN and not (isinstance(error, PermissionError) and target.exists()):
                raise
            return False
        else:
            break
    if sync:
        both = Path(os.path.commonpath([folder, target]))
        # Whoever made one of them may not have come to flush it.
        for above in target.parents:
            flush_folder(above)
            if above == both.parent:
                break
    return True


def flush_folder(folder: Path) -> None:
    """Have the names in *folder* written to the disk, where the platform can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with naming(folder):
            os.fsync(descriptor)
    except OSError as error:
        # Some network filesystems have no such call for folders.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path, *, timeout: float = -1, make: bool = True) -> Iterator[None]:
    """Hold an advisory lock on *path* against other threads and processes; *make* its folder where it is missing.

    *timeout* is in seconds, below zero for ever; raises TimeoutError when it passes, FileNotFoundError where the folder
    of *path* is removed meanwhile. The lock ends with the process. Where the filesystem has no locks, a file beside it
    stands for one.
    """
    if make:
        path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = None if sys.platform == "win32" else _flocked(path, timeout)
    if descriptor is None:
        with _other_lock(path, timeout):
            yield
        return
    try:
        yield
    finally:
        os.close(descriptor)


def _other_lock(path: Path, timeout: float) -> contextlib.AbstractContextManager[object]:
    import filelock

    if sys.platform == "win32":
        return filelock.FileLock(path, timeout=timeout)
    return filelock.SoftFileLock(path.with_name(f"{path.name}.held"), timeout=timeout)


def _flocked(path: Path, timeout: float) -> int | None:
    """Return a descriptor that holds the file *path*, None where there are no locks.

    It is made at most once for each file that is waited for: whoever makes it anew with each look, as filelock's
    ``FileLock`` does, keeps others from removing the folder that it is in.
    """
    until = None if timeout < 0 else time.monotonic() + timeout
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        try:
            _wait_for_lock(descriptor, path, until)
            # Whoever held it may have removed it: then it keeps nobody out any more.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor)):
                return descriptor
        except BaseException as error:  # an interruption as well: the file is closed, and it is raised again
            os.close(descriptor)
            if isinstance(error, OSError) and error.errno in WITHOUT_LOCKS:
                return None
            raise
        os.close(descriptor)


def _wait_for_lock(descriptor: int, path: Path, until: float | None) -> None:
    while not _try_lock(descriptor, wait=until is None):
        if until is not None and time.monotonic() >= until:
            raise TimeoutError(errno.ETIMEDOUT, "somebody else holds it", str(path))
        time.sleep(_PAUSE)


def _try_lock(descriptor: int, *, wait: bool) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def free_path(folder: Path, name: str) -> Path:
    """Return a path in *folder* that nothing has: *name*, or one that begins with it."""
    path, number = folder / name, 1
    while path.exists() or path.is_symlink():
        number += 1
        path = folder / f"{name}{number}"
    return path


def remove_tree(path: Path) -> None:
    """Remove *path* and what is under it; links are removed, not followed. Nothing there is fine."""
    try:
        is_folder = stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_folder or (os.name == "nt" and path.is_symlink()):
        path.unlink(missing_ok=True)
    elif sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=_unprotected)
    else:
        shutil.rmtree(path, onerror=lambda call, name, caught: _unprotected(call, name, caught[1]))


def _unprotected(call: Callable[..., object], name: str, error: BaseException) -> None:
    # Another process removing the same tree is no failure; a folder without write permission is opened and tried
    # again, as is a read-only file on Windows.
    if isinstance(error, FileNotFoundError):
        return
    if isinstance(error, OSError) and error.errno == errno.ENOTEMPTY and _emptied(Path(name)):
        return
    if not isinstance(error, PermissionError):
        if isinstance(error, OSError):
            error.filename = name  # it speaks of a name in a folder that it does not tell
        raise error
    path = Path(name)
    for protected in (path.parent, path):
        if not protected.is_symlink():
            protected.chmod(stat.S_IMODE(protected.stat().st_mode) | stat.S_IRWXU)
    if call in {os.unlink, os.rmdir}:
        call(name)
    else:
        remove_tree(path)


def _emptied(folder: Path) -> bool:
    """Remove a folder into which threads of a command that was ended wrote to the last; tell whether it is gone."""
    for _ in range(_ATTEMPTS):
        try:
            for path in list(folder.iterdir()):
                remove_tree(path)
            folder.rmdir()
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
        else:
            return True
    return False


def remove_empty_parents(path: Path, upto: Path) -> None:
    """Remove the folders above *path* that are empty, up to and without *upto*, which must be one of them."""
    if upto not in path.parents:
        raise ValueError(f"{upto} is not above {path}")
    for parent in path.parents:
        if parent == upto:
            return
        try:
            parent.rmdir()
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:  # the last for a link to a folder
                raise
            return
