"""What no exam can do: items given by a candidate's true ability, so that a cap on exposure costs the least.

With a cap of 1/4 and tests of 125 items, any item may go to a quarter of the candidates. Which item to give to whom, so
that the decisions are best, is a linear programme over x(i, θ), the share of candidates at θ who see item i:

    max Σ_θ f(θ) w(θ) Σ_i x(i, θ) I_i(cut)   with  Σ_i x(i, θ) = 125,  Σ_θ f(θ) x(i, θ) ≤ cap.

w is what information is worth: a candidate δ from the cut is decided wrongly with probability Φ(−δ √T) after test
information T, whose slope is φ(δ √T) δ / (2 √T). Its solution is in order (rearrangement inequality; Hardy, Littlewood
& Pólya, 1952, section 10.2): the quarter of the candidates to whom information is worth most gets the 125 items best at
the cut, the next quarter the next 125, and so on. Blueprint, enemies and ignorance of θ are left out; an exam keeps
them all.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_cat.ability import Grid, chance_above, part_above, posterior_moments, update_posterior
from issmp_cat.arrays import Bools, Floats, Ints, Ints32
from issmp_cat.compiled import jit
from issmp_cat.errors import BlueprintInfeasible
from issmp_cat.irt import item_information
from issmp_simulations.estimates import Estimate, mean_of, proportion, rmse_of, share_of
from issmp_simulations.forms import answer_forms
from issmp_simulations.provenance import provenance_of
from issmp_simulations.run import CHUNK, Design, Progress, pace_of, usable_cores
from issmp_simulations.studies.row import Row

__all__ = ["oracle_row", "tiers_of"]


@jit(allocates=False)
def _score_forms(
    grid: Grid, part: Floats, forms: Ints32, scores: NDArray[np.int8], weights: Floats, theta: Floats, above: Floats
) -> None:
    """Posterior mean and chance above the cut of each candidate. Shape ``(persons,)``."""
    for p in range(len(forms)):
        np.multiply(grid.prior, 1.0, weights)
        for n in range(forms.shape[1]):
            update_posterior(grid, weights, n, forms[p, n], scores[p, n])
        theta[p] = posterior_moments(grid.nodes, weights)[0]
        above[p] = chance_above(part, weights)


def tiers_of(theta: Floats, cut: float, mean: float, sd: float, information: float, cap: float) -> Ints:
    """Which tier each candidate belongs to: 0 for that share ``cap`` to whom information is worth most, and so on.

    Args:
        theta: true abilities, logits. Shape ``(persons,)``.
        cut: θ of the pass mark; ``mean`` and ``sd`` of the population, logits.
        information: of a good test at the cut, per logit².
        cap: largest exposure.
    """
    nodes = mean + sd * np.linspace(-8.0, 8.0, 16_001)
    mass = np.exp(-0.5 * ((nodes - mean) / sd) ** 2)
    worth = _worth(nodes - cut, information)
    order = np.argsort(-worth, kind="stable")
    reached = np.cumsum(mass[order]) / mass.sum()
    # Worth at which each further share of the population begins.
    edges = [worth[order][np.searchsorted(reached, share)] for share in np.arange(cap, 1.0, cap)]
    tiers: Ints = np.searchsorted(-np.array(edges), -_worth(theta - cut, information), side="right").astype(np.int64)
    return tiers


def _worth(delta: Floats, information: float) -> Floats:
    """Slope of the chance of a right decision in test information, at a distance from the cut; a constant left out."""
    worth: Floats = np.exp(-0.5 * delta * delta * information) * np.abs(delta)
    return worth


def oracle_row(
    design: Design, cap: float, n: int, names: tuple[str, str, str], threads: int | None, progress: Progress | None
) -> tuple[Row, Bools]:
    """Simulate the oracle.

    Args:
        design: whose bank, length, cut, scoring, population and seed apply.
        cap: largest exposure.
        n: candidates.
        names: id, title and bank of the row.
        threads: how many chunks run at once; the result does not depend on it.
        progress: called after each chunk.

    Returns:
        The row, and who was decided rightly. Shape ``(persons,)``.

    Raises:
        BlueprintInfeasible: the bank has too few items for the cap.
    """
    plan, truth, population = design.plan(), design.true_parameters(), design.population
    length, cut = plan.rule.maximum, plan.rule.cut
    tiers, have = math.ceil(1.0 / cap - 1e-9), len(plan.pool.domain)
    if tiers * length > have:
        raise BlueprintInfeasible(
            f"a cap of {cap:g} on {length} items needs {tiers * length} of them; there are {have}"
        )
    at_cut = item_information(np.array([cut]), plan.pool.parameters)[0]
    best = np.argsort(-at_cut, kind="stable")[: tiers * length].reshape(tiers, length).astype(np.int32)
    part, test = part_above(plan.grid.nodes, cut), float(at_cut[best[0]].sum())
    done = 0

    def chunk(first: int) -> tuple[Floats, Floats, Floats, Ints]:
        ability = population.draw(design.seed, first, min(CHUNK, n - first))
        tier = tiers_of(ability, cut, population.mean, population.sd, test, cap)
        forms = np.ascontiguousarray(best[tier])
        scores = np.zeros(forms.shape, dtype=np.int8)
        times = np.zeros((len(forms), 0), dtype=np.float32)
        answer_forms(forms, scores, times, ability, truth, pace_of(population), design.seed, first)
        theta, above = np.empty(len(forms)), np.empty(len(forms))
        _score_forms(plan.grid, part, forms, scores, np.empty(len(part)), theta, above)
        return ability, theta, above, np.bincount(tier, minlength=tiers)

    parts = []
    with ThreadPoolExecutor(threads or usable_cores()) as executor:
        for found in executor.map(chunk, range(0, n, CHUNK)):
            parts.append(found)
            done += len(found[0])
            if progress is not None:
                progress(done, n)
    ability, theta, above = (np.concatenate([part[k] for part in parts]) for k in range(3))
    seen = int(np.sum([part[3] for part in parts], axis=0).max())
    return _row(design, names, ability, theta, above, cut, seen, best.size / have)


def _row(
    design: Design,
    names: tuple[str, str, str],
    ability: Floats,
    theta: Floats,
    above: Floats,
    cut: float,
    seen: int,
    used: float,
) -> tuple[Row, Bools]:
    by_estimate = design.exam.scoring.decide_by == "estimate"
    passed, truly = theta >= cut if by_estimate else above > 0.5, ability >= cut
    right: Any = passed == truly
    n, length = len(ability), float(design.exam.length.maximum)
    rmse, largest = rmse_of(theta - ability), proportion(seen, n)
    shares = [share_of(hits) for hits in (right, passed & ~truly, ~passed & truly)]
    counted: list[Estimate] = [share for share in (*shares, rmse, largest) if share is not None]
    accuracy, false_pass, false_fail, error, exposure = counted
    return Row(
        id=names[0],
        title=names[1],
        bank=names[2],
        candidates=n,
        accuracy=accuracy,
        mean_length=mean_of(np.full(2, length)) or accuracy,
        false_pass=false_pass,
        false_fail=false_fail,
        exposure_maximum=exposure,
        never_used=1.0 - used,
        rmse=error,
        violations=0,
        unproven=0,
        reasons={"an oracle, not an exam": 1.0},
        provenance=provenance_of(design, n),
    ), right
