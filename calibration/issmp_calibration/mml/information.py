"""Standard errors, and why some parameters have none."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.em import Fit
from issmp_calibration.mml.inverse import invert, mirror
from issmp_calibration.mml.latents import Latents, Moments
from issmp_calibration.mml.observed import Information, Part, Solution
from issmp_calibration.mml.sources.memory import summed
from issmp_calibration.mml.sources.source import Answers, Population, Source
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.errors import UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["REASONS", "Errors", "Kind", "error_kind", "errors_of", "solution_of", "source_errors", "standard_errors"]

Kind = Literal["observed", "crossproduct", "sandwich"]
KINDS: tuple[Kind, ...] = ("observed", "crossproduct", "sandwich")

KNOWN, HELD, AT_BOUND, NOT_IDENTIFIED, SINGULAR = range(5)
# Why a cell has no standard error, in the codes of the items' verdicts.
REASONS = ("", "held", "at_bound", "not_identified", "singular_information")

IDENTIFIED = 1e-7  # smallest share of an item's information that must remain after the abilities have taken theirs


@dataclass(frozen=True, slots=True)
class Errors:
    """How well items and populations are known.

    Attributes:
        kind: observed, crossproduct or sandwich.
        covariance: of the cells, rows and columns of cells that are not ``known`` 0. Shape ``(items, width, width)``.
        known: which cells have a standard error. Shape ``(items, width)``.
        reason: why not, an index into ``REASONS``. Shape ``(items, width)``.
        population: covariance of mean, logarithm of the SD and regression coefficients of each group. Shape ``(groups,
            2 + covariates, 2 + covariates)``.
        population_known: which of them have a standard error. Shape ``(groups, 2 + covariates)``.
        beside_slope: covariance of these with the one slope that stands for the population's SD (Rasch), whose own
            variance comes last; 0 where there is none. Shape ``(groups, 3 + covariates)``.
        orders: components of each score that were used; 0 for a cross-product.
    """

    kind: Kind
    covariance: Floats
    known: Bools
    reason: NDArray[np.int8]
    population: Floats
    population_known: Bools
    beside_slope: Floats
    orders: int

    @property
    def deviations(self) -> Floats:
        """Standard errors; NaN where ``known`` is false. Shape ``(items, width)``."""
        variance = np.diagonal(self.covariance, axis1=1, axis2=2)
        return np.sqrt(np.where(self.known, variance, np.nan))

    @property
    def population_deviations(self) -> Floats:
        """Standard errors of mean, logarithm of the SD and coefficients. Shape ``(groups, 2 + covariates)``."""
        variance = np.diagonal(self.population, axis1=1, axis2=2)
        return np.sqrt(np.where(self.population_known, variance, np.nan))

    @property
    def unit_known(self) -> bool:
        """Whether there is a slope that stands for the population's SD, and it has a standard error."""
        return bool(self.beside_slope[0, -1] > 0.0)

    def with_unit(self, group: int) -> Floats:
        """Covariance of mean, logarithm of the SD, coefficients and, last, that slope."""
        n = self.beside_slope.shape[1]
        matrix = np.zeros((n, n))
        matrix[:-1, :-1] = self.population[group]
        matrix[-1] = matrix[:, -1] = self.beside_slope[group]
        return matrix

    def reasons(self, item: int) -> dict[int, str]:
        """Why cells of an item that were estimated have no standard error, by cell."""
        return {int(cell): REASONS[code] for cell, code in enumerate(self.reason[item]) if code > HELD}


def error_kind(asked: str | bool | None) -> Kind | None:
    """The kind of standard errors that is meant.

    Raises:
        UsageError: no such kind.

    >>> error_kind(True), error_kind(None), error_kind("sandwich")
    ('observed', None, 'sandwich')
    """
    if asked is True:
        return "observed"
    if not asked:
        return None
    for kind in KINDS:
        if kind == asked:
            return kind
    known = ", ".join(KINDS)
    raise UsageError(f'unknown standard errors "{asked}"; known: {known}, None{did_you_mean(asked, KINDS)}')


