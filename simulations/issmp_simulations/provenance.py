"""What a study's figures follow from."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

from issmp_cat import __version__
from issmp_cat.exam.plan import pool_of
from issmp_simulations.population import Population, normal
from issmp_simulations.run import Design

__all__ = ["provenance_of"]


def provenance_of(design: Design, n: int) -> dict[str, Any]:
    """Versions, hashes of the inputs, seed and options; no times, so that equal studies are equal files."""
    return {
        **design.as_dict(),
        "n": n,
        **({} if design.exposure is None else {"exposure_control": design.exposure.method.model_dump(mode="json")}),
        "versions": {
            "issmp-cat": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("numpy", "numba")},
        },
        "titles": {
            "exam": design.exam.title,
            "bank": design.bank.title or design.bank.id,
            "population": design.population.describe() + _whose(design),
        },
        "operational_items": len(pool_of(design.bank)),
        "estimator": design.exam.scoring.estimator,
        "scale": design.exam.scale.model_dump(exclude={"assumption"}),
        "assumption": design.exam.scale.assumed,
        "prior_note": _prior_note(design),
    }


def _whose(design: Design) -> str:
    population, own = design.population, Population.of_bank(design.bank)
    same = population.thetas is None and (population.mean, population.sd) == (own.mean, own.sd)
    return ", the bank's population" if same else ""


def _prior_note(design: Design) -> str:
    """What to know when candidates are not those whom the scoring expects; empty when they are."""
    prior, population = design.plan().prior, design.population
    if population.thetas is None and (population.mean, population.sd) == prior:
        return ""
    return f"the candidates are not those of the prior {normal(*prior)}, on which intervals and standard errors rest"
