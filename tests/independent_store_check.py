"""Compare a store with the wheels that it was made from, file for file. Shares no code with multisite.

By hand: ``python tests/independent_store_check.py STORE WHEELS``, with ``--all`` where every wheel has to be there.
Written after docs/formats.md; runs on Python 3.10 and later and needs nothing but the standard library. What commands
that were killed left behind is reported after the word "left over", and is no fault of content.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

ROOMS = {
    *("store.json", "multi-site-packages", "shared", "artifacts", "sources", "tables", "environments", "pins"),
    *("runtime", "locks", "condemned"),
}
NOT_CONTENT = re.compile(r"INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json|uv_build\.json|RECORD(\.jws|\.p7s)?")
Place = tuple[str, str]  # a folder of an entry, and a path in there
TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")


def faults(store: Path | str, wheels: Path | str, *, every: bool = False) -> list[str]:
    """Return a sentence for each fault: of the folder *store*, beside the wheels in the folder *wheels*."""
    return [*_Store(Path(store)).faults(Path(wheels), every=every)]


def damaged_entries(store: Path | str, wheels: Path | str) -> list[str]:
    """Return a sentence for each fault of an entry that can be seen, whatever else there is in the store."""
    return [*_Store(Path(store)).damaged_entries(Path(wheels))]


class _Store:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries: dict[str, Any] = {}  # path of an entry -> its manifest
        self.sources: dict[str, list[Path]] = {}  # path of an entry -> the wheels that it can be made from

    def faults(self, wheels: Path, *, every: bool) -> Iterator[str]:
        yield from self._rooms()
        yield from self._torn()
        for folder in sorted((self.root / "multi-site-packages").glob("[!.]*/*/*")):
            name = folder.relative_to(self.root / "multi-site-packages").as_posix()
            self.entries[name] = _document(folder / "manifest.json")
        for wheel in sorted(wheels.glob("*.whl")):
            yield from self._wheel(wheel, every=every)
        for name in self.entries:
            if name not in self.sources:
                yield f"{name}: an entry of no wheel"
            else:
                yield from self._entry(name)
        yield from self._aliases()
        yield from self._shared()
        yield from self._tables()
        yield from self._environments()

    def damaged_entries(self, wheels: Path) -> Iterator[str]:
        known = {_sha256(wheel.read_bytes()): wheel for wheel in wheels.glob("*.whl")}
        for folder in sorted((self.root / "multi-site-packages").glob("[!.]*/*/*")):
            name = folder.relative_to(self.root / "multi-site-packages").as_posix()
            manifest = _document(folder / "manifest.json")
            sources = [known[sha256] for sha256 in self._artifacts(name)]
            if not manifest or not sources:
                yield f"{name}: no manifest, or no artifacts"
            for wheel in sources if manifest else ():
                yield from (f"{name}: {fault}" for fault in _against_wheel(folder, manifest, wheel))

    def _rooms(self) -> Iterator[str]:
        if _document(self.root / "store.json").get("format") != 1:
            yield "store.json: another format"
        for path in self.root.iterdir():
            if path.name not in ROOMS and not TEMPORARY.fullmatch(path.name):
                yield f"{path.name}: nothing that a store holds"
        for folder in ("multi-site-packages/.incoming", "shared/.incoming", "pins"):
            for path in (self.root / folder).glob("*"):
                yield f"left over: {folder}/{path.name}"
        for path in self.root.rglob(".*"):
            if TEMPORARY.fullmatch(path.name):
                yield f"left over: {path.relative_to(self.root)}"
        for path in (self.root / "multi-site-packages").glob("[!.]*"):
            for part in [path, *path.glob("*"), *path.glob("*/*")]:
                if not part.is_dir():
                    yield f"{part}: no folder"
                elif not any(part.iterdir()):
                    yield f"left over: {part.relative_to(self.root)}"

    def _torn(self) -> Iterator[str]:
        for path in self.root.rglob("*.json"):
            where = path.relative_to(self.root)
            if not {"site-packages", "data"}.intersection(where.parts) and not _document(path):
                yield f"{where}: torn"

    def _wheel(self, wheel: Path, *, every: bool) -> Iterator[str]:
        sha256 = _sha256(wheel.read_bytes())
        alias = self.root / "artifacts" / "sha256" / sha256[:2] / f"{sha256}.json"
        known = [name for name in self.entries if sha256 in self._artifacts(name)]
        if alias.exists():
            entry = _document(alias).get("entry", "")
            self.sources.setdefault(entry, []).append(wheel)
            if known != [entry]:
                yield f"{wheel.name}: its alias leads to {entry}, and these entries name it: {known}"
        elif known:
            # Killed between the two: the entry is found again by its content.
            self.sources.setdefault(known[0], []).append(wheel)
            yield f"left over: {known[0]}, without an alias for {wheel.name}"
        elif every:
            yield f"{wheel.name}: not in the store"

    def _artifacts(self, name: str) -> dict[str, Any]:
        path = self.root / "multi-site-packages" / name / "artifacts.json"
        return {item["sha256"]: item for item in _document(path).get("artifacts", [])}

    def _entry(self, name: str) -> Iterator[str]:
        folder = self.root / "multi-site-packages" / name
        manifest = self.entries[name]
        for wheel in self.sources[name]:
            yield from (f"{name}: {fault}" for fault in _against_wheel(folder, manifest, wheel))
            noted = self._artifacts(name)[_sha256(wheel.read_bytes())]
            if (noted["filename"], noted["size"]) != (wheel.name, wheel.stat().st_size):
                yield f"{name}: artifacts.json says {noted} of {wheel.name}"
        if name != "{name}/{version}/{build}".format_map(manifest):
            yield f"{name}: its manifest is that of another"
        if not name.endswith("-" + manifest["digest"][:16]):
            yield f"{name}: its manifest has the digest {manifest['digest']}"

    def _aliases(self) -> Iterator[str]:
        for path in (self.root / "artifacts").rglob("*.json"):
            alias = _document(path)
            if alias.get("entry") not in self.entries:
                yield f"{path.name}: leads to {alias.get('entry')}, which is not there"
            elif self.entries[alias["entry"]].get("digest") != alias["digest"]:
                yield f"{path.name}: another digest than that of {alias['entry']}"
            if path.parent.name != path.name[:2]:
                yield f"{path}: in the wrong folder"
        for path in (self.root / "sources").glob("*.json"):
            if _document(path).get("entry") not in self.entries:
                yield f"{path.name}: leads nowhere"

    def _shared(self) -> Iterator[str]:
        for folder in (self.root / "shared").glob("[!.]*"):
            members = _document(folder / "shared.json").get("members", ())
            text = "multisite shared 1\n" + "".join(f"{name} {self.entries[name]['digest']}\n" for name in members)
            if folder.name != _sha256(text.encode()):
                yield f"shared {folder.name}: not the digest of {members}"
            wanted: dict[str, bytes] = {}
            for name in sorted(members):
                site = self.root / "multi-site-packages" / name / "site-packages"
                wanted.update({path: (site / path).read_bytes() for path in _files(site)})
            found = {path: (folder / "site-packages" / path).read_bytes() for path in _files(folder / "site-packages")}
            yield from (f"shared {folder.name}: {fault}" for fault in _differences(wanted, found))

    def _tables(self) -> Iterator[str]:
        for path in (self.root / "tables").glob("[!.]*"):
            data = path.read_bytes()
            found, *lengths = [int.from_bytes(data[at : at + 4], "little") for at in (8, 12, 16, 20, 24, 28)]
            if data[:8] != b"MSTABLE\n" or found != 3 or len(data) != 32 + sum(lengths):
                yield f"tables/{path.name}: torn"

    def _environments(self) -> Iterator[str]:
        for path in (self.root / "environments").glob("[!.]*"):
            document = _document(path)
            missing = [build for build in document.get("builds", ()) if build not in self.entries]
            if missing or document.get("id") != path.stem:
                yield f"environments/{path.name}: id {document.get('id')}, builds that are not there: {missing}"


def _against_wheel(folder: Path, manifest: Any, wheel: Path) -> Iterator[str]:
    """Yield what in an entry's *folder* is not as in *wheel*."""
    with zipfile.ZipFile(wheel) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
        executable = {info.filename for info in archive.infolist() if info.external_attr >> 16 & 0o111}
    infos = {path.partition("/")[0] for path in members if path.partition("/")[0].endswith(".dist-info")}
    if infos != {manifest["dist_info"]}:
        yield f"dist-info folders: {infos}, and {manifest['dist_info']} in the manifest"
        return
    info = manifest["dist_info"]
    placed = {path: _place(path) for path in members}
    points = members.get(f"{info}/entry_points.txt", b"").decode()
    content = {path for path, place in placed.items() if _is_content(place, set(placed.values()), info, points)}
    wanted = {"{}/{}".format(*placed[path]): members[path] for path in content}
    found = {path: (folder / path).read_bytes() for path in _files(folder) if path.count("/")}
    record = found.pop(f"site-packages/{info}/RECORD", b"")
    yield from _differences(wanted, found)
    known = {"site-packages", "data", "manifest.json", "artifacts.json", "modules.txt"}
    strangers = {path.name for path in folder.iterdir()} - known
    if strangers:
        yield f"strangers: {strangers}"
    if (index := _index([placed[path][1] for path in content if placed[path][0] == "site-packages"])) != (
        folder / "modules.txt"
    ).read_text():
        yield f"modules.txt is not\n{index}"
    yield from _against_record(record, info, content, placed, members)
    yield from _against_manifest(manifest, info, content, placed, members, points)
    programs = sorted(placed[path][1] for path in content & executable if placed[path][0] == "site-packages")
    if manifest["executable"] != programs:
        yield f"manifest: executable: {manifest['executable']} instead of {programs}"
    for path in content:
        scheme, rest = placed[path]
        runs = bool((folder / scheme / rest).stat().st_mode & 0o100)
        if runs != (path in executable or (scheme == "data/scripts" and members[path].startswith(b"#!python"))):
            yield f"{path}: executable {runs}"


