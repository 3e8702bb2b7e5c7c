"""From a response log to a calibrated item bank."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from issmp_calibration.log import ItemKey, Rules, read_key, read_log
from issmp_calibration.mml.codes import encode
from issmp_calibration.mml.em import Pass, Settings, fit
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.information import standard_errors as _standard_errors
from issmp_calibration.mml.layout import lay_out
from issmp_calibration.mml.models.named import named
from issmp_calibration.mml.priors import Priors
from issmp_calibration.options import CalibrationOptions, refuse_unknown
from issmp_calibration.outcome import ended_well, outcome, reason_of_end
from issmp_calibration.result import Calibration
from issmp_calibration.workers import workers
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
    codes = encode(answers, np.full(answers.n_items, chosen.polytomous))
    design = lay_out(codes, chosen.name, believed)
    with workers(threads, len(codes.code)) as executor:
        found = fit(codes, design, _settings(options), executor, progress)
        if strict and not ended_well(found, options):
            raise NotConverged(reason_of_end(codes, answers, found, options))
        errors = _standard_errors(codes, design, found, executor) if standard_errors else None
    return outcome(
        answers,
        codes,
        design,
        found,
        errors,
        models=[chosen.name] * answers.n_items,
        priors=believed,
        known=known,
        options=options,
    )


def _settings(options: CalibrationOptions) -> Settings:
    return Settings(
        grid=Grid.spaced(options.limit, options.nodes or 61),
        refine=options.nodes is None,
        tolerance=options.tolerance,
        max_passes=options.max_passes,
    )
