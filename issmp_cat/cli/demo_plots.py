"""Pictures of the demo's report, each with words for whoever cannot see it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from issmp_cat.plot import Layer, Plot

if TYPE_CHECKING:
    from issmp_cat.cli.demo_recovery import Recovery
    from issmp_cat.report import ScoreReport

__all__ = ["Figure", "drawn", "folder_figures", "recovery_plot", "trace_plot"]

# What the other commands' plots show, by the name of their file; others come last, under their own name.
CAPTIONS = {
    "items": "Difficulties from easy to hard, each with its 95 % interval",
    "information": "What the items together measure, by ability",
    "standard_error": "How precisely all items together would measure, by ability",
    "latent": "Abilities in the population: assumed, and as the answers show them",
    "convergence": "How the iteration closed in on the solution",
    "pass_rate": "Share that passes, by true ability",
    "accuracy": "Share of right decisions, by true ability: wrong ones happen close to the cut",
    "length": "How many questions candidates got",
    "exposure": "How many candidates saw an item, most used first",
    "score": "Scores on the reporting scale: a logit is worth more points below the pass mark, hence the jump",
    "recovery": "Estimated against true ability, the first 1,000 candidates",
    "se": "Precision by true ability: standard error reported, error made",
    "bias": "Bias of the estimate by true ability",
}
LEFT_OUT = ("curves",)
MARGIN = 0.2


class Figure(NamedTuple):
    """A picture as a data address, its caption, and what it shows in words."""

    source: str
    caption: str
    alt: str


def _figure(svg: str, caption: str, alt: str) -> Figure:
    return Figure("data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode(), caption, alt)


def drawn(plot: Plot, caption: str, alt: str) -> Figure:
    """A plot as a figure."""
    return _figure(plot.to_svg(), caption, alt)


def folder_figures(folder: Path) -> list[Figure]:
    """The SVG files of a folder, in the order of :data:`CAPTIONS`."""
    order = list(CAPTIONS)
    paths = [path for path in folder.glob("*.svg") if path.stem not in LEFT_OUT]
    paths.sort(key=lambda path: (order.index(path.stem) if path.stem in CAPTIONS else len(order), path.stem))
    captions = [CAPTIONS.get(path.stem, path.stem.replace("_", " ")) for path in paths]
    return [
        _figure(path.read_text("utf-8"), words, f"Plot: {words}") for path, words in zip(paths, captions, strict=True)
    ]


def recovery_plot(found: Recovery) -> Plot:
    """Estimated against true parameters; a perfect calibration lies on the line."""
    ends = [float(min(found.true.min(), found.estimated.min())), float(max(found.true.max(), found.estimated.max()))]
    return Plot(
        title=f"Recovered {found.words}",
        x=f"true {found.name}",
        y=f"estimated {found.name}",
        layers=(
            Layer("points", {"x": found.true.tolist(), "y": found.estimated.tolist()}, "items"),
            Layer("line", {"x": ends, "y": ends}, "equal", dashed=True),
        ),
        note=f"simulated answers; {len(found.true):,} items; RMSE {found.rmse:.3f}",
    )


def trace_plot(report: ScoreReport, trace: Sequence[Mapping[str, Any]], truth: float) -> Plot:
    """θ after each answer, with one standard error either side."""
    position = [row["position"] for row in trace]
    theta = [row["theta"] for row in trace]
    low = [row["theta"] - row["se"] for row in trace]
    high = [row["theta"] + row["se"] for row in trace]
    return Plot(
        title=f"The {report.candidate} candidate, answer by answer",
        x="answers",
        y="ability θ (logits)",
        layers=(
            Layer("band", {"x": position, "low": low, "high": high}, "± 1 standard error"),
            Layer("line", {"x": position, "y": theta}, "estimate"),
            Layer("hline", {"y": [report.cut]}, f"cut {report.cut:g}", dashed=True),
            Layer("hline", {"y": [truth]}, f"true θ {truth:g}"),
        ),
        note=f"simulated answers; {report.reason}",
        y_limits=(min(*low, truth, report.cut) - MARGIN, max(*high, truth, report.cut) + MARGIN),
    )
