"""Damage to a store: a table of what is done to it, what ``verify`` says of that, and whether it can mend it."""

from __future__ import annotations

import importlib.util
import json
import marshal
import os
import py_compile
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.builders import record_hash

if TYPE_CHECKING:
    from tests.machine import Machine

__all__ = ["DAMAGE", "EVIL", "TAG", "Case", "Sabotage", "add", "edit", "pyc"]

FOREIGN = 54321  # an account
TAG = sys.implementation.cache_tag


@dataclass(frozen=True, slots=True)
class Case:
    machine: Machine

    @property
    def store(self) -> Path:
        return self.machine.store

    def entry(self, name: str) -> Path:
        return next((self.store / "multi-site-packages" / name).glob("*/*"))

    def site(self, name: str = "alpha") -> Path:
        return self.entry(name) / "site-packages"

    def record(self, name: str = "alpha") -> Path:
        return next(self.site(name).glob("*.dist-info/RECORD"))

    @property
    def shared(self) -> Path:
        return next((self.store / "shared").glob("[!.]*"))

    def build(self, name: str) -> str:
        return self.entry(name).relative_to(self.store / "multi-site-packages").as_posix()

    def verify(self, *words: str) -> dict[str, Any]:
        done = self.machine.run("verify", "--json", *words)
        assert done.out, done.err
        found: dict[str, Any] = json.loads(done.out)
        left = {finding["check"] for finding in found["findings"] if finding["severity"] != "note"}
        assert done.code == (3 if "unreadable" in left else int(bool(left)))
        return found


Sabotage = Callable[[Case], None]


def edit(path: str, content: str, *, name: str = "alpha", quiet: bool = True) -> Sabotage:
    def sabotage(case: Case) -> None:
        file = case.entry(name) / path
        facts = file.stat()
        file.write_text(content)
        if quiet:
            os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    return sabotage


def add(path: str, content: str = "x", *, name: str = "alpha") -> Sabotage:
    def sabotage(case: Case) -> None:
        file = case.entry(name) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    return sabotage


def remove(path: str, *, name: str = "alpha") -> Sabotage:
    return lambda case: (case.entry(name) / path).unlink()


def chmod(path: str, mode: int) -> Sabotage:
    return lambda case: (case.entry("alpha") / path).chmod(mode)


def chown(path: str) -> Sabotage:
    return lambda case: os.chown(case.entry("alpha") / path, FOREIGN, -1)


def linked(path: str, target: str) -> Sabotage:
    def sabotage(case: Case) -> None:
        file = case.entry("alpha") / path
        if file.is_dir():
            shutil.copytree(file, case.machine.folder / "elsewhere", dirs_exist_ok=True)
            shutil.rmtree(file)
        else:
            file.unlink(missing_ok=True)
        file.symlink_to(target.format(folder=case.machine.folder))

    return sabotage


def folder_in_its_place(case: Case) -> None:
    (case.site() / "alpha/part.py").unlink()
    (case.site() / "alpha/part.py").mkdir()


def record_follows(case: Case) -> None:
    record = case.record()
    edit("site-packages/alpha/part.py", "x = 'two'\n")(case)
    old, new = (record_hash(text) for text in (b"x = 'one'\n", b"x = 'two'\n"))
    record.write_text(record.read_text().replace(old, new))


def manifest_says(**changes: object) -> Sabotage:
    def sabotage(case: Case) -> None:
        path = case.entry("alpha") / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return sabotage


def alias_says(**changes: object) -> Sabotage:
    def sabotage(case: Case) -> None:
        path = alias(case)
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return sabotage


def alias(case: Case) -> Path:
    document = json.loads((case.entry("alpha") / "artifacts.json").read_text())
    sha256 = str(document["artifacts"][0]["sha256"])
    return case.store / "artifacts" / "sha256" / sha256[:2] / f"{sha256}.json"


def alias_of_another(case: Case) -> None:
    other = json.loads((case.entry("beta") / "manifest.json").read_text())
    alias_says(entry=case.build("beta"), digest=other["digest"])(case)


