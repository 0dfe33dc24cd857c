from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import Package, PackageDirectory, PackageWheel, Pylock
from packaging.version import Version

from multisite.direct_url import direct_url_text
from multisite.errors import InvalidLockfile, LockfileDoesNotFit, UnsupportedFormat
from multisite.lockfile import ArchiveSource, DirectorySource, Lock, SdistSource, VcsSource, WheelSource
from multisite.locktext import without_credentials

CASES = Path(__file__).parent / "data" / "lockfiles"
ZEROS = "0" * 64
TAGS = ("cp311-cp311-manylinux_2_28_x86_64", "cp311-abi3-linux_x86_64", "py3-none-any")
ENVIRONMENT = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.7",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_release": "6.1",
    "platform_system": "Linux",
    "platform_version": "#1",
    "python_full_version": "3.11.7",
    "platform_python_implementation": "CPython",
    "python_version": "3.11",
    "sys_platform": "linux",
}


def cases(kind: str) -> list[str]:
    return sorted(path.stem for path in (CASES / kind).glob("*.toml"))


def read(kind: str, case: str) -> bytes:
    return (CASES / kind / f"{case}.toml").read_bytes()


def lock(text: str) -> Lock:
    return Lock.parse(f'lock-version = "1.0"\ncreated-by = "x"\n{text}'.encode(), "pylock.toml")


def wheel(name: str, tag: str) -> str:
    return f'{{ url = "https://index.test/{name}-{tag}.whl", hashes = {{ sha256 = "{ZEROS}" }} }}'


@pytest.mark.parametrize("case", cases("valid"))
def test_a_valid_lockfile_is_written_as_it_was_read(case: str) -> None:
    data = read("valid", case)
    first = Lock.parse(data, case)
    text = Lock.format(first.pylock)
    assert first.sha256 == hashlib.sha256(data).hexdigest()
    assert Lock.parse(text, case).pylock.to_dict() == first.pylock.to_dict()
    assert Lock.format(Lock.parse(text, case).pylock) == text


@pytest.mark.parametrize("case", cases("invalid"))
def test_every_problem_of_an_invalid_lockfile_is_named(case: str) -> None:
    data = read("invalid", case)
    expected = tuple(line[2:] for line in data.decode().splitlines() if line.startswith("# "))
    with pytest.raises(InvalidLockfile) as caught:
        Lock.parse(data, "pylock.toml")
    assert caught.value.problems == expected


def test_a_lockfile_that_is_not_utf8_is_named_with_the_line() -> None:
    with pytest.raises(InvalidLockfile, match=r"^pylock\.toml: not a valid lockfile: line 2: not UTF-8$"):
        Lock.parse(b'lock-version = "1.0"\n# \xff\n', "pylock.toml")


def test_a_later_major_version_is_refused() -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        Lock.parse(b'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n', "pylock.toml")
    assert str(caught.value) == "pylock.toml: lockfile has format '2.0'; this multisite knows format 1"


def test_each_file_is_one_line_in_a_fixed_order() -> None:
    urls = [f"https://u:secret@index.test/six-1-{tag}-none-any.whl" for tag in ("py3", "py2")]
    six = Package(
        name="six",  # type: ignore[arg-type]
        version=Version("1"),
        index="https://token@index.test/simple",
        wheels=[PackageWheel(url=url, size=7, hashes={"sha512": "f" * 128, "sha256": ZEROS}) for url in urls],
    )
    first = Package(name="aaa", directory=PackageDirectory(path="."))  # type: ignore[arg-type]
    pylock = Pylock(lock_version=Version("1.0"), created_by="multisite", packages=[six, first])
    hashes = f'{{ sha256 = "{ZEROS}", sha512 = "{"f" * 128}" }}'
    assert (
        Lock.format(pylock).decode()
        == f"""\
lock-version = "1.0"
created-by = "multisite"

[[packages]]
name = "aaa"
directory = {{ path = "." }}

[[packages]]
name = "six"
version = "1"
index = "https://index.test/simple"
wheels = [
    {{ url = "https://index.test/six-1-py2-none-any.whl", size = 7, hashes = {hashes} }},
    {{ url = "https://index.test/six-1-py3-none-any.whl", size = 7, hashes = {hashes} }},
]
"""
    )


