"""What can be typed: commands, options and their help."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["EXIT_CODES", "VARIABLES", "parser"]

_DESCRIPTION = "One copy of every Python distribution on the machine; environments that are only a lockfile."

_EXAMPLES = """\
the main job:
  multisite lock django          resolve, lock, and make ./.venv what the lockfile says
  .venv/bin/python -c "import django"
  multisite doctor               check that everything is as it should be
"""

EXIT_CODES = {
    0: "it is done; nothing is wrong",
    1: "something was found, or failed",
    2: "wrong usage",
    3: "it could not be done, or not be checked",
    129: "ended by SIGHUP",
    130: "interrupted (Ctrl-C, SIGINT)",
    143: "ended by SIGTERM",
}

# Lines as they stand in the help.
VARIABLES = {
    "MULTISITE_STORE": "where distributions are kept, a list like PATH: the first store is written to, the\n"
    "others are only read; also moves the stores for a running interpreter",
    "MULTISITE_TRUST": "users, and groups as group:NAME, whose stores may be used",
    "MULTISITE_COMPILE": "what --compile is where it is not given: all or none",
    "MULTISITE_CACHE": "where sources and the wheels built from them are kept; may be deleted",
    "MULTISITE_UNPACKED_LIMIT": "what a wheel may unpack to, as 20G",
    "MULTISITE_DISABLE": "1 switches the finder off for one process",
    "VIRTUAL_ENV": "the active environment",
    "NO_COLOR": "no colours",
    "UV_*": "what uv is configured with; PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS and\n"
    "PIP_NO_INDEX count where neither options nor uv's variables say anything of the kind",
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line. Wrong usage exits with 2, as argparse does."""
    top = argparse.ArgumentParser(
        prog="multisite",
        description=_DESCRIPTION,
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="store_true", help="show the version and exit")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    adding = [_add_lock, _add_sync, _add_doctor, _add_list, _add_view]
    for add in (*adding, _add_gc, _add_dedup, _add_edit, _add_share, _add_verify):
        add(commands)
    return top


def _epilog() -> str:
    codes = [(str(code), meaning) for code, meaning in EXIT_CODES.items()]
    parts = [_EXAMPLES]
    for title, rows in (("exit codes", codes), ("environment variables", list(VARIABLES.items()))):
        width = max(len(name) for name, _ in rows) + 2
        lines = [f"  {name:<{width}}" + meaning.replace("\n", "\n" + " " * (width + 2)) for name, meaning in rows]
        parts.append("\n".join([f"{title}:", *lines, ""]))
    return "\n".join(parts)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=summary,
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    common = command.add_argument_group("common options")
    common.add_argument(
        "--venv", metavar="DIR", type=Path, help="the environment (default: the active one, else ./.venv)"
    )
    common.add_argument(
        "--store",
        metavar="DIR",
        dest="stores",
        action="append",
        default=[],
        type=Path,
        help="the store (default: MULTISITE_STORE, else the environment's, else in the user's data folder; gc, dedup, "
        "share and verify do not ask the environment); given again, one that is only read",
    )
    common.add_argument("--json", action="store_true", help="write the result as JSON")
    loudness = common.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q", "--quiet", dest="verbosity", action="store_const", const=-1, default=0, help="say only what is wrong"
    )
    loudness.add_argument("-v", "--verbose", dest="verbosity", action="store_const", const=1, help="say more")
    return command


def _add_lock(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    lock = _command(
        commands,
        "lock",
        "resolve requirements, write the lockfile, and make the environment what it says",
        "Resolve what is asked for, write the environment's lockfile (PEP 751), and make the environment\n"
        "what it says. Without requirements: the current folder's pyproject.toml, requirements.txt or\n"
        "pylock.toml, whichever is found first. The environment is made when it is missing. Versions that\n"
        "are locked stay, unless --upgrade says otherwise.",
    )
    _add_requirements(lock)
    _add_selection(lock)
    _add_making(lock)
    lock.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="the lockfile (default: pylock.toml in the environment)"
    )
    lock.add_argument("-U", "--upgrade", action="store_true", help="take the newest versions that fit")
    lock.add_argument(
        "-P",
        "--upgrade-package",
        metavar="NAME",
        dest="upgrade_packages",
        action="append",
        default=[],
        help="take the newest fitting version of one distribution",
    )
    lock.add_argument("--no-project", action="store_true", help="leave the current folder's own project out")
    lock.add_argument("--seed", action="store_true", help="lock pip as well")
    _add_indexes(lock)


