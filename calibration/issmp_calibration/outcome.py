"""All that is known after a fit, put together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from issmp_calibration.assembly import described, highest_scores, item_table
from issmp_calibration.latent import Latent
from issmp_calibration.log import ItemKey
from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.em import Fit
from issmp_calibration.mml.information import Errors
from issmp_calibration.mml.priors import Priors
from issmp_calibration.options import CalibrationOptions
from issmp_calibration.provenance import fingerprint, versions
from issmp_calibration.result import Calibration
from issmp_calibration.statistics import classical
from issmp_cat.responses import ResponseLog

__all__ = ["outcome", "reason_of_end"]


def outcome(
    log: ResponseLog,
    codes: Codes,
    design: Design,
    found: Fit,
    errors: Errors | None,
    *,
    models: Sequence[str],
    priors: Priors,
    known: ItemKey | None,
    options: CalibrationOptions,
) -> Calibration:
    """The result of a fit.

    Args:
        log: the answers; ``codes``: those in the fit.
        design: what was estimated; ``found``: where it ended; ``errors``: how well it is known.
        models: of every item of the log.
        priors: as used.
        known: the item file.
        options: as used.
    """
    status, _ = described(log, known)
    described_test = classical(log, status == "operational", highest_scores(codes), known)
    kinds = sorted(set(design.models))
    return Calibration(
        model=kinds[0] if len(kinds) == 1 else "mixed",
        items=item_table(
            log,
            codes,
            design,
            found,
            errors,
            models=tuple(models),
            known=known,
            classical=described_test,
            rules=options.verdicts,
            tolerance=options.tolerance,
        ),
        test=described_test.test.to_dict(),
        groups=(_latent(codes, design, found, errors),),
        log_likelihood=found.expectation.log_likelihood,
        log_prior=found.log_prior,
        n_parameters=design.n_free,
        n_persons=codes.n_persons,
        n_answers=len(codes.code),
        persons_apart=tuple(map(str, np.delete(log.persons, codes.persons))),
        converged=found.settled,
        reason=reason_of_end(codes, log, found, options),
        passes=found.passes,
        priors=priors.describe(),
        provenance={
            "versions": versions(),
            "input": fingerprint(log),
            "options": {"model": kinds[0], "standard_errors": errors is not None, **options.as_dict()},
            "grid": {"nodes": found.grid.live, "limit": found.grid.limit},
            "note": list(log.note),
            "data_report": None if log.report is None else log.report.to_dict(),
        },
        key=known,
    )


def reason_of_end(codes: Codes, log: ResponseLog, found: Fit, options: CalibrationOptions) -> str:
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


def _latent(codes: Codes, design: Design, found: Fit, errors: Errors | None) -> Latent:
    """The population: SD 1, or the common slope where that stands for it."""
    live = slice(0, found.grid.live)
    observed = found.expectation.population[0, live]
    sd, se_sd = 1.0, None
    if design.spread_is_slope:
        item, cell = (int(place[0]) for place in np.nonzero(design.slope))
        sd = float(found.parameters[item, cell])
        se_sd = None if errors is None or not errors.known[item, cell] else float(errors.deviations[item, cell])
    return Latent(
        mean=0.0,
        sd=sd,
        se_sd=se_sd,
        nodes=found.grid.nodes[live] * sd,
        assumed=np.exp(found.grid.log_density[live]),
        observed=observed / observed.sum(),
        persons=codes.n_persons,
    )
