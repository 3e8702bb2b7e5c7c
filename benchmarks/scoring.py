"""Abilities of many candidates with item parameters known, CPU-seconds; beside girth 0.8.0 and mirt 1.2.0 (PyPI).

Ours: 2PL, 125 answers of a bank of 1,500 items, drawn at random per candidate; one thread. ``kernel``: means and SDs
from codes; ``score()``: matching, counting, fingerprint of the log and all. The errors are the largest distances of any
mean and SD from sums over 4,001 abilities, among some 1,000 candidates.

Peers: one form of 125 items that everyone answered; each at its default nodes and at as many as make it exact.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from timing import peak_memory_mib, timed

from issmp_calibration.provenance import fingerprint
from issmp_calibration.scoring import score
from issmp_calibration.scoring.answers import match_answers
from issmp_calibration.scoring.eap import Work, posterior_moments
from issmp_calibration.scoring.plausible import Draws
from issmp_calibration.scoring.priors import resolve_prior
from issmp_cat import ItemBank, ResponseLog
from issmp_simulations.standard import standard_bank

ITEMS, ANSWERS, PEERS = 1500, 125, 20_000
STANDARD = (0.0, 1.0)


def simulated(bank: ItemBank, persons: int, form: np.ndarray | None = None, seed: int = 1) -> ResponseLog:
    """Answers of N(0, 1) candidates to items drawn for each, or to one form."""
    random = np.random.Generator(np.random.Philox(seed))
    theta = random.normal(size=persons)
    item, right = np.empty((persons, ANSWERS), np.uint16), np.empty((persons, ANSWERS), np.int8)
    for first in range(0, persons, 20_000):
        mine = slice(first, min(first + 20_000, persons))
        n = mine.stop - first
        drawn = np.argpartition(random.random((n, ITEMS), np.float32), ANSWERS, axis=1)[:, :ANSWERS]
        item[mine] = drawn if form is None else np.arange(ANSWERS)
        real = drawn if form is None else np.broadcast_to(form, (n, ANSWERS))
        chance = 1.0 / (1.0 + np.exp(-bank.a[real] * (theta[mine, None] - bank.b[real])))
        right[mine] = random.random((n, ANSWERS)) < chance
    return ResponseLog(
        persons=np.array([f"C{k:07d}" for k in range(persons)]),
        items=np.array(bank.ids if form is None else [bank.ids[k] for k in form]),
        start=np.arange(persons + 1) * ANSWERS,
        item=item.ravel(),
        score=right.ravel(),
    )


def work_on(log: ResponseLog, bank: ItemBank, nodes: int | None = None, limit: float = 6.0) -> Work:
    """What the kernel gets."""
    return Work(
        match_answers(log, bank), resolve_prior(STANDARD, log), nodes, limit, Draws.prepared(log.persons, 0, 0), None
    )


def errors(log: ResponseLog, bank: ItemBank, theta: np.ndarray, se: np.ndarray | None) -> str:
    """How far off means and SDs are."""
    some = np.arange(0, log.n_persons, max(log.n_persons // 1000, 1))
    answers = np.concatenate([np.arange(log.start[p], log.start[p + 1]) for p in some])
    part = ResponseLog(
        persons=log.persons[some],
        items=log.items,
        start=np.arange(len(some) + 1) * ANSWERS,
        item=log.item[answers],
        score=log.score[answers],
    )
    exact = posterior_moments(work_on(part, bank, 4001, 10.0))
    worst = [np.abs(theta[some] - exact[:, 0]).max()] + ([] if se is None else [np.abs(se[some] - exact[:, 1]).max()])
    return "error " + ", ".join(f"{error:.0e}" for error in worst)


def row(name: str, persons: int, work: Callable[[], object], runs: int = 5, note: str = "") -> None:
    work()
    timing = timed(name, work, runs=runs)
    print(f"{timing}  {persons / timing.median / 1e6:.3g} M/s  {note}", flush=True)


def ours(persons: int) -> None:
    """At volume."""
    bank = standard_bank("1500", model="2pl")
    bank.version  # noqa: B018 - the bank's hash is made once
    log = simulated(bank, persons)
    found = score(log, bank, threads=1)
    given = work_on(log, bank)
    print(f"{persons:,} candidates, {ANSWERS} of {ITEMS} items each")
    row("EAP + SD, kernel", persons, lambda: posterior_moments(given), note=errors(log, bank, found.theta, found.se))
    row("EAP + SD, score()", persons, lambda: score(log, bank, threads=1))
    row("  of which matching and coding", persons, lambda: match_answers(log, bank))
    row("  of which fingerprint", persons, lambda: fingerprint(log))
    row("EAP + SD on an exam's 41 nodes, score()", persons, lambda: score(log, bank, threads=1, nodes=41, limit=4.0), 3)
    row("and 5 plausible values, score()", persons, lambda: score(log, bank, threads=1, plausible_values=5, seed=1), 3)
    part = simulated(bank, min(persons, 100_000))
    for method in ("map", "ml", "wle"):
        row(f"{method.upper()}, score()", part.n_persons, lambda m=method: score(part, bank, threads=1, method=m), 3)
    print(f"peak {peak_memory_mib():.0f} MiB, of which the log {(log.item.nbytes + log.score.nbytes) / 2**20:.0f}")


def side_by_side() -> None:
    """One form of 125 items."""
    import girth
    import mirt

    bank = standard_bank("1500", model="2pl")
    bank.version  # noqa: B018
    form = np.sort(np.random.Generator(np.random.Philox(3)).permutation(ITEMS)[:ANSWERS])
    a, b = bank.a[form], bank.b[form]
    log = simulated(bank, PEERS, form)
    matrix = log.score.reshape(PEERS, ANSWERS).astype(np.int64)
    found = score(log, bank, threads=1)
    given = work_on(log, bank)
    print(f"{PEERS:,} candidates, one form of {ANSWERS} items")
    row("EAP + SD, kernel", PEERS, lambda: posterior_moments(given), note=errors(log, bank, found.theta, found.se))
    row("EAP + SD, score()", PEERS, lambda: score(log, bank, threads=1))
    model = mirt.TwoParameterLogistic(n_items=ANSWERS)
    model.set_parameters(discrimination=a, difficulty=b)
    model._is_fitted = True  # noqa: SLF001 - it scores by given parameters only if it believes it estimated them
    for nodes in (49, 121):
        got = mirt.fscores(model, matrix, n_quadpts=nodes)
        note = errors(log, bank, np.ravel(got.theta), np.ravel(got.standard_error))
        row(
            f"mirt 1.2.0 (PyPI), {nodes} nodes",
            PEERS,
            lambda n=nodes: mirt.fscores(model, matrix, n_quadpts=n),
            3,
            note,
        )
    for nodes in (41, 121):
        options = {"quadrature_n": nodes, "quadrature_bounds": (-6, 6)}
        got = girth.ability_eap(matrix.T, b, a, options)
        note = errors(log, bank, got, None) + " (no SD)"
        row(f"girth 0.8.0, {nodes} nodes", PEERS, lambda o=options: girth.ability_eap(matrix.T, b, a, o), 3, note)
    tenth = log.score.reshape(PEERS, ANSWERS)[: PEERS // 10]
    few = ResponseLog.from_wide(tenth, items=log.items)
    for method in ("MAP", "ML", "WLE"):
        row(f"{method}, score()", len(tenth), lambda m=method: score(few, bank, threads=1, method=m.lower()), 3)
        row(f"mirt 1.2.0 (PyPI), {method}", len(tenth), lambda m=method: mirt.fscores(model, tenth, method=m), 1)


if __name__ == "__main__":
    ours(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    side_by_side()
