"""What the next step needs to know of an exam under way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Floats, Ints, Ints32
from issmp_cat.selection.criteria import Criterion, Workspace, new_workspace
from issmp_cat.selection.pool import Pool

__all__ = ["NOTHING_DRAWN", "State", "block", "copy_state", "give", "new_state", "reset"]


# ``State.band`` before a candidate's lots are drawn.
NOTHING_DRAWN = -2


class State(NamedTuple):
    """An exam under way, as arrays that kernels write to.

    Attributes:
        blocked: > 0 when an item cannot be given: it was, or an enemy was. Shape ``(items,)``.
        barred: 1 for an item that is out from the start, seen in an earlier attempt; ``blocked`` begins so. Shape
            ``(items,)``.
        counts: items given by domain. Shape ``(domains,)``.
        items: items given, in order; ``scores`` alike. Shape ``(maximum length,)``.
        weights: posterior of θ, not normalised. Shape ``(nodes,)``.
        met: scratch for enemy sets, all zero between calls. Shape ``(cliques + 1,)``.
        chosen: scratch for a whole test. Shape ``(maximum length,)``.
        branch: scratch for the search. Shape ``(2, items + 1)``.
        spare: scratch for the search: information of each domain's next item. Shape ``(domains,)``.
        drawn: scratch for the items to draw among. Shape ``(best,)``.
        unproven: how many decisions the search had to leave without a proof. Shape ``(1,)``.
        luck: the candidate's lots for the items under exposure control. Shape ``(items,)``.
        band: the band of θ̂ whose items are held back, negative before the first decision. Shape ``(1,)``.
        relaxed: how often held items had to be released to fill a quota. Shape ``(1,)``.
        prior: mean and SD of the candidate's own prior, logits; not numbers where the population's holds. Shape
            ``(2,)``.
        origin: weights of the prior, from which ``weights`` began. Shape ``(nodes,)``.
        value: what each item is worth, where a criterion scores them. Shape ``(items,)``, else of no length.
        rank: scratch for ranking them. Shape ``(3, items)``, else of no length; ``place`` too, shape ``(domains,)``.
        space: scratch for the criterion.
        evidence: log-likelihoods that a ratio stopping rule gathers. Shape ``(points,)``; none without such a rule.
    """

    blocked: Ints
    barred: Ints
    counts: Ints
    items: Ints
    scores: Ints
    weights: Floats
    met: Ints
    chosen: Ints
    branch: Ints
    spare: Floats
    drawn: Ints
    unproven: Ints
    luck: Floats
    band: Ints
    relaxed: Ints
    prior: Floats
    origin: Floats
    value: Floats
    rank: Ints32
    place: Ints
    space: Workspace
    evidence: Floats


def new_state(pool: Pool, quota: Ints, prior: Floats, criterion: Criterion | None = None, points: int = 0) -> State:
    """An exam before its first item.

    Args:
        pool: the bank.
        quota: items of each domain at full length. Shape ``(domains,)``.
        prior: weights at the nodes. Shape ``(nodes,)``.
        criterion: scores the items; None where a table does.
        points: abilities at which a stopping rule gathers evidence.
    """
    length = int(quota.sum())
    scored = 0 if criterion is None else len(pool.domain)
    return State(
        blocked=np.zeros(len(pool.domain), dtype=np.int64),
        barred=np.zeros(len(pool.domain), dtype=np.int64),
        counts=np.zeros(len(quota), dtype=np.int64),
        items=np.zeros(length, dtype=np.int64),
        scores=np.zeros(length, dtype=np.int64),
        weights=prior.copy(),
        met=np.zeros(pool.cliques + 1, dtype=np.int64),
        chosen=np.zeros(length, dtype=np.int64),
        branch=np.zeros((2, len(pool.domain) + 1), dtype=np.int64),
        spare=np.zeros(len(quota)),
        drawn=np.zeros(pool.best, dtype=np.int64),
        unproven=np.zeros(1, dtype=np.int64),
        luck=np.zeros(len(pool.domain)),
        band=np.full(1, NOTHING_DRAWN, dtype=np.int64),
        relaxed=np.zeros(1, dtype=np.int64),
        prior=np.full(2, np.nan),
        origin=prior.copy(),
        value=np.zeros(scored),
        rank=np.zeros((3, scored), dtype=np.int32),
        place=np.zeros(len(quota), dtype=np.int64),
        space=new_workspace(criterion),
        evidence=np.zeros(points),
    )


def copy_state(state: State) -> State:
    """A state that can be written to without touching the first, scratch included: sessions may share an ancestor."""
    arrays = {name: part.copy() for name, part in state._asdict().items() if isinstance(part, np.ndarray)}
    return state._replace(**arrays, space=Workspace._make(array.copy() for array in state.space))


def reset(state: State, prior: Floats) -> None:
    """Make a used state new again, in place."""
    np.multiply(state.barred, 1, state.blocked)
    state.counts[:] = 0
    np.multiply(prior, 1.0, state.weights)
    state.unproven[:] = 0
    state.band[0] = NOTHING_DRAWN
    state.relaxed[0] = 0
    state.prior[:] = np.nan
    np.multiply(prior, 1.0, state.origin)
    state.evidence[:] = 0.0


def block(pool: Pool, blocked: Ints, item: int, by: int) -> None:
    """Add ``by`` to the reasons why ``item`` and its enemies cannot be given."""
    foe = pool.foe
    blocked[item] += by
    for k in range(pool.foe_begin[item], pool.foe_begin[item + 1]):
        blocked[foe[k]] += by


def give(pool: Pool, state: State, n: int, item: int, score: int) -> None:
    """Record that ``item`` was given as number ``n`` (from 0) and scored."""
    state.items[n] = item
    state.scores[n] = score
    state.counts[pool.domain[item]] += 1
    block(pool, state.blocked, item, 1)