def alias_torn(case: Case) -> None:
    alias(case).write_bytes(b"")


def in_shared(path: str, content: str | None) -> Sabotage:
    def sabotage(case: Case) -> None:
        file = case.shared / path
        file.unlink(missing_ok=True)  # a hard link
        if content is not None:
            file.write_text(content)

    return sabotage


def through_the_link(case: Case) -> None:
    with (case.site("beta") / "common/b.py").open("r+") as file:
        file.write("B")


def table_torn(case: Case) -> None:
    path = next((case.store / "tables").iterdir())
    path.write_bytes(path.read_bytes()[:-1])


def table_of_other_names(case: Case) -> None:
    path = next((case.store / "tables").iterdir())
    path.write_bytes(path.read_bytes().replace(b"alpha", b"alphb", 1))


def altered_and_compiled(case: Case) -> None:
    file = case.site() / "alpha/part.py"
    edit("site-packages/alpha/part.py", "x = 'two'\n")(case)
    py_compile.compile(str(file), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, doraise=True)


def compiled(source: str, *, mode: str = "UNCHECKED_HASH", tag: str = "", body: bytes | None = None) -> Sabotage:
    """Have bytecode made from another *source* be believed."""

    def sabotage(case: Case) -> None:
        file = case.site() / "alpha/part.py"
        path = Path(importlib.util.cache_from_source(str(file)))
        if tag:
            path = path.with_name(f"part.{tag}.pyc")
        path.parent.mkdir(exist_ok=True)
        facts, honest = file.stat(), file.read_bytes()
        code = marshal.dumps(compile(source, "part.py", "exec")) if body is None else body
        if mode == "TIMESTAMP":
            rest = int(facts.st_mtime).to_bytes(4, "little") + len(honest).to_bytes(4, "little")
            head = bytes(4) + rest
        else:
            flags = 1 if mode == "UNCHECKED_HASH" else 3
            head = flags.to_bytes(4, "little") + importlib.util.source_hash(honest)
        path.write_bytes(importlib.util.MAGIC_NUMBER + head + code)

    return sabotage


def registration_torn(case: Case) -> None:
    next((case.store / "environments").iterdir()).write_text("{")


def runtime_of_another(case: Case) -> None:
    path = next((case.store / "runtime").glob("*/*/messages.*.pyc"))
    path.write_bytes(path.read_bytes()[:16] + marshal.dumps(compile("x = 1", "messages.py", "exec")))


def pyc(name: str) -> str:
    return f"site-packages/alpha/__pycache__/part.{name}.pyc"


