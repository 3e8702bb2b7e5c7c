"""Which item comes next: the best item of the best whole test that satisfies every constraint.

See ``docs/selection.md`` for the method and its proof.
"""

from issmp_cat.selection.criteria import Criterion, score_all
from issmp_cat.selection.criteria_tables import CriterionName, build_criterion
from issmp_cat.selection.pick import pick, pick_scored
from issmp_cat.selection.pool import Pool, build_pool
from issmp_cat.selection.preference import Preference, at_point, ranked, rounded
from issmp_cat.selection.state import State, give, new_state

__all__ = [
    "Criterion",
    "CriterionName",
    "Pool",
    "Preference",
    "State",
    "at_point",
    "build_criterion",
    "build_pool",
    "give",
    "new_state",
    "pick",
    "pick_scored",
    "ranked",
    "rounded",
    "score_all",
]