def _index(paths: list[str]) -> str:
    """Return the module index of a folder with the files *paths*."""
    module = re.compile(r"(?:(?:(?!__pycache__/)[\w+-]+/)*)[\w+.-]+\.(?:pyw?|pyc|so|pyd)", re.ASCII)
    listed = {"": list[str]()}
    for path in filter(module.fullmatch, paths):
        *folders, name = path.split("/")
        for depth in range(len(folders)):
            listed.setdefault("/".join(folders[: depth + 1]), [])
        listed["/".join(folders)].append(name)
    lines = [f"{folder}\t{'/'.join(sorted(names))}\n" for folder, names in sorted(listed.items())]
    return f"multisite modules 1 {len(lines)}\n" + "".join(lines)


def _place(path: str) -> Place:
    """Return where in an entry a wheel's file is: the folder of its scheme, and the path in there."""
    top, _, rest = path.partition("/")
    if not top.endswith(".data"):
        return "site-packages", path
    scheme, _, rest = rest.partition("/")
    return ("site-packages" if scheme in {"purelib", "platlib"} else f"data/{scheme}"), rest


def _is_content(place: Place, places: set[Place], info: str, points: str) -> bool:
    folder, path = place
    above, _, name = path.rpartition("/")
    if folder == "site-packages" and above == info and NOT_CONTENT.fullmatch(name):
        return False
    if above.endswith("__pycache__") and name.endswith(".pyc"):
        source = above.removesuffix("__pycache__")
        parts = name.split(".")
        if any((folder, f"{source}{'.'.join(parts[:at])}.py") in places for at in range(1, len(parts))):
            return False
    if folder == "data/scripts" or (folder == "data/data" and path.startswith("bin/")):
        return re.sub(r"(\.exe\.manifest|\.exe|-script\.pyw?|\.pya)$", "", name) not in _scripts(points)
    return True


