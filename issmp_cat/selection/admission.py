"""Who is admitted to which item: every kind of exposure control, as one table.

Candidate p is admitted to item i while θ̂ lies in band g if the candidate's lot for the item, a uniform number that is
drawn once, does not exceed ``admit[g, i]``. An item that was refused thus stays set aside for this candidate, as
Sympson and Hetter (1985) ask. Methods differ only in how the table is found. Items not admitted count as blocked, so
that quotas, enemies, criteria and draws go on as without control. Plain kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from issmp_cat.arrays import Floats, Ints, read_only
from issmp_cat.random import EXPOSURE, philox
from issmp_cat.selection.pool import NO_CLIQUE, Pool
from issmp_cat.selection.preference import at_point
from issmp_cat.selection.shadow import search
from issmp_cat.selection.state import NOTHING_DRAWN, State

__all__ = [
    "HELD",
    "NOTHING_HELD",
    "Admission",
    "admit_all",
    "build_admission",
    "cast_lots",
    "draw_lots",
    "hold",
    "lots",
    "release",
]

# What a candidate not admitted adds to an item's reasons for being blocked: more than all others together.
HELD = 1 << 30
# ``state.band`` once the lots are drawn and nothing is held yet.
NOTHING_HELD = -1

_MASK = 0xFFFFFFFF
_WORD = 4294967296.0


class Admission(NamedTuple):
    """A table of chances, and what kernels need to apply it.

    Attributes:
        edges: θ at which the bands begin and end, logits; −∞ first, ∞ last. Shape ``(bands + 1,)``.
        admit: share of candidates who are admitted to each item. Shape ``(bands, items)``.
        controlled: the items to which not everybody is admitted in every band, ascending. Shape ``(controlled,)``.
        safe: the items that no choice can block: without enemies, or of an enemy set inside one domain.
            Shape ``(safe,)``.
        tight: whether a candidate may be admitted to too few items for some quota.
    """

    edges: Floats
    admit: Floats
    controlled: Ints
    safe: Ints
    tight: bool


def build_admission(pool: Pool, quota: Ints, edges: Floats, admit: Floats) -> Admission:
    """Work out what kernels need.

    Args:
        pool: the bank; ``quota``: items of each domain at full length. Shape ``(domains,)``.
        edges: θ between the bands, logits, ascending. Shape ``(bands - 1,)``.
        admit: share of candidates admitted. Shape ``(bands, items)``.
    """
    controlled = np.flatnonzero((admit < 1.0).any(axis=0))
    free_of_enemies = np.diff(pool.foe_begin) == 0
    safe = np.flatnonzero(free_of_enemies | (pool.clique != NO_CLIQUE))
    # One of each enemy set counts: the set is sure to yield an item if any of its items is open to everybody.
    open_to_all = safe[~np.isin(safe, controlled)]
    clique = pool.clique[open_to_all]
    alone = open_to_all[clique == NO_CLIQUE]
    _, first = np.unique(clique[clique != NO_CLIQUE], return_index=True)
    one_each = open_to_all[clique != NO_CLIQUE][first]
    steady = np.bincount(pool.domain[np.concatenate([alone, one_each])], minlength=len(quota))
    return Admission(
        edges=read_only(np.concatenate([[-np.inf], edges, [np.inf]])),
        admit=read_only(admit),
        controlled=read_only(controlled.astype(np.int64)),
        safe=read_only(safe.astype(np.int64)),
        tight=bool(len(controlled) and (steady < quota).any()),
    )


def admit_all(items: int) -> Admission:
    """No control: nothing to look up, nothing to draw."""
    none = read_only(np.zeros(0, dtype=np.int64))
    whole_line = read_only(np.array([-np.inf, np.inf]))
    return Admission(whole_line, read_only(np.ones((1, items))), none, none, tight=False)


def draw_lots(admission: Admission, luck: Floats, seed: int, person: int) -> None:
    """Draw a candidate's lots for the controlled items: four items share one call of the generator.

    A lot depends on seed, person and item alone, so the same candidate draws the same under any table.

    Args:
        admission: the table.
        luck: filled where controlled. Shape ``(items,)``.
        seed: of the study or session; ``person``: number of the candidate.
    """
    controlled = admission.controlled
    drawn = -1
    w0, w1, w2, w3 = 0, 0, 0, 0
    for k in range(len(controlled)):
        item = controlled[k]
        four = int(item) >> 2  # plain Python numbers do not overflow
        if four != drawn:
            drawn = four
            w0, w1, w2, w3 = philox(four, person & _MASK, EXPOSURE, 0, seed & _MASK, (seed >> 32) & _MASK)
        place = item & 3
        word = w0 if place == 0 else w1 if place == 1 else w2 if place == 2 else w3
        luck[item] = (word + 0.5) / _WORD


def lots(items: int, seed: int, persons: Ints) -> Floats:
    """The lots of :func:`draw_lots` for many candidates at once, bit for bit; for every item, controlled or not.

    Returns:
        Uniform numbers, shape ``(persons, items)``.
    """
    four = np.arange((items + 3) // 4, dtype=np.uint64)[None, :]
    person = (np.asarray(persons, dtype=np.int64) & _MASK).astype(np.uint64)[:, None]
    c0, c1 = np.broadcast_arrays(four, person)
    zero = np.zeros_like(c0)
    # The generator works on arrays of unsigned numbers as on single ones.
    words = philox(c0, c1, zero + np.uint64(EXPOSURE), zero, seed & _MASK, (seed >> 32) & _MASK)  # type: ignore[arg-type]
    drawn: Floats = (np.stack(words, axis=-1).reshape(len(person), -1)[:, :items].astype(np.float64) + 0.5) / _WORD
    return drawn


def cast_lots(admission: Admission, state: State, seed: int, person: int) -> None:
    """Draw all lots of a new exam at once; a session does so because one by one takes plain Python milliseconds."""
    if len(admission.controlled):
        state.luck[:] = lots(len(state.luck), seed, np.array([person]))[0]
        state.band[0] = NOTHING_HELD


def hold(
    pool: Pool, admission: Admission, state: State, quota: Ints, n: int, theta: float, seed: int, person: int
) -> None:
    """Hold back the items to which the candidate is not admitted; to be called before every choice.

    Does nothing while θ̂ stays in its band. A domain that could not be filled from what is left is released.

    Args:
        pool: the bank; ``admission``: the table.
        state: the exam under way; ``blocked``, ``luck``, ``band`` and ``relaxed`` change.
        quota: items of each domain at full length. Shape ``(domains,)``.
        n: items given so far.
        theta: the estimate, logits.
        seed: of the study or session; ``person``: number of the candidate.
    """
    edges, band, luck, blocked = admission.edges, state.band, state.luck, state.blocked
    now = band[0]
    if now >= 0 and edges[now] <= theta < edges[now + 1]:
        return
    if now == NOTHING_DRAWN:
        draw_lots(admission, luck, seed, person)
    now = 0
    while theta >= edges[now + 1]:
        now += 1
    band[0] = now
    admit, controlled = admission.admit[now], admission.controlled
    for k in range(len(controlled)):
        item = controlled[k]
        if blocked[item] >= HELD:
            blocked[item] -= HELD
        if luck[item] > admit[item]:
            blocked[item] += HELD
    if not pool.simple:
        length, _ = search(pool, state, quota, at_point(pool, 0), n, state.items[n:], first_only=True)
        if length < 0:
            release(pool, admission, state, -1)
    elif admission.tight:
        _release_what_is_short(pool, admission, state, quota)


def _release_what_is_short(pool: Pool, admission: Admission, state: State, quota: Ints) -> None:
    """Release each domain whose open items that no choice can block are fewer than it still needs."""
    safe, domain, cliques, blocked, met, open_safe = (
        admission.safe, pool.domain, pool.clique, state.blocked, state.met, state.spare,
    )  # fmt: skip
    open_safe[:] = 0.0
    for k in range(len(safe)):
        item = safe[k]
        clique = cliques[item]
        if blocked[item] == 0 and (clique == NO_CLIQUE or met[clique] == 0):
            open_safe[domain[item]] += 1.0
            if clique != NO_CLIQUE:
                met[clique] = 1
    met[:] = 0
    for d in range(len(quota)):
        if open_safe[d] < quota[d] - state.counts[d]:
            release(pool, admission, state, d)


def release(pool: Pool, admission: Admission, state: State, domain: int) -> bool:
    """Admit the candidate to every item of a domain (−1: of all) until θ̂ enters another band; whether any was held."""
    controlled, blocked = admission.controlled, state.blocked
    found = False
    for k in range(len(controlled)):
        item = controlled[k]
        if blocked[item] >= HELD and (domain < 0 or pool.domain[item] == domain):
            blocked[item] -= HELD
            found = True
    if found:
        state.relaxed[0] += 1
    return found
