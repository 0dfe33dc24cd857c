"""The headers of native files: what libraries they need, and where these are looked for.

The structures and numbers are those of pyelftools, macholib and pefile. The way through ELF and Mach-O files is short
and stands here, since those readers visit every section, and macholib reads every section's content: large libraries
have gigabytes, and what is wanted lies in a few pages.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any

from multisite.native import HEAD, Native, Search, elf_searches, macho_searches, merged, native_kind, pe_searches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["read_native"]

# Far more than the largest that were seen; a damaged number must not make us read a whole disk.
_TABLE = 1 << 22
_TEXT = 1 << 16
_ELF_CLASSES = {1: 32, 2: 64}
_ELF_ORDERS = {1: True, 2: False}


class _Damaged(ValueError):
    """A header that leads nowhere; the loader will say so."""


def read_native(found: Mapping[str, Path]) -> Native:
    """Read the headers of those files that are native: *found* maps paths as ``multisite.native`` has them to files.

    One whose header is damaged looks for nothing; one that is missing is none.
    """
    files: list[str] = []
    searches: list[tuple[str, Search]] = []
    structures = _Structures()
    for path, file in sorted(found.items()):
        with contextlib.suppress(FileNotFoundError), file.open("rb") as stream:
            kind = native_kind(stream.read(HEAD))
            if kind is not None:
                files.append(path.lower() if kind == "pe" else path)
                with contextlib.suppress(_Damaged):
                    searches += [(path, search) for search in _searches(kind, path, _File(stream), structures)]
    return Native(files=tuple(sorted(files)), searches=merged(_open_searches(files, searches)))


def _open_searches(files: Collection[str], searches: Iterable[tuple[str, Search]]) -> Iterator[Search]:
    """Yield *searches*; of files under the prefix, which lie beside each other there, without what they find so."""
    for path, search in searches:
        names = search.names
        if path.startswith("../"):
            names = tuple(name for name in names if not any(f"{folder}/{name}" in files for folder in search.folders))
        if names:
            yield replace(search, names=names)


def _searches(kind: str, path: str, file: _File, structures: _Structures) -> list[Search]:
    if kind == "pe":
        return pe_searches(path, _pe_needed(file))
    return _elf(path, file, structures) if kind == "elf" else _macho(path, file)


@dataclass(frozen=True, slots=True)
class _File:
    stream: IO[bytes]

    def part(self, at: int, size: int) -> bytes:
        """Return *size* bytes from *at*. Raises _Damaged where the file does not have them."""
        if at + size > os.fstat(self.stream.fileno()).st_size or size > _TABLE:
            raise _Damaged
        self.stream.seek(at)
        return self.stream.read(size)

    def text(self, at: int) -> str:
        """Return the text from *at* to the next zero. Raises _Damaged where there is none."""
        end = os.fstat(self.stream.fileno()).st_size
        if at >= end:
            raise _Damaged
        self.stream.seek(at)
        found, zero, _ = self.stream.read(_TEXT).partition(b"\0")
        if not zero:
            raise _Damaged
        return found.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Structures:
    """The ELF structures of each word size and byte order, which take longer to make than a file to read."""

    known: dict[tuple[int, bool], Any] = field(default_factory=dict)

    def of(self, ident: bytes) -> Any:
        bits, little = _ELF_CLASSES.get(ident[4]), _ELF_ORDERS.get(ident[5])
        if bits is None or little is None:
            raise _Damaged
        if (bits, little) not in self.known:
            from elftools.elf.structs import ELFStructs

            made = ELFStructs(little_endian=little, elfclass=bits)
            made.create_basic_structs()
            made.create_advanced_structs()
            self.known[bits, little] = made
        return self.known[bits, little]


def _elf(path: str, file: _File, structures: _Structures) -> list[Search]:
    made = structures.of(file.part(0, 6))
    header = made.Elf_Ehdr.parse(file.part(0, made.Elf_Ehdr.sizeof()))
    size = made.Elf_Phdr.sizeof()
    if header.e_phnum and header.e_phentsize != size:
        raise _Damaged
    segments = [made.Elf_Phdr.parse(part) for part in _split(file.part(header.e_phoff, header.e_phnum * size), size)]
    dynamic = next((segment for segment in segments if segment.p_type == "PT_DYNAMIC"), None)
    if dynamic is None:
        return []
    texts: dict[str, list[int]] = {"DT_NEEDED": [], "DT_RPATH": [], "DT_RUNPATH": [], "DT_STRTAB": []}
    size = made.Elf_Dyn.sizeof()
    for tag in map(made.Elf_Dyn.parse, _split(file.part(dynamic.p_offset, dynamic.p_filesz), size)):
        if tag.d_tag == "DT_NULL":
            break
        if tag.d_tag in texts:
            texts[tag.d_tag].append(tag.d_val)
    if not texts["DT_NEEDED"]:
        return []
    start = _offset(segments, texts["DT_STRTAB"])
    needed, rpaths, runpaths = (
        [file.text(start + at) for at in texts[tag]] for tag in ("DT_NEEDED", "DT_RPATH", "DT_RUNPATH")
    )
    # Of several, loaders take the last.
    return elf_searches(path, needed, rpaths[-1] if rpaths else None, runpaths[-1] if runpaths else None)


def _split(table: bytes, size: int) -> Iterator[bytes]:
    return (table[at : at + size] for at in range(0, len(table) - size + 1, size))


def _offset(segments: list[Any], addresses: list[int]) -> int:
    """Return where in the file the last of *addresses* is."""
    for segment in segments if addresses else ():
        if segment.p_type == "PT_LOAD" and 0 <= addresses[-1] - segment.p_vaddr < segment.p_filesz:
            return int(addresses[-1] - segment.p_vaddr + segment.p_offset)
    raise _Damaged


def _macho(path: str, file: _File) -> list[Search]:
    from macholib import mach_o

    magic = int.from_bytes(file.part(0, 4), "big")
    if magic not in {mach_o.FAT_MAGIC, mach_o.FAT_MAGIC_64}:
        return _macho_image(path, file, 0)
    kind = mach_o.fat_arch if magic == mach_o.FAT_MAGIC else mach_o.fat_arch64
    count = int.from_bytes(file.part(4, 4), "big")
    size = _size(kind)
    parts = _split(file.part(_size(mach_o.fat_header), count * size), size)
    starts = [int(kind.from_str(part, _endian_=">").offset) for part in parts]
    return [search for start in starts for search in _macho_image(path, file, start)]


def _macho_image(path: str, file: _File, start: int) -> list[Search]:
    from macholib import mach_o

    magic = int.from_bytes(file.part(start, 4), "big")
    order = {"_endian_": ">" if magic in {mach_o.MH_MAGIC, mach_o.MH_MAGIC_64} else "<"}
    if magic in {mach_o.MH_MAGIC, mach_o.MH_CIGAM}:
        kind = mach_o.mach_header
    elif magic in {mach_o.MH_MAGIC_64, mach_o.MH_CIGAM_64}:
        kind = mach_o.mach_header_64
    else:
        raise _Damaged
    header = kind.from_str(file.part(start, _size(kind)), **order)
    commands = file.part(start + _size(kind), int(header.sizeofcmds))
    loading = {
        mach_o.LC_LOAD_DYLIB,
        mach_o.LC_LOAD_WEAK_DYLIB,
        mach_o.LC_REEXPORT_DYLIB,
        mach_o.LC_LAZY_LOAD_DYLIB,
        mach_o.LC_LOAD_UPWARD_DYLIB,
    }
    needed, rpaths, at, least = [], [], 0, _size(mach_o.load_command)
    for _ in range(int(header.ncmds)):
        if at + least > len(commands):
            raise _Damaged
        command = mach_o.load_command.from_str(commands[at : at + least], **order)
        whole = commands[at : at + int(command.cmdsize)]
        if len(whole) < least:
            raise _Damaged
        if int(command.cmd) in loading:
            needed.append(_command_text(whole, order))
        elif int(command.cmd) == mach_o.LC_RPATH:
            rpaths.append(_command_text(whole, order))
        at += len(whole)
    return macho_searches(path, needed, rpaths)


def _command_text(command: bytes, order: dict[str, str]) -> str:
    """Return the text of a load command; the number after its head says where in the command it begins."""
    from macholib import mach_o

    least = _size(mach_o.load_command)
    number = command[least : least + 4]
    if len(number) < 4:
        raise _Damaged
    at = int(mach_o.lc_str.from_str(number, **order))
    return command[at:].partition(b"\0")[0].decode("utf-8", "replace")


def _size(kind: Any) -> int:
    from macholib.ptypes import sizeof

    return int(sizeof(kind))


def _pe_needed(file: _File) -> list[str]:
    import pefile

    directories = [pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{name}"] for name in ("IMPORT", "DELAY_IMPORT")]
    try:
        with pefile.PE(file.stream.name, fast_load=True) as image:
            image.parse_data_directories(directories, import_dllnames_only=True)
            found = [
                entry.dll
                for name in ("DIRECTORY_ENTRY_IMPORT", "DIRECTORY_ENTRY_DELAY_IMPORT")
                for entry in getattr(image, name, ())
            ]
    except pefile.PEFormatError as error:
        raise _Damaged from error
    return [name.decode("utf-8", "replace") for name in found if name]
