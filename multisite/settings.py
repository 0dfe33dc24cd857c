"""Where the static tools of a project are told of a view: in the file that each reads, by its setting for environments.

Only what is not set yet is set. Taking out goes by the values, so nothing needs to be remembered about it.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from multisite.files import write_atomic
from multisite.insertion import IniSyntax, JsonSyntax, TomlSyntax, insert, look_up, take_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from multisite.insertion import Syntax
    from multisite.view import ViewPlace

__all__ = ["TOOLS", "SettingResult", "remove_settings", "write_setting"]

_TOML, _INI, _JSON = TomlSyntax(), IniSyntax(), JsonSyntax()
_PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingResult:
    """What became of one tool's setting in one file.

    ``state`` is ``written``, ``unchanged`` (it was there), ``removed``, or ``refused``: then ``reason`` says why, and
    ``snippet`` is what a person would write.
    """

    tool: str
    file: Path
    state: str
    reason: str | None = None
    snippet: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Return the result as ``--json`` prints it."""
        facts = {"tool": self.tool, "file": str(self.file), "state": self.state}
        return {**facts, "reason": self.reason, "snippet": self.snippet}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file of a project where a tool may be told; one that other tools use as well counts if it has the table."""

    name: str
    syntax: Syntax
    table: tuple[str, ...] = ()
    is_own: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tool:
    """How a tool is told: in the first of ``files`` that counts, else in pyproject.toml, else in the first, made new.

    ``settings`` makes them from a view's folder and its site-packages, both as the file has them. ``besides`` is
    written with them where the tool had no settings at all, since having any changes what it does.
    """

    files: tuple[_File, ...]
    settings: Callable[[str, str], Mapping[str, Any]]
    besides: Mapping[str, Any] = field(default_factory=dict)


def _toml(tool: str, *table: str) -> tuple[_File, ...]:
    shared = _File(name=_PYPROJECT, syntax=_TOML, table=("tool", tool, *table), is_own=False)
    return (_File(name=f"{tool}.toml", syntax=_TOML, table=table), shared)


def _ini(name: str, *, is_own: bool = True) -> _File:
    return _File(name=name, syntax=_INI, table=("mypy",), is_own=is_own)


def _pyright(view: str, site: str) -> Mapping[str, Any]:  # noqa: ARG001
    folder, _, name = view.rpartition("/")
    return {"venvPath": folder, "venv": name}


def _mypy(view: str, site: str) -> Mapping[str, Any]:  # noqa: ARG001
    # Relative to where mypy is started, unless it is told otherwise.
    folder = view if Path(view).is_absolute() else f"$MYPY_CONFIG_FILE_DIR/{view}"
    return {"python_executable": f"{folder}/{_PYTHON}"}


_PYTHON = "Scripts/python.exe" if os.name == "nt" else "bin/python"

TOOLS: Mapping[str, _Tool] = MappingProxyType(
    {
        "pyright": _Tool(
            files=(
                _File(name="pyrightconfig.json", syntax=_JSON),
                _File(name=_PYPROJECT, syntax=_TOML, table=("tool", "pyright"), is_own=False),
            ),
            settings=_pyright,
        ),
        "mypy": _Tool(
            files=(
                _ini("mypy.ini"),
                _ini(".mypy.ini"),
                _File(name=_PYPROJECT, syntax=_TOML, table=("tool", "mypy"), is_own=False),
                _ini("setup.cfg", is_own=False),
            ),
            settings=_mypy,
        ),
        "ty": _Tool(files=_toml("ty", "environment"), settings=lambda view, site: {"python": view}),  # noqa: ARG005
        "pyrefly": _Tool(
            files=_toml("pyrefly"),
            settings=lambda view, site: {"python-interpreter-path": f"{view}/{_PYTHON}"},  # noqa: ARG005
            besides=MappingProxyType({"preset": "basic"}),
        ),
        "vscode": _Tool(
            files=(_File(name=".vscode/settings.json", syntax=_JSON),),
            settings=lambda view, site: {"python.analysis.extraPaths": [site]},  # noqa: ARG005
        ),
    }
)


def write_setting(tool: str, project: Path, place: ViewPlace) -> SettingResult:
    """Tell *tool* of the view at *place*, in its configuration in the folder *project*."""
    plan = _Plan(tool, project, place)
    file = plan.file()
    path = project / file.name
    try:
        text = _read(path)
        present = look_up(file.syntax.parse(text), file.table)
    except ValueError as error:
        return plan.refused(file, f"it cannot be read: {error}")
    clash = [key for key, value in plan.settings.items() if key in present and present[key] != value]
    if clash:
        return plan.refused(file, f"it says {clash[0]} = {present[clash[0]]!r}")
    missing = {key: value for key, value in plan.settings.items() if key not in present}
    if not missing:
        return SettingResult(tool=tool, file=path, state="unchanged")
    new = insert(file.syntax, text, file.table, missing if present else {**missing, **TOOLS[tool].besides})
    if new is None:
        return plan.refused(file, "how it is written leaves no safe place for it")
    _write(path, new)
    return SettingResult(tool=tool, file=path, state="written")


def remove_settings(project: Path, place: ViewPlace) -> tuple[SettingResult, ...]:
    """Take out of every tool's configuration in *project* what leads to the view at *place*."""
    return tuple(result for tool in TOOLS for result in _Plan(tool, project, place).removed())


