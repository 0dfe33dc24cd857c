"""A Python interpreter, as it describes itself: its version, the tags of wheels that fit it, its marker environment.

The interpreter is asked once, for plain facts; everything is derived from them here, because ``packaging`` runs on
fewer Pythons than environments are made for. The derived values are those of ``packaging`` inside the interpreter.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging import tags as packaging_tags

from multisite.errors import InterpreterNotUsable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["OLDEST", "Interpreter", "base_executable", "inspect_interpreter", "interpreter_facts"]

OLDEST = (3, 8)
_TIMEOUT = 120  # seconds: a cold start from a network disk takes many, a question to a terminal takes for ever
_MARK = "multisite facts: "

# Runs on any Python, so that one which is too old can say so. What start-up code prints comes before the mark.
_PROBE = r"""
import json, os, platform, struct, sys, sysconfig
facts = {"implementation": platform.python_implementation(), "version_info": list(sys.version_info[:3])}
def full(info):
    return "%d.%d.%d" % info[:3] + ("" if info[3] == "final" else info[3][0] + str(info[4]))
def names():
    found = set(sys.builtin_module_names)
    stdlib = sysconfig.get_path("stdlib")
    for folder in (stdlib, os.path.join(stdlib, "lib-dynload")):
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            stem, dot, suffix = name.partition(".")
            if suffix.endswith(("py", "so", "pyd")) or os.path.isfile(os.path.join(folder, name, "__init__.py")):
                found.add(stem)
    return found
def musl():
    import re, subprocess
    with open("/proc/self/maps") as maps:
        loader = re.search(r"\S*/ld-musl-\S*", maps.read())
    if not loader:
        return None
    told = subprocess.Popen([loader.group()], stderr=subprocess.PIPE).communicate()[1].decode()
    version = re.search(r"Version (\d+)\.(\d+)", told)
    return [int(number) for number in version.groups()] if version else None
def glibc():
    import re
    try:
        version = re.match(r"glibc (\d+)\.(\d+)", os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (AttributeError, OSError, ValueError):
        return None
    return [int(number) for number in version.groups()] if version else None
def refused(libc):
    # A distributor may say that its platform does not run wheels which it looks compatible with (PEP 600).
    try:
        import _manylinux
    except ImportError:
        return []
    arch = sysconfig.get_platform().split("-", 1)[1].replace("-", "_")
    found = []
    old = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}
    for version in [(libc[0], minor) for minor in range(libc[1] + 1)]:
        if hasattr(_manylinux, "manylinux_compatible"):
            answer = _manylinux.manylinux_compatible(version[0], version[1], arch)
        else:
            answer = getattr(_manylinux, old.get(version, "") + "_compatible", None)
        if answer is not None and not answer:
            found.append(list(version))
    return found
if sys.version_info >= (3, 8) and facts["implementation"] == "CPython":
    import importlib.machinery
    on_linux = platform.system() == "Linux"
    libc = glibc() if on_linux else None
    header = []
    if on_linux:
        with open(sys.executable, "rb") as binary:
            header = list(bytearray(binary.read(52)))
    facts.update({
        "executable": sys.executable, "base_executable": getattr(sys, "_base_executable", None) or sys.executable,
        "prefix": sys.prefix, "base_prefix": sys.base_prefix, "cache_tag": sys.implementation.cache_tag,
        "pointer": struct.calcsize("P"), "platform": sysconfig.get_platform(), "system": platform.system(),
        "ext_suffix": sysconfig.get_config_var("EXT_SUFFIX") or importlib.machinery.EXTENSION_SUFFIXES[0],
        "nodot": sysconfig.get_config_var("py_version_nodot"),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "debug": bool(sysconfig.get_config_var("Py_DEBUG")) or sysconfig.get_config_var("Py_DEBUG") is None and (
            hasattr(sys, "gettotalrefcount") or "_d.pyd" in importlib.machinery.EXTENSION_SUFFIXES),
        "mac": list(platform.mac_ver()[::2]), "glibc": libc, "header": header,
        "musl": musl() if on_linux and libc is None else None, "refused": refused(libc) if libc else [],
        "stdlib": sorted(getattr(sys, "stdlib_module_names", None) or names()),
        "markers": {
            "implementation_name": sys.implementation.name,
            "implementation_version": full(sys.implementation.version),
            "os_name": os.name, "platform_machine": platform.machine(), "platform_release": platform.release(),
            "platform_system": platform.system(), "platform_version": platform.version(),
            "python_full_version": platform.python_version(),
            "platform_python_implementation": platform.python_implementation(),
            "python_version": ".".join(platform.python_version_tuple()[:2]), "sys_platform": sys.platform}})
