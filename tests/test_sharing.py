from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from multisite.errors import UnsupportedFormat
from multisite.sharing import SharedFolder, shared_digest
from multisite.store import Artifact, Store, StoredDistribution

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeWheel


@pytest.fixture
def members(store: Store, make_wheel: MakeWheel) -> list[StoredDistribution]:
    wheels = [
        make_wheel("qt", "5", {"Qt": {"__init__.py": "", "same.py": "x", "other.py": "qt"}, "qt.pth": "import Qt\n"}),
        make_wheel("qt-sip", "1", {"Qt": {"sip.py": "sip", "same.py": "x", "other.py": "sip", "tool": "#!"}},
                   executable=["Qt/tool"]),
        make_wheel("a", "1", {"Qt": {"other.py": "a"}}, data={"scripts": {"s": ""}}),
    ]  # fmt: skip
    return [store.add_wheel(wheel, artifact=Artifact.of(wheel)) for wheel in wheels]


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def left_over(store: Store) -> list[Path]:
    return list((store.root / "shared" / ".incoming").iterdir())


def test_what_is_shared(store: Store, members: list[StoredDistribution]) -> None:
    shared = store.shared_folder(members)
    assert shared.root == f"shared/{shared.digest}/site-packages"
    assert shared.site_packages == store.root / shared.root
    assert tree(shared.site_packages) == [
        "Qt/__init__.py",
        "Qt/other.py",
        "Qt/same.py",
        "Qt/sip.py",
        "Qt/tool",
        *(f"a-1.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL")),
        *(f"qt-5.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL")),
        "qt.pth",
        *(f"qt_sip-1.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL")),
    ]
    assert left_over(store) == []


def test_the_later_member_gives_the_file(store: Store, members: list[StoredDistribution]) -> None:
    # All three have Qt/other.py. The order is that of the lines in the digest: a/…, qt-sip/…, qt/….
    _, sip, _ = members
    for order in (members, members[::-1]):
        shared = store.shared_folder(order)
        assert shared.members == tuple(sorted(str(member.id) for member in members))
        assert (shared.site_packages / "Qt" / "other.py").read_text() == "qt"
        assert shared.overwritten == {"Qt/other.py": str(sip.id)}


def test_the_digest_is_what_the_format_says(members: list[StoredDistribution]) -> None:
    lines = sorted(f"{member.id} {member.manifest.digest}\n" for member in members)
    expected = hashlib.sha256(("multisite shared 1\n" + "".join(lines)).encode()).hexdigest()
    assert shared_digest(members) == shared_digest(members[::-1]) == expected
    assert shared_digest(members[:2]) != expected


def test_the_document(store: Store, members: list[StoredDistribution]) -> None:
    shared = store.shared_folder(members)
    document = json.loads((store.root / "shared" / shared.digest / "shared.json").read_bytes())
    assert document == {
        "format": 1,
        "digest": shared.digest,
        "members": list(shared.members),
        "overwritten": dict(shared.overwritten),
    }


def test_files_are_links(store: Store, members: list[StoredDistribution]) -> None:
    shared = store.shared_folder(members)
    for member in members:
        info = f"{member.manifest.dist_info}/METADATA"
        assert (shared.site_packages / info).samefile(member.site_packages / info)
    assert not [path for path in shared.site_packages.rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOTSUP])
def test_files_are_copies_where_there_can_be_no_links(
    store: Store, members: list[StoredDistribution], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def no_link(source: Path, target: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", no_link)
    shared = store.shared_folder(members)
    tool = next(member for member in members if member.id.name == "qt-sip").site_packages / "Qt" / "tool"
    copy = shared.site_packages / "Qt" / "tool"
    assert not copy.samefile(tool)
    assert (copy.read_bytes(), copy.stat().st_mode) == (tool.read_bytes(), tool.stat().st_mode)


def test_other_failures_are_failures(
    store: Store, members: list[StoredDistribution], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space left"):
        store.shared_folder(members)
    assert left_over(store) == []
    assert not (store.root / "shared" / shared_digest(members)).exists()


def test_it_is_made_once(store: Store, members: list[StoredDistribution]) -> None:
    shared = store.shared_folder(members)
    inode = shared.site_packages.stat().st_ino
    assert store.shared_folder(members) == shared
    assert shared.site_packages.stat().st_ino == inode


@pytest.mark.parametrize("document", [None, b"", b'{"format": 1}', b'{"format": 1, "digest": "' + b"0" * 64 + b'"}'])
def test_a_damaged_one_is_made_again(store: Store, members: list[StoredDistribution], document: bytes | None) -> None:
    shared = store.shared_folder(members)
    path = store.root / "shared" / shared.digest / "shared.json"
    path.unlink()
    shutil.rmtree(shared.site_packages / "Qt")
    if document is not None:
        path.write_bytes(document)
    assert store.shared_folder(members) == shared
    assert (shared.site_packages / "Qt" / "sip.py").is_file()
    assert left_over(store) == []


def test_a_later_format_is_not_touched(store: Store, members: list[StoredDistribution]) -> None:
    path = store.root / "shared" / store.shared_folder(members).digest / "shared.json"
    path.write_text('{"format": 2}')
    with pytest.raises(UnsupportedFormat) as caught:
        store.shared_folder(members)
    assert str(caught.value) == f"{path}: shared folder has format 2; this multisite knows format 1"


def test_many_at_once(store: Store, members: list[StoredDistribution]) -> None:
    found: list[SharedFolder] = []
    start = threading.Barrier(8)

    def run() -> None:
        start.wait()
        found.append(store.shared_folder(members))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 8
    assert left_over(store) == []