class _Plan:
    """One tool's settings in one project."""

    def __init__(self, tool: str, project: Path, place: ViewPlace) -> None:
        self._tool = tool
        self._project = project
        self._rule = TOOLS[tool]
        self.settings = self._rule.settings(
            _as_written(place.folder, project), _as_written(place.site_packages, project)
        )

    def file(self) -> _File:
        """Return the file where the tool is to be told."""
        files = self._rule.files
        there = [file for file in files if (self._project / file.name).is_file()]
        counting = (file for file in there if file.is_own or self._has_table(file))
        pyproject = (file for file in there if file.name == _PYPROJECT)
        return next(counting, None) or next(pyproject, None) or files[0]

    def refused(self, file: _File, reason: str) -> SettingResult:
        """Return that *file* is left alone, and what a person would write there."""
        new = insert(file.syntax, file.syntax.new, file.table, self.settings) or ""
        path = self._project / file.name
        return SettingResult(tool=self._tool, file=path, state="refused", reason=reason, snippet=new.rstrip("\n"))

    def removed(self) -> Iterator[SettingResult]:
        """Take the settings out wherever they are."""
        for file in self._rule.files:
            path = self._project / file.name
            try:
                text = _read(path)
                present = look_up(file.syntax.parse(text), file.table)
            except ValueError:
                continue  # nobody could have told the tool there
            ours = {key: value for key, value in self.settings.items() if present.get(key) == value}
            if not ours:
                continue
            others = {key: value for key, value in present.items() if key not in ours}
            gone = {**ours, **(self._rule.besides if others == self._rule.besides else {})}
            new = take_out(file.syntax, text, file.table, gone)
            if new is None:
                reason = "how it is written leaves no safe way to take it out"
                yield SettingResult(tool=self._tool, file=path, state="refused", reason=reason)
            else:
                _write(path, new)
                yield SettingResult(tool=self._tool, file=path, state="removed")

    def _has_table(self, file: _File) -> bool:
        try:
            return bool(look_up(file.syntax.parse(_read(self._project / file.name)), file.table))
        except ValueError:
            return False


def _as_written(path: Path, project: Path) -> str:
    """Return *path* as a file in *project* has it: relative where it is inside, for that holds on every machine."""
    return (path.relative_to(project) if path.is_relative_to(project) else path).as_posix()


def _read(path: Path) -> str:
    """Return the text of a file with its line ends, nothing where there is none. UnicodeDecodeError is a ValueError."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str) -> None:
    """Give a file, or what a link of its name leads to, another text; one without any is removed."""
    path = path.resolve()
    if not text:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others have files there
            if path.parent.name == ".vscode":
                path.parent.rmdir()
        return
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, text.encode(), mode=path.stat().st_mode & 0o777 if path.exists() else 0o666)
