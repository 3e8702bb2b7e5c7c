"""One decision against the programme: the same objective, and the same next item by the stated rule."""

from collections.abc import Iterator

import numpy as np

from oracle.programme import NONE, Balance, FullProgramme
from oracle.states import Decision


def faults(programme: FullProgramme, balance: Balance, decision: Decision) -> list[str]:
    """What is wrong with a decision, in words; empty when the oracle takes the same."""
    if decision.unproven:
        return ["the engine left it without a proof"]
    return list((_of_the_best if decision.among == 1 else _of_the_draw)(programme, balance, decision))


def _of_the_best(programme: FullProgramme, balance: Balance, decision: Decision) -> Iterator[str]:
    """The rule: the first open item, by value and then by position, that belongs to some optimal whole test."""
    optimum, test = programme.best(decision.value, decision.given)
    if decision.whole is not None and decision.whole != optimum:
        yield f"its whole test is worth {decision.whole!r}, the optimum is {optimum!r}"
    order = candidates(programme, balance, decision)
    if decision.item not in order:
        yield f"item {decision.item} was not to be had"
        return
    if decision.item not in test and programme.best(decision.value, [*decision.given, decision.item])[0] != optimum:
        yield f"item {decision.item} is in no optimal test"
    for better in order[: order.index(decision.item)]:
        if better in test or programme.best(decision.value, [*decision.given, better])[0] == optimum:
            yield f"item {better} stands before item {decision.item} and is in an optimal test"


def _of_the_draw(programme: FullProgramme, balance: Balance, decision: Decision) -> Iterator[str]:
    """The rule: one drawn evenly among the k best open items that leave a whole test."""
    drawn: list[int] = []
    for item in candidates(programme, balance, decision):
        if programme.exists([*decision.given, item]):
            drawn.append(item)
            if len(drawn) == decision.among:
                break
    if not drawn:
        yield "no open item leaves a whole test"
    elif decision.item != (due := drawn[int(decision.draw * len(drawn))]):
        yield f"item {decision.item} was drawn, not item {due} of {drawn}"


def candidates(programme: FullProgramme, balance: Balance, decision: Decision) -> list[int]:
    """Open items in the stated order: the most valuable first, ties to the earlier."""
    given = {int(item) for item in decision.given}
    foes = {foe for item in given for foe in programme.enemies[item]}
    domains = set(balance.open_domains(decision.counts))
    order = np.argsort(-decision.value, kind="stable")
    return [
        int(k)
        for k in order
        if k not in given and programme.items[k].id not in foes and programme.domains[k] in domains
    ]


__all__ = ["NONE", "candidates", "faults"]
