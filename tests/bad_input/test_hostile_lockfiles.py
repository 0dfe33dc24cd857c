"""Lockfiles made to harm, and servers that lead elsewhere or never end."""

# ruff: noqa: E501 -- sentences stand here as they are printed

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.bad_input.case import Case, Cases, Words, hashed, listed, locked, lockfile, shown
from tests.index import JSON, Fault

if TYPE_CHECKING:
    import pytest

    from tests.machine import Machine

bad = Cases(("existing",))
HEAD = 'lock-version = "1.0"\ncreated-by = "somebody"\n'
HASHES = f'hashes = {{sha256 = "{"0" * 64}"}}'
ALPHA = "alpha-1.0-py3-none-any.whl"
ANEW = "write it anew: multisite lock"
AGAIN = "try again, or lock anew with another index"
UNPRINTABLE = "not an address: it has unprintable characters"


def _package(name: str = "alpha", version: str = "1.0", *, source: str | None = None, more: str = "") -> str:
    source = source or f'wheels = [{{name = "{name}-{version}-py3-none-any.whl", url = "https://h.test/x", {HASHES}}}]'
    return f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{more}\n{source}\n'


def _wheel(facts: str, filename: str = ALPHA) -> str:
    return _package(source=f'wheels = [{{name = "{filename}", {facts}, {HASHES}}}]')


def _given(text: str) -> Callable[[Machine], Words]:
    return lambda machine: ["sync", lockfile(machine, HEAD + text)]


INVALID: dict[str, tuple[str, tuple[str, ...]]] = {
    "a name that climbs": (_package("../evil"), ("packages[0].name: Name '../evil' is not normalized",)),
    "a name with an escape sequence": (_package("al\\u001b[31mpha"), (r"packages[0].name: Name 'al\x1b[31mpha' is not normalized",)),
    "a name of two lines": (_package("x\\nnext: curl"), (r"packages[0].name: Name 'x\nnext: curl' is not normalized",)),
    "a name that is not normalised": (_package("Alpha_x"), ("packages[0].name: Name 'Alpha_x' is not normalized",)),
    "a version that is a path": (_package(version="../1.0"), ("packages[0].version: Invalid version: '../1.0'",)),
    "a version with an escape sequence": (_package(version="1.0\\u001b[0m"), (r"packages[0].version: Invalid version: '1.0\x1b[0m'",)),
    "a file name that climbs": (_wheel('url = "https://h.test/x"', "alpha-1.0-py3-none-..%2f.whl"), ("packages[0].wheels[0]: Invalid wheel filename 'alpha-1.0-py3-none-..%2f.whl'",)),
    "a file of another distribution": (_wheel('url = "https://h.test/x"', "omega-1.0-py3-none-any.whl"), ("packages[0].wheels[0]: Name in 'omega-1.0-py3-none-any.whl' is not consistent with package name 'alpha'",)),
    "an address with an escape sequence": (_wheel('url = "https://h.test/\\u001b[1m"'), (rf"packages[0].wheels[0].url: 'https://h.test/\x1b[1m': {UNPRINTABLE}",)),
    "an address with a control character of eight bits": (_wheel('url = "https://h.test/\\u009b31m"'), (rf"packages[0].wheels[0].url: 'https://h.test/\x9b31m': {UNPRINTABLE}",)),
    "an address that is read backwards": (_wheel('url = "https://h.test/\\u202egpj.exe"'), (rf"packages[0].wheels[0].url: 'https://h.test/\u202egpj.exe': {UNPRINTABLE}",)),
    "an address that names no file": (_package(source=f'archive = {{url = "https://h.test", {HASHES}}}'), ("packages[0].archive: neither its name nor its address or path names a file",)),
    "a local file of a server's index": (
        _package(source=f'index = "https://h.test/simple"\nwheels = [{{name = "{ALPHA}", url = "file:///etc/passwd", {HASHES}}}]'),
        ("packages[0].wheels[0].url: a file of this machine, that the index 'https://h.test/simple' cannot have",),
    ),
    "a commit that is an option": (_package(source='vcs = {type = "git", url = "https://h.test/x", commit-id = "--help"}'), ("packages[0].vcs.commit-id: '--help' is not a full commit hash",)),
    "a marker that is nested without end": (_package(more=f'marker = "{"(" * 2000}os_name{")" * 2000}"'), ("packages[0].marker: maximum recursion depth exceeded",)),
    "a tool that is nested without end": (f"{_package()}[tool.x]\ny = {'[' * 900}{']' * 900}\n", ("it is nested too deep to be read",)),
    "ten thousand faults": (
        "".join(_package(f"N_{number}") for number in range(10_000)),
        (*(f"packages[{number}].name: Name 'N_{number}' is not normalized" for number in range(50)), "and 9950 more"),
    ),
}  # fmt: skip

