"""Caps that a bank cannot keep."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from issmp_cat.arrays import Ints
from issmp_cat.blueprint import Windows
from issmp_cat.errors import BlueprintInfeasible
from issmp_cat.exposure.section import ExposureControl

__all__ = ["require_keepable_cap"]


def require_keepable_cap(control: ExposureControl, ids: Sequence[str], domain: Ints, windows: Windows) -> None:
    """Refuse a cap below the mean rate of some domain: quota over items, at the shortest permissible length.

    Args:
        control: the exam's ``[exposure]``.
        ids: of the domains.
        domain: of each operational item. Shape ``(items,)``.
        windows: the blueprint's table.

    Raises:
        BlueprintInfeasible: naming each such domain, its mean rate, and how many items would do.
    """
    if control.cap is None:
        return
    have = np.bincount(domain, minlength=len(ids))
    need = windows.quota if windows.minimum == windows.maximum else windows.floor[0]
    short = [
        f'domain "{id_}" gives {n} of its {items} items to every candidate at length {windows.minimum}: '
        f"a mean rate of {n / items:.3f}. Add {math.ceil(n / control.target - 1e-9) - items} items, or set the cap to "
        f"{math.ceil(100 * (n / items + control.margin) - 1e-9) / 100:g} or more."
        for id_, n, items in zip(ids, need.tolist(), have.tolist(), strict=True)
        if n > control.target * items
    ]
    if short:
        aim = f"exposure cap {control.cap:g} (aimed at {control.target:g}) cannot be kept"
        raise BlueprintInfeasible("\n  ".join([f"{aim}: {len(short)} domains have too few items", *short]))
