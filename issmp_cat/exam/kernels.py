"""The plain functions that decide, by name: what the simulation compiles is exactly what a session runs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["CALLED", "KERNELS", "kernels"]

# By module, callees before callers.
KERNELS: dict[str, tuple[str, ...]] = {
    "issmp_cat.irt.curves": (
        "logit",
        "log_odds",
        "response_curve",
        "slope",
        "slope_change",
        "fisher",
        "probability_at",
        "between",
        "graded_slope",
        "graded_bend",
    ),
    "issmp_cat.irt.categories": (
        "highest_score",
        "_reached",
        "_missed",
        "_gap",
        "_graded_terms",
        "_climb",
        "_partial_scale",
        "_partial_terms",
        "_nominal_scale",
        "_nominal_chance",
        "_nominal_terms",
        "category_probability",
        "draw_score",
        "answer_terms",
    ),
    "issmp_cat.random": ("philox", "uniform", "normal"),
    "issmp_cat.blueprint.windows": ("_growing", "open_domains"),
    "issmp_cat.ability.posterior": (
        "update_posterior",
        "rebuild_posterior",
        "posterior_mean",
        "posterior_moments",
        "chance_above",
    ),
    "issmp_cat.ability.maximum": ("score_terms", "_slope_of", "_root", "maximise"),
    "issmp_cat.stopping.precision": ("se_reduction",),
    "issmp_cat.stopping.ratio": ("add_evidence", "log_ratio"),
    "issmp_cat.stopping.certain": ("_reach", "furthest_mean", "is_certain", "is_unlikely_to_change"),
    "issmp_cat.stopping.decide": ("is_late", "_passes", "_foresees", "_fires", "stop_reason", "count_run", "decision"),
    "issmp_cat.selection.pool": ("grid_point",),
    "issmp_cat.selection.preference": ("at_point", "rounded", "ranked_into", "ranked"),
    "issmp_cat.selection.criteria_sums": ("normalise", "average", "fold"),
    "issmp_cat.selection.criteria_chance": ("mix_chance",),
    "issmp_cat.selection.criteria": (
        "place",
        "nearest",
        "weigh_nodes",
        "divergence",
        "answers",
        "variance_reduction",
        "information_after",
        "expected_information",
        "discrimination",
        "closeness",
        "weigh_answers",
        "risk_reduction",
        "score_by_nodes",
        "score_all",
    ),
    "issmp_cat.selection.state": ("reset", "block", "give"),
    "issmp_cat.selection.shadow": ("fill", "clash", "_keep", "_taken", "_move", "_retreat", "_unwind", "search"),
    "issmp_cat.selection.admission": ("draw_lots", "release", "_release_what_is_short", "hold"),
    "issmp_cat.selection.pick": (
        "_better",
        "_best_available",
        "_is_settled",
        "_best_of_shadow_test",
        "_is_completable",
        "_draw_among_best",
        "pick",
        "_best_few",
        "pick_scored",
    ),
    "issmp_cat.exam.step": (
        "estimated",
        "_information_ahead",
        "standing",
        "provisional",
        "selection_draw",
        "preferred",
        "score",
        "scored",
        "next_item",
        "next_scored_item",
        "record",
    ),
    "issmp_cat.exam.start": ("first_theta", "set_prior"),
    "issmp_cat.exam.pretest": (
        "_domain_of_slot",
        "place_slots",
        "is_due",
        "_block_foes",
        "_may_come",
        "choose_pretest",
        "give_pretest",
    ),
    "issmp_cat.exam.choose": ("choose", "may_stop"),
}

# Large and seldom reached, or large beside the cost of a call: compiled once each and called. The rest is inlined.
CALLED = frozenset(
    {
        "maximise",
        "rebuild_posterior",
        "score_terms",
        "_nominal_chance",
        "_nominal_terms",
        "furthest_mean",
        "is_certain",
        "is_unlikely_to_change",
        "score_all",
        "search",
        "hold",
        "draw_lots",
        "set_prior",
        "place_slots",
        "choose_pretest",
        "give_pretest",
        "pick_scored",
        "ranked_into",
        "_is_completable",
        "_best_of_shadow_test",
    }
)


def kernels(*modules: str) -> list[Callable[..., Any]]:
    """The functions themselves, of all modules or of those named."""
    return [getattr(import_module(module), name) for module in modules or KERNELS for name in KERNELS[module]]
