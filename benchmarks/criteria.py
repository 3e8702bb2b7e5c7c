"""Scoring all 1,500 items of the standard bank by each criterion: after 0, 60 and 120 answers, compiled and plain.

Choosing among the scored items is not in these figures. Posteriors are those of 20 candidates who answered items drawn
at random.
"""

from __future__ import annotations

import time
from typing import get_args

import numpy as np

import issmp_simulations.kernel  # noqa: F401  registers the engine's functions with the compiler
from issmp_cat.ability import Grid, build_grid, posterior_mean, update_posterior
from issmp_cat.arrays import Floats, Ints
from issmp_cat.compiled import jit
from issmp_cat.selection.criteria import Criterion, Workspace, new_workspace, score_all
from issmp_cat.selection.criteria_tables import CriterionName, build_criterion
from issmp_simulations.standard import standard_bank

ANSWERS = (0, 60, 120)
CANDIDATES, ROUNDS = 20, 20


@jit(allocates=False)
def score_repeatedly(
    criterion: Criterion,
    space: Workspace,
    posteriors: Floats,
    prior: Floats,
    thetas: Floats,
    n: int,
    rounds: int,
    blocked: Ints,
    out: Floats,
) -> None:
    """Score the bank for every candidate, ``rounds`` times over."""
    for _ in range(rounds):
        for p in range(len(thetas)):
            score_all(criterion, space, posteriors[p], prior, thetas[p], n, 1, p, blocked, out)


def main() -> None:
    """Print a line a criterion."""
    bank = standard_bank("1500")
    grid = build_grid(bank.parameters, nodes=41, limit=4.0, mean=0.0, sd=1.0)
    states = {n: posteriors_after(grid, n) for n in ANSWERS}
    print(f"{'criterion':<32}" + "".join(f"{f'{n} answers: µs, plain ms':>28}" for n in ANSWERS))
    for name, progressive in [*((name, None) for name in get_args(CriterionName)), ("fisher_information", 0.0)]:
        criterion = build_criterion(name, bank.parameters, grid, cut=-0.3, length=125, progressive=progressive)
        figures = [measured(criterion, grid, states[n], n) for n in ANSWERS]
        label = name if progressive is None else f"{name}, progressive"
        print(f"{label:<32}" + "".join(f"{compiled:>18.1f}{plain:>10.2f}" for compiled, plain in figures))


def posteriors_after(grid: Grid, n: int) -> Floats:
    """Posteriors of candidates after ``n`` items drawn at random. Shape ``(candidates, nodes)``."""
    rng = np.random.default_rng(n)
    found = np.tile(grid.prior, (CANDIDATES, 1))
    for weights in found:
        node = int(rng.choice(len(grid.nodes), p=grid.prior / grid.prior.sum()))
        for k, item in enumerate(rng.choice(1500, n, replace=False)):
            right = rng.random() < grid.likelihood[2 * item + 1, node]
            update_posterior(grid, weights, k, int(item), int(right))
    return found


def measured(criterion: Criterion, grid: Grid, posteriors: Floats, n: int) -> tuple[float, float]:
    """CPU time of scoring the bank once: compiled in µs, plain in ms; the best of several repetitions."""
    thetas = np.array([posterior_mean(grid.nodes, weights)[0] for weights in posteriors])
    blocked, out = np.zeros(1500, dtype=np.int64), np.zeros(1500)
    space = new_workspace(criterion)
    arguments = (criterion, space, posteriors, grid.prior, thetas, n)
    compiled, plain = [], []
    for _ in range(6):  # the first compiles
        before = time.process_time()
        score_repeatedly(*arguments, ROUNDS, blocked, out)
        compiled.append(time.process_time() - before)
    for _ in range(3):
        before = time.process_time()
        for p in range(2):
            score_all(criterion, space, posteriors[p], grid.prior, float(thetas[p]), n, 1, p, blocked, out)
        plain.append((time.process_time() - before) / 2)
    return 1e6 * min(compiled) / (ROUNDS * CANDIDATES), 1e3 * min(plain)


if __name__ == "__main__":
    main()
