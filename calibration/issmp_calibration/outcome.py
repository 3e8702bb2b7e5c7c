"""All that is known after a fit, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from issmp_calibration.assembly import item_table
from issmp_calibration.constraints import Constraints
from issmp_calibration.latent import Latent
from issmp_calibration.latent_errors import latent_errors
from issmp_calibration.log import ItemKey
from issmp_calibration.log.faults import some
from issmp_calibration.log.store import LogStore
from issmp_calibration.mml.codes import Codes
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.em import Fit
from issmp_calibration.mml.information import Errors
from issmp_calibration.options import CalibrationOptions
from issmp_calibration.provenance import fingerprint, versions
from issmp_calibration.result import Calibration
from issmp_calibration.statistics import Classical
from issmp_cat.arrays import Floats, Ints
from issmp_cat.responses import ResponseLog

# Candidates for a difficulty within ±1 logit (Linacre, 1994), the loosest class there is.
FEW = 30

__all__ = ["FEW", "ended_well", "groups_of", "outcome", "reason_of_end"]


def outcome(
    log: ResponseLog | LogStore,
    codes: Codes,
    design: Design,
    found: Fit,
    errors: Errors | None,
    *,
    models: Sequence[str],
    priors: Mapping[str, str],
    known: ItemKey | None,
    classical: Classical,
    options: CalibrationOptions,
    covariates: Sequence[str] = (),
    base: Sequence[str] = (),
    asked: Mapping[str, Any] | None = None,
    constraints: Constraints | None = None,
    unused: Sequence[str] = (),
) -> Calibration:
    """The result of a fit.

    Args:
        log: the answers; ``codes``: those in the fit.
        design: what was estimated; ``found``: where it ended; ``errors``: how well it is known.
        models: of every item of the log.
        priors: as used, in words.
        known: the item file.
        classical: what the answers say without a model.
        options: as used.
        covariates: names of what ability was regressed on.
        base: id in the item file of each item of the log; its own when not given.
        asked: what was asked for, for the provenance.
        constraints: what was held; ``unused``: held items that are not in the fit.
    """
    names = tuple(base) or tuple(map(str, log.items))
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
            base=names,
            classical=classical,
            options=options,
            integration_error=found.integration_errors,
            bank=() if constraints is None else constraints.bank,
        ),
        test=classical.test.to_dict(),
        groups=groups_of(codes, design, found, errors),
        log_likelihood=found.expectation.log_likelihood,
        log_prior=found.log_prior,
        n_parameters=design.n_free + found.n_population,
        n_persons=codes.n_persons,
        n_answers=codes.n_answers,
        persons_apart=tuple(map(str, np.delete(log.persons, codes.persons))),
        converged=ended_well(found, options),
        reason=reason_of_end(codes, log, found, options) + _unused(unused),
        passes=found.passes,
        priors=dict(priors),
        provenance={
            "versions": versions(),
            "input": fingerprint(log),
            "options": {
                **(asked or {}),
                "standard_errors": None if errors is None else errors.kind,
                **options.as_dict(),
            },
            **({"residual_sd": float(found.population.sd[0]) * _unit(design, found)} if covariates else {}),
            "grid": {"nodes": found.grid.live, "low": found.grid.low, "high": found.grid.high},
            "note": list(log.note),
            "data_report": None if log.report is None else log.report.to_dict(),
        },
        key=known,
        density="histogram" if found.freedom.histogram else "normal",
        regression=_regression(covariates, design, found, errors),
        base=() if constraints is None else constraints.bank,
        kept=() if constraints is None else tuple(sorted(constraints.kept())),
        base_population=None if constraints is None else constraints.population,
    )


def _unused(items: Sequence[str]) -> str:
    """What to say of held items that are not in the fit."""
    if not items:
        return ""
    return (
        f"; {len(items):,} held item{'s' * (len(items) != 1)} without answers to fit had no part in it: {some(items)}"
    )


def ended_well(found: Fit, options: CalibrationOptions) -> bool:
    """Whether every item has settled, on nodes that were fine enough."""
    return found.settled and not _coarse(found, options).size


def _coarse(found: Fit, options: CalibrationOptions) -> Ints:
    """Items whose integrals are too rough, worst first; a histogram is its nodes."""
    errors = np.nan_to_num(found.integration_errors)
    order = np.argsort(-errors, kind="stable")
    return order[errors[order] > options.verdicts.max_integration_error]


def reason_of_end(codes: Codes, log: ResponseLog | LogStore, found: Fit, options: CalibrationOptions) -> str:
    """Why the iteration ended, in words.

    How far an item has to go is reckoned from the pace at which its steps shrink, with the slowest pace assumed while
    there are too few steps to tell: a cautious figure, no measurement.
    """
    passes = f"{len(found.passes)} pass{'' if len(found.passes) == 1 else 'es'}"
    if not found.settled:
        late = np.flatnonzero(found.distances > options.tolerance)
        if not late.size:
            return (
                f"not settled after {passes}: going by its last steps, the population may have "
                f"{found.population_distance:.2g} standard errors to go; allow more passes (--max-passes, max_passes=)"
            )
        worst = late[np.argsort(-found.distances[late], kind="stable")]
        said = f"going by their last steps, {len(late)} of {codes.n_items} items may have more than "
        return (
            f"not settled after {passes}: {said}{options.tolerance:g} standard errors to go: "
            f"{_worst(log, codes, worst, found.distances)}; "
            f"{_remedy(codes, options)}"
        )
    settled = (
        f"settled after {passes}: every item is within {found.distances.max():.1g} standard errors of the solution"
    )
    if np.isnan(found.integration_errors).all():
        return settled
    if (coarse := _coarse(found, options)).size:
        return (
            f"{settled}, but {found.grid.live} nodes are too few: finer ones would move {len(coarse)} of "
            f"{codes.n_items} items by more than {options.verdicts.max_integration_error:g} standard errors: "
            f"{_worst(log, codes, coarse, found.integration_errors)}; leave --nodes (nodes=) away, or give more"
        )
    return f"{settled}; finer nodes would move none by more than {np.nanmax(found.integration_errors):.1g}"


def _remedy(codes: Codes, options: CalibrationOptions) -> str:
    """What to do about a fit that does not settle: items with a handful of answers are the commonest cause."""
    passes = "allow more passes (--max-passes, max_passes=)"
    few = int((codes.counts[codes.items].sum(axis=1) < FEW).sum())
    if few == 0 or options.min_to_fit >= FEW:
        return f"{passes}, or look at these items"
    return (
        f"{few:,} of the {codes.n_items:,} items have fewer than {FEW} answers: leave these out of the fit "
        f"(--min-to-fit {FEW}, min_to_fit={FEW}), or {passes}"
    )


def _worst(log: ResponseLog | LogStore, codes: Codes, order: Ints, by: Floats) -> str:
    """The first five items and their figures."""
    names = ", ".join(f"{log.items[codes.items[k]]} ({by[k]:.2g})" for k in order[:5])
    return names + (f" and {len(order) - 5} more" if len(order) > 5 else "")


def groups_of(codes: Codes, design: Design, found: Fit, errors: Errors | None) -> tuple[Latent, ...]:
    """The populations on the items' metric: where one slope stands for the SD, that is their unit."""
    live, population = found.grid.live, found.population
    unit = _unit(design, found)
    known = latent_errors(found, errors, unit)
    nodes = found.grid.nodes[:live] * unit
    persons = np.bincount(codes.pattern, minlength=len(population.labels))
    groups = []
    for k, label in enumerate(population.labels):
        assumed, observed = np.exp(found.log_density[k, :live]), found.expectation.population[k, :live]
        mean, sd = float(population.mean[k]) * unit, float(population.total_sd[k]) * unit
        if found.freedom.histogram:
            mean = float(assumed @ nodes / assumed.sum())
            sd = float(np.sqrt(assumed @ np.square(nodes - mean) / assumed.sum()))
        groups.append(
            Latent(
                mean=mean,
                sd=sd,
                se_sd=known.stated(known.sd[k]),
                se_mean=known.stated(known.mean[k]),
                nodes=nodes,
                assumed=assumed,
                observed=observed / observed.sum(),
                label=label if len(population.labels) > 1 else "",
                persons=int(persons[k]),
            )
        )
    return tuple(groups)


def _unit(design: Design, found: Fit) -> float:
    """Logits of the items' metric in one of the fit's: 1 but for Rasch items, whose slope stands for the SD."""
    return float(found.parameters[design.slope][0]) if design.spread_is_slope else 1.0


def _regression(
    covariates: Sequence[str], design: Design, found: Fit, errors: Errors | None
) -> dict[str, dict[str, float | None]]:
    """Coefficients by name, logits a unit."""
    unit = _unit(design, found)
    known = latent_errors(found, errors, unit)
    return {
        name: {"estimate": float(slope) * unit, "se": known.stated(error)}
        for name, slope, error in zip(covariates, found.population.coefficients, known.coefficients, strict=True)
    }
