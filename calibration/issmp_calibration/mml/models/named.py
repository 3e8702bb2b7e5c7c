"""The models people name, each a family with some of its parameters held."""

from __future__ import annotations

from dataclasses import dataclass

from issmp_calibration.mml.models import graded, logistic, nominal, partial
from issmp_calibration.mml.models.family import Family
from issmp_cat.errors import UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["FAMILIES", "MODELS", "ModelName", "named"]

FAMILIES = (logistic.FAMILY, graded.FAMILY, partial.FAMILY, nominal.FAMILY)


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
        return self.family is not logistic.FAMILY


MODELS = {
    model.name: model
    for model in (
        ModelName("rasch", logistic.FAMILY, "one"),
        ModelName("1pl", logistic.FAMILY, "shared"),
        ModelName("2pl", logistic.FAMILY),
        ModelName("3pl", logistic.FAMILY, guessing=True),
        ModelName("4pl", logistic.FAMILY, guessing=True, slipping=True),
        ModelName("grm", graded.FAMILY),
        ModelName("pcm", partial.FAMILY, "one"),
        ModelName("gpcm", partial.FAMILY),
        ModelName("nrm", nominal.FAMILY),
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
