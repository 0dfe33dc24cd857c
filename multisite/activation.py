"""Activation scripts: the standard library's own, filled in for an environment of whatever Python."""

from __future__ import annotations

import re
import tempfile
from types import SimpleNamespace
from typing import TYPE_CHECKING
from venv import EnvBuilder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["unusable_in_scripts", "write_activation_scripts"]

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


def _quotes() -> bool:
    values = SimpleNamespace(env_dir="a b", env_name="", prompt="", bin_name="", env_exe="", script_path="activate")
    return EnvBuilder().replace_variables("__VENV_DIR__", values) != "a b"
