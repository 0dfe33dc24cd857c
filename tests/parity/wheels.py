"""The made wheels of a case, from its header."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli

from tests.builders import make_wheel
from tests.siblings import Siblings

__all__ = ["Wheels", "common", "digest", "first_versions", "write_wheels"]

Wheels = Mapping[str, Mapping[str, Any]]


def common() -> Wheels:
    """Return the wheels that every case can have."""
    wheels: Wheels = tomli.loads((Path(__file__).parent / "common.toml").read_text(encoding="utf-8"))["wheels"]
    return wheels


def digest(value: object) -> str:
    """Return what tells *value* from others."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def first_versions(wheels: Wheels) -> list[str]:
    """Return a requirement for each distribution in *wheels*: the version that is named first."""
    versions: dict[str, str] = {}
    for wheel in wheels:
        name, version = wheel.split("-", 1)
        versions.setdefault(name, version)
    return [f"{name}=={version}" for name, version in versions.items()]


def write_wheels(folder: Path, wheels: Wheels, made: str = "") -> None:
    """Make *wheels* in *folder*, and those that *made* names: ``siblings`` are native ones, which need a compiler."""
    if made:
        with tempfile.TemporaryDirectory() as work:
            siblings = Siblings(Path(work), folder)
            siblings.all()
            siblings.core("2.0")
    for wheel, said in wheels.items():
        name, version = wheel.split("-", 1)
        files: dict[str, str] = {}
        info: dict[str, str] = {}
        data: dict[str, dict[str, str]] = {}
        for path, text in said.items():
            first, _, rest = path.partition("/")
            if first == "@dist-info":
                info[rest] = _ended(text)
            elif first == "@data":
                scheme, _, rest = rest.partition("/")
                data.setdefault(scheme, {})[rest] = _ended(text)
            elif not first.startswith("@"):
                files[path] = _ended(text)
        options = {key[1:]: said[key] for key in ("@requires", "@tag", "@metadata", "@executable") if key in said}
        make_wheel(folder, name, version, files, dist_info_files=info, data=data, **options)


def _ended(text: str) -> str:
    text = text.removeprefix("\n")
    return text + "\n" if text and not text.endswith("\n") else text