@given(st.text(), st.text(), st.integers(0, 2**62))
def test_any_text_survives_the_round_trip(note: str, key: str, number: int) -> None:
    tool = {"somebody": {key: [note, number, {note: [note]}], "inner": {key: note}}}
    package = Package(name="a", directory=PackageDirectory(path="x"), tool=tool)  # type: ignore[arg-type]
    pylock = Pylock(lock_version=Version("1.0"), created_by="multisite", packages=[package], tool=tool)
    read_again = Lock.parse(Lock.format(pylock), "pylock.toml").pylock
    assert read_again.tool == tool
    assert read_again.packages[0].tool == tool


@pytest.mark.parametrize("spelling", ["https://me:secret@index.test/", "https://me:secret\\u0040index.test/"])
def test_credentials_are_left_out_of_a_copy(spelling: str) -> None:
    public = read("valid", "every_source")
    text = public.replace(b'"https://index.test/', f'"{spelling}'.encode(), 1)
    data, addresses = without_credentials(text, Lock.parse(text, "a.toml").pylock)
    assert addresses == ("https://me:secret@index.test/archive.zip",)
    assert Lock.parse(data, "a.toml").pylock.to_dict() == Lock.parse(public, "b.toml").pylock.to_dict()
    assert b"secret" not in data


def test_sources_of_every_kind_are_selected_by_name() -> None:
    pinned = Lock.parse(read("valid", "every_source"), "pylock.toml").select(TAGS, ENVIRONMENT)
    hashes = {"sha256": ZEROS}
    assert {one.name: one.source for one in pinned} == {
        "archive": ArchiveSource(
            filename="archive.zip",
            url="https://index.test/archive.zip",
            path=None,
            size=None,
            hashes=hashes,
            subdirectory="python/archive",
        ),
        "directory": DirectorySource(path="../directory", editable=True, subdirectory="src"),
        "local-wheel": ArchiveSource(
            filename="local_wheel-1-py3-none-any.whl",
            url=None,
            path="wheels/local_wheel-1-py3-none-any.whl",
            size=3,
            hashes=hashes,
            subdirectory=None,
        ),
        "sdist": SdistSource(filename="sdist-1.tar.gz", url=None, path="sdist-1.tar.gz", size=None, hashes=hashes),
        "vcs": VcsSource(
            type="git",
            url="ssh://git@index.test/vcs.git",
            path=None,
            requested_revision="main",
            commit="0123456789" * 4,
            subdirectory="a/b",
        ),
    }
    assert [one.name for one in pinned if not one.direct] == ["sdist"]


@pytest.mark.parametrize(
    ("extras", "groups", "names"),
    [
        ((), None, []),
        (("plot",), None, ["numpy"]),
        (("plot",), ("dev",), ["numpy", "pytest"]),
        ((), ("Docs",), []),
    ],
)
def test_extras_and_groups_decide(extras: tuple[str, ...], groups: tuple[str, ...] | None, names: list[str]) -> None:
    everything = Lock.parse(read("valid", "everything"), "pylock.toml")
    assert [one.name for one in everything.select(TAGS, ENVIRONMENT, extras, groups)] == names


