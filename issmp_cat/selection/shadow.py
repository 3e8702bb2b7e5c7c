"""The best whole test from here on, when enemies cross domains: branch and bound.

A shadow test (van der Linden & Reese, 1998) fills every quota, contains the items already given and maximises the
sum of the items' values, usually their information at θ. Quotas are a partition matroid, and enemy sets inside one
domain keep it laminar: greedy is optimal there (Edmonds, 1971). Dropping the other enemy pairs gives an upper bound.
It is tightened: of each clashing pair one item must leave, and the best weight of a matroid being submodular, each
leaving costs at least the item's value less that of the next item of its domain; over pairs that share no item these
losses add up. The search first lets the cheaper item of the costliest pair go, which reaches the bound itself when
the pairs are apart. Plain kernels, no recursion.
"""

from __future__ import annotations

from issmp_cat.arrays import Ints
from issmp_cat.selection.pool import NO_CLIQUE, Pool
from issmp_cat.selection.preference import Preference
from issmp_cat.selection.state import State, block

__all__ = ["NODE_CAP", "fill", "search"]

# A handful of nodes settle a decision on the standard banks. A bank where this does not suffice is told so: the
# decision is then the best test found, counted as unproven.
NODE_CAP = 2_000
OUT, IN = 0, 1
INFEASIBLE = -1.0
# Value that a domain's next item would have if there were none: leaving is then no way out.
NO_SPARE = -1e9
MARK = 1 << 40


def fill(pool: Pool, state: State, quota: Ints, preference: Preference, given: int) -> tuple[float, int]:
    """The greedy test: each domain's best items, at most one of each enemy set inside a domain.

    Args:
        pool: the bank.
        state: the exam; ``chosen`` receives the items, ``spare`` the value of each domain's next item;
            ``counts`` and ``blocked`` are what the test must respect.
        quota: items of each domain at full length. Shape ``(domains,)``.
        preference: what each item is worth.
        given: how many items stand fixed already; ``chosen`` is filled from there.

    Returns:
        The value of the items added, and the length reached; −1 when a domain cannot be filled.
    """
    # Named once: taking an array out of a tuple costs as much as a step of these loops when compiled.
    order, value, begin, cliques = preference.order, preference.value, pool.begin, pool.clique
    blocked, met, chosen, counts, spare = state.blocked, state.met, state.chosen, state.counts, state.spare
    total = 0.0
    length = given
    feasible = True
    for d in range(len(quota)):
        wanted = quota[d] - counts[d]
        spare[d] = NO_SPARE
        for at in range(begin[d], begin[d + 1]):
            item = order[at]
            clique = cliques[item]
            if blocked[item] > 0 or (clique != NO_CLIQUE and met[clique] > 0):
                continue
            if wanted <= 0:
                spare[d] = value[item]
                break
            if clique != NO_CLIQUE:
                met[clique] = 1
            chosen[length] = item
            length += 1
            wanted -= 1
            total += value[item]
        if wanted > 0:
            feasible = False
            break
    for k in range(given, length):
        clique = cliques[chosen[k]]
        if clique != NO_CLIQUE:
            met[clique] = 0
    return (total if feasible else INFEASIBLE), length