sys.stdout.write("\n" + MARK + json.dumps(facts) + "\n")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """One interpreter.

    ``executable`` is what was asked, ``base_executable`` that of the installation below all virtual environments.
    ``version`` is the full one (``3.14.0rc2``). ``tags`` are those of wheels that fit, best first. ``key`` names
    everything that a build or a selection of wheels depends on, and no path. ``library`` is the name of the folder
    with the libraries of this version (``python3.13t``). ``stdlib_names`` are the modules that site-packages cannot
    replace.
    """

    executable: Path
    base_executable: Path
    prefix: Path
    base_prefix: Path
    implementation: str
    version: str
    version_info: tuple[int, int, int]
    library: str
    cache_tag: str
    ext_suffix: str
    platform: str
    pointer_size: int
    key: str
    tags: tuple[str, ...]
    marker_environment: Mapping[str, str]
    stdlib_names: frozenset[str]

    @classmethod
    def from_facts(cls, executable: Path, facts: Mapping[str, Any]) -> Interpreter:
        """Derive the interpreter at *executable* from what ``interpreter_facts`` returned for it."""
        markers = facts["markers"]
        version = tuple(facts["version_info"])
        abis = _abis(version, free_threaded=facts["free_threaded"], debug=facts["debug"])
        tags = _tags(version, abis, facts)
        return cls(
            executable=executable,
            base_executable=base_executable(Path(facts["base_executable"]), Path(facts["base_prefix"]), version),
            prefix=Path(facts["prefix"]),
            base_prefix=Path(facts["base_prefix"]),
            implementation=markers["implementation_name"],
            version=markers["python_full_version"],
            version_info=version,
            library=f"python{version[0]}.{version[1]}{'t' if facts['free_threaded'] else ''}",
            cache_tag=facts["cache_tag"],
            ext_suffix=facts["ext_suffix"],
            platform=facts["platform"],
            pointer_size=facts["pointer"],
            key=_key(abis[0], tags, facts),
            tags=tags,
            marker_environment=dict(markers),
            stdlib_names=frozenset(facts["stdlib"]),
        )


def inspect_interpreter(executable: Path, *, finder: bool = True) -> Interpreter:
    """Ask the interpreter at *executable*, that of an environment with or without its *finder*.

    Raises InterpreterNotUsable.
    """
    path = Path(executable).absolute()  # links stay: they are how an environment finds itself
    return Interpreter.from_facts(path, interpreter_facts(path, finder=finder))


def interpreter_facts(executable: Path, *, finder: bool = True) -> dict[str, Any]:
    """Run *executable* once and return what it says of itself, as plain values that JSON can hold.

    Without the *finder* nothing that is locked has a say. Raises InterpreterNotUsable where it does not start or is
    none that multisite supports. The answer holds until the file or the operating system changes, so that it can be
    kept by path, size and time.
    """
    answer = _ask(executable, finder=finder)
    name, version = answer["implementation"], tuple(answer["version_info"])
    if name != "CPython" or version < OLDEST:
        found = f"{name} {'.'.join(map(str, version))}"
        raise InterpreterNotUsable(str(executable), f"it is {found}; multisite supports CPython 3.8 and later")
    return answer


