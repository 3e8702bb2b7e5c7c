"""The models people name, each a family with some of its parameters held."""

from __future__ import annotations

from dataclasses import dataclass

from issmp_calibration.mml.models.family import Family
from issmp_calibration.mml.models.graded import FAMILY as GRADED
from issmp_calibration.mml.models.logistic import FAMILY as DICHOTOMOUS
from issmp_calibration.mml.models.nominal import FAMILY as NOMINAL
from issmp_calibration.mml.models.partial import FAMILY as PARTIAL
from issmp_cat.errors import UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["FAMILIES", "MODELS", "ModelName", "named"]

FAMILIES = (DICHOTOMOUS, GRADED, PARTIAL, NOMINAL)


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model.

    Attributes:
        name: as people write it.
        family: its curves.
        slope: "free", "one" (held at 1) or "shared" (one for all items of the model).
        guessing: whether c is estimated; ``slipping``: whether 1 − d is.
    """

    name: str
    family: Family
    slope: str = "free"
    guessing: bool = False
    slipping: bool = False

    @property
    def polytomous(self) -> bool:
        """Whether items may have more scores than 0 and 1."""
        return self.family is not DICHOTOMOUS


MODELS = {
    model.name: model
    for model in (
        ModelName("rasch", DICHOTOMOUS, "one"),
        ModelName("1pl", DICHOTOMOUS, "shared"),
        ModelName("2pl", DICHOTOMOUS),
        ModelName("3pl", DICHOTOMOUS, guessing=True),
        ModelName("4pl", DICHOTOMOUS, guessing=True, slipping=True),
        ModelName("grm", GRADED),
        ModelName("pcm", PARTIAL, "one"),
        ModelName("gpcm", PARTIAL),
        ModelName("nrm", NOMINAL),
    )
}


def named(name: str) -> ModelName:
    """The model called so.

    Raises:
        UsageError: no such model.

    >>> named("GRM").polytomous
    True
    """
    lowered = name.strip().lower()
    if lowered not in MODELS:
        raise UsageError(f'unknown model "{name}"; known: {", ".join(MODELS)}{did_you_mean(lowered, list(MODELS))}')
    return MODELS[lowered]
