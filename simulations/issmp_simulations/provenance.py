"""What a study's figures follow from."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

from issmp_cat import __version__
from issmp_cat.exam.plan import pool_of
from issmp_simulations.run import Design

__all__ = ["provenance_of"]


def provenance_of(design: Design, n: int) -> dict[str, Any]:
    """Versions, hashes of the inputs, seed and options; no times, so that equal studies are equal files."""
    return {
        **design.as_dict(),
        "n": n,
        "versions": {
            "issmp-cat": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("numpy", "numba")},
        },
        "titles": {
            "exam": design.exam.title,
            "bank": design.bank.title or design.bank.id,
            "population": design.population.describe(),
        },
        "operational_items": len(pool_of(design.bank)),
        "estimator": design.exam.scoring.estimator,
        "pass_mark": design.exam.scale.pass_mark,
        "assumption": design.exam.scale.assumed,
    }
