"""Trees that scenarios are made of, in few words."""

from __future__ import annotations

from tests.finder.scenario import Distribution, Loose

__all__ = ["REG", "dist", "loose"]


def dist(
    name: str, files: str | dict[str, str], where: str = "locked", version: str = "1.0", entry_points: str = ""
) -> Distribution:
    """Describe a distribution; *files* are paths, or paths with texts."""
    info = f"{name.replace('-', '_').lower()}-{version}.dist-info"
    texts = files if isinstance(files, dict) else dict.fromkeys(files.split(), "")
    written = {path: text or f"who = '{name} {version} in {where}'\n" for path, text in texts.items()}
    written[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: idna\n\n"
    if entry_points:
        written[f"{info}/entry_points.txt"] = entry_points
    return Distribution(name=name, version=version, where=where, info=info, files=written)


def loose(where: str, paths: str) -> list[Loose]:
    return [Loose(where=where, path=path, text=f"who = 'loose in {where}'\n") for path in paths.split()]


REG = dist("reg", {"reg/__init__.py": "", "reg/sub.py": ""})