def solution_of(codes: Codes, design: Design, fit: Fit, covariates: Floats | None = None) -> tuple[Solution, Part]:
    """A fit of answers in memory as the information sees it.

    Args:
        codes: the answers.
        design: what was estimated.
        fit: where it ended.
        covariates: of the persons, as given to the fit. Shape ``(persons, covariates)``.
    """
    centred = None if covariates is None else covariates - covariates.mean(axis=0)
    answers = Answers.of(codes.start, codes.code, codes.pattern, centred)
    solution = _solution(design, fit, summed(answers, len(fit.population.labels)))
    return solution, Part(answers, np.stack([fit.expectation.mean, fit.expectation.sd], axis=1))


def _solution(design: Design, fit: Fit, drawn: Population) -> Solution:
    found = fit.expectation
    return Solution(
        design=design,
        parameters=fit.parameters,
        grid=fit.grid,
        latents=Latents.of(fit.population, fit.freedom, fit.grid),
        counts=found.counts,
        moments=Moments(found.population, drawn.sums, drawn.products, found.by_covariate),
        anchors=np.zeros(design.index.shape, bool),
    )


def standard_errors(
    codes: Codes,
    design: Design,
    fit: Fit,
    executor: Executor | None = None,
    *,
    kind: Kind = "observed",
    anchors: Floats | None = None,
    covariates: Floats | None = None,
) -> Errors:
    """Covariance of each item's parameters, from the inverse of the whole matrix.

    Args:
        codes: the answers.
        design: what was estimated.
        fit: where it ended.
        executor: threads; they do not change the result.
        kind: inverse of the observed information (Louis, 1982), inverse of the cross-product of the scores, or the one
            between two of the other (sandwich: White, 1982, Econometrica, 50, 1–25).
        anchors: covariance of the cells that are held at estimates from elsewhere; rows and columns of the other cells
            0. Shape ``(items, width, width)``.
        covariates: of the persons, as given to the fit. Shape ``(persons, covariates)``.
    """
    solution, part = solution_of(codes, design, fit, covariates)
    return errors_of(Information(_anchored(solution, anchors), part, executor), kind, anchors)


def source_errors(
    source: Source,
    design: Design,
    fit: Fit,
    executor: Executor | None = None,
    *,
    kind: Kind = "observed",
    anchors: Floats | None = None,
) -> Errors:
    """The same for answers from any source, which the fit has been over; see :func:`standard_errors`."""
    solution = _anchored(_solution(design, fit, source.population()), anchors)
    return errors_of(Information(solution, source, executor), kind, anchors)


def _anchored(solution: Solution, anchors: Floats | None) -> Solution:
    if anchors is None:
        return solution
    return replace(solution, anchors=(np.diagonal(anchors, axis1=1, axis2=2) > 0.0) & ~solution.design.free)


def errors_of(information: Information, kind: Kind = "observed", anchors: Floats | None = None) -> Errors:
    """Standard errors from what answers say; see :func:`standard_errors`."""
    # Threads of linear algebra change last bits, and those that wait for each other spin.
    with threadpool_limits(1, user_api="blas"):
        return _errors_of(information, kind, anchors)


def _errors_of(information: Information, kind: Kind, anchors: Floats | None) -> Errors:
    solution = information.solution
    n = solution.n_free
    matrix = information.cross_product() if kind == "crossproduct" else information.observed()
    cross = matrix[:n, n:].copy()
    free = np.ascontiguousarray(matrix[:n, :n]) if len(matrix) > n else matrix
    del matrix
    mirror(free)
    scale = np.abs(np.diagonal(information.complete())[:n])
    reason = _first_reasons(solution, free, scale)
    left = invert(free, _kept(solution, reason), scale)
    by_held = free @ cross
    if kind == "sandwich":
        middle = information.cross_product()[:n, :n]
        mirror(middle)
        free = free @ middle @ free
    if by_held.size and anchors is not None:
        free += _from_anchors(by_held, solution, anchors)
    return _errors(information, kind, free, left, reason)