def test_the_best_wheel_is_chosen_and_its_hashes_are_lower_case() -> None:
    chosen = lock(
        f"""
[[packages]]
name = "six"
version = "1.0"
wheels = [
    {wheel("six-1", "py3-none-any")},
    {wheel("six-1", "cp311-cp311-manylinux_2_17_x86_64.manylinux_2_28_x86_64").replace(ZEROS, "A" * 64)},
    {wheel("six-1", "cp312-cp312-manylinux_2_28_x86_64")},
]
sdist = {{ path = "six-1.tar.gz", hashes = {{ sha256 = "{ZEROS}" }} }}
"""
    ).select(TAGS, ENVIRONMENT)[0]
    assert isinstance(chosen.source, WheelSource)
    assert chosen.source.filename == "six-1-cp311-cp311-manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"
    assert chosen.source.hashes == {"sha256": "a" * 64}
    assert chosen.version == "1.0"


MISFITS = {
    "python": ('requires-python = ">=3.12"\npackages = []', "it is for Python >=3.12, and this is 3.11.7"),
    "environments": (
        "environments = [\"sys_platform == 'win32'\"]\npackages = []",
        'it is for other environments: sys_platform == "win32"',
    ),
    "all distributions": (
        f"""
[[packages]]
name = "b"
version = "2"
wheels = [{wheel("b-2", "cp312-cp312-win_amd64")}]
[[packages]]
name = "a"
requires-python = ">=3.12"
directory = {{ path = "." }}
[[packages]]
name = "fine"
directory = {{ path = "." }}
[[packages]]
name = "twice"
directory = {{ path = "." }}
[[packages]]
name = "twice"
directory = {{ path = "." }}
[[packages]]
name = "elsewhere"
marker = "sys_platform == 'win32'"
version = "2"
wheels = [{wheel("elsewhere-2", "cp312-cp312-win_amd64")}]
""",
        (
            "b 2 has no wheel for this interpreter (cp311-cp311-manylinux_2_28_x86_64) and no source distribution; "
            "a needs Python >=3.12, and this is 3.11.7; several entries for twice apply"
        ),
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_a_lockfile_that_does_not_fit_says_all_that_is_in_the_way(case: str) -> None:
    text, reason = MISFITS[case]
    with pytest.raises(LockfileDoesNotFit) as caught:
        lock(text).select(TAGS, ENVIRONMENT)
    assert str(caught.value) == f"pylock.toml: {reason}"


@pytest.mark.parametrize(
    ("extras", "groups", "reason"),
    [
        (("plott",), None, "no extra plott; it has plot"),
        ((), ("test", "dev", "a"), "no dependency group a, test; it has Docs, dev"),
    ],
)
def test_an_extra_or_group_that_is_not_there_is_an_error(
    extras: tuple[str, ...], groups: tuple[str, ...] | None, reason: str
) -> None:
    with pytest.raises(LockfileDoesNotFit) as caught:
        Lock.parse(read("valid", "everything"), "pylock.toml").select(TAGS, ENVIRONMENT, extras, groups)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            f'archive = {{ url = "https://a:b@index.test/x.zip", hashes = {{ sha256 = "{ZEROS}" }} }}',
            f'{{"archive_info": {{"hashes": {{"sha256": "{ZEROS}"}}}}, "url": "https://index.test/x.zip"}}',
        ),
        (
            'directory = { path = "../x", editable = true }',
            '{"dir_info": {"editable": true}, "url": "file:///home/x"}',
        ),
        (
            f'vcs = {{ type = "git", url = "ssh://git@index.test/x", commit-id = "{"0" * 40}", subdirectory = "s" }}',
            (
                '{"subdirectory": "s", "url": "ssh://git@index.test/x", '
                f'"vcs_info": {{"commit_id": "{"0" * 40}", "vcs": "git"}}}}'
            ),
        ),
        (f'sdist = {{ path = "x-1.tar.gz", hashes = {{ sha256 = "{ZEROS}" }} }}', None),
    ],
)
def test_the_origin_is_recorded(source: str, text: str | None) -> None:
    pinned = lock(f'[[packages]]\nname = "x"\n{source}').select(TAGS, ENVIRONMENT)[0]
    assert direct_url_text(pinned, Path("/home/project")) == text
