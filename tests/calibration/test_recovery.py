"""Calibrations of simulated answers find the truth: the short form of ``make recovery``."""

import pytest

from recovery.judge import pool, replicate
from recovery.worlds import WORLDS

REPLICATIONS = 6


@pytest.mark.parametrize("name", WORLDS)
def test_estimates_lean_to_no_side_and_intervals_cover(name):
    """Loose, as 6 replications are few: a mean error beyond 0.02 or 6 Monte-Carlo errors (which are themselves known
    to a third), or coverage off by a twentieth, is no accident (false alarms below 1 in 1,000)."""
    for row in pool(name, [replicate(name, k) for k in range(REPLICATIONS)]):
        assert abs(row.cleaned) < max(6.0 * row.error, 0.02), row
        assert abs(row.coverage - 0.95) < max(0.06, 4.0 * row.coverage_error), row
