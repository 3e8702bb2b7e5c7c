"""From a response log to a calibrated item bank."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.item_table import ItemTable
from issmp_calibration.latent import Latent
from issmp_calibration.log import ItemKey, Rules, read_key, read_log
from issmp_calibration.metric import Reported, report
from issmp_calibration.mml.codes import Codes, encode
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.em import Fit, Pass, Settings, fit
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.information import Errors
from issmp_calibration.mml.information import standard_errors as _standard_errors
from issmp_calibration.mml.layout import lay_out
from issmp_calibration.mml.models.named import named
from issmp_calibration.mml.priors import Priors
from issmp_calibration.options import CalibrationOptions, refuse_unknown
from issmp_calibration.provenance import fingerprint, versions
from issmp_calibration.result import Calibration
from issmp_calibration.statistics import classical
from issmp_calibration.verdicts import item_verdicts
from issmp_calibration.workers import workers
from issmp_cat.arrays import Floats
from issmp_cat.errors import NotConverged
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["calibrate"]

KEYWORDS = ("model", "key", "priors", "standard_errors", "threads", "strict", "progress", "options")


def calibrate(
    log: ResponseLog | str | Path | pd.DataFrame,
    *,
    model: Literal["rasch", "1pl", "2pl", "3pl"] | str = "2pl",  # noqa: PYI051 - the literals show what is meant
    key: str | Path | pd.DataFrame | ItemKey | None = None,
    priors: Priors | None = None,
    standard_errors: bool = True,
    threads: int | None = None,
    strict: bool = False,
    progress: Callable[[Pass], None] | None = None,
    options: CalibrationOptions | None = None,
    **unknown: Any,
) -> Calibration:
    """Estimate item parameters by marginal maximum likelihood (Bock & Aitkin, 1981).

    Items that everyone got right or wrong, items nobody saw and candidates without answers are set apart with a
    verdict; they are no errors. A missing answer is missing, never wrong.

    Args:
        log: a response log, or anything ``read_log`` takes; of a file, candidates whose column ``flagged`` says
            misconduct are left out.
        model: rasch (slopes 1, SD free), 1pl (one slope), 2pl or 3pl.
        key: item file with the right options, if the log holds options; its domains and statuses go into the bank.
        priors: on ln a and on logit c. By default none for rasch, 1pl and 2pl; for the 3pl ln a ~ N(0, 0.5) and
            logit c ~ N(logit 0.2, 0.5). ``Priors()`` switches both off.
        standard_errors: compute them, from the full observed information.
        threads: how many work on the answers, all processors by default. The result does not depend on it.
        strict: raise instead of returning a result that has not settled.
        progress: called after each pass over the answers.
        options: nodes, tolerance, patience.
        **unknown: refused.

    Raises:
        ResponseLogError: the log cannot be read, holds scores above 1, or nothing to fit.
        NotConverged: with ``strict``, if an item has not settled.
        UsageError: an unknown model or keyword.
    """
    refuse_unknown(unknown, KEYWORDS)
    options = options or CalibrationOptions()
    chosen = named(model)
    believed = Priors.default(chosen.name) if priors is None else priors
    known = None if key is None else read_key(key)
    answers = log if isinstance(log, ResponseLog) else read_log(log, key=known, rules=Rules(flagged="drop"))
    codes = encode(answers)
    design = lay_out(codes, chosen.name, believed)
    with workers(threads, len(codes.code)) as executor:
        found = fit(codes, design, _settings(options), executor, progress)
        reason = _reason(codes, answers, found, options)
        if strict and not found.settled:
            raise NotConverged(reason)
        errors = _standard_errors(codes, design, found, executor) if standard_errors else None
    return _result(answers, codes, design, believed, found, errors, reason, known, options)


def _result(
    log: ResponseLog,
    codes: Codes,
    design: Design,
    priors: Priors,
    found: Fit,
    errors: Errors | None,
    reason: str,
    known: ItemKey | None,
    options: CalibrationOptions,
) -> Calibration:
    """All that is known, put together."""
    reported = report(design, found, errors)
    verdict = item_verdicts(codes, design, found, errors, options.tolerance)
    status, _ = _from_key(log, known)
    test, item_rest = classical(log, status == "operational")
    return Calibration(
        model=design.models[0],
        items=_table(log, codes, reported, verdict, known, item_rest),
        test=test.to_dict(),
        latent=_latent(found, reported),
        log_likelihood=found.expectation.log_likelihood,
        log_prior=found.log_prior,
        n_parameters=design.n_free,
        n_persons=codes.n_persons,
        n_answers=len(codes.code),
        persons_apart=tuple(map(str, np.delete(log.persons, codes.persons))),
        converged=found.settled,
        reason=reason,
        passes=found.passes,
        priors=priors.describe(),
        provenance={
            "versions": versions(),
            "input": fingerprint(log),
            "options": {"model": design.models[0], "standard_errors": errors is not None, **options.as_dict()},
            "grid": {"nodes": found.grid.live, "limit": found.grid.limit},
            "note": list(log.note),
            "data_report": None if log.report is None else log.report.to_dict(),
        },
        key=known,
    )


def _settings(options: CalibrationOptions) -> Settings:
    return Settings(
        grid=Grid.spaced(options.limit, options.nodes or 61),
        refine=options.nodes is None,
        tolerance=options.tolerance,
        max_passes=options.max_passes,
    )


def _reason(codes: Codes, log: ResponseLog, found: Fit, options: CalibrationOptions) -> str:
    """Why the iteration ended, in words.

    How far an item has to go is reckoned from the pace at which its steps shrink, with the slowest pace assumed while
    there are too few steps to tell: a cautious figure, no measurement.
    """
    passes = f"{len(found.passes)} pass{'' if len(found.passes) == 1 else 'es'}"
    if found.settled:
        distance = found.distances.max()
        return f"settled after {passes}: every item is within {distance:.1g} standard errors of the solution"
    late = np.flatnonzero(found.distances > options.tolerance)
    worst = late[np.argsort(-found.distances[late], kind="stable")][:5]
    names = ", ".join(f"{log.items[codes.items[k]]} ({found.distances[k]:.2g})" for k in worst)
    more = f" and {len(late) - 5} more" if len(late) > 5 else ""
    return (
        f"not settled after {passes}: going by their last steps, {len(late)} of {codes.n_items} items may have "
        f"more than {options.tolerance:g} standard errors to go: {names}{more}; "
        "allow more passes (--max-passes, max_passes=), or look at these items"
    )


def _table(
    log: ResponseLog,
    codes: Codes,
    reported: Reported,
    verdict: tuple[str, ...],
    known: ItemKey | None,
    item_rest: Floats,
) -> ItemTable:
    """Everything about every item of the log, those set apart included."""
    status, domain = _from_key(log, known)
    whole = reported.for_all(log.n_items, codes.items)
    answers = codes.counts.sum(axis=1)
    return ItemTable(
        item=log.items,
        domain=domain,
        status=status,
        parameters=whole.natural,
        covariance=whole.covariance,
        slope=whole.linear[:, 0],
        intercept=whole.linear[:, 1],
        se_slope=whole.linear_errors[:, 0],
        se_intercept=whole.linear_errors[:, 1],
        answers=answers,
        p_value=np.where(answers > 0, codes.counts[:, 1] / np.maximum(answers, 1), np.nan),
        item_rest=item_rest,
        verdict=verdict,
    )


def _from_key(log: ResponseLog, known: ItemKey | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Status and domain of each item of the log."""
    if known is None:
        return np.full(log.n_items, "operational"), np.full(log.n_items, "")
    places = [known.index.get(str(item)) for item in log.items]
    status = np.array(["operational" if k is None else known.status[k] for k in places])
    return status, np.array(["" if k is None else known.domain[k] for k in places])


def _latent(found: Fit, reported: Reported) -> Latent:
    live = slice(0, found.grid.live)
    observed = found.expectation.population[0, live]
    return Latent(
        mean=0.0,
        sd=reported.latent_sd,
        se_sd=reported.se_latent_sd,
        nodes=found.grid.nodes[live] * reported.latent_sd,
        assumed=np.exp(found.grid.log_density[live]),
        observed=observed / observed.sum(),
    )
