"""The estimators by name, and the numbers by which kernels know them."""

from __future__ import annotations

from typing import Literal, TypeAlias

from issmp_cat.ability.maximum import MAP, ML, WLE

__all__ = ["EAP", "Estimator", "estimator_code"]

Estimator: TypeAlias = Literal["eap", "map", "ml", "wle"]

EAP = 0
_CODES: dict[Estimator, int] = {"eap": EAP, "ml": ML, "map": MAP, "wle": WLE}


def estimator_code(name: Estimator) -> int:
    """The number by which kernels know an estimator.

    >>> estimator_code("eap")
    0
    """
    return _CODES[name]
