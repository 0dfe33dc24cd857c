"""Activation scripts: the standard library's own, filled in for an environment of whatever Python."""

from __future__ import annotations

import os
import re
import shlex
import stat
import tempfile
from pathlib import Path
from types import SimpleNamespace
from venv import EnvBuilder

from multisite.files import write_atomic

__all__ = ["follow_move", "unusable_in_scripts", "write_activation_scripts"]

# What is no plain text between double quotes in one of the shells (CVE-2024-9287).
_SPECIAL = frozenset('"$`\\!')
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
# How Python spells bytes of a name that are no text in the encoding of names, which is the locale's.
_NO_TEXT = re.compile("[\ud800-\udfff]")


def unusable_in_scripts(text: str) -> str | None:
    """Return the first character of *text* that activation scripts cannot hold, None where they hold all of it.

    Older patch releases of Python put paths between double quotes as they are; newer ones quote them.
    """
    refused = frozenset() if _quotes() else _SPECIAL
    unusable = (char for char in text if char in refused or _CONTROL.match(char) or _NO_TEXT.match(char))
    return next(unusable, None)


def write_activation_scripts(folder: Path, *, environment: Path, prompt: str) -> None:
    """Write the scripts into *folder*; they activate the environment that is, or will be, at *environment*."""
    builder = EnvBuilder(symlinks=True, prompt=prompt)
    # Only the library itself knows how this release of it spells the prompt, and it says so while making folders.
    with tempfile.TemporaryDirectory() as elsewhere:
        context = builder.ensure_directories(elsewhere)
    context.env_dir = str(environment)
    context.env_name = environment.name
    context.bin_path = str(folder)
    context.bin_name = folder.name
    context.env_exe = context.env_exec_cmd = str(environment / folder.name / "python")
    builder.setup_scripts(context)


def follow_move(folder: Path, *, environment: Path, prompt: str) -> bool:
    """Have the scripts in *folder* activate *environment*, which was moved or copied; return whether any had to change.

    Whoever made them, their text stays but for the path. Scripts that find out by themselves where they are have none.
    """
    former = _activated(folder / "activate")
    if former is None or os.path.realpath(former) == os.path.realpath(environment):
        return False
    if any(shlex.quote(path) != path for path in (former, str(environment))):
        # How a shell spells such a path is more than to put one in the place of the other.
        write_activation_scripts(folder, environment=environment, prompt=prompt)
        return True
    pattern = re.compile(re.escape(os.fsencode(former)) + rb"(?![\w.+-])")
    for path in sorted(folder.glob("[Aa]ctivate*")):
        before = path.read_bytes()
        after = pattern.sub(lambda match: os.fsencode(environment), before)  # noqa: ARG005
        if after != before:
            write_atomic(path, after, mode=stat.S_IMODE(path.stat().st_mode))
    return True


def _activated(script: Path) -> str | None:
    """Return the folder that the shell script *script* activates, None where it does not name one."""
    try:
        text = script.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    for value in re.findall(r"^\s*(?:export )?VIRTUAL_ENV=(.+)$", text, re.MULTILINE):
        try:
            words = shlex.split(value)
        except ValueError:
            continue
        if len(words) == 1 and Path(words[0]).is_absolute() and "$" not in words[0]:
            return words[0]
    return None


def _quotes() -> bool:
    values = SimpleNamespace(env_dir="a b", env_name="", prompt="", bin_name="", env_exe="", script_path="activate")
    return EnvBuilder().replace_variables("__VENV_DIR__", values) != "a b"
