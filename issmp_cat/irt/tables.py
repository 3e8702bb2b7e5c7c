"""Every score of every item at many abilities: one row a category, whatever the models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Floats, Ints
from issmp_cat.irt.curves import between, graded_slope, log_odds, logit
from issmp_cat.irt.curves import slope as curve_slope
from issmp_cat.irt.parameters import DICHOTOMOUS, GRADED, NOMINAL, PARTIAL, Parameters
from issmp_cat.irt.vectors import category_probabilities, information, probability

__all__ = ["category_curves", "category_rates", "item_information"]


def category_curves(theta: Floats, parameters: Parameters) -> Floats:
    """Chance of each score of each item, without loss near 0 and 1.

    Args:
        theta: ability, logits. Shape ``(points,)``.
        parameters: the bank.

    Returns:
        Shape ``(rows, points)``: row ``first[item] + score``.

    >>> from issmp_cat.irt import build_parameters
    >>> one = np.ones(1)
    >>> three = build_parameters(one, 0 * one, 0 * one, one, np.array([PARTIAL]), [np.array([-np.log(2), np.log(2)])])
    >>> category_curves(np.zeros(1), three).round(3).ravel()
    array([0.25, 0.5 , 0.25])
    """
    curves = np.empty((len(parameters.steps), len(theta)))
    right_or_wrong = np.flatnonzero(parameters.kind == DICHOTOMOUS)
    a, b, c, d = (values[right_or_wrong] for values in parameters[:4])
    both = category_probabilities(theta, a, b, c, d)
    for score in (0, 1):
        curves[parameters.first[right_or_wrong] + score] = both[..., score].T
    rows, _ = _rows(parameters, GRADED)
    curves[rows] = _graded(theta, parameters)[0]
    rows, _ = _rows(parameters, PARTIAL)
    curves[rows] = _partial(theta, parameters)
    rows, _ = _rows(parameters, NOMINAL)
    curves[rows] = _nominal(theta, parameters)
    return curves


def category_rates(theta: Floats, parameters: Parameters) -> tuple[Floats, Floats]:
    """Chance of each score of each item, and how fast it changes with θ: ``dP_k/dθ = P_k d log P_k/dθ``.

    Args:
        theta: ability, logits. Shape ``(points,)``.
        parameters: the bank.

    Returns:
        Shapes ``(rows, points)``; chances, and slopes per logit.

    >>> from issmp_cat.irt import dichotomous
    >>> one = np.ones(1)
    >>> category_rates(np.zeros(1), dichotomous(2 * one, 0 * one, 0 * one, one))[1].ravel()
    array([-0.5,  0.5])
    """
    chances = category_curves(theta, parameters)
    rates = np.empty_like(chances)
    single = np.flatnonzero(parameters.kind == DICHOTOMOUS)
    wrong = parameters.first[single]
    a, _, c, d = (values[single, None] for values in parameters[:4])
    rates[wrong + 1] = curve_slope(chances[wrong + 1], chances[wrong], a, c, d)
    rates[wrong] = -rates[wrong + 1]
    rows, _ = _rows(parameters, GRADED)
    if len(rows):
        rates[rows] = chances[rows] * _graded(theta, parameters)[1]
    for kind in (PARTIAL, NOMINAL):
        rows, begin = _rows(parameters, kind)
        if len(rows):
            owner = _owner(parameters)[rows]
            score = (rows - parameters.first[owner]) * parameters.a[owner]
            rise = (score if kind == PARTIAL else parameters.slopes[rows])[:, None]
            expected = np.add.reduceat(rise * chances[rows], begin)
            rates[rows] = chances[rows] * (rise - np.repeat(expected, np.diff([*begin, len(rows)]), axis=0))
    return chances, rates


def item_information(theta: Floats, parameters: Parameters) -> Floats:
    """Fisher information of each item at each ability, per logit²: ``Σ P'²/P`` over its scores.

    Args:
        theta: ability, logits. Shape ``(points,)``.
        parameters: the bank.

    Returns:
        Shape ``(points, items)``.
    """
    info = np.empty((len(theta), len(parameters.a)))
    right_or_wrong = np.flatnonzero(parameters.kind == DICHOTOMOUS)
    info[:, right_or_wrong] = information(theta, *(values[right_or_wrong] for values in parameters[:4]))
    if len(items := np.flatnonzero(parameters.kind == GRADED)):
        chance, rise = _graded(theta, parameters)
        _, begin = _rows(parameters, GRADED)
        info[:, items] = np.add.reduceat(chance * rise**2, begin).T
    if len(items := np.flatnonzero(parameters.kind == PARTIAL)):
        chance = _partial(theta, parameters)
        rows, begin = _rows(parameters, PARTIAL)
        owner = _owner(parameters)[rows]
        score = (rows - parameters.first[owner])[:, None]
        expected = np.add.reduceat(score * chance, begin)[np.searchsorted(items, owner)]
        info[:, items] = (np.add.reduceat(chance * (score - expected) ** 2, begin) * parameters.a[items, None] ** 2).T
    if len(items := np.flatnonzero(parameters.kind == NOMINAL)):
        chance = _nominal(theta, parameters)
        rows, begin = _rows(parameters, NOMINAL)
        slope = parameters.slopes[rows, None]
        expected = np.add.reduceat(slope * chance, begin)[np.searchsorted(items, _owner(parameters)[rows])]
        info[:, items] = np.add.reduceat(chance * (slope - expected) ** 2, begin).T
    return info


def _owner(parameters: Parameters) -> Ints:
    """The item that each row belongs to. Shape ``(rows,)``."""
    return np.repeat(np.arange(len(parameters.a)), np.diff(parameters.first))


def _rows(parameters: Parameters, kind: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the items of one kind, and where among these each item begins."""
    rows = np.flatnonzero(np.repeat(parameters.kind == kind, np.diff(parameters.first)))
    begin = np.searchsorted(rows, parameters.first[:-1][parameters.kind == kind])
    return rows, begin


