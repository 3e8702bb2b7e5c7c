"""How strongly the items of a log hang together through the candidates they share.

Candidates are the blocks of an incomplete block design, items its treatments. With answers of variance ``w`` (p(1 − p)
for right and wrong) the information about difficulties under the Rasch model is ``D`` where abilities are known and

    L = D − Σ_p w_p w_pᵀ / (1ᵀw_p)

where they are not, nothing being assumed about the population. The smallest eigenvalue of ``D^−½ L D^−½`` but the
trivial one is the smallest canonical efficiency factor of the design (James & Wilkinson, 1971, Biometrika 58,
279–294): the share of the information about the worst contrast between items that survives. It is 1 where everyone
took everything and 0 where items fall apart; as the algebraic connectivity of a graph (Fiedler, 1973) its eigenvector
shows where they would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from issmp_calibration.log.sums import blocks
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Block", "Links", "item_links", "sample"]

SAMPLE = 2_000_000  # answers from which the weakest contrast is found; what it separates is then counted in all
DEPTH, WIDTH = 14, 3  # of the Krylov space (Musco & Musco, 2015)


@dataclass(frozen=True, slots=True)
class Block:
    """A set of items that hangs by fewer candidates than any other that was found.

    Attributes:
        items: their ids.
        candidates: who answered any of them.
        others: who answered any other item.
        linking: who answered both; without them the block would have no scale in common with the rest.
        se: standard error of the difference between the mean difficulties of the block and the rest, logits, as far as
            it rests on common candidates; NaN where too few of them were looked at.
    """

    items: tuple[str, ...]
    candidates: int
    others: int
    linking: int
    se: float


@dataclass(frozen=True, slots=True)
class Links:
    """The strength of the links between items.

    Attributes:
        efficiency: smallest canonical efficiency factor, from 0 (apart) to 1 (everyone took everything).
        weakest: the block that hangs by the smallest share of its candidates; None with fewer than two items.
    """

    efficiency: float
    weakest: Block | None


def sample(log: ResponseLog, most: int) -> Ints:
    """Persons with two scored answers or more, evenly spread, about ``most`` answers in all."""
    scored = np.concatenate([[0], np.cumsum(log.score >= 0)])
    number = np.diff(scored[log.start])
    persons = np.flatnonzero(number > 1)
    step = max(1, int(np.ceil(number.sum() / most)))
    return persons[::step]


def item_links(log: ResponseLog) -> Links:
    """Measure how the items hang together; see the module for the method."""
    persons = sample(log, SAMPLE)
    variance = _variances(log)
    known = np.flatnonzero(variance > 0)
    if len(known) < 2 or not len(persons):
        return Links(0.0, None)
    table, information = _table(log, persons, variance, known)
    factor, contrast = _weakest_contrast(table, information)
    order = known[np.argsort(contrast, kind="stable")]
    linking, below, above = _sweep(log, order)
    cut = _choose(linking, below, above)
    side = np.isin(known, order[:cut])
    share = len(persons) / max(int((np.diff(log.start) > 1).sum()), 1)
    se = _difference_error(table, information, side) * np.sqrt(share) if linking[cut] else np.nan
    smaller = below[cut] <= above[cut]
    items = np.sort(order[:cut] if smaller else order[cut:])
    candidates, others = (below[cut], above[cut]) if smaller else (above[cut], below[cut])
    names = tuple(str(item) for item in log.items[items])
    return Links(factor, Block(names, int(candidates), int(others), int(linking[cut]), float(se)))


def _variances(log: ResponseLog) -> Floats:
    """Variance of the score on each item, half an answer added to either side; 0 for items without answers."""
    n, x, xx = (np.zeros(log.n_items) for _ in range(3))
    for answers, _ in blocks(log):
        score = log.score[answers].astype(np.float64)
        item, score = log.item[answers][score >= 0], score[score >= 0]
        for total, weight in ((n, None), (x, score), (xx, score * score)):
            np.add(total, np.bincount(item, weight, minlength=log.n_items), out=total)
    mean = (x + 0.5) / (n + 1.0)
    return np.where(n > 0, (xx + 0.5) / (n + 1.0) - mean**2, 0.0)


def _table(log: ResponseLog, persons: Ints, variance: Floats, known: Ints) -> tuple[csr_array, Floats]:
    """The design of some persons.

    Returns:
        Persons × items with ``√(w_i / (n_i s_p))`` where a person answered an item, whose crossproduct is
        ``I − D^−½ L D^−½``; and the diagonal of ``D``, ``n_i w_i``.
    """
    from scipy.sparse import csr_array

    column = np.full(log.n_items, -1)
    column[known] = np.arange(len(known))
    length = np.diff(log.start)[persons]
    row = np.repeat(np.arange(len(persons)), length)
    at = log.start[persons][row] + np.arange(len(row)) - (np.cumsum(length) - length)[row]
    kept = (log.score[at] >= 0) & (variance[log.item[at]] > 0)
    row, item = row[kept], log.item[at[kept]]
    weight = variance[item]
    total = np.bincount(row, weight, minlength=len(persons))
    answers = np.bincount(column[item], minlength=len(known))
    cells = np.sqrt(weight / (answers[column[item]] * total[row]))
    table = csr_array((cells, (row, column[item])), shape=(len(persons), len(known)))
    return table, np.maximum(answers, 1e-9) * variance[known]


def _weakest_contrast(table: csr_array, information: Floats) -> tuple[float, Floats]:
    """The smallest efficiency factor, and its contrast between items: by block Krylov, then Rayleigh–Ritz."""
    trivial = np.sqrt(information / information.sum())
    basis = trivial[:, None]
    block = np.random.default_rng(71).normal(size=(len(trivial), WIDTH))
    for _ in range(DEPTH):
        for _ in range(2):  # once more for what the first leaves behind
            block = block - basis @ (basis.T @ block)
        q, r = np.linalg.qr(block)
        q = q[:, np.abs(np.diag(r)) > 1e-9][:, : len(trivial) - basis.shape[1]]
        if not q.shape[1]:
            break
        basis = np.hstack([basis, q])
        block = table.T @ (table @ q)
    image = table @ basis[:, 1:]
    if not image.shape[1]:
        return 1.0, np.zeros(len(trivial))
    values, vectors = np.linalg.eigh(image.T @ image)
    return float(np.clip(1.0 - values[-1], 0.0, 1.0)), (basis[:, 1:] @ vectors[:, -1]) / trivial


def _sweep(log: ResponseLog, order: Ints) -> tuple[Ints, Ints, Ints]:
    """Cut the items after each place of an order, from 0 to their number, and count over the whole log.

    Returns:
        Candidates with answers on both sides, before the cut, and behind it; each of shape ``(items + 1,)``.
    """
    n = len(order)
    rank = np.full(log.n_items, -1)
    rank[order] = np.arange(n)
    first, last = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    for answers, persons in blocks(log):
        place = np.where(log.score[answers] >= 0, rank[log.item[answers]], -1)
        person, place = persons[place >= 0], place[place >= 0]
        if not len(person):
            continue
        start = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
        first += np.bincount(np.minimum.reduceat(place, start), minlength=n + 1)
        last += np.bincount(np.maximum.reduceat(place, start), minlength=n + 1)
    before = np.concatenate([[0], np.cumsum(first)[:-1]])  # someone's first place lies before the cut
    done = np.concatenate([[0], np.cumsum(last)[:-1]])
    return before - done, before, first.sum() - done


def _choose(linking: Ints, before: Ints, behind: Ints) -> int:
    """The cut that the smallest share of the smaller side's candidates bridges; the most even of those."""
    inner = np.arange(1, len(linking) - 1)
    share = linking[inner] / np.maximum(np.minimum(before[inner], behind[inner]), 1)
    middle = np.abs(inner - len(linking) / 2)
    return int(inner[np.lexsort((middle, np.round(share, 6)))[0]])


def _difference_error(table: csr_array, information: Floats, side: Bools) -> float:
    """Standard error of the difference between two sets' mean difficulties, weighted by information, logits.

    ``√(cᵀ L⁺ c)`` by conjugate gradients.
    """
    root = np.sqrt(information)
    trivial = root / np.sqrt(information.sum())
    z = np.where(side, root / information[side].sum(), -root / information[~side].sum())
    z -= trivial * (trivial @ z)
    x, residual = np.zeros_like(z), z.copy()
    direction, size = residual.copy(), float(residual @ residual)
    stop = 1e-6 * size
    for _ in range(300):
        image = direction - table.T @ (table @ direction)
        curvature = float(direction @ image)
        if size <= stop or curvature <= 0.0:
            break
        step = size / curvature
        x, residual = x + step * direction, residual - step * image
        size, before = float(residual @ residual), size
        direction = residual + size / before * direction
    return float(np.sqrt(max(z @ x, 0.0)))
