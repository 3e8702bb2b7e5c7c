"""A verdict for every item, by rules that a person can read and change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from issmp_calibration.item_verdict import CODES, ItemVerdict, Reason
from issmp_calibration.log.ranges import LARGEST_A, LARGEST_B
from issmp_calibration.statistics import KeySuspicion
from issmp_calibration.verdict_rules import VerdictRules
from issmp_cat.arrays import Bools, Floats, Ints

__all__ = ["LARGEST_A", "LARGEST_B", "Bound", "Evidence", "judge"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A parameter that stopped at the end of its range."""

    parameter: str
    value: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about the items of a log; a number that does not exist is NaN.

    Attributes:
        model: of each item. Shape ``(items,)``, as all below but one.
        fitted: whether it has parameters; ``held``: whether all of them were held at given values.
        presented: how often it was given, answers without a score included.
        counts: answers by score. Shape ``(items, scores)``; ``scores``: how many of these an item has.
        slope: the slope, per logit, NaN where it is fixed or not one number; ``slope_error``: its standard error.
        extremes: largest a; largest |b| or step, logits. Shape ``(items, 2)``.
        bounds: parameters at their bound.
        prior_share: SD of the posterior of logit c (or d) over that of its prior.
        distance: estimated distance to the solution, standard errors; ``tolerance``: what is allowed.
        integration_error: what a finer grid would change, standard errors.
        singular: parameters without a standard error, since the answers do not tell them apart from others.
        item_rest: correlation with the rest of the test.
        key: a wrong option that does better than the key, None where there is none.
        comparable: whether rest scores compare between candidates; see ``log.comparable``.
        apart: why it was not fitted, for what counts alone do not tell.
        location_error: the largest standard error of b or a step, logits.
        standing: what its bank says of each item that was held or left alone; None for items of no bank.
        min_to_fit: answers that an item needed to be in the fit.
    """

    model: tuple[str, ...]
    fitted: Bools
    held: Bools
    presented: Ints
    counts: Ints
    scores: Ints
    slope: Floats
    slope_error: Floats
    extremes: Floats
    bounds: tuple[tuple[Bound, ...], ...]
    prior_share: Floats
    distance: Floats
    tolerance: float
    integration_error: Floats
    singular: tuple[tuple[str, ...], ...]
    item_rest: Floats
    key: tuple[KeySuspicion | None, ...]
    apart: tuple[str, ...] = field(default=())
    comparable: bool = True
    location_error: Floats | None = None
    standing: tuple[Reason | None, ...] = ()
    min_to_fit: int = 0


def judge(evidence: Evidence, rules: VerdictRules) -> tuple[ItemVerdict, ...]:
    """A verdict for each item."""
    return tuple(
        ItemVerdict.of([_with_action(reason, rules) for reason in _reasons(evidence, place, rules)])
        for place in range(len(evidence.model))
    )


def _reasons(found: Evidence, place: int, rules: VerdictRules) -> Iterator[Reason]:
    answers = int(found.counts[place].sum())
    if answers == 0:
        standing = found.standing[place] if found.standing else None
        yield standing or _unseen(int(found.presented[place]))
        return
    yield from _key(found.key[place])
    if not found.held[place]:
        yield from _few(found, place, rules)
    yield from _direction(found, place, rules)
    yield from _fit(found, place, rules)


def _reason(code: str, words: str, **numbers: float | str) -> Reason:
    return Reason(code, words, numbers, CODES[code][0])


def _with_action(reason: Reason, rules: VerdictRules) -> Reason:
    """The reason with the action that the rules ask for."""
    return replace(reason, action=rules.actions.get(reason.code, reason.action))


def _unseen(presented: int) -> Reason:
    if presented:
        return _reason("nobody_saw_it", "no answers with a score", presented=presented)
    return _reason("nobody_saw_it", "no answers", presented=0)


def _key(suspicion: KeySuspicion | None) -> Iterator[Reason]:
    if suspicion is not None:
        yield _reason(
            "key_suspected",
            f"key suspected: option {suspicion.option} (r {suspicion.r_option:.3f}) goes with ability more than "
            f"the key {suspicion.key} (r {suspicion.r_key:.3f})",
            option=suspicion.option,
            r_option=suspicion.r_option,
            key=suspicion.key,
            r_key=suspicion.r_key,
            answers=suspicion.answers,
        )


def _few(found: Evidence, place: int, rules: VerdictRules) -> Iterator[Reason]:
    """Too little to go by: answers, scores, differences between candidates."""
    counts = found.counts[place, : found.scores[place]]
    answers, fewest = int(counts.sum()), rules.fewest(found.model[place])
    varies = np.count_nonzero(counts) > 1
    if not varies:
        unvaried = _reason("no_variation", _same_for_all(counts), score=int(counts.argmax()), answers=answers)
        yield unvaried if answers >= fewest else replace(unvaried, action="hold")
    if not found.fitted[place] and answers < found.min_to_fit:
        words = f"{answers:,} answers, fewer than the {found.min_to_fit:,} asked for in a fit"
        yield _reason("too_few_answers", words, answers=answers, required=found.min_to_fit)
        return
    if answers < fewest:
        words = f"{answers:,} answers, fewer than {fewest:,}"
        yield _reason("too_few_answers", words, answers=answers, required=fewest)
        return
    scarce = [score for score, n in enumerate(counts) if n < rules.min_per_score]
    if varies and scarce:
        listed = ", ".join(f"{counts[score]:,} with score {score}" for score in scarce)
        yield _reason(
            "too_few_in_category",
            f"answers: {listed}; fewer than {rules.min_per_score}",
            required=rules.min_per_score,
            **{f"score_{score}": int(counts[score]) for score in scarce},
        )


def _same_for_all(counts: Ints) -> str:
    if counts.argmax() == len(counts) - 1:
        return "everyone got it right: no difficulty can be estimated"
    if counts.argmax() == 0:
        return "everyone got it wrong: no difficulty can be estimated"
    return f"everyone got score {counts.argmax()}: no difficulty can be estimated"


def _direction(found: Evidence, place: int, rules: VerdictRules) -> Iterator[Reason]:
    """Whether better candidates do better, and clearly so."""
    slope, error, r = found.slope[place], found.slope_error[place], found.item_rest[place]
    if np.isnan(slope):
        if not found.comparable:  # with items chosen by the answers the rest score is much the same for all
            return
        yield from _correlation(float(r), int(found.counts[place].sum()), rules)
    elif slope < 0.0 and not slope > -rules.certain * error:
        words = "negative discrimination: better candidates do worse; check the key"
        yield _reason("negative_discrimination", words, a=float(slope), **_known(se_a=error, item_rest=r))
    elif slope < rules.min_slope or slope < rules.certain * error:
        said = f"{slope:.2f}" if np.isnan(error) else f"{slope:.2f} ± {error:.2f}"
        small = slope < rules.min_slope
        words = f"hardly discriminates (a {said}): its difficulty means little"
        if not small:
            words = f"its slope is too uncertain (a {said})"
        required = rules.min_slope if small else rules.certain * float(error)
        yield _reason("hardly_discriminates", words, a=float(slope), required=required, **_known(se_a=error))
        if slope <= 0.0:
            yield _reason("out_of_range", "a is not above 0, as in a bank it must be", a=float(slope), allowed=0.0)


def _correlation(r: float, answers: int, rules: VerdictRules) -> Iterator[Reason]:
    """The same where the model fixes the slope; around 0 a correlation has a standard error of 1/√n."""
    chance = rules.certain / np.sqrt(answers)
    if r <= -chance:
        words = f"negative discrimination (item–rest r {r:.2f}): better candidates do worse; check the key"
        yield _reason("negative_discrimination", words, item_rest=r, answers=answers)
    elif r < chance:
        words = f"hardly discriminates (item–rest r {r:.2f}): its difficulty means little"
        yield _reason("hardly_discriminates", words, item_rest=r, required=float(chance), answers=answers)


def _fit(found: Evidence, place: int, rules: VerdictRules) -> Iterator[Reason]:
    """What the fit itself tells."""
    if not found.fitted[place]:
        varies, few = np.count_nonzero(found.counts[place]) > 1, found.counts[place].sum() < found.min_to_fit
        if found.apart and found.apart[place] and varies and not few:
            yield _reason("left_out", found.apart[place])
        return
    for bound in found.bounds[place]:
        words = f"{bound.parameter} at its bound ({bound.value:g}): the answers do not hold it"
        yield _reason("at_bound", words, parameter=bound.parameter, value=bound.value)
    yield from _range(found.extremes[place])
    if found.location_error is not None and found.location_error[place] > rules.max_se_b:
        error = float(found.location_error[place])
        words = f"its difficulty is hardly known: standard error {error:.1f} logits, above {rules.max_se_b:g}"
        yield _reason("imprecise", words, se_b=error, allowed=rules.max_se_b)
    if found.singular[place] and not found.bounds[place]:
        unknown = ", ".join(found.singular[place])
        words = f"the answers do not tell its parameters apart: no standard error of {unknown}"
        yield _reason("singular_information", words, parameters=unknown)
    if found.distance[place] > found.tolerance:
        words = f"not settled: going by its last steps, about {found.distance[place]:.2g} standard errors to go"
        yield _reason("unsettled", words, distance=float(found.distance[place]), allowed=found.tolerance)
    error, allowed = found.integration_error[place], rules.max_integration_error
    if error > allowed:
        words = f"integration error {error:.2g} standard errors, above {allowed:g}: it needs a finer grid"
        yield _reason("integration_error", words, error=float(error), allowed=allowed)
    share = found.prior_share[place]
    if share > rules.prior_share:
        words = f"guessing not identified: its posterior is {share:.0%} as wide as its prior"
        yield _reason("guessing_not_identified", words, share=float(share), allowed=rules.prior_share)


def _range(extremes: Floats) -> Iterator[Reason]:
    a, location = (float(value) for value in extremes)
    if a > LARGEST_A:
        yield _reason("out_of_range", f"discrimination above {LARGEST_A:g} per logit", a=a, allowed=LARGEST_A)
    if location > LARGEST_B:
        words = f"difficulty beyond ±{LARGEST_B:g} logits"
        yield _reason("out_of_range", words, b=location, allowed=LARGEST_B)


def _known(**numbers: float) -> dict[str, float]:
    return {name: float(value) for name, value in numbers.items() if not np.isnan(value)}
