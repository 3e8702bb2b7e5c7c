"""The populations of a calibration as priors for scoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from issmp_calibration.scoring.priors import GroupPrior, HistogramPrior
from issmp_cat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from issmp_calibration.latent import Latent
    from issmp_calibration.scoring.priors import PriorLike

__all__ = ["fitted_prior"]


def fitted_prior(groups: Sequence[Latent], *, density: str = "normal", column: str | None = None) -> PriorLike:
    """What a calibration found of its populations, as ``score`` takes it.

    Args:
        groups: ``calibration.groups``; ``density``: ``calibration.density``.
        column: of the columns about candidates, which names their group; needed where there are several.

    Raises:
        UsageError: several groups and no column.
    """
    found = [_histogram(group) if density == "histogram" else (group.mean, group.sd) for group in groups]
    if len(found) == 1:
        return found[0]
    if column is None:
        raise UsageError(f"{len(found)} groups: name the column about candidates that says who belongs to which")
    return GroupPrior(column, {group.label: one for group, one in zip(groups, found, strict=True)})


def _histogram(group: Latent) -> HistogramPrior:
    """The estimated shares, from the first node that has any to the last."""
    there = np.flatnonzero(group.assumed > 0.0)
    mine = slice(there[0], there[-1] + 1)
    return HistogramPrior(tuple(group.nodes[mine].tolist()), tuple(group.assumed[mine].tolist()))