def _ask(executable: Path, *, finder: bool) -> dict[str, Any]:
    # Mac: without the variable, interpreters built for older systems are told 10.16 instead of the real version.
    environ = {**os.environ, "SYSTEM_VERSION_COMPAT": "0", "MULTISITE_DISABLE": "1"}
    folder = None
    if not finder:  # -I would have the variable ignored that switches it off
        environ = {name: value for name, value in environ.items() if not name.startswith("PYTHON")}
        folder = executable.parent
    command = [str(executable), "-I" if finder else "-s", "-c", f"MARK = {_MARK!r}{_PROBE}"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            env=environ,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
        )
    except OSError as error:
        raise InterpreterNotUsable(str(executable), f"it cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise InterpreterNotUsable(str(executable), f"it gave no answer in {_TIMEOUT} seconds") from error
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    answers = [line[len(_MARK) :] for line in lines if line.startswith(_MARK)]
    if done.returncode != 0 or not answers:
        raise InterpreterNotUsable(str(executable), _failure(done))
    try:
        answer: dict[str, Any] = json.loads(answers[-1])
    except ValueError as error:
        raise InterpreterNotUsable(str(executable), f"its answer cannot be read: {error}") from error
    return answer


def _failure(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode("utf-8", "replace").strip()
    if re.search("unknown option:? -I", said, re.IGNORECASE):
        return "it knows no -I, so it is no Python that multisite supports (CPython 3.8 and later)"
    ended = f"exit code {done.returncode}" if done.returncode >= 0 else f"signal {-done.returncode}"
    return f"it does not work as a Python interpreter ({ended})" + (f":\n{said}" if said else "")


def base_executable(executable: Path, base_prefix: Path, version: Sequence[int]) -> Path:
    """Return the program of the installation at *base_prefix* behind *executable*, which may be in an environment.

    Up to 3.10 ``sys._base_executable`` of an environment is its own on POSIX. A program outside of its installation,
    as in ``~/.local/bin``, is followed to where it finds its library from the ``home`` of ``pyvenv.cfg``.
    """
    names = [executable.name, f"python{version[0]}.{version[1]}", f"python{version[0]}", "python"]
    folder = base_prefix if sys.platform == "win32" else base_prefix / "bin"
    candidates = [*_links(executable), *(folder / name for name in names)]
    for candidate in candidates:
        inside = candidate.parent if sys.platform == "win32" else candidate.parent.parent
        if candidate.is_file() and _same(inside, base_prefix):
            return candidate
    return executable


def _links(path: Path) -> Iterator[Path]:
    """Yield *path* and what each link on its way leads to; a circle ends where the kernel gives up."""
    for _ in range(40):
        yield path
        if not path.is_symlink():
            return
        path = Path(os.path.normpath(path.parent / path.readlink()))


def _same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def _key(abi: str, tags: Sequence[str], facts: Mapping[str, Any]) -> str:
    # The C library is a part of it: what is built against a newer one does not load on an older one.
    libc = next((f"-{name}{'.'.join(map(str, facts[name]))}" for name in ("glibc", "musl") if facts[name]), "")
    markers = facts["markers"]
    rest = [*tags, facts["ext_suffix"], str(facts["pointer"]), markers["platform_machine"]]
    digest = hashlib.sha256("\n".join(rest).encode()).hexdigest()[:12]
    readable = f"{markers['implementation_name']}-{markers['python_full_version']}-{abi}-{facts['platform']}{libc}"
    return re.sub(r"[^A-Za-z0-9_.+-]", "_", f"{readable}-{digest}")


def _abis(version: tuple[int, ...], *, free_threaded: bool, debug: bool) -> list[str]:
    """Return the ABIs of a CPython as ``packaging.tags`` has them. A debug build loads what a plain one loads."""
    plain = f"cp{version[0]}{version[1]}{'t' if free_threaded and version >= (3, 13) else ''}"
    return [f"{plain}d", plain] if debug else [plain]


def _tags(version: tuple[int, ...], abis: list[str], facts: Mapping[str, Any]) -> tuple[str, ...]:
    platforms = _platforms(facts)
    short = f"cp{facts['nodot'] or f'{version[0]}{version[1]}'}"
    found = [
        *packaging_tags.cpython_tags(version[:2], abis, platforms),
        *packaging_tags.compatible_tags(version[:2], short, platforms),
    ]
    return tuple(map(str, found))


def _platforms(facts: Mapping[str, Any]) -> list[str]:
    """Return the platform tags as ``packaging.tags.platform_tags`` has them where the facts come from."""
    if facts["system"] == "Darwin":
        release, machine = facts["mac"]
        if facts["pointer"] == 4:
            machine = "ppc" if machine.startswith("ppc") else "i386"
        major, minor = [*map(int, release.split(".")), 0][:2]
        return list(packaging_tags.mac_platforms((major, minor), machine))
    platform = re.sub(r"[.\- ]", "_", facts["platform"])
    if facts["system"] == "Linux" and platform.startswith("linux_"):
        return list(_linux_platforms(platform[len("linux_") :], facts))
    return [platform]


_ARCHITECTURES = frozenset({"x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64"})
_OLD_NAMES = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}


def _linux_platforms(machine: str, facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["pointer"] == 4:
        machine = {"x86_64": "i686", "aarch64": "armv8l"}.get(machine, machine)
    architectures = ["armv8l", "armv7l"] if machine == "armv8l" else [machine]
    yield from (f"linux_{architecture}" for architecture in architectures)
    if facts["glibc"] and _runs_manylinux(architectures, facts["header"]):
        for architecture in architectures:
            yield from _manylinux(architecture, tuple(facts["glibc"]), [tuple(item) for item in facts["refused"]])
    if facts["musl"]:
        major, newest = facts["musl"]
        for architecture in architectures:
            yield from (f"musllinux_{major}_{minor}_{architecture}" for minor in range(newest, -1, -1))


def _manylinux(machine: str, libc: tuple[int, ...], refused: Sequence[tuple[int, ...]]) -> Iterator[str]:
    # PEP 600: every glibc from this one down to the oldest that the architecture's wheels were ever made for.
    major, newest = libc
    oldest = 5 if machine in {"x86_64", "i686"} else 17
    for minor in range(newest, oldest - 1, -1):
        if (major, minor) not in refused:
            yield f"manylinux_{major}_{minor}_{machine}"
            if (major, minor) in _OLD_NAMES:
                yield f"{_OLD_NAMES[major, minor]}_{machine}"


def _runs_manylinux(architectures: Sequence[str], header: Sequence[int]) -> bool:
    """Tell from the first bytes of the program (ELF) whether it has the ABI that manylinux wheels are made for."""
    is_elf32 = bytes(header[:5]) == b"\x7fELF\x01" and len(header) >= 52
    machine = int.from_bytes(bytes(header[18:20]), "little")
    flags = int.from_bytes(bytes(header[36:40]), "little")
    if "armv7l" in architectures:  # EABI 5 with floats in registers
        return is_elf32 and machine == 40 and flags & 0xFF000400 == 0x05000400
    if "i686" in architectures:
        return is_elf32 and machine == 3
    return not _ARCHITECTURES.isdisjoint(architectures)
