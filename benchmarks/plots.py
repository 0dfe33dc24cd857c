"""The plots of a run, by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.results import Results

__all__ = ["PLOTS", "plotted"]

PLOTS = ("environments.svg", "growth.svg", "goals.svg")
OURS, OTHER, MISSED = "#1b7837", "#999999", "#b2182b"


def plotted(results: Results, folder: Path) -> None:
    """Draw what the page about speed shows."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same figures make the same file.
    mpl.rcParams.update({"svg.hashsalt": "multisite", "svg.fonttype": "none", "font.size": 9, "axes.grid": True})
    mpl.rcParams.update(
        {"axes.spines.top": False, "axes.spines.right": False, "grid.alpha": 0.3, "axes.axisbelow": True}
    )
    folder.mkdir(parents=True, exist_ok=True)
    measured = {row["id"]: row for row in results.rows if row["error"] is None}
    for name, draw in zip(PLOTS, (_environments, _growth, _goals), strict=True):
        figure = draw(measured)
        figure.savefig(folder / name, format="svg", bbox_inches="tight", metadata={"Date": None})


def _environments(measured: dict[str, Any]) -> Any:
    """Draw what a new environment takes, and its first import, each as a bar."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    ways = ("hardlink", "symlink", "copy", "pip")
    rows = [measured[f"new-environment-{way}"] for way in ways if f"new-environment-{way}" in measured]
    bars = [(row["peer"], row["other"]["median"], OTHER) for row in rows]
    bars += [("multisite", rows[0]["ours"]["median"], OURS)] if rows else []
    _bars(left, bars, "new environment, seconds")
    left.set_xscale("log")
    left.xaxis.set_major_formatter("{x:g}")
    told = []
    if "cold" in measured:
        told += [("uv, nothing cached", measured["cold"]["other"]["median"], OTHER)]
        told += [("multisite, nothing cached", measured["cold"]["ours"]["median"], OURS)]
    if "first-import-uv" in measured:
        told += [("uv, first import", measured["first-import-uv"]["other"]["median"], OTHER)]
    if "first-import" in measured:
        told += [("multisite, first import", measured["first-import"]["ours"]["median"], OURS)]
    if "warm-import" in measured:
        told += [("plain, warm import", measured["warm-import"]["other"]["median"], OTHER)]
        told += [("multisite, warm import", measured["warm-import"]["ours"]["median"], OURS)]
    _bars(right, told, "to the end of the import of twelve, seconds")
    return figure


def _bars(axes: Any, bars: list[tuple[str, float, str]], title: str) -> None:
    names, values, colours = zip(*bars, strict=True) if bars else ((), (), ())
    axes.barh(range(len(bars)), values, color=colours)
    axes.set_yticks(range(len(bars)), names)
    axes.invert_yaxis()
    axes.set_title(title, fontsize=9)
    for place, value in enumerate(values):
        axes.annotate(f" {value:.3g}", (value, place), va="center", fontsize=8)


def _growth(measured: dict[str, Any]) -> Any:
    """Draw the curves: what is measured in columns, over distributions above and over files below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    panels = figure.subplots(2, 3, squeeze=False)
    for line, axis in enumerate(("distributions", "files")):
        for column, what in enumerate(("environment", "start-up", "import")):
            axes = panels[line][column]
            row = measured.get(f"growth-{what}-{axis}")
            if row is None:
                axes.set_axis_off()
                continue
            curve = row["curve"]
            for name, values in curve["series"].items():
                colour = OURS if name == "multisite" else OTHER
                axes.plot(curve["x"], [value * 1000 for value in values], "o-", color=colour, label=name, markersize=4)
            axes.set_xscale("log")
            axes.set_xticks(curve["x"], [f"{size:,}" for size in curve["x"]], minor=False)
            axes.minorticks_off()
            if what == "environment":
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter("{x:g}")
            else:
                axes.set_ylim(bottom=0)
            axes.set_title(f"{curve['title']}, ms", fontsize=9)
            axes.set_xlabel(curve["axis"])
            axes.legend(fontsize=7)
    return figure


def _goals(measured: dict[str, Any]) -> Any:
    """Draw how far each figure is from its goal: what goes to the left is better than that."""
    from matplotlib.figure import Figure

    rows = [row for row in measured.values() if row["limit"]]  # a goal of none at all has no ratio
    figure = Figure(figsize=(10, 0.2 * len(rows) + 0.9), layout="constrained")
    axes = figure.subplots()
    parts = [row["ratio" if row["judged"] == "ratio" else "ours"]["median"] / row["limit"] for row in rows]
    colours = [OURS if row["met"] else MISSED for row in rows]
    axes.barh(range(len(rows)), [part - 1 for part in parts], left=1, color=colours)
    axes.set_yticks(range(len(rows)), [f"{row['title']} ({row['peer']})".replace("`", "") for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(min([0.1, *parts]) / 1.5, max([10, *parts]) * 1.5)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(1, color="black", linewidth=1)
    axes.set_title("measured, divided by the goal", fontsize=9)
    for place, part in enumerate(parts):
        axes.annotate(f" {part:.3g} ", (part, place), va="center", fontsize=7, ha="right" if part < 1 else "left")
    return figure