def _graded(theta: Floats, parameters: Parameters) -> tuple[Floats, Floats]:
    """Chance of each graded category, and the slope of its logarithm. Shape ``(rows of graded items, points)``."""
    rows, begin = _rows(parameters, GRADED)
    a, steps = parameters.a[_owner(parameters)[rows]], parameters.steps[rows]
    # A row whose score is above 0 has a threshold: it ends the row before it and begins its own.
    upper = np.delete(np.arange(len(rows)), begin)
    zero, one = np.zeros(len(upper)), np.ones(len(upper))
    reached, short = np.ones((2, len(rows), len(theta)))
    missed, further = np.zeros((2, len(rows), len(theta)))
    reached[upper] = further[upper - 1] = probability(theta, a[upper], steps[upper], zero, one).T
    missed[upper] = short[upper - 1] = probability(theta, -a[upper], steps[upper], zero, one).T
    gap = np.ones((len(rows), 1))
    middle = upper[np.isin(upper + 1, upper)]
    gap[middle, 0] = -np.expm1(-logit(steps[middle + 1], a[middle], steps[middle]))
    return between(reached, short, gap), graded_slope(a[:, None], missed, further)


def _partial(theta: Floats, parameters: Parameters) -> Floats:
    """Chance of each category under partial credit. Shape ``(rows of partial-credit items, points)``."""
    rows, begin = _rows(parameters, PARTIAL)
    owner = _owner(parameters)[rows]
    score = rows - parameters.first[owner]
    climb = logit(theta, parameters.a[owner, None], parameters.steps[rows, None])
    climb[begin] = 0.0
    for k in range(2, score.max(initial=0) + 1):
        climb[score == k] += climb[np.flatnonzero(score == k) - 1]
    return _shares(climb, begin, np.cumsum(score == 0) - 1)


def _nominal(theta: Floats, parameters: Parameters) -> Floats:
    """Chance of each category of nominal items. Shape ``(rows of nominal items, points)``."""
    rows, begin = _rows(parameters, NOMINAL)
    odds = log_odds(theta, parameters.slopes[rows, None], parameters.steps[rows, None])
    return _shares(odds, begin, np.searchsorted(begin, np.arange(len(rows)), side="right") - 1)


def _shares(logits: Floats, begin: NDArray[np.intp], items: NDArray[np.intp]) -> Floats:
    """Chances from log-odds, item by item: of rows that begin at ``begin`` and belong to ``items``."""
    if not len(logits):
        return logits
    odds = np.exp(logits - np.maximum.reduceat(logits, begin)[items])
    chance: Floats = odds / np.add.reduceat(odds, begin)[items]
    return chance