def _add_requirements(lock: argparse.ArgumentParser) -> None:
    lock.add_argument(
        "requirements", metavar="REQUIREMENT", nargs="*", help="a requirement (PEP 508), a folder, a wheel or a URL"
    )
    lock.add_argument(
        "-e",
        "--editable",
        metavar="DIR",
        dest="editables",
        action="append",
        default=[],
        help="the folder of a project that is to be imported from there",
    )
    lock.add_argument(
        "-r",
        "--requirements",
        metavar="FILE",
        dest="files",
        action="append",
        default=[],
        type=Path,
        help="a requirements file, or a pyproject.toml",
    )
    lock.add_argument(
        "-c",
        "--constraints",
        metavar="FILE",
        dest="constraints",
        action="append",
        default=[],
        type=Path,
        help="a constraints file",
    )


def _add_sync(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sync = _command(
        commands,
        "sync",
        "make the environment what a lockfile says; nothing is resolved",
        "Make the environment what a lockfile says. Without LOCKFILE: the environment's own, else ./pylock.toml.",
    )
    sync.add_argument("lockfile", metavar="LOCKFILE", nargs="?", type=Path, help="a lockfile (PEP 751)")
    _add_selection(sync)
    _add_making(sync)


def _add_selection(command: argparse.ArgumentParser) -> None:
    selection = command.add_argument_group("what to install")
    selection.add_argument(
        "--group", metavar="NAME", dest="groups", action="append", default=[], help="a dependency group (PEP 735)"
    )
    selection.add_argument(
        "--extra",
        metavar="NAME",
        dest="extras",
        action="append",
        default=[],
        help="an extra of the project or lockfile",
    )


def _add_making(command: argparse.ArgumentParser) -> None:
    making = command.add_argument_group("how to make it")
    making.add_argument(
        "--python",
        metavar="PYTHON",
        help="the interpreter, a path or a version; an environment of another one is made anew in its place",
    )
    making.add_argument(
        "--system-site-packages",
        action="store_true",
        help="let a new environment see the interpreter's own site-packages",
    )
    making.add_argument("--offline", action="store_true", help="use only what is on this machine")
    making.add_argument(
        "--compile",
        choices=["all", "none"],
        help="compile all modules now, or each when it is first imported (default: MULTISITE_COMPILE, else none)",
    )
    making.add_argument(
        "--site-metadata",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="copy the metadata into site-packages, for tools that look there from outside: uv pip list, scanners",
    )


def _add_indexes(command: argparse.ArgumentParser) -> None:
    indexes = command.add_argument_group("where distributions come from")
    indexes.add_argument("--index-url", metavar="URL", help="the package index")
    indexes.add_argument(
        "--extra-index-url", metavar="URL", dest="extra_index_urls", action="append", default=[], help="a further index"
    )
    indexes.add_argument(
        "--find-links",
        metavar="PLACE",
        dest="find_links",
        action="append",
        default=[],
        help="a folder or page with distributions",
    )
    indexes.add_argument("--no-index", action="store_true", help="use no index at all")


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = _command(
        commands,
        "doctor",
        "check finder, metadata, store and lockfile against each other",
        "Check finder, metadata, store and lockfile against each other.\n"
        "Exit code: 0 nothing or notes, 1 errors or warnings were found, 3 it could not be checked.",
    )
    doctor.add_argument(
        "--deep", action="store_true", help="compare the hash of every file, and import the tools that are looked at"
    )
    doctor.add_argument("--fix", action="store_true", help="run what mends the findings, then check again")


def _add_list(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    _command(commands, "list", "show what is locked in the environment", "Show what is locked in the environment.")


def _add_view(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    view = _command(
        commands,
        "view",
        "write what is locked as ordinary files, for editors and type checkers",
        "Write what is locked as a tree of ordinary files, for tools that read files and run nothing (docs/tools.md).\n"
        "From then on lock and sync keep it current.",
    )
    view.add_argument(
        "--whole",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="with native modules and data files as well, so that another interpreter can run from it",
    )
    view.add_argument("--remove", action="store_true", help="remove the view, and what leads to it in the settings")
    tools = view.add_argument_group("settings to write, in the current folder's project")
    for tool, file in _TOOL_FILES.items():
        help_ = f"tell {tool} ({file})"
        tools.add_argument(f"--{tool}", dest="tools", action="append_const", const=tool, default=[], help=help_)


def _add_dedup(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    dedup = _command(
        commands,
        "dedup",
        "keep equal files of the store once on the disk",
        "Keep files of the store that are equal, such as those of two releases, once on the disk: they share blocks\n"
        "where the filesystem can (btrfs, XFS).",
    )
    dedup.add_argument("names", metavar="NAME", nargs="*", help="only among these distributions (default: all)")
    dedup.add_argument(
        "--links",
        action="store_true",
        help="make hard links instead; whoever then writes into one of the files writes into all that are equal",
    )
    dedup.add_argument("-n", "--dry-run", action="store_true", help="only say what would be done")
    dedup.add_argument(
        "--publishing",
        choices=["clones", "links", "off"],
        help="what new entries of this store do with other builds of their name, from now on",
    )


def _add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verify = _command(
        commands,
        "verify",
        "check every file of the store, and mend what is damaged",
        "Check every file of the store against what it was published as, and bytecode against its source.\n"
        "Nothing is locked, and nobody waits. Exit code: 0 nothing is wrong, or all of it is mended, 1 something is,\n"
        "3 something could not be checked.",
    )
    verify.add_argument("names", metavar="NAME", nargs="*", help="only these distributions (default: the whole store)")
    verify.add_argument(
        "--repair",
        action="store_true",
        help="fetch what is damaged again, and replace it file by file, under running programs",
    )
    verify.add_argument("--offline", action="store_true", help="use only what is on this machine")


def _add_edit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    edit = _command(
        commands,
        "edit",
        "give the environment its own writable copy of a distribution, or take it back",
        "Give the environment its own writable copy of a distribution, to patch or debug it. The path of the copy is\n"
        "written to stdout. Other environments, and the store, keep what they have.",
    )
    edit.add_argument("names", metavar="NAME", nargs="+", help="a locked distribution; with --undo also NAME==VERSION")
    edit.add_argument("--undo", action="store_true", help="use the shared one again, and remove the copy")
    edit.add_argument("--patch", metavar="FILE", type=Path, help="with --undo: save what was changed, as a patch")
    edit.add_argument("--force", action="store_true", help="with --undo: throw away what was changed")
    edit.add_argument("-n", "--dry-run", action="store_true", help="say what would be copied, or removed and lost")


def _add_share(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    share = _command(
        commands,
        "share",
        "open the store to other accounts, which read it and may say that they use it",
        "Open the store to other accounts of this machine: they may read all of it, and note there what they use.\n"
        "From then on whatever is put there is readable by all, whatever the umask. The store is made when it is\n"
        "missing. Nobody but its owner may change what is in it (docs/store.md).",
    )
    share.add_argument("-n", "--dry-run", action="store_true", help="only say what would be done")


_TOOL_FILES = {
    "pyright": "pyrightconfig.json or pyproject.toml; basedpyright and Pylance read it too",
    "mypy": "mypy.ini, pyproject.toml or setup.cfg",
    "ty": "ty.toml or pyproject.toml",
    "pyrefly": "pyrefly.toml or pyproject.toml",
    "vscode": ".vscode/settings.json, for Pylance without settings of pyright's",
}


def _add_gc(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    gc = _command(
        commands,
        "gc",
        "remove from the store what no environment uses",
        "Remove from the store what no environment uses: neither now, nor by its last locks, from which a process\n"
        "that was started earlier may still import. What is out of reach (a disk not mounted) counts as used.",
    )
    gc.add_argument("-n", "--dry-run", action="store_true", help="only say what would be removed, and what that frees")
    gc.add_argument("--now", action="store_true", help="keep nothing for earlier locks")
    gc.add_argument(
        "--keep-locks",
        metavar="N",
        type=_number,
        default=3,
        help="earlier locks of each environment to keep (default: 3)",
    )
    gc.add_argument(
        "--keep-days",
        metavar="N",
        type=_number,
        default=14,
        help="keep those as well that were in force within so many days, of the last twenty that an environment "
        "remembers (default: 14)",
    )
    gc.add_argument(
        "--forget",
        metavar="PATH_OR_ID",
        action="append",
        default=[],
        help="an environment out of reach that is gone for good, or whose registration is damaged",
    )
    gc.add_argument(
        "--force", action="store_true", help="although other accounts may use the store without its knowing"
    )


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number
