"""The plots of a study. Each is a function of the study's tables; its arguments change the data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from issmp_cat.errors import UsageError
from issmp_cat.plot import Layer, Plot
from issmp_cat.spelling import did_you_mean

if TYPE_CHECKING:
    from issmp_simulations.result import StudyResult

__all__ = ["PLOTS", "draw"]

THETA = "true θ (logits)"
# Bands with fewer candidates say nothing; they stay in ``by_theta()``.
FEWEST = 30


def draw(study: StudyResult, kind: str, options: Mapping[str, Any]) -> Plot:
    """Make a plot by its name.

    Raises:
        UsageError: no such kind, or an option it does not have.
    """
    if kind not in PLOTS:
        raise UsageError(f'no plot "{kind}"{did_you_mean(kind, list(PLOTS))}; there are {", ".join(PLOTS)}')
    known = [name for name in inspect.signature(PLOTS[kind]).parameters if name != "study"]
    for name in options:
        if name not in known:
            raise UsageError(
                f'plot "{kind}" has no option "{name}"{did_you_mean(name, known)}; it has {", ".join(known)}'
            )
    return PLOTS[kind](study, **options)


def pass_rate(study: StudyResult, *, width: float = 0.25) -> Plot:
    """Share that passes, by bands of true θ ``width`` logits wide."""
    return _by_theta(study, "Who passes", "share that passes", {"pass_rate": "passes"}, width, (0.0, 1.02))


def accuracy(study: StudyResult, *, width: float = 0.25) -> Plot:
    """Share of right decisions, by bands of true θ ``width`` logits wide."""
    return _by_theta(study, "Right decisions", "share decided rightly", {"accuracy": "right"}, width, None)


def bias(study: StudyResult, *, width: float = 0.25) -> Plot:
    """Mean of θ estimated minus θ, by bands of true θ ``width`` logits wide."""
    plot = _by_theta(study, "Bias of the estimate", "θ estimated − θ (logits)", {"bias": "bias"}, width, None)
    return _with(plot, Layer("hline", {"y": [0.0]}))


def standard_error(study: StudyResult, *, width: float = 0.25) -> Plot:
    """Mean standard error beside the true root mean squared error, by bands of θ ``width`` logits wide."""
    columns = {"mean_se": "mean standard error", "rmse": "root mean squared error"}
    return _by_theta(study, "Precision", "logits", columns, width, None)


def _by_theta(
    study: StudyResult, title: str, y: str, columns: Mapping[str, str], width: float, limits: tuple[float, float] | None
) -> Plot:
    rows = [row for row in study.bands.rows(width) if row["n"] >= FEWEST] or study.bands.rows(width)
    layers: list[Layer] = []
    for colour, (name, label) in enumerate(columns.items()):
        points = [(row["theta"], row[name]) for row in rows]
        x = [theta for theta, _ in points]
        ends = {"low": [value.low for _, value in points], "high": [value.high for _, value in points]}
        layers.append(Layer("band", {"x": x, **ends}, f"{label}, 95 % interval", colour))
        layers.append(Layer("line", {"x": x, "y": [value.value for _, value in points]}, label, colour))
    layers.append(Layer("vline", {"x": [study.cut]}, f"cut {study.cut:g}", dashed=True))
    return Plot(title, THETA, y, tuple(layers), note=_source(study), y_limits=limits)


def length(study: StudyResult, *, width: int = 1) -> Plot:
    """Distribution of the test length, in bins of ``width`` items."""
    bins = study.lengths.binned(width)
    bars = Layer("bar", {"x": list(bins), "y": [count / study.n for count in bins.values()]}, "candidates")
    mean = study.mean_length.value if study.mean_length is not None else 0.0
    rule = Layer("vline", {"x": [mean]}, f"mean {mean:.1f}", dashed=True)
    return Plot("Items given", "items", "share of candidates", (bars, rule), note=_source(study))


def score(study: StudyResult, *, width: int = 20) -> Plot:
    """Distribution of the reported score, in bins of ``width`` points."""
    if width < 1:
        raise UsageError(f"bins are at least 1 wide, not {width}")
    scale = study.provenance["scale"]
    lowest, mark, highest = scale["lowest"], scale["pass_mark"], scale["highest"]
    # From the pass mark outwards, so that no bin holds passes and fails.
    edges = [lowest, *range(mark - (mark - lowest - 1) // width * width, highest, width), highest]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    shares = [count / study.n for count in study.scores.between(edges)]
    bars = Layer("bar", {"x": middles, "y": shares}, "candidates")
    rule = Layer("vline", {"x": [mark]}, f"pass mark {mark}", dashed=True)
    note = f"{_kink(scale)}; {_source(study)}"
    limits = (float(lowest), float(highest))
    return Plot("Reported scores", "score", "share of candidates", (bars, rule), note=note, x_limits=limits)


def _kink(scale: Mapping[str, float]) -> str:
    """Why the histogram of scores jumps at the pass mark."""
    below = (scale["pass_mark"] - scale["lowest"]) / (scale["theta_cut"] - scale["theta_min"])
    above = (scale["highest"] - scale["pass_mark"]) / (scale["theta_max"] - scale["theta_cut"])
    return (
        f"the scale has a kink at the pass mark, {below:.0f} points a logit below and {above:.0f} above, "
        "so the histogram jumps there"
    )


def exposure(study: StudyResult, *, domain: str | None = None) -> Plot:
    """Use of the items, most used first; of one domain, or of all."""
    use = study.exposure
    if domain is not None and domain not in use.domains:
        raise UsageError(f'no item of domain "{domain}"; there are {", ".join(dict.fromkeys(use.domains))}')
    chosen = [count for count, place in zip(use.counts, use.domains, strict=True) if domain in (None, place)]
    rates = sorted((count / use.n for count in chosen), reverse=True)
    line = Layer("step", {"x": list(range(1, len(rates) + 1)), "y": rates}, domain or "all domains")
    rule = Layer("hline", {"y": [sum(rates) / len(rates)]}, f"mean {sum(rates) / len(rates):.3f}", dashed=True)
    x = "items, most used first"
    return Plot("Use of the items", x, "share of candidates who saw it", (line, rule), note=_source(study))


def recovery(study: StudyResult, *, sample: int = 1000) -> Plot:
    """Estimated against true θ, for the first ``sample`` candidates (up to a thousand are kept)."""
    if not 1 <= sample <= 1000:
        raise UsageError(f"sample is {sample}; expected 1 to 1000 candidates")
    ability, theta = study.sample.ability[:sample], study.sample.theta[:sample]
    ends = [min(ability), max(ability)]
    layers = (
        Layer("points", {"x": ability, "y": theta}, "candidates"),
        Layer("line", {"x": ends, "y": ends}, "equal", dashed=True),
        Layer("vline", {"x": [study.cut]}, f"cut {study.cut:g}", dashed=True),
        Layer("hline", {"y": [study.cut]}, dashed=True),
    )
    note = f"{_source(study)}; the first {len(ability):,} are drawn"
    return Plot("Estimated and true θ", THETA, "estimated θ (logits)", layers, note=note)


def _with(plot: Plot, layer: Layer) -> Plot:
    from dataclasses import replace

    return replace(plot, layers=(*plot.layers, layer))


def _source(study: StudyResult) -> str:
    titles = study.provenance["titles"]
    bank = f"item bank “{titles['bank']}” with {study.provenance['operational_items']:,} items"
    return f"{study.n:,} simulated candidates, {titles['population']}; {titles['exam']}; {bank}"


PLOTS: dict[str, Callable[..., Plot]] = {
    "pass_rate": pass_rate,
    "accuracy": accuracy,
    "bias": bias,
    "se": standard_error,
    "length": length,
    "score": score,
    "exposure": exposure,
    "recovery": recovery,
}
