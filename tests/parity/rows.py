"""The rows of the parity table: what is looked at, and which tests look at it that are no cases of the harness."""

from __future__ import annotations

__all__ = ["ELSEWHERE", "ROWS"]

ROWS = {
    1: "script folder, `PYTHONPATH`, `sys.path.insert` and the standard library come first",
    2: "appended entries, user site and system site come after",
    3: "a bare folder beside the script",
    4: "packages that import themselves again while they load",
    5: "site-packages taken from `sys.path`; build isolation",
    6: "a distribution installed beside the locked ones, and uninstalled",
    7: "several distributions, or real files, in one regular package",
    8: "a stranger's path hook and a cleared importer cache",
    9: "import hooks of others",
    10: "pytest",
    11: "`pkgutil`",
    12: "`pkg_resources`, and pip's copy of it",
    13: "frozen applications",
    14: "namespaces without files of their own",
    15: "namespaces of the older kinds",
    16: "native libraries across distributions",
    17: "scanners of site folders",
    18: "data, scripts, headers",
    19: "`.pth` files in wheels",
    20: "programs that write beside themselves; bytecode",
    21: "precedence of metadata",
    22: "matching of names",
    23: "the `importlib_metadata` backport",
    24: "other spellings of the folder; an environment that was moved, copied or linked",
    25: "`files()` and the facts of an installation",
    26: "stevedore's cache",
    27: "tools in the environment",
    28: "tools from outside",
    29: "type checkers and editors",
    30: "another interpreter on the same folder",
    31: "which code counts as a third party's",
    32: "reloaders",
    33: "modification times",
    34: "files that are copied out of packages",
    35: "what is written under the prefix",
    36: "start-up files",
    37: "`.start` files (PEP 829)",
    38: "options and ways of starting an interpreter",
    39: "test suites of others",
    40: "loaders and finders as programs see them; what changes in a package's folder; bytecode that is not checked",
}

# Row -> tests that are no cases: what they need is more than a probe in two environments.
ELSEWHERE: dict[int, tuple[str, ...]] = {
    6: ("tests/hostile", "tests/test_real.py"),
    13: ("tests/programs",),
    16: ("tests/test_siblings.py", "tests/test_qt.py"),
    20: ("tests/hostile",),
    27: ("tests/hostile",),
    28: ("tests/hostile", "tests/test_sitemetadata.py"),
    29: ("tests/test_static_tools.py", "tests/test_view.py"),
    32: ("tests/programs",),
    36: ("tests/test_startup.py",),
    39: ("tests/suites",),
}