def clash(pool: Pool, state: State, preference: Preference, given: int, length: int) -> tuple[float, int]:
    """What the clashing pairs among the chosen items cost at least, and the item to let go first; −1 without clash."""
    value, cliques, domain, foe_begin, foe = (
        preference.value, pool.clique, pool.domain, pool.foe_begin, pool.foe,
    )  # fmt: skip
    chosen, blocked, spare = state.chosen, state.blocked, state.spare
    # A chosen item is marked by a large number off its block count, one that is paired by twice as much.
    for k in range(given, length):
        blocked[chosen[k]] -= MARK
    loss = 0.0
    costliest = -1.0
    cheaper = -1
    for k in range(given, length):
        item = chosen[k]
        if cliques[item] != NO_CLIQUE:
            continue
        for j in range(foe_begin[item], foe_begin[item + 1]):
            other = foe[j]
            if blocked[item] > -MARK - MARK // 2 and -MARK - MARK // 2 < blocked[other] < 0:
                blocked[item] -= MARK
                blocked[other] -= MARK
                first = value[item] - spare[domain[item]]
                second = value[other] - spare[domain[other]]
                least = min(first, second)
                loss += least
                if least > costliest:
                    costliest = least
                    cheaper = item if first <= second else other
    for k in range(given, length):
        blocked[chosen[k]] += 2 * MARK if blocked[chosen[k]] < -MARK - MARK // 2 else MARK
    return loss, cheaper


def search(
    pool: Pool, state: State, quota: Ints, preference: Preference, given: int, best: Ints, first_only: bool
) -> tuple[int, bool]:
    """Find the best whole test by depth-first branch and bound.

    Args:
        pool: the bank.
        state: the exam; left as it was, but for scratch.
        quota: items of each domain at full length. Shape ``(domains,)``.
        preference: what each item is worth.
        given: how many items were given.
        best: receives the items of the best test, those given first excluded. Shape ``(maximum length,)``.
        first_only: stop at the first test found: is there any?

    Returns:
        How many items ``best`` holds (−1: no test was found), and whether that is proved.
    """
    branch = state.branch
    depth = 0
    fixed = 0.0
    best_value = INFEASIBLE
    best_length = -1
    for _ in range(NODE_CAP):
        inside = given + _taken(state, depth)
        value, length = fill(pool, state, quota, preference, inside)
        leaving = -1
        if value >= 0.0 and fixed + value > best_value:
            loss, leaving = clash(pool, state, preference, inside, length)
            if leaving < 0:
                best_value = fixed + value
                best_length = length - given
                _keep(state, best, given, length)
                if first_only:
                    break
            elif fixed + value - loss <= best_value:
                leaving = -1
        if leaving >= 0:
            branch[0, depth] = leaving
            branch[1, depth] = OUT
            state.blocked[leaving] += 1
            depth += 1
            continue
        depth, back = _retreat(pool, state, preference, depth)
        fixed -= back
        if depth == 0:
            return best_length, True
        # Kept after all: its enemies leave, and its value counts.
        item = branch[0, depth - 1]
        branch[1, depth - 1] = IN
        state.blocked[item] -= 1
        state.chosen[given + _taken(state, depth) - 1] = item
        _move(pool, state, item, 1)
        fixed += preference.value[item]
    _unwind(pool, state, depth)
    return best_length, first_only and best_length >= 0


def _unwind(pool: Pool, state: State, depth: int) -> None:
    """Take back every branch."""
    for k in range(depth):
        if state.branch[1, k] == IN:
            _move(pool, state, state.branch[0, k], -1)
        else:
            state.blocked[state.branch[0, k]] -= 1


def _keep(state: State, best: Ints, given: int, length: int) -> None:
    """Copy the chosen items."""
    for k in range(given, length):
        best[k - given] = state.chosen[k]


def _retreat(pool: Pool, state: State, preference: Preference, depth: int) -> tuple[int, float]:
    """Leave the branches whose both sides are done; the depth left, and the value given back."""
    back = 0.0
    while depth > 0 and state.branch[1, depth - 1] == IN:
        depth -= 1
        item = state.branch[0, depth]
        _move(pool, state, item, -1)
        back += preference.value[item]
    return depth, back


def _taken(state: State, depth: int) -> int:
    """How many items the branches above this depth keep."""
    taken = 0
    for k in range(depth):
        taken += state.branch[1, k]
    return taken


def _move(pool: Pool, state: State, item: int, by: int) -> None:
    """Take an item into the test (1) or out again (−1)."""
    block(pool, state.blocked, item, by)
    state.counts[pool.domain[item]] += by
