"""The checks as pure functions: what they make of an examination, without a disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from packaging.pylock import Pylock

from multisite.dispatch import DispatchTable, TableEntry
from multisite.doctor import limits, lockfile, modules, programs, requirements, tools
from multisite.doctor import state as registry
from multisite.doctor.examination import (
    Answer,
    Examination,
    ExaminedBuild,
    ExaminedFile,
    FoundDistribution,
    FoundModule,
    RealDistribution,
    listed,
)
from multisite.entry import StoredDistribution
from multisite.environment import Environment
from multisite.interpreter import Interpreter
from multisite.lockfile import Lock
from multisite.manifest import DataFile, Manifest
from multisite.names import BuildId, normalize
from multisite.native import Native, Search
from multisite.state import ChosenBuild, EnvironmentState, OwnedFile, PythonRecord, RequestRecord

if TYPE_CHECKING:
    from multisite.doctor.check import Fault

SMALLEST = {"lock-version": "1.0", "created-by": "tests", "packages": []}
VENV = Path("/venv")
SITE = VENV / "lib/python3.12/site-packages"
STORE = "/store"
ZEROS = "0" * 64
LEFT_ALONE = "is not as this multisite knows it, and is left alone"
MARKERS = {"python_full_version": "3.12.1", "python_version": "3.12", "sys_platform": "linux", "os_name": "posix"}


def build(name: str, version: str = "1", *requires: str, data: tuple[DataFile, ...] = ()) -> ExaminedBuild:
    identity = BuildId(name=normalize(name), version=version, build="any-0")
    manifest = Manifest(
        name=identity.name,
        version=version,
        build="any-0",
        digest=ZEROS,
        tags=(),
        dist_info=f"{name}-{version}.dist-info",
        metadata_name=name,
        metadata_version=version,
        requires_dist=requires,
        data=data,
    )
    stored = StoredDistribution(store_root=Path(STORE), id=identity, manifest=manifest)
    return ExaminedBuild(chosen=ChosenBuild(build=identity), stored=stored)


def state(**request: Any) -> EnvironmentState:
    python = PythonRecord(key="k", executable="/python", size=1, mtime_ns=1)
    asked = RequestRecord(inputs=ZEROS, **request)
    return EnvironmentState(
        id="0" * 32, store=STORE, lockfile="pylock.toml", lock_sha256=ZEROS, python=python, request=asked
    )


def interpreter() -> Interpreter:
    facts: dict[str, Any] = dict.fromkeys(Interpreter.__dataclass_fields__)
    return Interpreter(**{**facts, "marker_environment": MARKERS})


def examination(*builds: ExaminedBuild, **options: Any) -> Examination:
    return Examination(
        environment=Environment(path=VENV, site_packages=SITE, configuration={}),
        builds={item.chosen.build.name: item for item in builds},
        **{"interpreter": interpreter(), "stores": (STORE,), **options},
    )


def messages(faults: Any) -> list[str]:
    found: list[Fault] = list(faults)
    return [fault.message for fault in found]


@pytest.mark.parametrize(
    ("requires", "others", "expected"),
    [
        (["b"], [("b", "1")], []),
        (["b"], [], ["a 1 requires b, but b is not there"]),
        (["B_.c >=2"], [("b-c", "1.9")], ["a 1 requires B_.c>=2, but B_.c is 1.9"]),
        (["b >=2"], [("b", "2.1rc1")], []),
        (["b; sys_platform == 'win32'"], [], []),
        (["b; extra == 'x'"], [], []),
        (["b; sys_platform"], [], ["a 1 requires 'b; sys_platform', which is no valid requirement"]),
        (["b >>1"], [("b", "1")], ["a 1 requires 'b >>1', which is no valid requirement"]),
        (["b @ https://example.org/b.zip"], [("b", "0.1.dev0")], []),
    ],
)
def test_requirements(requires: list[str], others: list[tuple[str, str]], expected: list[str]) -> None:
    seen = examination(build("a", "1", *requires), *(build(*other) for other in others))
    assert messages(requirements.unsatisfied(seen)) == expected


def test_extras_that_distributions_ask_for_count_for_all_that_follows() -> None:
    seen = examination(
        build("a", "1", "b[x_y]"), build("b", "1", "c[z]; extra == 'x-y'"), build("c", "1", "gone; extra == 'z'")
    )
    assert messages(requirements.unsatisfied(seen)) == ['c 1 requires gone; extra == "z", but gone is not there']


def test_extras_that_were_asked_for_count() -> None:
    seen = examination(build("a", "1", "gone; extra == 'x'"), state=state(requirements=("A[X]", "./folder")))
    faults = list(requirements.unsatisfied(seen))
    assert messages(faults) == ['a 1 requires gone; extra == "x", but gone is not there']
    assert [fault.fix for fault in faults] == ["multisite lock 'A[X]' ./folder --venv /venv"]


def test_what_is_really_installed_satisfies_and_requires() -> None:
    real = RealDistribution(name=normalize("b"), version="2", requires=("c",))
    seen = examination(build("a", "1", "b >=2"), build("b", "1"), real={real.name: real})
    assert messages(requirements.unsatisfied(seen)) == ["b 2 requires c, but c is not there"]


def test_what_to_type_to_lock_again() -> None:
    asked = state(files=("r.txt",), groups=("dev",), extras=("x",), seed=True)
    assert examination(state=asked).lock_again == ("multisite lock -r r.txt --group dev --extra x --seed --venv /venv")
    assert examination(state=state(files=("pyproject.toml",), project="/p")).lock_again == "multisite lock --venv /venv"


def test_many_things_are_named_in_part() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_what_is_locked_and_what_was_chosen() -> None:
    chosen = replace(state(), builds={name: build(name).chosen for name in map(normalize, ("a", "b", "c"))})
    lock = Lock(pylock=Pylock.from_dict(SMALLEST), sha256=ZEROS, where="pylock.toml")
    wanted = {normalize("a"): ("1", None), normalize("b"): ("2", None), normalize("d"): ("1", None)}
    seen = examination(state=chosen, lock=lock, pinned=wanted)
    assert messages(lockfile.not_chosen(seen)) == [
        "b 1 is in the environment, but 2 is locked",
        "c is in the environment, and not in the lockfile",
        "d is locked, and not in the environment",
    ]
    assert messages(lockfile.not_chosen(replace(seen, lock=replace(lock, sha256="1" * 64)))) == []


def test_a_store_in_which_nobody_may_register_is_no_fault() -> None:
    seen = examination(state=state())
    assert len(messages(registry.not_registered(seen))) == 1
    assert messages(registry.not_registered(replace(seen, can_register=False))) == []


# What the interpreter finds.

ROOT = f"{STORE}/multi-site-packages/a/1/any-0/site-packages"
STANDARD = "/usr/lib/python3.12"


def answered(found: FoundModule | None = None, distribution: FoundDistribution | None = None) -> Examination:
    one = build("a")
    assert one.row is not None
    name, version, root, dist_info, tag, *shown = one.row
    entry = TableEntry(
        name=name,
        version=version,
        root=root,
        dist_info=dist_info,
        build=tag,
        top_level=("a",),
        shown=(shown[0], shown[1]),
    )
    table = DispatchTable.compile([entry])
    answer = Answer(
        version="3.12.1",
        rows=(one.row,),
        standard=(STANDARD,),
        modules={"a": found or FoundModule(origin=f"{ROOT}/a.py")},
        distributions={"a": distribution or FoundDistribution(version="1", folder=ROOT)},
    )
    return examination(one, table=table, answer=answer)


def checks(seen: Examination) -> list[str]:
    found = []
    for check in ("module_elsewhere", "metadata_elsewhere", "shadowed_by_real", "shadowed_by_stdlib"):
        found += [check] * len(list(getattr(modules, check)(seen)))
    return found


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (FoundModule(origin=f"{ROOT}/a/__init__.py", locations=(f"{ROOT}/a",)), []),
        (FoundModule(locations=("/elsewhere/a", f"{ROOT}/a")), []),
        (FoundModule(locations=("/elsewhere/a",)), ["module_elsewhere"]),
        (FoundModule(origin="/elsewhere/a/__init__.py", locations=("/elsewhere/a", f"{ROOT}/a")), ["module_elsewhere"]),
        (FoundModule(origin=f"{ROOT}-other/a.py"), ["module_elsewhere"]),
        (FoundModule(error="ImportError: no"), ["module_elsewhere"]),
        (FoundModule(importable=True), ["module_elsewhere"]),
        (FoundModule(importable=False), []),
        (FoundModule(origin="frozen"), ["shadowed_by_stdlib"]),
        (FoundModule(origin="built-in"), ["shadowed_by_stdlib"]),
        (FoundModule(origin=f"{STANDARD}/a.py"), ["shadowed_by_stdlib"]),
        (FoundModule(origin=f"{STANDARD}/site-packages/a.py"), ["module_elsewhere"]),
        (FoundModule(origin=f"{SITE}/a.py"), ["module_elsewhere"]),
    ],
)
def test_where_a_name_leads(found: FoundModule, expected: list[str]) -> None:
    assert checks(answered(found)) == expected


def private(found: FoundModule | None = None, distribution: FoundDistribution | None = None) -> Examination:
    """Return an environment with a private copy of a."""
    seen = answered(found, distribution)
    return replace(seen, binding={**seen.binding, "edits": {seen.rows[0][2]: "edits/a"}})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (FoundModule(origin="/venv/edits/a/a.py"), []),
        (FoundModule(), []),
        (FoundModule(origin=f"{ROOT}/a.py"), ["module_elsewhere"]),
    ],
    ids=["there", "taken out", "in the store"],
)
def test_a_private_copy_is_where_its_distribution_should_be(found: FoundModule, expected: list[str]) -> None:
    assert checks(private(found, FoundDistribution(version="changed", folder="/venv/edits/a"))) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (FoundDistribution(version="1", folder=ROOT), []),
        (FoundDistribution(version="2", folder=ROOT), ["metadata_elsewhere"]),
        (FoundDistribution(version="1", folder="/elsewhere"), ["metadata_elsewhere"]),
        (FoundDistribution(), ["metadata_elsewhere"]),
        (FoundDistribution(error="KeyError: 'Version'"), ["metadata_elsewhere"]),
    ],
)
def test_what_the_metadata_are(found: FoundDistribution, expected: list[str]) -> None:
    assert checks(answered(distribution=found)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"bootstrap": MappingProxyType({SITE / "00-multisite.pth": "missing"})},
        {"builds": {}},
        {"table": None},
        {"answer": None},
    ],
)
def test_what_another_check_explains_is_not_said_again(changes: dict[str, Any]) -> None:
    seen = answered(FoundModule(origin="/elsewhere/a.py"), FoundDistribution())
    assert checks(seen) == ["module_elsewhere", "metadata_elsewhere"]
    assert checks(replace(seen, **changes)) == []


# Programs.

OWNED = OwnedFile(owner=normalize("a"), sha256="1" * 64, size=1)


@pytest.mark.parametrize(
    ("interpreter", "shipped", "expected"),
    [
        ("/venv/bin/python", None, []),
        ("./python", None, []),
        (None, None, []),
        ("/old/bin/python", None, ["bin/a run /old/bin/python, not this environment's interpreter"]),
        ("/old/bin/python", ZEROS, ["bin/a run /old/bin/python, not this environment's interpreter"]),
        ("/usr/bin/python3", OWNED.sha256, []),
    ],
    ids=["here", "relative", "none", "launcher", "rewritten", "the wheel's own"],
)
def test_which_interpreter_a_program_runs(interpreter: str | None, shipped: str | None, expected: list[str]) -> None:
    data = DataFile(scheme="scripts", path="a", sha256=shipped or "", size=1, executable=True)
    file = ExaminedFile(owned=OWNED, found="same", is_script=True, interpreter=interpreter)
    seen = examination(build("a", data=(data,) if shipped else ()), files={"bin/a": file})
    assert messages(programs.script_interpreter(seen)) == expected


def test_a_wheels_script_that_was_never_executable() -> None:
    file = ExaminedFile(owned=OWNED, found="same", is_script=True, is_executable=False)
    plain = DataFile(scheme="scripts", path="a", sha256=OWNED.sha256, size=1, executable=False)
    assert messages(programs.script_not_executable(examination(build("a", data=(plain,)), files={"bin/a": file}))) == []
    meant = replace(plain, executable=True)
    seen = examination(build("a", data=(meant,)), files={"bin/a": file})
    assert messages(programs.script_not_executable(seen)) == ["bin/a of a cannot be executed"]


@pytest.mark.parametrize(
    ("name", "is_own"),
    [
        *((name, True) for name in ("python", "python3", "python3.13t", "pythonw", "activate", "activate.fish")),
        *((name, True) for name in ("Activate.ps1", "activate_this.py", "deactivate.bat")),
        *((name, False) for name in ("pip", "python-config", "activate-global-python-argcomplete", "ipython3")),
    ],
)
def test_what_the_environment_consists_of_is_never_to_be_moved(name: str, is_own: bool) -> None:
    data = DataFile(scheme="scripts", path=name, sha256=OWNED.sha256, size=1, executable=True)
    seen = examination(build("a", data=(data,)), state=state(), programs=frozenset({name}))
    (fault,) = programs.script_not_ours(seen)
    assert (fault.fix is None) == is_own
    assert ("cannot be had under that name" in fault.message) == is_own


def test_a_name_that_is_free_is_found_for_what_is_moved() -> None:
    data = DataFile(scheme="scripts", path="a", sha256=OWNED.sha256, size=1, executable=True)
    seen = examination(build("a", data=(data,)), state=state(), programs=frozenset({"a", "a.old", "a.old2"}))
    (fault,) = programs.script_not_ours(seen)
    assert fault.fix == "mv /venv/bin/a /venv/bin/a.old3 && multisite sync --venv /venv"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["urllib3"], []),
        (["urllib3-future"], []),
        (["urllib3-future", "urllib3"], ["urllib3-future"]),
        (["cuda-pathfinder", "a"], ["cuda-pathfinder"]),
    ],
)
def test_known_limits(names: list[str], expected: list[str]) -> None:
    faults = list(limits.known_limits(examination(*map(build, names))))
    assert [fault.subject for fault in faults] == expected


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        ([], []),
        (
            ["core"],
            [
                "the libraries of app 1 load those of core 1, locked like it, not those of the really installed core 2",
            ],
        ),
        (
            ["app"],
            ["the libraries of app 2, really installed, look for those of core in site-packages, where these are not"],
        ),
        (["app", "core"], []),
        (["other"], []),
    ],
)
def test_native_siblings_of_which_one_is_really_installed(real: list[str], expected: list[str]) -> None:
    search = Search(folders=("core/lib",), names=("libcore.so",), chained=False)
    app = with_native(build("app"), Native(files=("app/_ext.so",), searches=(search,)))
    core = with_native(build("core"), Native(files=("core/lib/libcore.so",)))
    installed = {normalize(name): RealDistribution(name=normalize(name), version="2") for name in real}
    seen = examination(app, core, build("other"), real=installed)
    assert messages(limits.known_limits(seen)) == expected


def with_native(examined: ExaminedBuild, native: Native) -> ExaminedBuild:
    assert examined.stored is not None
    manifest = replace(examined.stored.manifest, native=native)
    return replace(examined, stored=replace(examined.stored, manifest=manifest))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({}, []),
        (
            {"unknown_tools": ("coverage.inorout", "trace")},
            [
                f"coverage: coverage.inorout {LEFT_ALONE}; its report may have the files of locked distributions in it",
                f"Python 3.12.1: trace {LEFT_ALONE}; it may take locked distributions for the program's own code",
            ],
        ),
        ({"tools_problem": "why"}, ["whether its tools are known could not be found out: why"]),
        ({"unknown_tools": ("trace",), "is_active": False}, []),
    ],
)
def test_tools_of_another_shape(answer: dict[str, Any], expected: list[str]) -> None:
    seen = examination(answer=Answer(version="3.12.1", **answer))
    assert messages(tools.unknown_tools(seen)) == expected
