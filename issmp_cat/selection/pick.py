"""The next item: a look-up where greedy is provably optimal, a search elsewhere."""

from __future__ import annotations

from issmp_cat.arrays import Floats
from issmp_cat.blueprint import Windows, open_domains
from issmp_cat.selection.pool import NO_CLIQUE, Pool
from issmp_cat.selection.preference import Preference, ranked_into
from issmp_cat.selection.shadow import search
from issmp_cat.selection.state import State, block

__all__ = ["pick", "pick_scored"]

NOTHING = -1


def pick(pool: Pool, windows: Windows, state: State, n: int, preference: Preference, draw: float) -> int:
    """The item to give next.

    With ``pool.best`` 1, the most valuable item of the optimal shadow test among the domains whose window is open;
    otherwise one drawn evenly among the ``best`` most valuable items that leave the test completable.

    Args:
        pool: the bank; ``windows``: the blueprint's table.
        state: the exam under way.
        n: items given so far.
        preference: what each item is worth.
        draw: a uniform number, used only when drawing.

    Returns:
        The item's position, or −1 when no item can be given.
    """
    if pool.best > 1:
        return _draw_among_best(pool, windows, state, n, preference, draw)
    item = _best_available(pool, windows, state, n, preference)
    if item == NOTHING or _is_settled(pool, state, item):
        return item
    return _best_of_shadow_test(pool, windows, state, n, preference)


def pick_scored(pool: Pool, windows: Windows, state: State, n: int, value: Floats, draw: float) -> int:
    """The item that :func:`pick` would choose by the ranking of ``value``, which is made only where needed.

    Ranking 1,500 fresh scores takes several times as long as making them, and the best few open items suffice wherever
    exchange or spare items settle the choice: about nine decisions in ten.

    Args:
        pool: the bank; ``windows``: the blueprint's table.
        state: the exam under way; ``n``: items given so far.
        value: what each item is worth, rounded for selection. Shape ``(items,)``.
        draw: a uniform number, used only when drawing.

    Returns:
        The item's position, or −1 when no item can be given.
    """
    found = _best_few(pool, windows, state, n, value)
    if pool.best > 1:
        if pool.simple and found > 0:
            return int(state.drawn[int(draw * found)])
    elif found == 0:
        return NOTHING
    elif _is_settled(pool, state, state.drawn[0]):
        return int(state.drawn[0])
    return pick(pool, windows, state, n, ranked_into(pool, value, state.rank, state.place), draw)


def _best_available(pool: Pool, windows: Windows, state: State, n: int, preference: Preference) -> int:
    """The most valuable item that is not blocked, over the open domains; ties to the lower index."""
    ranking, domain, blocked = preference.ranking, pool.domain, state.blocked
    open_now = open_domains(windows, state.counts, n)
    for k in range(len(ranking)):
        item = ranking[k]
        if blocked[item] == 0 and open_now & (1 << domain[item]):
            return int(item)
    return NOTHING


def _best_few(pool: Pool, windows: Windows, state: State, n: int, value: Floats) -> int:
    """Write the ``pool.best`` most valuable open items, ties to the lower index, into ``state.drawn``; how many."""
    domain, blocked, drawn, wanted = pool.domain, state.blocked, state.drawn, pool.best
    open_now = open_domains(windows, state.counts, n)
    found = 0
    least = -1.0
    for item in range(len(value)):
        worth = value[item]
        if worth <= least or blocked[item] > 0 or not open_now & (1 << domain[item]):
            continue
        if found < wanted:
            found += 1
        at = found - 1
        while at > 0 and value[drawn[at - 1]] < worth:
            drawn[at] = drawn[at - 1]
            at -= 1
        drawn[at] = item
        if found == wanted:
            least = value[drawn[found - 1]]
    return found


def _better(preference: Preference, best: int, item: int) -> int:
    """The more valuable of two items, ``best`` possibly none; the lower index when they tie."""
    if best == NOTHING:
        return item
    gain = preference.value[item] - preference.value[best]
    return item if gain > 0.0 or (gain == 0.0 and item < best) else best


def _is_settled(pool: Pool, state: State, item: int) -> bool:
    """Whether exchange proves that some optimal shadow test holds ``item``.

    It does when the item has no live enemy, or one live enemy in its own domain, or belongs to an enemy set inside
    one domain: swapping it in for that enemy, or for any item of its domain, loses nothing and breaks nothing.
    """
    if pool.clique[item] != NO_CLIQUE:
        return True
    foe, domain, blocked = pool.foe, pool.domain, state.blocked
    live = 0
    for k in range(pool.foe_begin[item], pool.foe_begin[item + 1]):
        if blocked[foe[k]] == 0:
            live += 1
            if domain[foe[k]] != domain[item]:
                return False
    return live <= 1


def _best_of_shadow_test(pool: Pool, windows: Windows, state: State, n: int, preference: Preference) -> int:
    """The most valuable item, over the open domains, of the optimal shadow test."""
    open_now = open_domains(windows, state.counts, n)
    if not open_now:
        return NOTHING
    best = state.items[n:]
    length, proved = search(pool, state, windows.quota, preference, n, best, first_only=False)
    if not proved:
        state.unproven[0] += 1
    found = NOTHING
    if length < 0 and not proved:
        found = _best_available(pool, windows, state, n, preference)
    for k in range(length):
        if open_now & (1 << pool.domain[best[k]]):
            found = _better(preference, found, best[k])
    return found


def _draw_among_best(pool: Pool, windows: Windows, state: State, n: int, preference: Preference, draw: float) -> int:
    """Walk down the ranking until ``pool.best`` items are found that may be given, then draw one evenly."""
    ranking, domain, blocked, drawn = preference.ranking, pool.domain, state.blocked, state.drawn
    open_now = open_domains(windows, state.counts, n)
    found = 0
    for k in range(len(ranking)):
        item = ranking[k]
        if blocked[item] > 0 or not open_now & (1 << domain[item]):
            continue
        if pool.simple or _is_completable(pool, windows, state, n, preference, item):
            drawn[found] = item
            found += 1
            if found == pool.best:
                break
    # Nothing proved completable: the search for a whole test has the last word.
    return drawn[int(draw * found)] if found > 0 else _best_of_shadow_test(pool, windows, state, n, preference)


def _is_completable(pool: Pool, windows: Windows, state: State, n: int, preference: Preference, item: int) -> bool:
    """Whether a whole test exists that holds ``item``; counting items is not enough when enemies cross."""
    block(pool, state.blocked, item, 1)
    state.counts[pool.domain[item]] += 1
    length, proved = search(pool, state, windows.quota, preference, n + 1, state.items[n:], first_only=True)
    block(pool, state.blocked, item, -1)
    state.counts[pool.domain[item]] -= 1
    if not proved:
        state.unproven[0] += 1
    return length >= 0
