"""Abilities of all candidates of a log, against a bank whose parameters are known."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from issmp_calibration.log import Rules, read_log
from issmp_calibration.log.store import LogStore
from issmp_calibration.mml.sources.store import INDEX
from issmp_calibration.nominal import with_categories
from issmp_calibration.provenance import fingerprint, versions
from issmp_calibration.scoring.answers import match_answers
from issmp_calibration.scoring.bank_populations import describe_population
from issmp_calibration.scoring.eap import Work, posterior_moments
from issmp_calibration.scoring.modes import highest_points
from issmp_calibration.scoring.plausible import Draws
from issmp_calibration.scoring.priors import PriorLike, resolve_prior
from issmp_calibration.scoring.result import Scores
from issmp_calibration.workers import workers
from issmp_cat.ability import Estimator, estimator_code
from issmp_cat.arrays import Bools, Floats
from issmp_cat.bank import ItemBank
from issmp_cat.errors import UsageError
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["score"]

AT_FENCE = 1e-6  # logits
ESTIMATORS = ("eap", "map", "ml", "wle")
SEED_BITS = 32
FEWEST_NODES, MOST_DRAWS = 6, 1000


def score(
    log: ResponseLog | LogStore | str | Path | pd.DataFrame,
    bank: ItemBank,
    *,
    method: Estimator = "eap",
    prior: PriorLike | None = None,
    nodes: int | None = None,
    limit: float = 6.0,
    pretest: bool = False,
    threads: int | None = None,
    plausible_values: int = 0,
    seed: int | None = None,
) -> Scores:
    """Estimate the ability of every candidate of a log.

    Args:
        log: a response log, anything ``read_log`` takes, or a store of shards (:class:`LogStore`, or its folder), of
            which one shard at a time is in memory.
        bank: items with their parameters.
        method: eap, map, ml or wle (Warm, 1989).
        prior: mean and SD of the population, logits, the bank's own when not given; or a ``HistogramPrior``, a
            ``GroupPrior`` (a population by group; ``bank_prior`` has the bank's), a ``RegressionPrior`` (a mean by
            candidate).
        nodes: equally spaced abilities for EAP; they span the prior's mean ± ``limit`` SDs. When not given, as many as
            the posteriors need: θ and SD then are exact to 1e-5 population SDs.
        limit: see ``nodes``; and where the fences of the other estimators stand.
        pretest: let pretest items count too.
        threads: how many work on it, all processors by default. The result does not depend on it.
        plausible_values: how many values to draw from each posterior (Mislevy, 1991).
        seed: of these draws, at most 64 bits; drawn and told when not given. A candidate's draws depend on it, the
            candidate's id and the draw's number, not on the order of the log.

    Raises:
        ResponseLogError: scores above an item's highest, no item of the log that counts, candidates without a prior.
        UsageError: an unknown estimator, or numbers that make no sense.
    """
    _refuse(method, nodes, limit, plausible_values, seed)
    given = _given(log, bank)
    population = resolve_prior(prior or (bank.metric.latent_mean, bank.metric.latent_sd), given)
    seed = secrets.randbits(SEED_BITS) if plausible_values and seed is None else seed
    draws = Draws.prepared(given.persons, plausible_values, seed or 0)
    found, points, many = np.empty((given.n_persons, 2)), *np.zeros((2, given.n_persons), np.int64)
    last = 0
    for part in given.shards() if isinstance(given, LogStore) else [given]:
        answers = match_answers(with_categories(part, bank), bank, pretest=pretest)
        mine = slice(last, last := last + part.n_persons)
        with workers(threads, len(answers.codes)) as executor:
            work = Work(answers, population.of(mine), nodes, limit, draws.of(mine), executor)
            found[mine] = _estimate(work, method)
        points[mine], many[mine] = answers.raw, np.diff(answers.start)
    options = {"method": method, "prior": population.words, "nodes": nodes, "limit": limit, "pretest": pretest}
    if plausible_values:
        options |= {"plausible_values": plausible_values, "seed": seed}
    return Scores(
        candidate=given.persons,
        theta=found[:, 0],
        se=found[:, 1],
        answers=many,
        raw=points,
        at_bound=_at_bound(found[:, 0], population.span(limit), method),
        candidates=given.candidates,
        method=method,
        items=len(answers.parameters.a),
        left_out=answers.left_out,
        provenance={
            "versions": versions(),
            "input": fingerprint(given),
            "bank": bank.version,
            "population": describe_population(bank, prior),
            "options": options,
        },
        plausible_values=draws.values,
    )


def _given(log: ResponseLog | LogStore | str | Path | pd.DataFrame, bank: ItemBank) -> ResponseLog | LogStore:
    """The log, read if it was not yet; a store stays on disk."""
    if isinstance(log, ResponseLog | LogStore):
        return log
    if isinstance(log, str | Path) and (Path(log) / INDEX).is_file():
        return LogStore.open(log)
    return read_log(log, rules=Rules(max_score=max(item.highest for item in bank.items)))


def _refuse(method: str, nodes: int | None, limit: float, plausible_values: int, seed: int | None) -> None:
    """Numbers and names that make no sense, all at once."""
    faults = []
    if method not in ESTIMATORS:
        faults.append(f'unknown estimator "{method}"; known: {", ".join(ESTIMATORS)}')
    if nodes is not None and nodes < FEWEST_NODES:
        faults.append(f"{nodes} nodes: at least {FEWEST_NODES} are needed, or None for as many as the posteriors need")
    if not 0.0 < limit < np.inf:
        faults.append(f"limit {limit:g}: a positive number of SDs is needed")
    if not 0 <= plausible_values <= MOST_DRAWS:
        faults.append(f"{plausible_values} plausible values: from 0 to {MOST_DRAWS} can be drawn")
    if seed is not None and not 0 <= seed < 1 << 64:
        faults.append(f"seed {seed}: from 0 to 2^64 − 1")
    if faults:
        raise UsageError("; ".join(faults))


def _estimate(work: Work, method: Estimator) -> Floats:
    """θ and its standard error, by whichever estimator; draws on the way. Shape ``(persons, 2)``."""
    if method == "eap" or work.draws.number:
        found = posterior_moments(work)
        if method == "eap":
            return found
    return highest_points(estimator_code(method), work.answers, work.prior, work.prior.span(work.limit), work.executor)


def _at_bound(theta: Floats, fences: tuple[float, float], method: Estimator) -> Bools:
    """Where the search ended at a fence."""
    if method == "eap":
        return np.zeros(len(theta), dtype=bool)
    return np.minimum(theta - fences[0], fences[1] - theta) < AT_FENCE
