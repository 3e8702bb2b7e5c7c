"""What is wrong with an item, in a word for machines and a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from issmp_calibration.log.distractors import Distractors
from issmp_calibration.log.sums import Sums
from issmp_cat.arrays import Floats

__all__ = ["Flag", "Limits", "flag_items"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When an item is flagged: rules of thumb, not tests.

    Attributes:
        answers: below this many answers nothing else is judged.
        item_rest: a lower correlation with the rest of the test is low.
        easy: a higher proportion right is too easy to tell candidates apart.
        hard: a lower proportion right is too hard; with options, below one over their number.
        omitted: a higher share of blanks is suspicious.
    """

    answers: int = 30
    item_rest: float = 0.10
    easy: float = 0.95
    hard: float = 0.20
    omitted: float = 0.05


@dataclass(frozen=True, slots=True)
class Flag:
    """A reason to look at an item."""

    code: str
    words: str


def flag_items(
    sums: Sums, p: Floats, item_rest: Floats, distractors: Distractors | None, limits: Limits, *, judged: bool = True
) -> tuple[tuple[Flag, ...], ...]:
    """Flags of every item, in the order of items; arguments are parallel to the items.

    ``judged`` says whether item-rest correlations are; suspected keys are in any case, for there options are compared
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
                *_difficulty(float(p[place]), _guessing(distractors, place, limits)),
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
        return Flag("all_right", "everyone got it right, so it tells nobody apart")
    if not sums.points[place]:
        return Flag("all_wrong", "everyone got it wrong; check the key")
    if scored < limits.answers:
        return Flag("few_answers", f"only {scored:.0f} answers; too few to judge")
    return None


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


def _guessing(distractors: Distractors | None, place: int, limits: Limits) -> float:
    """The proportion right that blind guessing would reach."""
    options = 0 if distractors is None else int((distractors.n[place] > 0).sum())
    return 1 / options if options > 1 else limits.hard


def _difficulty(p: float, guessing: float) -> tuple[Flag, ...]:
    if p < guessing:
        return (Flag("too_hard", f"harder than guessing, which gets {guessing:.0%} right"),)
    return ()


def _easy(p: float, limits: Limits) -> tuple[Flag, ...]:
    return (Flag("too_easy", "nearly everyone gets it right"),) if p > limits.easy else ()


def _blanks(share: float, limits: Limits) -> tuple[Flag, ...]:
    return (Flag("often_omitted", f"left blank by {share:.1%}"),) if share > limits.omitted else ()
