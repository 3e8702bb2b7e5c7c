"""What is wrong with an item, in a word for machines and a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.log.distractors import Distractors
from issmp_calibration.log.faults import counted
from issmp_calibration.log.sums import Sums
from issmp_cat.arrays import Floats

__all__ = ["Flag", "Limits", "flag_items"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When an item is flagged: rules of thumb, not tests.

    Attributes:
        answers: below this many answers nothing else is judged.
        same: so many answers alike are no accident; fewer are called too few, whatever they are.
        item_rest: a lower correlation with the rest of the test is low.
        easy: a higher proportion right is too easy to tell candidates apart.
        omitted: a higher share of blanks is suspicious.
    """

    answers: int = 30
    same: int = 15
    item_rest: float = 0.10
    easy: float = 0.95
    omitted: float = 0.05


@dataclass(frozen=True, slots=True)
class Flag:
    """A reason to look at an item."""

    code: str
    words: str


def flag_items(
    sums: Sums,
    p: Floats,
    item_rest: Floats,
    distractors: Distractors | None,
    limits: Limits,
    *,
    guessing: Floats,
    judged: bool = True,
) -> tuple[tuple[Flag, ...], ...]:
    """Flags of every item, in the order of items; arguments are parallel to the items.

    Args:
        sums: of the answers; ``p`` and ``item_rest`` are made of them.
        distractors: each option of each item, or None for a log of scores.
        limits: when an item is flagged.
        guessing: proportion right by blind guessing, NaN where options are not known. Shape ``(items,)``.
        judged: whether item-rest correlations are; suspected keys are in any case, for there options are compared
            with each other.
    """
    found = []
    for place in range(len(p)):
        alone = _unusable(sums, place, limits)
        found.append(
            (alone,)
            if alone
            else (
                *_suspected_key(distractors, place, limits),
                *(_discrimination(float(item_rest[place]), limits) if judged else ()),
                *_difficulty(float(p[place]), float(guessing[place])),
                *_easy(float(p[place]), limits),
                *_blanks(sums.omitted[place] / sums.presented[place], limits),
            )
        )
    return tuple(found)


def _unusable(sums: Sums, place: int, limits: Limits) -> Flag | None:
    """A reason that leaves nothing else to be said."""
    scored = sums.scored[place]
    if not sums.presented[place]:
        return Flag("nobody_saw_it", "nobody saw it")
    if not scored:
        return Flag("no_score", "no answer has a score")
    if sums.points[place] == scored and sums.xx[place] == sums.x[place]:
        return Flag("all_right", _alike("right", scored, "so it tells nobody apart", limits))
    if not sums.points[place]:
        return Flag("all_wrong", _alike("wrong", scored, "so check the key", limits))
    if scored < limits.answers:
        return Flag("few_answers", f"only {scored:.0f} answers; too few to judge")
    return None


def _alike(how: str, scored: float, so: str, limits: Limits) -> str:
    """What follows from answers that are all alike, if there are enough of them."""
    if scored < limits.same:
        return f"only {counted(int(scored), 'answer')}, all {how}; too few to judge"
    return f"everyone got it {how}, {so}"


def _suspected_key(distractors: Distractors | None, place: int, limits: Limits) -> tuple[Flag, ...]:
    """A wrong option that the better candidates choose."""
    if distractors is None or not distractors.correct[place].any():
        return ()
    correct = distractors.correct[place]
    enough = distractors.n[place] >= limits.answers
    r = np.where(enough, np.nan_to_num(distractors.point_biserial[place], nan=-1.0), -1.0)
    right, wrong = float(r[correct].max()), np.where(correct, -1.0, r)
    best = int(wrong.argmax())
    if wrong[best] <= max(right, 0.0):
        return ()
    key, other = distractors.options[int(np.flatnonzero(correct)[0])], distractors.options[best]
    words = f"key suspected: option {other} (r {wrong[best]:.3f}) goes with ability more than the key {key}"
    # Around zero a correlation has a standard error of 1/√n.
    chance = wrong[best] < 2 / np.sqrt(distractors.n[place].sum())
    return (Flag("key_suspected", words + (", within chance" if chance else "")),)


def _discrimination(r: float, limits: Limits) -> tuple[Flag, ...]:
    if r < 0:
        return (Flag("negative_discrimination", "better candidates do worse on it"),)
    if r < limits.item_rest:
        return (Flag("low_discrimination", "hardly tells candidates apart"),)
    return ()


def _difficulty(p: float, guessing: float) -> tuple[Flag, ...]:
    if p < guessing:
        return (Flag("too_hard", f"harder than guessing, which gets {guessing:.0%} right"),)
    return ()


def _easy(p: float, limits: Limits) -> tuple[Flag, ...]:
    return (Flag("too_easy", "nearly everyone gets it right"),) if p > limits.easy else ()


def _blanks(share: float, limits: Limits) -> tuple[Flag, ...]:
    return (Flag("often_omitted", f"left blank by {share:.1%}"),) if share > limits.omitted else ()