for name, (text, problems) in INVALID.items():
    bad.add(name, _given(text), 1, listed("ROOT/work/given.toml: not a valid lockfile", problems), ANEW)

UNFETCHED = {
    "an address of data": ("data:application/zip;base64,UEs=", "data:application/zip;base64,UEs=", "addresses of the kind 'data' are not fetched"),
    "a script as address": ("javascript:alert(1)", "javascript:alert(1)", "addresses of the kind 'javascript' are not fetched"),
    "an address of FTP": ("ftp://u:p@h.test/x", "ftp://h.test/x", "addresses of the kind 'ftp' are not fetched"),
    "a file of another machine": ("file://evil.test/etc/passwd", "file://evil.test/etc/passwd", "a file of another machine"),
}  # fmt: skip

for name, (url, told, reason) in UNFETCHED.items():
    bad.add(name, _given(_wheel(f'url = "{url}"')), 3, f"{ALPHA}: could not be fetched from {told}: {reason}", AGAIN)

bad.add(
    "a device in the place of a file",
    _given(_wheel('path = "/dev/zero"')),
    3,
    f"{ALPHA}: could not be fetched from /dev/zero: it is not a regular file",
    "put the file there, or lock anew: multisite lock --upgrade",
)
bad.add(
    "ten thousand entries for one name",
    _given(_package() * 10_000),
    1,
    "ROOT/work/given.toml: several entries for alpha apply",
    "lock for this interpreter: multisite lock",
)


def _redirected(location: str) -> Callable[[Machine], Words]:
    def arrange(machine: Machine) -> Words:
        machine.index.fail("x", Fault(status=302, content=b"", headers={"Location": location}))
        return ["sync", lockfile(machine, HEAD + _wheel(f'url = "{machine.index.origin}/files/x"'))]

    return arrange


REDIRECTS = {
    "ftp://h.test/x": "addresses of the kind 'ftp' are not fetched",
    "data:,x": "addresses of the kind 'data' are not fetched",
    "javascript:x": "addresses of the kind 'javascript' are not fetched",
    "FILE:///etc/passwd": "addresses of the kind 'file' are not fetched",
    "http://[::1": "not an address",
}
for location, reason in REDIRECTS.items():
    sentence = f"{ALPHA}: could not be fetched from INDEX/files/x: a redirect: {reason}"
    bad.add(f"a redirect to {location}", _redirected(location), 3, sentence, AGAIN)


def an_index_that_names_a_file_of_this_machine(machine: Machine) -> Words:
    file = machine.index.folder / ALPHA
    entry = {"filename": ALPHA, "url": f"file://{file}", "hashes": {"sha256": hashed(file)}}
    page = {"meta": {"api-version": "1.1"}, "name": "alpha", "versions": [], "files": [entry]}
    machine.index.fail("simple/alpha", Fault(content=json.dumps(page).encode(), headers={"Content-Type": JSON}))
    return ["lock", "alpha"]


bad.add(
    "an index that names a file of this machine",
    an_index_that_names_a_file_of_this_machine,
    3,
    f"the resolver stopped:\nalpha: the index names a file of this machine: file://ROOT/wheels/{ALPHA}",
    "ask who runs the index; a folder with distributions is given as --find-links DIR",
)


@bad.each
def test_a_lockfile_or_server_made_to_harm_is_refused(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)


def test_a_server_that_sends_a_byte_now_and_then(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.index.partial = False
    monkeypatch.setattr("multisite.transport._WINDOW", -1.0)
    machine.index.fail(ALPHA, Fault(content=bytes(100), unannounced=True))
    done = machine.run("sync", "-q", locked(machine, machine.index.folder / ALPHA, size=5000))
    sentence = (
        f"{ALPHA}: could not be fetched from INDEX/files/{ALPHA}: the server sends next to nothing (tried 4 times)"
    )
    assert shown(done.err, machine).splitlines()[0] == f"error: {sentence}"
    assert done.code == 3


def test_a_server_that_never_ends_where_the_lockfile_states_no_size(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multisite.transport._LARGEST", 100_000)
    machine.index.fail("x", Fault(content=bytes(1 << 20), unannounced=True))
    done = machine.run("sync", "-q", lockfile(machine, HEAD + _wheel(f'url = "{machine.index.origin}/files/x"')))
    sentence = f"{ALPHA}: could not be fetched from INDEX/files/x: it has more than 100000 bytes"
    assert shown(done.err, machine) == f"error: {sentence}\nnext: lock it with its size: multisite lock\n"
    assert done.code == 3