def _scripts(points: str) -> set[str]:
    found, section = set[str](), ""
    for line in points.splitlines():
        if line.strip().startswith("["):
            section = line.strip("[] ")
        elif "=" in line and section in {"console_scripts", "gui_scripts"}:
            found.add(line.partition("=")[0].strip())
    return found


def _against_record(
    record: bytes, info: str, content: set[str], placed: dict[str, Place], members: dict[str, bytes]
) -> Iterator[str]:
    """Yield what is wrong with an entry's RECORD: each file with its hash and size, and itself."""
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(record.decode())) if row}
    wanted = {f"{info}/RECORD": ["", ""]}
    for path in content:
        scheme, rest = placed[path]
        digest = base64.urlsafe_b64encode(hashlib.sha256(members[path]).digest()).decode().rstrip("=")
        wanted[rest if scheme == "site-packages" else path] = [f"sha256={digest}", str(len(members[path]))]
    yield from (f"RECORD: {fault}" for fault in _differences(wanted, rows))


def _against_manifest(
    manifest: Any, info: str, content: set[str], placed: dict[str, Place], members: dict[str, bytes], points: str
) -> Iterator[str]:
    lines = []
    for path in content:
        (folder, rest), data = placed[path], members[path]
        scheme = "site" if folder == "site-packages" else folder.partition("/")[2]
        if scheme == "data" and rest.startswith("bin/"):
            scheme, rest = "scripts", rest[4:]
        if scheme == "scripts" and data.startswith(b"#!python"):
            data = b"#!python\n" + data.partition(b"\n")[2]
        lines.append(f"{scheme}/{rest}\0{_sha256(data)}\0{len(data)}\n".encode())
    metadata = HeaderParser().parsestr(members[f"{info}/METADATA"].decode())
    texts = {
        suffix: {
            rest: members[path].decode("utf-8-sig", "surrogateescape")
            for path, (folder, rest) in placed.items()
            if folder == "site-packages" and "/" not in rest and rest.endswith(suffix)
        }
        for suffix in (".pth", ".start")
    }
    wanted: dict[str, object] = {
        "format": 4,
        "digest": _sha256(b"multisite content 1\n" + b"".join(sorted(lines))),
        "name": re.sub(r"[-_.]+", "-", metadata["Name"]).lower(),
        "entry_points": points or None,
        "files": len(content) + 1,
        "bytes": sum(len(members[path]) for path in content),
        "pth": texts[".pth"],
        "start": texts[".start"],
    }
    found = {key: manifest.get(key) for key in wanted}
    yield from (f"manifest: {fault}" for fault in _differences(wanted, found))
    listed = {"{scheme}/{path}".format_map(item): (item["sha256"], item["size"]) for item in manifest["data"]}
    given = {
        f"{placed[path][0][5:]}/{placed[path][1]}": (_sha256(members[path]), len(members[path]))
        for path in content
        if placed[path][0] != "site-packages"
    }
    yield from (f"manifest, data: {fault}" for fault in _differences(given, listed))


def _differences(wanted: Mapping[str, object], found: Mapping[str, object]) -> Iterator[str]:
    for path in sorted(wanted.keys() | found.keys()):
        if path not in found:
            yield f"{path}: missing"
        elif path not in wanted:
            yield f"{path}: nothing that belongs there"
        elif wanted[path] != found[path]:
            yield f"{path}: has other content"


def _files(folder: Path) -> set[str]:
    """Return the files under *folder*, relative; what interpreters derive in ``__pycache__`` left out."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return {path.as_posix() for path in paths if not ("__pycache__" in path.parts and ".pyc" in path.name)}


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    lines = faults(sys.argv[1], sys.argv[2], every="--all" in sys.argv)
    print(*lines, f"{len(lines)} faults", sep="\n")
    sys.exit(bool([line for line in lines if not line.startswith("left over")]))
