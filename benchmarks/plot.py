"""The results as a picture: for each workload, how many times sooner than the baseline every contender is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no display is needed to write a file

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks.contenders import OURS
from benchmarks.measure import Comparison

BAR = 0.8  # thickness, in units of the distance between bars
INCHES_PER_BAR = 0.2
GAP = 0.9  # between workloads, in bars
# A colour-blind safe set (Okabe and Ito, 2008); ours stands out, peers keep theirs in every plot.
COLOURS = {
    OURS: "#D55E00",
    "sklearnex": "#0072B2",
    "faiss": "#009E73",
    "scipy": "#56B4E9",
    "torch": "#CC79A7",
    "scikit-learn": "#999999",
    "numpy": "#999999",
}


def write_plot(path: Path, families: dict[str, Sequence[Comparison]], caption: str) -> None:
    """Draw one panel a family, one group of bars a workload, on a logarithmic axis, and write it to ``path``."""
    panels = {name: rows for name, comparisons in families.items() if (rows := _rows(comparisons))}
    if not panels:
        return
    lengths = [sum(len(bars) + GAP for _, bars in rows) for rows in panels.values()]
    figure, axes = plt.subplots(
        len(panels),
        1,
        squeeze=False,
        figsize=(9.0, INCHES_PER_BAR * sum(lengths) + 1.2 * len(panels) + 0.6),
        height_ratios=lengths,
        layout="constrained",
    )
    for axis, (name, rows) in zip(axes[:, 0], panels.items(), strict=True):
        _panel(axis, name, rows)
    figure.supxlabel(caption, fontsize=7, color="#555555")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _rows(comparisons: Sequence[Comparison]) -> list[tuple[Comparison, list[tuple[str, float]]]]:
    """Give (comparison, (contender, ratio) of all but the baseline) where there is a baseline to compare with."""
    rows = []
    for comparison in comparisons:
        baseline = comparison.of(comparison.workload.baseline)
        if baseline is None:
            continue
        bars = [
            (result.contender, baseline.median / result.median)
            for result in comparison.results
            if result.right and result is not baseline
        ]
        if bars:
            rows.append((comparison, bars))
    return rows


def _panel(axis: Any, name: str, rows: list[tuple[Comparison, list[tuple[str, float]]]]) -> None:
    position, ticks, labels = 0.0, [], []
    seen: set[str] = set()
    ratios = [ratio for _, bars in rows for _, ratio in bars]
    for comparison, bars in rows:
        ticks.append(position + (len(bars) - 1) / 2)
        labels.append(comparison.workload.name.partition("/")[2])
        for contender, ratio in bars:
            axis.barh(
                position,
                ratio - 1,  # bars start at 1: to the right sooner, to the left later
                left=1,
                height=BAR,
                color=COLOURS.get(contender, "#E69F00"),
                label=contender if contender not in seen else None,
            )
            axis.annotate(
                f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}",
                (ratio, position),
                xytext=(3 if ratio >= 1 else -3, 0),
                textcoords="offset points",
                ha="left" if ratio >= 1 else "right",
                va="center",
                fontsize=7,
            )
            seen.add(contender)
            position += 1
        position += GAP
    axis.set_xscale("log")
    # Room for the figures at the ends of the bars.
    axis.set_xlim(min(0.6, *ratios) / 1.3, max(1.6, *ratios) * 1.3)
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.axvline(1.0, color="black", linewidth=0.8)
    axis.grid(axis="x", linewidth=0.4, color="#dddddd")
    axis.set_axisbelow(True)
    axis.set_yticks(ticks, labels, fontsize=8)
    axis.invert_yaxis()
    axis.margins(y=0.01)
    baseline = rows[0][0].workload.baseline
    axis.set_title(f"{name}: times sooner than {baseline}", loc="left", fontsize=10, fontweight="bold")
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(seen), frameon=False, fontsize=8, borderaxespad=0.2)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.tick_params(axis="x", labelsize=8)
    axis.tick_params(axis="y", length=0)
