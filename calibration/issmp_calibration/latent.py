"""The population of a calibration, or one of its groups."""

from __future__ import annotations

from dataclasses import dataclass

from issmp_cat.arrays import Floats

__all__ = ["Latent"]


@dataclass(frozen=True, slots=True)
class Latent:
    """Abilities in a population, on the metric of the items.

    Attributes:
        mean: logits; 0 by definition in the reference group unless items are fixed.
        sd: logits; 1 by definition there, except in the Rasch model.
        se_sd: standard error of the SD; None where it is fixed or unknown. ``se_mean`` alike.
        nodes: abilities, logits. Shape ``(nodes,)``.
        assumed: share of the population at each node by the density of the fit; ``observed``: by the posteriors.
        label: of the group; empty where there is but one.
        persons: candidates.
    """

    mean: float
    sd: float
    se_sd: float | None
    nodes: Floats
    assumed: Floats
    observed: Floats
    se_mean: float | None = None
    label: str = ""
    persons: int = 0
