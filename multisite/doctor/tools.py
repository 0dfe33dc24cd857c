"""The check for tools that judge a file by its folder in a way that the start-up code does not know.

``_runtime/tools.py`` has the table of those that it knows, and docs/architecture.md what is done for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from multisite.doctor.check import Fault
from multisite.doctor.examination import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multisite.doctor.examination import Examination

__all__ = ["unknown_tools"]

_OWN_CODE = "it may take locked distributions for the program's own code"
_RELOADER = "its reloader may watch other files than in a plain environment"
# Top-level module -> what comes of it.
_MEANING = {
    "PyInstaller": "what it freezes may have libraries in other folders than in a plain environment",
    "_pydevd_bundle": "the debugger may step into locked distributions",
    "_pytest": "tools that it loads as plugins may not be told where locked distributions are",
    "astroid": "pylint may not find locked packages",
    "cherrypy": _RELOADER,
    "coverage": "its report may have the files of locked distributions in it",
    "django": _RELOADER,
    "flask": "it may put the instance folder of a locked application into the store",
    "gunicorn": _RELOADER,
    "hupper": _RELOADER,
    "importlib": "the metadata of locked distributions may not be found",
    "importlib_metadata": "it may not find the metadata of locked distributions",
    "pip": "pip list --local and pip freeze --local may leave out what is locked",
    "tornado": _RELOADER,
}


def unknown_tools(examination: Examination) -> Iterator[Fault]:
    """Find releases of tools that are not what the start-up code expects, and is left alone."""
    answer = examination.answer
    if answer is None or not examination.is_followed:
        return
    if answer.tools_problem:
        yield Fault(message=f"whether its tools are known could not be found out: {answer.tools_problem}")
    modules: dict[str, list[str]] = {}
    for name in answer.unknown_tools:
        modules.setdefault(name.partition(".")[0], []).append(name)
    for tool, names in sorted(modules.items()):
        meaning = _MEANING.get(tool, _OWN_CODE)
        message = f"{_label(examination, tool)}: {listed(names)} is not as this multisite knows it, and is left alone"
        yield Fault(subject=tool, message=f"{message}; {meaning}")


def _label(examination: Examination, tool: str) -> str:
    """Return name and version of the distribution that the top-level module *tool* is from, or Python's."""
    for real in examination.real.values():
        if tool in real.top_level:
            return f"{real.name} {real.version}"
    found = () if examination.table is None else examination.table.plain["names"].get(tool, ())
    for index in (found,) if isinstance(found, int) else found:
        return f"{examination.rows[index][0]} {examination.rows[index][1]}"
    is_standard = tool in {"importlib", "trace"} and examination.answer is not None
    return f"Python {examination.answer.version}" if is_standard and examination.answer else tool
