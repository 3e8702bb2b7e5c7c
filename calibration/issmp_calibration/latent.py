"""The population of a calibration."""

from __future__ import annotations

from dataclasses import dataclass

from issmp_cat.arrays import Floats

__all__ = ["Latent"]


@dataclass(frozen=True, slots=True)
class Latent:
    """Abilities in the population, on the metric of the items.

    Attributes:
        mean: logits; 0 by definition.
        sd: logits; 1 by definition, estimated in the Rasch model.
        se_sd: its standard error; None where the SD is fixed or the error unknown.
        nodes: abilities, logits. Shape ``(nodes,)``.
        assumed: share of the population at each node under the normal density of the fit; ``observed``: by the
            posteriors.
    """

    mean: float
    sd: float
    se_sd: float | None
    nodes: Floats
    assumed: Floats
    observed: Floats
