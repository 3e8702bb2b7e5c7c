"""From where a fit ended to its result: parameters as people read them, statistics, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.bank_verdict import standing
from issmp_calibration.item_table import ItemTable, numbered
from issmp_calibration.log import ItemKey
from issmp_calibration.log.comparable import compare_rest_scores
from issmp_calibration.log.store import LogStore
from issmp_calibration.metric import Reported, report
from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.em import Fit
from issmp_calibration.mml.information import Errors
from issmp_calibration.mml.models.family import LOGISTIC, NOMINAL
from issmp_calibration.mml.models.logistic import CEILING, GUESS, SLOPE
from issmp_calibration.options import CalibrationOptions
from issmp_calibration.precision import answers_needed, shrinkage
from issmp_calibration.statistics import Classical
from issmp_calibration.verdicts import Bound, Evidence, judge
from issmp_cat.arrays import Bools, Floats, Ints
from issmp_cat.bank import Item
from issmp_cat.responses import ResponseLog

__all__ = ["described", "highest_scores", "item_table"]


def described(items: Sequence[str], known: ItemKey | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Status and domain of items, by their ids in the item file."""
    if known is None:
        return np.full(len(items), "operational"), np.full(len(items), "")
    places = [known.index.get(item) for item in items]
    status = np.array(["operational" if k is None else known.status[k] for k in places])
    return status, np.array(["" if k is None else known.domain[k] for k in places])


def highest_scores(codes: Codes) -> Ints:
    """The most that each item of the log was scored, at least 1. Shape ``(items of the log,)``."""
    score = np.arange(codes.counts.shape[1])
    highest: Ints = np.maximum((score * (codes.counts > 0)).max(axis=1), 1)
    return highest


def item_table(
    log: ResponseLog | LogStore,
    codes: Codes,
    design: Design,
    found: Fit,
    errors: Errors | None,
    *,
    models: tuple[str, ...],
    known: ItemKey | None,
    base: Sequence[str],
    classical: Classical,
    options: CalibrationOptions,
    integration_error: Floats | None = None,
    bank: Sequence[Item] = (),
) -> ItemTable:
    """Everything about every item of the log, those set apart included.

    Args:
        log: the answers; ``codes``: those in the fit.
        design: what was estimated; ``found``: where it ended; ``errors``: how well it is known.
        models: of every item of the log.
        known: the item file; ``base``: id in it of each item of the log.
        classical: what the answers say without a model.
        options: as used.
        integration_error: what a finer grid would change, standard errors. Shape ``(items in the fit,)``.
        bank: items of the bank that held items come from.
    """
    status, domain = described(base, known)
    reported = report(design, found.parameters, errors).for_all(log.n_items, codes.items)
    answers, highest = codes.counts.sum(axis=1), highest_scores(codes)
    points = codes.counts @ np.arange(codes.counts.shape[1])

    def spread(values: Floats | None) -> Floats:
        whole = np.full(log.n_items, np.nan)
        if values is not None:
            whole[codes.items] = values
        return whole

    shares = np.full((log.n_items, 3), np.nan)
    shares[codes.items] = np.nan if errors is None else _shrinkage(design, found.parameters, errors)
    distance, integration, slope = map(spread, (found.distances, integration_error, _slopes(design, found.parameters)))
    evidence = Evidence(
        model=models,
        fitted=~np.isnan(distance),
        held=spread(np.asarray(~design.free.any(axis=1), dtype=np.float64)) == 1.0,
        presented=classical.presented,
        counts=codes.counts,
        scores=highest + 1,
        slope=slope,
        slope_error=spread(None if errors is None else errors.deviations[:, SLOPE]),
        extremes=_extremes(reported),
        bounds=_bounds(design, found.parameters, codes.items, log.n_items),
        prior_share=spread(_prior_share(design, errors)),
        distance=np.where(found.settled, 0.0, distance),
        tolerance=options.tolerance,
        integration_error=integration,
        singular=_singular(design, errors, codes.items, log.n_items),
        item_rest=classical.item_rest,
        key=classical.key,
        apart=codes.apart,
        comparable=classical.test.alpha is not None or _rest_compares(log, status, distance, slope),
        location_error=_location_error(reported),
        standing=standing(log.items.tolist(), bank),
        min_to_fit=options.min_to_fit,
    )
    return ItemTable(
        item=log.items,
        base=np.array(base),
        domain=domain,
        status=status,
        model=np.array(models),
        names=reported.names,
        parameters=reported.natural,
        covariance=reported.covariance,
        linear_names=reported.linear_names,
        linear=reported.linear,
        linear_errors=reported.linear_errors,
        answers=answers,
        counts=codes.counts,
        p_value=_share(classical, np.where(answers > 0, points / np.maximum(answers * highest, 1), np.nan)),
        item_rest=classical.item_rest,
        distance=distance,
        integration_error=integration,
        shrinkage=shares,
        answers_needed=_needed(reported, answers, shares[:, 1], options.wanted_error),
        verdicts=judge(evidence, options.verdicts),
    )


