"""Abilities of all candidates of a log, against a bank whose parameters are known."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.log import Rules, read_log
from issmp_calibration.log.faults import counted
from issmp_calibration.mml.abilities import highest_points, posterior_means
from issmp_calibration.mml.codes import NO_ANSWERS, code_answers, tally_scores
from issmp_calibration.mml.em import SMALL
from issmp_calibration.mml.grid import Grid
from issmp_calibration.nominal import with_categories
from issmp_calibration.provenance import fingerprint, versions
from issmp_calibration.workers import workers
from issmp_cat.ability import Estimator, estimator_code
from issmp_cat.ability.posterior import LEAST
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.bank import ItemBank
from issmp_cat.errors import ResponseLogError, UsageError
from issmp_cat.irt import category_curves
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Scores", "score"]

AT_FENCE = 1e-6  # logits
ESTIMATORS = ("eap", "map", "ml", "wle")


@dataclass(frozen=True, slots=True)
class Scores:
    """Where each candidate of a log stands.

    Attributes:
        candidate: ids, as in the log. Shape ``(persons,)``, as all columns.
        theta: ability, logits; NaN for candidates without answers.
        se: its standard error, logits: the posterior SD with EAP, asymptotic otherwise.
        answers: to items that count; ``raw``: the points they gave, one for each right answer.
        at_bound: whether θ is no maximum but a fence of the search, which EAP does not have.
        candidates: the log's further columns about candidates.
        method: eap, map, ml or wle.
        items: how many items count.
        left_out: items of the log that do not, with the reason.
        provenance: versions, hash of the input, bank version, prior, nodes.
    """

    candidate: NDArray[Any]
    theta: Floats
    se: Floats
    answers: Ints
    raw: Ints
    at_bound: Bools
    candidates: Mapping[str, NDArray[Any]]
    method: str
    items: int
    left_out: Mapping[str, str]
    provenance: Mapping[str, Any]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a candidate; numbers that do not exist are blank."""
        import pandas as pd

        columns = {
            "candidate": self.candidate,
            "theta": self.theta,
            "se": self.se,
            "answers": self.answers,
            "raw": self.raw,
            "verdict": np.where(self.answers > 0, "ok", NO_ANSWERS),
        }
        if self.method != "eap":
            columns["at_bound"] = self.at_bound
        more = {name: values for name, values in self.candidates.items() if name not in columns}
        return pd.DataFrame(columns | more).astype({"theta": "Float64", "se": "Float64"})

    def summary(self) -> str:
        """The scores in a few lines."""
        known = self.answers > 0
        lines = [f"{known.sum():,} candidates scored by {self.method.upper()} on {self.items:,} items"]
        if known.any():
            theta, se = self.theta[known], self.se[known]
            mean, spread = float(theta.mean()), float(theta.std())
            lines.append(
                f"θ mean {mean:.4f}, SD {spread:.4f}, range {theta.min():.3f} … {theta.max():.3f}; "
                f"median SE {np.median(se):.4f} logits"
            )
        if not known.all():
            lines.append(f"{counted(int((~known).sum()), 'candidate')} had no answers to these items")
        if bound := int(self.at_bound.sum()):
            who, whose = ("1 candidate has", "its") if bound == 1 else (f"{bound:,} candidates have", "their")
            finite = "finite " if self.method == "ml" else ""
            lines.append(f"{who} no {finite}{self.method.upper()} estimate within the fences: {whose} θ is the fence")
        if self.left_out:
            lines.append(f"{counted(len(self.left_out), 'item')} of the log left out of account")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(self.summary())}</p>{self.frame.round(4).to_html(max_rows=20, index=False)}"


