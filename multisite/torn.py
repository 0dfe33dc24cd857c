"""Files that a power failure has left in parts: what is not flushed, for it can be written again.

Such a file holds zeros and parts of what was written, and is older than the boot of the machine. Where that cannot be
told, no file counts as torn: what somebody has shortened or emptied looks the same.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["is_torn"]

_PAGE = 1 << 12
_KERNEL = Path("/proc/stat")
_SECOND = 10**9


def is_torn(path: Path, wanted: bytes) -> bool:
    """Tell whether a power failure left nothing at *path* but zeros and parts of what was *wanted* there."""
    booted = _booted()
    if booted is None or path.stat().st_mtime_ns >= booted * _SECOND:
        return False
    found = path.read_bytes()
    pages = range(0, len(found), _PAGE)
    return all(
        found[at : at + _PAGE].strip(b"\0") == b"" or wanted[at : at + _PAGE].startswith(found[at : at + _PAGE])
        for at in pages
    )


def _booted() -> int | None:
    """Return when the machine was booted, in seconds; None where its kernel does not say that in this way."""
    try:
        lines = _KERNEL.read_text(encoding="ascii").splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("btime ")), None)
    except (OSError, ValueError, IndexError):
        return None
