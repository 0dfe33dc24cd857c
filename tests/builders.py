"""Trees and wheels for tests, made from dicts."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, Union

__all__ = ["Member", "Rows", "Tree", "make_wheel", "record_hash", "write_tree"]

# {"foo": {"__init__.py": "x = 1\n", "data.bin": b"\0"}, "empty": {}}
Tree: TypeAlias = Mapping[str, Union[str, bytes, "Tree"]]
Rows: TypeAlias = "list[list[str]]"
Member: TypeAlias = "tuple[zipfile.ZipInfo | str, bytes]"

_TIME = (2024, 1, 1, 0, 0, 0)


def write_tree(folder: Path, tree: Tree) -> Path:
    """Write *tree* into *folder*, made when missing, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in tree.items():
        if isinstance(value, Mapping):
            write_tree(folder / name, value)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(_as_bytes(value))
    return folder


def record_hash(data: bytes, algorithm: str = "sha256") -> str:
    """Return the hash of *data* as RECORD writes it."""
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).decode().rstrip("=")
    return f"{algorithm}={digest}"


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    files: Tree | None = None,
    *,
    data: Mapping[str, Tree] | None = None,
    entry_points: str | Mapping[str, Mapping[str, str]] | None = None,
    tag: str | Sequence[str] = "py3-none-any",
    requires: Sequence[str] = (),
    metadata: str = "",
    description: str = "",
    purelib: bool = True,
    executable: Sequence[str] = (),
    dist_info_files: Tree | None = None,
    dist_info: str | None = None,
    data_dir: str | None = None,
    filename: str | None = None,
    build_tag: str = "",
    wheel_version: str = "1.0",
    extra_members: Sequence[Member] = (),
    without: Sequence[str] = (),
    edit_record: Callable[[Rows], Rows] | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
) -> Path:
    """Write a wheel into *folder* and return its path; without options it is a sound one, and always the same bytes.

    *files* is what stands at its root, *data* the ``.data`` parts by scheme, *executable* members of either by path in
    the wheel, *metadata* further METADATA lines. What makes it unsound: names given in other spellings,
    *extra_members* that RECORD does not know, members left out *without* RECORD knowing, and *edit_record*.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    info = dist_info if dist_info is not None else f"{stem}.dist-info"
    tags = [tag] if isinstance(tag, str) else list(tag)
    members = dict(_flat(files or {}))
    for scheme, tree in (data or {}).items():
        members.update(_flat(tree, f"{data_dir or f'{stem}.data'}/{scheme}/"))
    members[f"{info}/METADATA"] = _metadata(name, version, requires, metadata, description)
    members[f"{info}/WHEEL"] = _wheel_text(wheel_version, tags, build_tag, purelib=purelib)
    if entry_points:
        members[f"{info}/entry_points.txt"] = _entry_points(entry_points)
    members.update(_flat(dist_info_files or {}, f"{info}/"))
    rows = [[path, record_hash(content), str(len(content))] for path, content in members.items()]
    rows.append([f"{info}/RECORD", "", ""])
    members[f"{info}/RECORD"] = _csv(edit_record(rows) if edit_record else rows)
    build = f"-{build_tag}" if build_tag else ""
    path = folder / (filename or f"{stem}{build}-{_compressed(tags)}.whl")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for member, content in members.items():
            if member not in without:
                archive.writestr(_zip_info(member, compression, executable=member in executable), content)
        for extra, content in extra_members:
            info_of = extra if isinstance(extra, zipfile.ZipInfo) else _zip_info(extra, compression)
            archive.writestr(info_of, content)
    return path


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _flat(tree: Tree, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield prefix + name, _as_bytes(value)


def _metadata(name: str, version: str, requires: Sequence[str], extra: str, description: str) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    lines += extra.splitlines()
    return ("\n".join(lines) + f"\n\n{description}").encode()


def _wheel_text(version: str, tags: Sequence[str], build_tag: str, *, purelib: bool) -> bytes:
    lines = [f"Wheel-Version: {version}", "Generator: tests", f"Root-Is-Purelib: {'true' if purelib else 'false'}"]
    lines += [f"Tag: {tag}" for tag in tags]
    lines += [f"Build: {build_tag}"] if build_tag else []
    return ("\n".join(lines) + "\n").encode()


def _entry_points(value: str | Mapping[str, Mapping[str, str]]) -> bytes:
    if isinstance(value, str):
        return value.encode()
    groups = (
        f"[{group}]\n" + "".join(f"{key} = {target}\n" for key, target in points.items())
        for group, points in value.items()
    )
    return "\n".join(groups).encode()


def _csv(rows: Rows) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _compressed(tags: Sequence[str]) -> str:
    parts = [sorted({tag.split("-")[at] for tag in tags}) for at in range(3)]
    return "-".join(".".join(part) for part in parts)


def _zip_info(path: str, compression: int, *, executable: bool = False) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(path, _TIME)
    member.compress_type = compression
    member.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    return member