def _from_anchors(by_free: Floats, solution: Solution, anchors: Floats) -> Floats:
    """What the anchors' own errors add to the covariance of what was estimated with them held.

    The estimates solve U(free, held) = 0, so they move by −(∂U/∂free)⁻¹ ∂U/∂held when the anchors move: with I the
    observed information and C its block between free and held, the covariance grows by I⁻¹ C Σ C' I⁻¹ (Gong, G., &
    Samaniego, F. J., 1981, Annals of Statistics, 9, 861–869, theorem 2.2; anchors and answers independent).
    """
    places, n = solution.items, solution.n_free
    spread = np.zeros((by_free.shape[1], by_free.shape[1]))
    for item in np.flatnonzero(solution.anchors.any(axis=1)):
        cells = np.flatnonzero(solution.anchors[item])
        there = places[item, cells] - n
        spread[np.ix_(there, there)] = anchors[item][np.ix_(cells, cells)]
    added: Floats = by_free @ spread @ by_free.T
    return added


def _first_reasons(solution: Solution, matrix: Floats, scale: Floats) -> NDArray[np.int8]:
    """Why cells cannot have a standard error, before the whole matrix is looked at. Shape ``(items, width)``.

    Args:
        solution: where the fit ended.
        matrix: information about everything estimated.
        scale: what there would be if abilities were known. Shape ``(parameters,)``.
    """
    design, here = solution.design, solution.parameters
    reason = np.where(design.free, KNOWN, HELD).astype(np.int8)
    reason[design.free & ~((here > design.lower) & (here < design.upper))] = AT_BOUND
    inside = reason == KNOWN
    reason[inside & ~_identified(design.index, matrix, scale, inside)] = NOT_IDENTIFIED
    return reason


def _identified(index: Ints, matrix: Floats, scale: Floats, inside: Bools) -> Bools:
    """Cells about which their item's answers say something. Shape ``(items, width)``."""
    width = index.shape[1]
    # A cell that is held or at its bound must not make its item look singular, nor one that is in it twice.
    first = inside.copy()
    for cell in range(1, width):
        first[:, cell] &= ~(index[:, :cell] == index[:, [cell]]).any(axis=1)
    size = np.sqrt(np.where(first, scale[index], 1.0)) + np.finfo(float).tiny
    correlation = matrix[index[:, :, None], index[:, None, :]] / (size[:, :, None] * size[:, None, :])
    correlation[~first[:, :, None] | ~first[:, None, :]] = 0.0
    correlation[:, np.arange(width), np.arange(width)] += ~first
    sound = np.isfinite(correlation).all(axis=(1, 2))
    smallest = np.full(len(index), -np.inf)
    smallest[sound] = np.linalg.eigvalsh(correlation[sound])[:, 0]
    fine: Bools = inside & (smallest > IDENTIFIED)[:, None]
    return fine


def _kept(solution: Solution, reason: NDArray[np.int8]) -> Bools:
    """Rows of the matrix to invert: a place that several cells share stays if any of them may."""
    design = solution.design
    kept = np.zeros(solution.n_free, bool)
    kept[design.index[reason == KNOWN]] = True
    kept[design.n_free :] = True
    return kept


def _errors(information: Information, kind: Kind, inverse: Floats, left: Bools, reason: NDArray[np.int8]) -> Errors:
    solution = information.solution
    index = solution.design.index
    population = np.where(solution.population < solution.n_free, solution.population, -1)
    diagonal = np.diagonal(inverse)
    left = left & (diagonal > 0.0) & np.isfinite(diagonal)
    reason[(reason == KNOWN) & ~left[index]] = SINGULAR
    beside = np.zeros((len(population), population.shape[1] + 1))
    unit = int(index[solution.design.slope][0]) if solution.design.spread_is_slope else -1
    if unit >= 0 and left[unit]:
        beside[:, :-1] = np.where((population >= 0) & left[population], inverse[unit, population], 0.0)
        beside[:, -1] = inverse[unit, unit]
    known, drawn = reason == KNOWN, (population >= 0) & left[population]
    return Errors(
        kind=kind,
        covariance=_blocks(inverse, index, known),
        known=known,
        reason=reason,
        population=_blocks(inverse, population, drawn),
        population_known=drawn,
        beside_slope=beside,
        orders=information.orders,
    )


def _blocks(matrix: Floats, place: Ints, known: Bools) -> Floats:
    """Blocks of a matrix, 0 for what is not known. Shape ``(blocks, width, width)``."""
    if not known.any():
        return np.zeros((*place.shape, place.shape[1]))
    both = known[:, :, None] & known[:, None, :]
    blocks: Floats = np.where(both, matrix[place[:, :, None], place[:, None, :]], 0.0)
    return blocks
