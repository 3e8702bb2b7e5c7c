"""From a response log to a calibrated item bank."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from issmp_calibration.assembly import described, highest_scores
from issmp_calibration.constraints import Constraints
from issmp_calibration.held import held_cells, known_steps
from issmp_calibration.held_errors import held_covariance
from issmp_calibration.learning import LearnedPriors
from issmp_calibration.log import ItemKey, Rules, read_key, read_log
from issmp_calibration.log.store import LogStore
from issmp_calibration.mml.codes import Codes, encode
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.em import Pass, Settings, fit_source
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.information import error_kind
from issmp_calibration.mml.information import source_errors as _standard_errors
from issmp_calibration.mml.layout import lay_out
from issmp_calibration.mml.models.named import ModelName
from issmp_calibration.mml.priors import Priors
from issmp_calibration.models import ANY_SCORE, Asked, chosen_models, described_priors, item_priors
from issmp_calibration.nominal import by_category, by_points
from issmp_calibration.options import CalibrationOptions, refuse_unknown
from issmp_calibration.outcome import ended_well, outcome, reason_of_end
from issmp_calibration.populations import Populated, PopulationModel, populate
from issmp_calibration.result import Calibration
from issmp_calibration.starting import start_by_scores, start_from
from issmp_calibration.statistics import Classical, classical
from issmp_calibration.stored_codes import encode_store, source_of, store_of
from issmp_calibration.ungrouped import settle_ungrouped
from issmp_calibration.workers import workers
from issmp_cat.errors import NotConverged
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["calibrate"]

KEYWORDS = (
    "model", "key", "priors", "population", "constraints", "standard_errors", "progress", "options",
)  # fmt: skip


def calibrate(
    log: ResponseLog | LogStore | str | Path | pd.DataFrame,
    *,
    model: Literal["rasch", "1pl", "2pl", "3pl", "4pl", "grm", "pcm", "gpcm", "nrm", "key"]  # noqa: PYI051 - shown
    | str
    | Mapping[str, str]
    | None = None,
    key: str | Path | pd.DataFrame | ItemKey | None = None,
    priors: Priors | LearnedPriors | Mapping[str, Priors] | None = None,
    population: PopulationModel | None = None,
    constraints: Constraints | None = None,
    standard_errors: Literal["observed", "crossproduct", "sandwich"] | bool | None = "observed",
    progress: Callable[[Pass], None] | None = None,
    options: CalibrationOptions | None = None,
    **unknown: Any,
) -> Calibration:
    """Estimate item parameters by marginal maximum likelihood (Bock & Aitkin, 1981).

    Items that everyone got right or wrong, items nobody saw (or fewer than ``min_to_fit``) and candidates without
    answers are set apart with a verdict; they are no errors. A missing answer is missing, never wrong.

    Args:
        log: a response log, or anything ``read_log`` takes; of a file, candidates whose column ``flagged`` says
            misconduct are left out. Of a store one shard at a time is in memory, unless there are groups, covariates
            or nominal items.
        model: for all items, or by item: rasch (slopes 1, SD free), 1pl (one slope), 2pl, 3pl, 4pl; for scores above 1
            grm, pcm, gpcm, nrm (where the log holds options, these are the categories). "key": as the item file's
            column ``model`` says, for every item; when not given, where it says something, else 2pl.
        key: item file with the right options, if the log holds options; its domains and statuses go into the bank, its
            columns ``fix_a`` and ``equal_a`` (b, c, d, b1 …) hold parameters and tie those with one label.
        priors: for all items, by item or model, or learned from a bank (``learn_priors``). By default none but for the
            3pl, ln a ~ N(0, 0.5) and logit c ~ N(logit 0.2, 0.5), and the 4pl, also logit (1 − d) ~ N(logit 0.05,
            0.5). ``Priors()`` switches all off.
        population: groups, shape and covariates; one normal population when not given.
        constraints: parameters that are held or equal. Items held as they stand in a bank put all others on its scale.
        standard_errors: from the observed information (Louis, 1982; the same as Oakes, 1999), from the cross-product of
            the scores, or by the sandwich of both, which holds where the model does not quite; None for none. All hold
            what ties the items together, and the errors of items held at a bank's estimates.
        progress: called after each pass over the answers.
        options: nodes, tolerance, patience, threads, and whether to raise when something has not settled.
        **unknown: refused.

    Raises:
        ResponseLogError: the log cannot be read, holds scores that the models do not take, or nothing to fit.
        NotConverged: with ``strict``, if an item has not settled or the nodes are too few.
        UsageError: an unknown model or keyword, constraints that cannot be kept, columns that are not there.
    """
    refuse_unknown(unknown, KEYWORDS)
    options = options or CalibrationOptions()
    known = None if key is None else read_key(key)
    asked = Asked.of(model, known, constraints)
    rules = Rules(flagged="drop", max_score=ANY_SCORE if asked.polytomous else 1)
    answers = store_of(log) or (log if isinstance(log, ResponseLog) else read_log(log, key=known, rules=rules))
    answers = settle_ungrouped(answers, population)
    nominal = {name for name in map(str, answers.items) if asked.model_of(name) == "nrm"}
    keyed = answers.log() if nominal and answers.options and not isinstance(answers, ResponseLog) else answers
    answers, categories = by_category(keyed, nominal)
    people = populate(answers, population, asked.constraints.held_items)
    models = chosen_models(asked, people.base)
    codes = _coded(people, models, asked, options.min_to_fit)
    in_fit = [people.base[k] for k in codes.items]
    fitted = [models[k] for k in codes.items]
    domains = described(in_fit, known)[1].tolist()
    believed = item_priors(priors, in_fit, fitted, domains)
    unused = asked.constraints.unused(in_fit)
    design = _design(people, codes, asked, believed)
    covariates = None if people.covariates is None else people.covariates[codes.persons]
    plain = _without_model(people, keyed, categories, codes, known)
    counts = codes.counts[codes.items]
    with workers(options.threads, codes.n_answers) as executor:
        settings = replace(
            _settings(options, population, people),
            start=start_by_scores(design, counts, plain.item_rest[codes.items])
            if options.start is None
            else start_from(options.start, design, in_fit, fitted, counts),
        )
        source = source_of(codes, people.log, covariates, len(people.labels), options.cluster)
        found = fit_source(source, design, counts, settings, executor, progress)
        if options.strict and not ended_well(found, options):
            raise NotConverged(reason_of_end(codes, people.log, found, options))
        errors = None
        if kind := error_kind(standard_errors):
            held = held_covariance(asked.constraints, design, found.parameters, in_fit)
            errors = _standard_errors(source, design, found, executor, kind=kind, anchors=held)
    return outcome(
        people.log,
        codes,
        design,
        found,
        errors,
        models=[one.name for one in models],
        priors=described_priors(design, believed, domains if isinstance(priors, LearnedPriors) else None),
        known=known,
        classical=plain,
        options=options,
        covariates=people.covariate_names,
        base=people.base,
        constraints=asked.constraints,
        unused=unused,
        asked={
            "model": asked.describe(),
            "population": None if population is None else population.describe(),
            "constraints": asked.constraints.describe(),
            "categories": categories,
        },
    )


def _without_model(
    people: Populated,
    keyed: ResponseLog | LogStore,
    categories: Collection[str],
    codes: Codes,
    known: ItemKey | None,
) -> Classical:
    """Statistics of the points that answers earned, also where the fit goes by the options chosen."""
    counted = described(people.base, known)[0] == "operational"
    if not (categories and isinstance(people.log, ResponseLog) and isinstance(keyed, ResponseLog)):
        return classical(people.log, counted, highest_scores(codes), known, codes.counts)
    nominal = np.isin(people.base, list(categories))
    log, highest, share = by_points(people.log, keyed, nominal)
    return replace(classical(log, counted, highest, known), share=share)


def _coded(people: Populated, models: Sequence[ModelName], asked: Asked, fewest: int) -> Codes:
    """The answers as codes, of a log or of a store."""
    polytomous = np.array([one.polytomous for one in models])
    steps = np.array(known_steps(asked.constraints, people.base, models))
    if isinstance(people.log, ResponseLog):
        return encode(people.log, polytomous, people.pattern, steps, fewest)
    return encode_store(people.log, polytomous, steps, fewest)


def _design(people: Populated, codes: Codes, asked: Asked, priors: list[Priors]) -> Design:
    """What is estimated, of the items in the fit."""
    names = [str(people.log.items[k]) for k in codes.items]
    chosen = chosen_models(asked, [people.base[k] for k in codes.items])
    held = held_cells(asked.constraints, codes, names, chosen)
    return lay_out(codes, [one.name for one in chosen], priors, held.values, held.ties)


def _settings(options: CalibrationOptions, population: PopulationModel | None, people: Populated) -> Settings:
    return Settings(
        grid=Grid.spaced(options.limit, options.nodes or 61),
        refine=options.nodes is None,
        limit=options.limit,
        tolerance=options.tolerance,
        max_passes=options.max_passes,
        integration=options.verdicts.max_integration_error,
        groups=people.labels,
        standard=people.standard,
        histogram=population is not None and population.density == "histogram",
    )