def score(
    log: ResponseLog | str | Path | pd.DataFrame,
    bank: ItemBank,
    *,
    method: Estimator = "eap",
    prior: tuple[float, float] | None = None,
    nodes: int = 61,
    limit: float = 6.0,
    pretest: bool = False,
    threads: int | None = None,
) -> Scores:
    """Estimate the ability of every candidate of a log.

    Args:
        log: a response log, or anything ``read_log`` takes.
        bank: items with their parameters.
        method: eap, map, ml or wle (Warm, 1989).
        prior: mean and SD of the population, logits; the bank's own when not given.
        nodes: equally spaced abilities for EAP; they span the prior's mean ± ``limit`` SDs, the ends of which are the
            fences of the other estimators.
        limit: see ``nodes``.
        pretest: let pretest items count too.
        threads: how many work on it, all processors by default. The result does not depend on it.

    Raises:
        ResponseLogError: scores above an item's highest, or no item of the log that counts.
        UsageError: an unknown estimator.
    """
    if method not in ESTIMATORS:
        raise UsageError(f'unknown estimator "{method}"; known: {", ".join(ESTIMATORS)}')
    rules = Rules(max_score=max(item.highest for item in bank.items))
    answers = log if isinstance(log, ResponseLog) else read_log(log, rules=rules)
    answers = with_categories(answers, bank)
    place, left_out = _match(answers, bank, pretest=pretest)
    parameters = bank.parameters
    tally_scores(answers, np.where(place >= 0, (np.diff(parameters.first) - 1)[place], np.iinfo(np.int8).max))
    row = np.where(place >= 0, parameters.first[place], -1)
    start, codes, persons = code_answers(answers, row, len(parameters.steps))
    population = prior or (bank.metric.latent_mean, bank.metric.latent_sd)
    with workers(threads, len(codes)) as executor:
        found = _estimate(start, codes, bank, method, population, Grid.spaced(limit, nodes), executor)
    estimates = np.full((answers.n_persons, 2), np.nan)
    estimates[persons] = found
    given, raw = (np.zeros(answers.n_persons, np.int64) for _ in range(2))
    given[persons] = np.diff(start)
    earned = bank.points.astype(np.int8)[codes]
    raw[persons] = np.add.reduceat(earned, start[:-1], dtype=np.int64) if len(persons) else 0
    fences = population[0] - limit * population[1], population[0] + limit * population[1]
    return Scores(
        candidate=answers.persons,
        theta=estimates[:, 0],
        se=estimates[:, 1],
        answers=given,
        raw=raw,
        at_bound=_at_bound(estimates[:, 0], fences, method),
        candidates=answers.candidates,
        method=method,
        items=int((place >= 0).sum()),
        left_out=left_out,
        provenance={
            "versions": versions(),
            "input": fingerprint(answers),
            "bank": bank.version,
            "options": {
                "method": method,
                "prior": list(population),
                "nodes": nodes,
                "limit": limit,
                "pretest": pretest,
            },
        },
    )


def _at_bound(theta: Floats, fences: tuple[float, float], method: Estimator) -> Bools:
    """Where the search ended at a fence."""
    if method == "eap":
        return np.zeros(len(theta), dtype=bool)
    return np.minimum(theta - fences[0], fences[1] - theta) < AT_FENCE


def _match(log: ResponseLog, bank: ItemBank, *, pretest: bool) -> tuple[Ints, dict[str, str]]:
    """Place in the bank of each item of the log, −1 for those that do not count; and why they do not."""
    admitted = {"operational", "pretest"} if pretest else {"operational"}
    place, left_out = np.full(log.n_items, -1, np.int64), {}
    for number, name in enumerate(map(str, log.items)):
        where = bank.index.get(name)
        if where is None:
            left_out[name] = "not in the bank"
        elif bank.items[where].status not in admitted:
            left_out[name] = f"{bank.items[where].status} items do not count"
        else:
            place[number] = where
    if not (place >= 0).any():
        first = next(iter(left_out))
        raise ResponseLogError(
            "response log", [f'none of its {log.n_items} items counts: "{first}" is {left_out[first]}']
        )
    return place, left_out


def _estimate(
    start: Ints,
    codes: NDArray[Any],
    bank: ItemBank,
    method: Estimator,
    prior: tuple[float, float],
    grid: Grid,
    executor: Executor | None,
) -> Floats:
    """θ and its standard error, by whichever estimator. Shape ``(persons, 2)``."""
    if method == "eap":
        return _eap(start, codes, bank, prior, grid, executor)
    mean, sd = prior
    fences = (mean - grid.limit * sd, mean + grid.limit * sd)
    return highest_points(estimator_code(method), start, codes, bank.parameters, fences, prior, executor)


def _eap(
    start: Ints,
    codes: NDArray[Any],
    bank: ItemBank,
    prior: tuple[float, float],
    grid: Grid,
    executor: Executor | None,
) -> Floats:
    """Posterior means and SDs on a grid over the prior."""
    mean, sd = prior
    nodes = mean + sd * grid.nodes
    kind = np.float64 if len(codes) <= SMALL else np.float32
    chances = np.maximum(category_curves(nodes, bank.parameters), LEAST)
    table: NDArray[Any] = np.log(chances).astype(kind, order="C")
    table[:, grid.live :] = 0.0
    return posterior_means(start, codes, table, grid.log_density.astype(kind), nodes, executor)
