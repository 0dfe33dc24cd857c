"""Programs of distributions: launchers for their entry points, and scripts that name an interpreter."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from multisite.content import starts_as_python
from multisite.state import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from installer.scripts import LauncherKind, Script, ScriptSection

__all__ = ["declared_scripts", "launcher", "named_after_version", "with_interpreter"]

_SECTIONS: dict[str, ScriptSection] = {"console_scripts": "console", "gui_scripts": "gui"}
_VERSIONED = {
    "pip": (r"pip\d+(\.\d+)?", ("pip{0}", "pip{0}.{1}")),
    "easy_install": (r"easy_install-\d+\.\d+", ("easy_install-{0}.{1}",)),
}
_LAUNCHERS: dict[str, LauncherKind] = {"win32": "win-ia32", "win-amd64": "win-amd64", "win-arm64": "win-arm64"}


def declared_scripts(entry_points: str | None, problems: list[str]) -> Iterator[EntryPoint]:
    """Yield the scripts that the text of ``entry_points.txt`` declares; add to *problems* what cannot be one.

    As lenient as ``importlib.metadata``, which is what other installers read it with: ``installer``'s parser takes
    ``%`` for a reference, and asserts.
    """
    section = None
    for line in map(str.strip, (entry_points or "").splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif section in _SECTIONS and line and not line.startswith("#"):
            name, _, value = (part.strip() for part in line.partition("="))
            match = EntryPoint.pattern.match(value)
            if not match or not match.group("attr"):
                problems.append(f"{section}: {line!r} names no object to call, as in name = module:function")
            elif not is_inside(name) or "/" in name:
                problems.append(f"{section}: {name!r} is no file name")
            else:
                yield EntryPoint(name, value, section)


def named_after_version(scripts: Iterable[EntryPoint], version: Sequence[int]) -> Iterator[EntryPoint]:
    """Yield *scripts* with pip's own, and easy_install's, named after an interpreter of *version*.

    Wheels of older releases name them after the interpreter that built them; pip leaves those out and makes its own.
    """
    by_name = {script.name: script for script in scripts}
    for name, (pattern, templates) in _VERSIONED.items():
        if name in by_name:
            for other in [other for other in by_name if re.fullmatch(pattern, other)]:
                del by_name[other]
            for template in templates:
                versioned = template.format(*version)
                by_name[versioned] = EntryPoint(versioned, by_name[name].value, by_name[name].group)
    yield from by_name.values()


def launcher(script: EntryPoint, *, python: str, platform: str) -> tuple[str, bytes]:
    """Return file name and content of the program that calls *script* with the interpreter *python*.

    *platform* is ``sysconfig.get_platform()`` there: Windows wants programs of its own.
    """
    from installer.scripts import Script

    made = Script(name=script.name, module=script.module, attr=script.attr, section=_SECTIONS[script.group])
    kind = _LAUNCHERS.get(platform, "posix")
    return _with_detour(made, python) if kind == "posix" and "\t" in python else made.generate(python, kind)


def _with_detour(script: Script, python: str) -> tuple[str, bytes]:
    """Generate a program whose first line names ``/bin/sh``: kernels end the interpreter's path at a tab, too."""
    spaced = python.replace("\t", " ")
    name, content = script.generate(spaced, "posix")
    return name, content.replace(shlex.quote(spaced).encode(), shlex.quote(python).encode(), 1)


def with_interpreter(content: bytes, *, python: str) -> bytes:
    """Return a wheel's script with the interpreter put in where its first line asks for one (PEP 427).

    What stands after ``#!python`` in that line is dropped, as pip does it. Paths that are too long for a kernel, or
    have spaces or tabs, get the detour through ``/bin/sh`` that launchers take.
    """
    from installer.scripts import Script

    if not starts_as_python(content):
        return content
    script = Script(name="x", module="x", attr="x", section="console")
    plain = (_with_detour(script, python) if "\t" in python else script.generate(python, "posix"))[1]
    return plain.partition(b"# -*- coding")[0] + content.partition(b"\n")[2]
