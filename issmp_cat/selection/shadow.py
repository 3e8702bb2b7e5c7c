"""The best whole test from here on, when enemies cross domains: branch and bound on the greedy bound.

A shadow test (van der Linden & Reese, 1998) fills every quota, contains the items already given and maximises
information at θ. Quotas are a partition matroid, and enemy sets inside one domain keep it laminar: greedy is optimal
there (Edmonds, 1971). Dropping the other enemy pairs gives an upper bound; where the greedy test holds such a pair,
one of the two is taken in or left out, and the search goes on. Plain kernels, no recursion.
"""

from __future__ import annotations

from issmp_cat.arrays import Ints
from issmp_cat.selection.pool import NO_CLIQUE, Pool
from issmp_cat.selection.state import State, block

__all__ = ["NODE_CAP", "fill", "search"]

# Never met below a few thousand on the standard banks; when it is, the decision says so.
NODE_CAP = 200_000
OUT, IN = 0, 1
INFEASIBLE = -1.0


def fill(pool: Pool, state: State, quota: Ints, point: int, given: int) -> tuple[float, int]:
    """The greedy test: each domain's best items, at most one of each enemy set inside a domain.

    Args:
        pool: the bank.
        state: the exam; ``chosen`` receives the items, ``counts`` and ``blocked`` are what the test must respect.
        quota: items of each domain at full length. Shape ``(domains,)``.
        point: grid point of θ.
        given: how many items stand fixed already; ``chosen`` is filled from there.

    Returns:
        The information of the items added, and the length reached; −1 when a domain cannot be filled.
    """
    # Named once: taking an array out of a tuple costs as much as a step of these loops when compiled.
    order, info, begin, cliques = pool.order[point], pool.information[point], pool.begin, pool.clique
    blocked, met, chosen, counts = state.blocked, state.met, state.chosen, state.counts
    total = 0.0
    length = given
    feasible = True
    for d in range(len(quota)):
        wanted = quota[d] - counts[d]
        at = begin[d]
        while wanted > 0 and at < begin[d + 1]:
            item = order[at]
            at += 1
            if blocked[item] > 0:
                continue
            clique = cliques[item]
            if clique != NO_CLIQUE:
                if met[clique] > 0:
                    continue
                met[clique] = 1
            chosen[length] = item
            length += 1
            wanted -= 1
            total += info[item]
        if wanted > 0:
            feasible = False
            break
    for k in range(given, length):
        clique = cliques[chosen[k]]
        if clique != NO_CLIQUE:
            met[clique] = 0
    return (total if feasible else INFEASIBLE), length


def conflict(pool: Pool, state: State, given: int, length: int) -> int:
    """The first chosen item that has a chosen enemy, or −1."""
    # A chosen item is marked by subtracting a large number from its block count, so one pass finds enemies.
    chosen, blocked, cliques, foe_begin, foe = state.chosen, state.blocked, pool.clique, pool.foe_begin, pool.foe
    mark = 1 << 40
    for k in range(given, length):
        blocked[chosen[k]] -= mark
    found = -1
    for k in range(given, length):
        item = chosen[k]
        if found < 0 and cliques[item] == NO_CLIQUE:
            for j in range(foe_begin[item], foe_begin[item + 1]):
                if blocked[foe[j]] < 0:
                    found = item
    for k in range(given, length):
        blocked[chosen[k]] += mark
    return found


def search(
    pool: Pool, state: State, quota: Ints, point: int, given: int, best: Ints, first_only: bool
) -> tuple[int, bool]:
    """Find the best whole test by depth-first branch and bound.

    Args:
        pool: the bank.
        state: the exam; left as it was, but for ``chosen``.
        quota: items of each domain at full length. Shape ``(domains,)``.
        point: grid point of θ.
        given: how many items were given.
        best: receives the items of the best test, those given first excluded. Shape ``(maximum length,)``.
        first_only: stop at the first test found: is there any?

    Returns:
        How many items ``best`` holds (−1: no test was found), and whether that is proved.
    """
    depth = 0
    fixed = 0.0
    inside = given
    best_value = INFEASIBLE
    best_length = -1
    nodes = 0
    descend = True
    while True:
        if descend:
            nodes += 1
            value, length = fill(pool, state, quota, point, inside)
            clash = -1
            promising = value >= 0.0 and fixed + value > best_value
            if promising:
                clash = conflict(pool, state, given, length)
            if promising and clash < 0:
                best_value = fixed + value
                best_length = length - given
                for k in range(given, length):
                    best[k - given] = state.chosen[k]
            if nodes > NODE_CAP or (first_only and best_length >= 0):
                _unwind(pool, state, depth)
                return best_length, first_only and best_length >= 0
            if clash >= 0:
                # Taken in first: the chosen item's enemies leave, and its value is kept.
                state.branch[0, depth] = clash
                state.branch[1, depth] = IN
                depth += 1
                block(pool, state.blocked, clash, 1)
                state.counts[pool.domain[clash]] += 1
                state.chosen[inside] = clash
                inside += 1
                fixed += pool.information[point, clash]
                continue
            descend = False
        if depth == 0:
            return best_length, True
        item = state.branch[0, depth - 1]
        if state.branch[1, depth - 1] == IN:
            block(pool, state.blocked, item, -1)
            state.counts[pool.domain[item]] -= 1
            inside -= 1
            fixed -= pool.information[point, item]
            state.blocked[item] += 1
            state.branch[1, depth - 1] = OUT
            descend = True
        else:
            state.blocked[item] -= 1
            depth -= 1


def _unwind(pool: Pool, state: State, depth: int) -> None:
    for k in range(depth):
        item = state.branch[0, k]
        if state.branch[1, k] == IN:
            block(pool, state.blocked, item, -1)
            state.counts[pool.domain[item]] -= 1
        else:
            state.blocked[item] -= 1
