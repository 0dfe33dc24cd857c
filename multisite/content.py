"""What a distribution consists of, whoever installed it: the content digest (docs/formats.md, "Content digest").

All rules stand here as pure functions. Those who have a wheel and those who have an installed tree say which files
they found, under which scheme, and how they begin; what counts, and as what, is decided here alone.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = [
    "NEUTRAL_LINE",
    "ContentFile",
    "Exclusions",
    "build_name",
    "content_digest",
    "interpreter_line",
    "landing",
    "script_names",
    "source_paths",
    "starts_as_python",
]

# What a script's first line counts as where installers write the interpreter's path.
NEUTRAL_LINE = b"#!python\n"
_VERSION = b"multisite content 1\n"
# purelib and platlib are one folder in every environment.
_SITE = {"purelib": "site", "platlib": "site"}
_OWN_FILES = (
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
    "uv_cache.json",
    "uv_build.json",
    "RECORD",
    "RECORD.jws",
    "RECORD.p7s",
)
# What stands around a console script's name in the files that installers and setuptools make for it.
_WRAPPERS = (".exe.manifest", ".exe", "-script.pyw", "-script.py", ".pya")
# pip names its own scripts, and easy_install, after the interpreter as well.
_VERSIONED = {"pip": re.compile(r"pip\d+(\.\d+)?"), "easy_install": re.compile(r"easy_install-\d+\.\d+")}
_OWN_FOLDER = b'"$(dirname -- "$(realpath -- "$0")")"/'
_UNSAFE_IN_TAG = re.compile(r"[^a-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentFile:
    """A file where it lands: ``path`` is relative to its scheme's folder; ``sha256`` is hexadecimal.

    For a script that begins with ``#!python``, hash and size are those of its neutral form.
    """

    scheme: str
    path: str
    sha256: str
    size: int


def content_digest(files: Iterable[ContentFile]) -> str:
    """Return the SHA-256 over *files*, in any order: those that ``Exclusions`` leaves in."""
    digest = hashlib.sha256(_VERSION)
    lines = (f"{file.scheme}/{file.path}\0{file.sha256}\0{file.size}\n".encode() for file in files)
    for line in sorted(lines):
        digest.update(line)
    return digest.hexdigest()


def build_name(tags: Iterable[str], digest: str) -> str:
    """Return the last folder's name of an entry: a tag for people, and the start of the content digest."""
    parts = [tag.lower().split("-") for tag in tags]
    groups = [sorted({part[at] for part in parts if len(part) == 3}) for at in range(3)]
    tag = "-".join([".".join(groups[0]), ".".join(groups[1]), *groups[2][:1]])
    return f"{_UNSAFE_IN_TAG.sub('_', tag)[:100].strip('-._') or 'any'}-{digest[:16]}"


def landing(scheme: str, path: str) -> tuple[str, str]:
    """Return scheme and path as the digest has them, for a file of a wheel's *scheme*."""
    if scheme == "data" and path.startswith("bin/"):
        return "scripts", path.removeprefix("bin/")
    return _SITE.get(scheme, scheme), path


def script_names(entry_points: str | None) -> frozenset[str]:
    """Return the names of the console and GUI scripts in the text of ``entry_points.txt``.

    As lenient as ``importlib.metadata``, which is what installers read it with.
    """
    names, section = set(), None
    for line in map(str.strip, (entry_points or "").splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif section in {"console_scripts", "gui_scripts"} and line and not line.startswith("#"):
            names.add(line.partition("=")[0].strip())
    return frozenset(names)


class Exclusions:
    """What of a distribution's files counts as no content, because installers add, replace or derive it."""

    def __init__(self, *, dist_info: str, entry_points: str | None, landings: Collection[tuple[str, str]]) -> None:
        self._own = {f"{dist_info}/{name}" for name in _OWN_FILES}
        self._scripts = script_names(entry_points)
        self._landings = landings

    def __contains__(self, scheme_and_path: tuple[str, str]) -> bool:
        """Tell whether one of *landings*, scheme and path, is left out."""
        scheme, path = scheme_and_path
        if any((scheme, source) in self._landings for source in source_paths(path)):
            return True
        if scheme == "scripts":
            return self._is_wrapper(path.rpartition("/")[2])
        return scheme == "site" and path in self._own

    def _is_wrapper(self, name: str) -> bool:
        ends = [end for end in _WRAPPERS if name.lower().endswith(end)]
        return any(self._is_script(stem) for stem in (name, *(name[: -len(end)] for end in ends)))

    def _is_script(self, name: str) -> bool:
        return name in self._scripts or any(
            base in self._scripts and pattern.fullmatch(name) for base, pattern in _VERSIONED.items()
        )


def source_paths(path: str) -> list[str]:
    """Return where the source of the bytecode file *path* may be (PEP 3147); nothing for other files.

    Several, since module names and tags (``cpython-311-pytest-8.3.4``) may contain dots.
    """
    folder, _, name = path.rpartition("/")
    above, _, cache = folder.rpartition("/")
    if cache != "__pycache__" or not name.endswith(".pyc"):
        return []
    parts = name.split(".")
    prefix = f"{above}/" if above else ""
    return [f"{prefix}{'.'.join(parts[:end])}.py" for end in range(1, len(parts) - 1)]


def starts_as_python(first_line: bytes) -> bool:
    """Tell whether installers put an interpreter into this first line of a wheel's script (PEP 427)."""
    return first_line.startswith(b"#!python")


def interpreter_line(head: bytes) -> tuple[str, int] | None:
    """Return the interpreter that the beginning of a script names, and the length of the lines that name it.

    Directly, or in the three lines for ``/bin/sh`` that installers write where the path is too long for a kernel or
    has spaces. A path relative to the script itself (uv's relocatable environments) is returned as ``./python``.
    """
    first, second, third = [*head.split(b"\n", 3), b"", b"", b""][:3]
    if first == b"#!/bin/sh" and second.startswith(b"'''exec' ") and third == b"' '''":
        command = second.removeprefix(b"'''exec' ").removesuffix(b' "$0" "$@"').replace(_OWN_FOLDER, b"./")
        return _unquoted(command), len(first) + len(second) + len(third) + 3
    if not first.startswith(b"#!") or first == head:
        return None
    return _os_text(first[2:].rstrip(b"\r")), len(first) + 1


def _os_text(raw: bytes) -> str:
    """Return a path of a file's content as the operating system's functions take it."""
    return raw.decode("utf-8", "surrogateescape")


def _unquoted(command: bytes) -> str:
    text = _os_text(command)
    # As shlex.quote wrote it: one word.
    return text.replace("'\"'\"'", "\0").replace("'", "").replace("\0", "'").replace('"', "")
