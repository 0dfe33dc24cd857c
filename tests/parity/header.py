"""A case's header: what it may say, and what is wrong with one that says something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from tests.lacking import lacking

__all__ = ["BROKEN", "CASES", "Case", "HeaderError", "Rule", "cases"]

CASES = Path(__file__).parent / "cases"
BROKEN = ("path", "before", "after", "off")
_ROWS = range(1, 41)
_HEADER = re.compile(r"(?m)^# /// parity$\n((?:^#(?: .*)?$\n)+?)^# ///$")


class HeaderError(Exception):
    """A file's header is not a case's; the text names every problem."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.path = path
        self.problems = problems
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that may differ between the two outputs, and its one form."""

    pattern: str
    replacement: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; see the package's docstring for what the fields mean."""

    path: Path
    body: str
    rows: tuple[int, ...]
    says: str
    state: str
    reason: str
    differs: tuple[str, ...]
    cost: str
    python: SpecifierSet
    without: Mapping[str, str]
    wheels: Mapping[str, Mapping[str, Any]]
    made: str
    needs: tuple[str, ...]
    requirements: tuple[str, ...]
    installed: tuple[str, ...]
    folders: Mapping[str, tuple[str, ...]]
    files: Mapping[str, str]
    environ: Mapping[str, str]
    run: tuple[str, ...]
    multisite: tuple[str, ...]
    prelude: bool
    expects: tuple[str, ...]
    fails: bool
    normalise: tuple[Rule, ...]
    private: bool
    keeps_store: bool
    installer: str
    seed: bool
    system_site: bool
    catches: tuple[str, ...]
    timeout: int

    @property
    def name(self) -> str:
        """The case's name on the command line and in tables: its path without what all paths have."""
        path = self.path
        return (path.relative_to(CASES) if path.is_relative_to(CASES) else path).with_suffix("").as_posix()

    @property
    def own_environments(self) -> bool:
        changed = any(name.startswith(("{site}", "{venv}")) for name in self.files)
        return self.private or self.keeps_store or changed or any(line.split()[0] == "lock" for line in self.run)

    def runs_on(self, version: str) -> bool:
        return self.python.contains(version) and version not in self.without

    def missing(self) -> list[str]:
        """Return what the case needs and this machine has not: programs on PATH, libraries that can be loaded."""
        return lacking(self.needs)

    @classmethod
    def from_path(cls, path: Path) -> Case:
        """Read the case that is the file at *path*. Raises HeaderError with every problem."""
        text = path.read_text(encoding="utf-8")
        found = _HEADER.search(text)
        if found is None:
            raise HeaderError(path, ["it has no header between '# /// parity' and '# ///'"])
        try:
            said = tomli.loads("\n".join(line[2:] for line in found[1].splitlines()))
        except tomli.TOMLDecodeError as error:
            raise HeaderError(path, [f"its header is no TOML: {error}"]) from error
        problems = _problems(said)
        if problems:
            raise HeaderError(path, problems)
        return cls(path=path, body=text, **_values(said, path))


def cases(folder: Path = CASES) -> tuple[list[Case], list[HeaderError]]:
    """Return the cases in *folder*, by name, and what is wrong with the other files in it."""
    good: list[Case] = []
    bad: list[HeaderError] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            try:
                good.append(Case.from_path(path))
            except HeaderError as error:
                bad.append(error)
    return good, bad


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_text_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(type(row) is int and row in _ROWS for row in value)


def _is_wheels(value: object) -> bool:
    return isinstance(value, dict) and all(
        re.fullmatch(r"[A-Za-z0-9._]+-[A-Za-z0-9.+!_]+", name)
        and isinstance(files, dict)
        and all(isinstance(text, str) or (key.startswith("@") and _is_texts(text)) for key, text in files.items())
        for name, files in value.items()
    )


def _is_rules(value: object) -> bool:
    wanted = {"pattern", "with", "reason"}
    return isinstance(value, list) and all(_is_text_table(rule) and rule.keys() == wanted for rule in value)