EVIL = "x = 'two'\n"
# What is done; the checks and messages that it leads to, by subject; True where --repair mends it.
DAMAGE: dict[str, tuple[Sabotage, list[tuple[str, str, str]], bool]] = {
    "missing": (
        remove("site-packages/alpha/part.py"),
        [("missing", "alpha", "site-packages/alpha/part.py is missing")],
        True,
    ),
    "missing data": (
        remove("data/data/share/alpha.txt"),
        [("missing", "alpha", "data/data/share/alpha.txt is missing")],
        True,
    ),
    "another size": (
        edit("site-packages/alpha/part.py", "x = 1\n"),
        [("altered", "alpha", "site-packages/alpha/part.py has 6 bytes instead of 10")],
        True,
    ),
    "another content": (
        edit("site-packages/alpha/part.py", EVIL),
        [("altered", "alpha", "site-packages/alpha/part.py has other content")],
        True,
    ),
    "an edit": (
        edit("site-packages/alpha/part.py", EVIL, quiet=False),
        [("altered", "alpha", "site-packages/alpha/part.py has other content")],
        True,
    ),
    "a link": (
        linked("site-packages/alpha/part.py", "/etc/passwd"),
        [("kind", "alpha", "site-packages/alpha/part.py is a link")],
        True,
    ),
    "a link in the place of a folder": (
        linked("site-packages/alpha", "{folder}/elsewhere"),
        [
            ("extra", "alpha", "site-packages/alpha is a link that no wheel brought"),
            ("missing", "alpha", "site-packages/alpha/__init__.py is missing"),
            ("missing", "alpha", "site-packages/alpha/part.py is missing"),
            ("missing", "alpha", "site-packages/alpha/run.sh is missing"),
        ],
        True,
    ),
    "a folder": (
        folder_in_its_place,
        [
            ("data", "alpha", "site-packages/alpha/part.py/ is a folder that no wheel brought"),
            ("kind", "alpha", "site-packages/alpha/part.py is a folder"),
        ],
        True,
    ),
    "written by others": (
        chmod("site-packages/alpha/part.py", 0o666),
        [("mode", "alpha", "site-packages/alpha/part.py can be written to by others (mode 0666)")],
        True,
    ),
    "a folder written by others": (
        chmod("site-packages/alpha", 0o775),
        [("mode", "alpha", "site-packages/alpha/ can be written to by others (mode 0775)")],
        True,
    ),
    "setuid": (
        chmod("site-packages/alpha/run.sh", 0o4755),
        [("mode", "alpha", "site-packages/alpha/run.sh runs as its owner or group (setuid, setgid) (mode 4755)")],
        True,
    ),
    "no program": (
        chmod("site-packages/alpha/run.sh", 0o644),
        [("mode", "alpha", "site-packages/alpha/run.sh can no longer be executed (mode 0644)")],
        True,
    ),
    "no script": (
        chmod("data/scripts/tool", 0o600),
        [("mode", "alpha", "data/scripts/tool can no longer be executed (mode 0600)")],
        True,
    ),
    "unreadable": (
        chmod("data/data/share/alpha.txt", 0),
        [("mode", "alpha", "data/data/share/alpha.txt may not be read by its owner (mode 0000)")],
        True,
    ),
    "of another account": (
        chown("site-packages/alpha/part.py"),
        [("owner", "alpha", f"site-packages/alpha/part.py belongs to another account ({FOREIGN})")],
        True,
    ),
    "a module": (
        add("site-packages/alpha/more.py"),
        [("extra", "alpha", "site-packages/alpha/more.py is a file that no wheel brought")],
        True,
    ),
    "a library": (
        add("site-packages/alpha/lib/libc.so.6"),
        [("extra", "alpha", "site-packages/alpha/lib/libc.so.6 is a file that no wheel brought")],
        True,
    ),
    "metadata": (
        add("site-packages/alpha-1.0.dist-info/entry_points.txt"),
        [("extra", "alpha", "site-packages/alpha-1.0.dist-info/entry_points.txt is a file that no wheel brought")],
        True,
    ),
    "a planted link": (
        linked("site-packages/alpha/data", "/etc"),
        [("extra", "alpha", "site-packages/alpha/data is a link that no wheel brought")],
        True,
    ),
    "a program's data": (
        add("site-packages/alpha/cache/state.db"),
        [("data", "alpha", "site-packages/alpha/cache/state.db is a file that no wheel brought")],
        False,
    ),
    "RECORD torn": (
        edit("site-packages/alpha-1.0.dist-info/RECORD", '"'),
        [("record", "alpha", "RECORD: line 1: unexpected end of data")],
        True,
    ),
    "RECORD missing": (
        remove("site-packages/alpha-1.0.dist-info/RECORD"),
        [("record", "alpha", "site-packages/alpha-1.0.dist-info/RECORD is missing")],
        True,
    ),
    "RECORD that follows an edit": (
        record_follows,
        [("record", "alpha", "RECORD is not the one that it was published with")],
        True,
    ),
    "manifest missing": (remove("manifest.json"), [("manifest", "alpha", "manifest.json is missing")], True),
    "manifest torn": (
        edit("manifest.json", "{"),
        [("manifest", "alpha", "manifest.json: *")],
        True,
    ),
    "manifest of other modules": (
        manifest_says(top_level={"json": "package"}),
        [("manifest", "alpha", "manifest.json: it does not say what the entry's files say")],
        True,
    ),
    "index missing": (remove("modules.txt"), [("index", "alpha", "modules.txt is missing")], True),
    "index of other modules": (
        edit("modules.txt", "multisite modules 1 1\n\tjson.py\n"),
        [("index", "alpha", "modules.txt: it does not say what the folder's files say")],
        True,
    ),
    "artifacts missing": (remove("artifacts.json"), [("origins", "alpha", "artifacts.json is missing")], True),
    "artifacts torn": (edit("artifacts.json", "[]"), [("origins", "alpha", "artifacts.json: *")], True),
    "alias torn": (alias_torn, [("alias", "", "artifacts/sha256/*: it is empty")], True),
    "alias to another entry": (
        alias_of_another,
        [("alias", "", "artifacts/sha256/*: it leads to beta/1.0/*, which came from something else")],
        True,
    ),
    "alias with another digest": (
        alias_says(digest="0" * 64),
        [("alias", "", "artifacts/sha256/*: it has another digest than alpha/1.0/*")],
        True,
    ),
    "shared file altered": (
        in_shared("site-packages/common/b.py", "b = 2\n"),
        [("altered", "shared", "site-packages/common/b.py has other content")],
        True,
    ),
    "shared file missing": (
        in_shared("site-packages/common/c.py", None),
        [("missing", "shared", "site-packages/common/c.py is missing")],
        True,
    ),
    "shared file added": (
        in_shared("site-packages/common/d.py", ""),
        [("extra", "shared", "site-packages/common/d.py is a file that no wheel brought")],
        True,
    ),
    "shared.json missing": (in_shared("shared.json", None), [("shared", "shared", "shared.json is missing")], True),
    "index of a shared folder": (
        in_shared("modules.txt", "multisite modules 1 0\n"),
        [("index", "shared", "modules.txt: it does not say what the folder's files say")],
        True,
    ),
    "through the hard link": (
        through_the_link,
        [
            ("altered", "beta", "site-packages/common/b.py has other content"),
            ("altered", "shared", "site-packages/common/b.py has other content"),
        ],
        True,
    ),
    "table torn": (table_torn, [("table", "", "tables/*: it is torn: *")], True),
    "table of other names": (
        table_of_other_names,
        [("table", "", "tables/*: it is not what its distributions make")],
        True,
    ),
    "start-up code": (
        runtime_of_another,
        [("runtime", "", f"runtime/*/{TAG}/messages.{TAG}.pyc: it is not what its source compiles to")],
        True,
    ),
    "unchecked bytecode of another source": (
        compiled(EVIL),
        [("bytecode", "alpha", f"{pyc(str(TAG))}: it is not what its source compiles to")],
        True,
    ),
    "bytecode with the time and size of its source": (
        compiled(EVIL, mode="TIMESTAMP"),
        [("bytecode", "alpha", f"{pyc(str(TAG))}: it is not what its source compiles to")],
        True,
    ),
    "bytecode whose hash is right": (
        compiled(EVIL, mode="CHECKED_HASH"),
        [("bytecode", "alpha", f"{pyc(str(TAG))}: it is not what its source compiles to")],
        True,
    ),
    "bytecode with assertions left out": (
        compiled(EVIL, tag=f"{TAG}.opt-1"),
        [("bytecode", "alpha", f"{pyc(f'{TAG}.opt-1')}: it is not what its source compiles to")],
        True,
    ),
    "a source, and its own bytecode": (
        altered_and_compiled,
        [("altered", "alpha", "site-packages/alpha/part.py has other content")],
        True,
    ),
    "bytecode that is none": (
        compiled("", body=b"\xff"),
        [("bytecode", "alpha", f"{pyc(str(TAG))}: it cannot be read: *")],
        True,
    ),
    "bytecode of no source": (
        add("site-packages/alpha/__pycache__/other.cpython-311.pyc"),
        [
            (
                "extra",
                "alpha",
                "site-packages/alpha/__pycache__/other.cpython-311.pyc is bytecode of no source that a wheel brought",
            )
        ],
        True,
    ),
    "what is known of an environment": (
        registration_torn,
        [("registration", "", "environments/*.json: *")],
        False,
    ),
}