def _share(classical: Classical, of_scores: Floats) -> Floats:
    """Share of the points to be had: where scores are numbers of options, as the key gave points for them."""
    if classical.share is None:
        return of_scores
    return np.where(np.isnan(classical.share), of_scores, classical.share)


def _shrinkage(design: Design, parameters: Floats, errors: Errors) -> Floats:
    """Share of the precision that comes from priors: slope, intercepts (the largest), c. Shape ``(items, 3)``."""
    variance = np.square(errors.deviations)
    share = shrinkage(design.prior_precision, np.where(design.on_log, variance / np.square(parameters), variance))
    share = np.where(design.free, share, np.nan)
    located = np.where(design.shift_cell >= 0, share, np.nan)
    guess = share[:, GUESS] if share.shape[1] > GUESS else np.full(len(share), np.nan)
    return np.column_stack(
        [
            np.fmax.reduce(np.where(design.slope, share, np.nan), axis=1),
            np.fmax.reduce(located, axis=1),
            np.where(design.kind == LOGISTIC, guess, np.nan),
        ]
    )


def _rest_compares(log: ResponseLog | LogStore, status: NDArray[np.str_], distance: Floats, slope: Floats) -> bool:
    """Whether rest scores compare; asked only where a fitted item's slope is fixed, and they speak in its place."""
    judged = (np.isnan(slope) & ~np.isnan(distance)).any()
    return bool(judged) and compare_rest_scores(log, status == "operational").judged


def _needed(reported: Reported, answers: Ints, shrunk: Floats, wanted: float | None) -> Floats:
    """Further answers each item needs; NaN if nothing was asked."""
    if wanted is None:
        return np.full(len(answers), np.nan)
    b = reported.names.index("b")
    return answers_needed(answers.astype(np.float64), np.sqrt(reported.covariance[:, b, b]), wanted, shrunk)


def _slopes(design: Design, parameters: Floats) -> Floats:
    """Slopes that an item has for itself; NaN where they are held, shared, or one for each score."""
    own = (design.index[:, SLOPE] >= 0) & (design.index[:, SLOPE] < design.n_own) & (design.kind != NOMINAL)
    return np.where(own, parameters[:, SLOPE], np.nan)


def _extremes(reported: Reported) -> Floats:
    """Largest a, and largest |b| or step, of each item; 0 where there is none. Shape ``(items, 2)``."""
    located = [reported.names.index("b"), *numbered(reported.names)]
    a = np.nan_to_num(reported.natural[:, reported.names.index("a")])
    return np.column_stack([a, np.nan_to_num(np.abs(reported.natural[:, located])).max(axis=1)])


def _location_error(reported: Reported) -> Floats:
    """The largest standard error of b, or of a step, of each item; 0 where there is none. Shape ``(items,)``."""
    located = [reported.names.index("b"), *numbered(reported.names)]
    variance = np.diagonal(reported.covariance, axis1=1, axis2=2)[:, located]
    return np.asarray(np.sqrt(np.nan_to_num(variance)).max(axis=1))


def _bounds(design: Design, parameters: Floats, items: Ints, n_items: int) -> tuple[tuple[Bound, ...], ...]:
    """Free parameters of each item of the log that stopped at the end of their range."""
    at_end = design.free & ((parameters <= design.lower) | (parameters >= design.upper))
    whole: list[tuple[Bound, ...]] = [()] * n_items
    for place in np.flatnonzero(at_end.any(axis=1)):
        whole[items[place]] = tuple(
            Bound(design.cell_name(int(place), int(cell)).removeprefix("logit "), float(parameters[place, cell]))
            for cell in np.flatnonzero(at_end[place])
        )
    return tuple(whole)


def _asymptotes(design: Design) -> Bools:
    """Free cells that are logits of an asymptote and have a prior. Shape ``(items, width)``."""
    cells = np.zeros_like(design.free)
    cells[:, [cell for cell in (GUESS, CEILING) if cell < cells.shape[1]]] = True
    chosen: Bools = cells & design.free & (design.kind == LOGISTIC)[:, None] & (design.prior_precision > 0.0)
    return chosen


def _prior_share(design: Design, errors: Errors | None) -> Floats | None:
    """SD of an asymptote's logit over that of its prior, the larger of c's and d's; NaN where there is none."""
    if errors is None:
        return None
    share = np.where(_asymptotes(design), errors.deviations * np.sqrt(design.prior_precision), np.nan)
    return np.asarray(np.fmax.reduce(share, axis=1))


def _singular(design: Design, errors: Errors | None, items: Ints, n_items: int) -> tuple[tuple[str, ...], ...]:
    """Free parameters of each item of the log that have no standard error."""
    whole: list[tuple[str, ...]] = [()] * n_items
    missing = np.zeros_like(design.free) if errors is None else design.free & ~errors.known
    for place in np.flatnonzero(missing.any(axis=1)):
        cells = np.flatnonzero(missing[place])
        whole[items[place]] = tuple(design.cell_name(int(place), int(cell)).removeprefix("logit ") for cell in cells)
    return tuple(whole)