def _is_specifier(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(SpecifierSet(value))
    except InvalidSpecifier:
        return False


def _is_requirements(value: object) -> bool:
    if not isinstance(value, list) or not _is_texts(value):
        return False
    try:
        return all(Requirement(item).name for item in value)
    except InvalidRequirement:
        return False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _one_of(*words: str) -> Callable[[object], bool]:
    return lambda value: value in words


# Key -> what its value must be, how that is said, and the default.
_KEYS: dict[str, tuple[Callable[[object], bool], str, Any]] = {
    "rows": (_is_rows, "a list of rows of the table", None),
    "says": (_is_text, "a sentence", None),
    "state": (_one_of("equal", "mended", "limit"), "equal, mended or limit", "equal"),
    "reason": (_is_text, "a text", ""),
    "differs": (_is_texts, "a list of lines", []),
    "cost": (_one_of("offline", "index", "long"), "offline, index or long", "offline"),
    "python": (_is_specifier, "a version specifier", ">=3.8"),
    "without": (_is_text_table, "a table of reasons by version of Python", {}),
    "wheels": (_is_wheels, "a table of tables: name-version -> path -> text", {}),
    "made": (_one_of("siblings"), "siblings", ""),
    "needs": (_is_texts, "a list of programs and libraries", []),
    "requirements": (_is_requirements, "a list of requirements", []),
    "installed": (_is_requirements, "a list of requirements", []),
    "folders": (lambda value: isinstance(value, dict) and all(map(_is_texts, value.values())), "lists by folder", {}),
    "files": (_is_text_table, "a table of texts by path", {}),
    "environ": (_is_text_table, "a table of texts", {}),
    "flags": (_is_texts, "a list of options", []),
    "arguments": (_is_texts, "a list of words", []),
    "run": (lambda value: _is_texts(value) and bool(value), "a list of commands", []),
    "multisite": (_is_texts, "a list of commands", []),
    "prelude": (_is_flag, "true or false", True),
    "expects": (lambda value: _is_text(value) or _is_texts(value), "a text or several", []),
    "fails": (_is_flag, "true or false", False),
    "normalise": (_is_rules, "a list of tables with pattern, with and reason", []),
    "private": (_is_flag, "true or false", False),
    "keeps_store": (_is_flag, "true or false", False),
    "installer": (_one_of("uv", "pip"), "uv or pip", "uv"),
    "seed": (_is_flag, "true or false", False),
    "system_site": (_is_flag, "true or false", False),
    "catches": (lambda value: _is_texts(value) and {*value} <= {*BROKEN}, f"a list of {', '.join(BROKEN)}", []),  # type: ignore[misc]
    "timeout": (lambda value: type(value) is int, "a number of seconds", 120),
}


def _problems(said: dict[str, Any]) -> list[str]:
    problems = [f"{key!r} is nothing that a header says" for key in said if key not in _KEYS]
    for key, (fits, wanted, default) in _KEYS.items():
        if key not in said:
            problems += [f"{key!r} is missing: {wanted}"] if default is None else []
        elif not fits(said[key]):
            problems.append(f"{key!r} must be {wanted}, not {said[key]!r}")
    if said.get("state") in ("limit", "mended") and not said.get("reason"):
        problems.append(f"'reason' is missing: it is {said['state']}")
    if (said.get("state") == "limit") != bool(said.get("differs")):
        problems.append("'differs' belongs to a limit, and to each")
    if said.get("run") and (said.get("flags") or said.get("arguments")):
        problems.append("'flags' and 'arguments' do not go with 'run'")
    for rule in said["normalise"] if _is_rules(said.get("normalise")) else []:
        try:
            re.compile(rule["pattern"])
        except re.error as error:
            problems.append(f"'normalise' has a pattern that is none: {rule['pattern']!r}: {error}")
    return problems


def _values(said: dict[str, Any], path: Path) -> dict[str, Any]:
    values = {key: said.get(key, default) for key, (_, _, default) in _KEYS.items()}
    words = [*values.pop("flags"), "{program}", *values.pop("arguments")]
    if not values["run"]:
        values["run"] = ["sh -eu {program}" if path.suffix == ".sh" else " ".join(["python", *words])]
    if isinstance(values["expects"], str):
        values["expects"] = [values["expects"]]
    values["python"] = SpecifierSet(values["python"])
    values["folders"] = {folder: tuple(wheels) for folder, wheels in values["folders"].items()}
    values["normalise"] = [
        Rule(pattern=rule["pattern"], replacement=rule["with"], reason=rule["reason"]) for rule in values["normalise"]
    ]
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
