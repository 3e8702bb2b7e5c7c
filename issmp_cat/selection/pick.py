"""The next item: a look-up where greedy is provably optimal, a search elsewhere."""

from __future__ import annotations

from issmp_cat.blueprint import Windows, is_open
from issmp_cat.selection.pool import NO_CLIQUE, Pool
from issmp_cat.selection.shadow import search
from issmp_cat.selection.state import State, block

__all__ = ["pick"]

NOTHING = -1


def pick(pool: Pool, windows: Windows, state: State, n: int, point: int, draw: float) -> int:
    """The item to give next.

    With ``pool.best`` 1, the most informative item of the optimal shadow test among the domains whose window is open;
    otherwise one drawn evenly among the ``best`` most informative items that leave the test completable.

    Args:
        pool: the bank; ``windows``: the blueprint's table.
        state: the exam under way.
        n: items given so far.
        point: grid point of θ, see :func:`grid_point`.
        draw: a uniform number, used only when drawing.

    Returns:
        The item's position, or −1 when no item can be given.
    """
    if pool.best > 1:
        return _draw_among_best(pool, windows, state, n, point, draw)
    item = _best_available(pool, windows, state, n, point)
    if item == NOTHING or _is_settled(pool, state, item):
        return item
    return _best_of_shadow_test(pool, windows, state, n, point)


def _best_available(pool: Pool, windows: Windows, state: State, n: int, point: int) -> int:
    """The most informative item that is not blocked, over the open domains; ties to the lower index."""
    best = NOTHING
    for d in range(len(windows.quota)):
        if not is_open(windows, state.counts, n, d):
            continue
        for at in range(pool.begin[d], pool.begin[d + 1]):
            item = pool.order[point, at]
            if state.blocked[item] == 0:
                best = _better(pool, point, best, item)
                break
    return best


def _better(pool: Pool, point: int, best: int, item: int) -> int:
    """The more informative of two items, ``best`` possibly none; the lower index when they tie."""
    if best == NOTHING:
        return item
    gain = pool.information[point, item] - pool.information[point, best]
    return item if gain > 0.0 or (gain == 0.0 and item < best) else best


def _is_settled(pool: Pool, state: State, item: int) -> bool:
    """Whether exchange proves that some optimal shadow test holds ``item``.

    It does when the item has no live enemy, or one live enemy in its own domain, or belongs to an enemy set inside
    one domain: swapping it in for that enemy, or for any item of its domain, loses nothing and breaks nothing.
    """
    if pool.clique[item] != NO_CLIQUE:
        return True
    live = 0
    for k in range(pool.foe_begin[item], pool.foe_begin[item + 1]):
        foe = pool.foe[k]
        if state.blocked[foe] == 0:
            if pool.domain[foe] != pool.domain[item]:
                return False
            live += 1
    return live <= 1


def _best_of_shadow_test(pool: Pool, windows: Windows, state: State, n: int, point: int) -> int:
    """The most informative item, over the open domains, of the optimal shadow test."""
    best = state.items[n:]
    length, proved = search(pool, state, windows.quota, point, n, best, first_only=False)
    if not proved:
        state.unproven[0] += 1
    found = NOTHING
    for k in range(length):
        if is_open(windows, state.counts, n, pool.domain[best[k]]):
            found = _better(pool, point, found, best[k])
    return found


def _draw_among_best(pool: Pool, windows: Windows, state: State, n: int, point: int, draw: float) -> int:
    """Merge the open domains' lists until ``pool.best`` completable items are found, then draw one evenly."""
    domains = len(windows.quota)
    heads = state.heads
    for d in range(domains):
        heads[d] = pool.begin[d] if is_open(windows, state.counts, n, d) else pool.begin[d + 1]
        _skip_blocked(pool, state, point, d)
    found = 0
    while found < pool.best:
        best = NOTHING
        for d in range(domains):
            if heads[d] < pool.begin[d + 1]:
                best = _better(pool, point, best, pool.order[point, heads[d]])
        if best == NOTHING:
            break
        if pool.simple or _is_completable(pool, windows, state, n, best):
            state.drawn[found] = best
            found += 1
        heads[pool.domain[best]] += 1
        _skip_blocked(pool, state, point, pool.domain[best])
    return state.drawn[int(draw * found)] if found > 0 else NOTHING


def _skip_blocked(pool: Pool, state: State, point: int, d: int) -> None:
    """Move the head of domain ``d`` to its next item that can be given."""
    while state.heads[d] < pool.begin[d + 1] and state.blocked[pool.order[point, state.heads[d]]] > 0:
        state.heads[d] += 1


def _is_completable(pool: Pool, windows: Windows, state: State, n: int, item: int) -> bool:
    """Whether a whole test exists that holds ``item``; counting items is not enough when enemies cross."""
    block(pool, state.blocked, item, 1)
    state.counts[pool.domain[item]] += 1
    length, proved = search(pool, state, windows.quota, 0, n + 1, state.items[n:], first_only=True)
    block(pool, state.blocked, item, -1)
    state.counts[pool.domain[item]] -= 1
    if not proved:
        state.unproven[0] += 1
    return length >= 0
