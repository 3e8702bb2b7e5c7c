"""What the test must contain: domains with weights, whole-number quotas, and balance at every stop."""

from issmp_cat.blueprint.apportion import largest_remainder
from issmp_cat.blueprint.blueprint import Blueprint, Domain
from issmp_cat.blueprint.rows import EnemySet, ItemSet, Row
from issmp_cat.blueprint.windows import Windows, build_windows, open_domains

__all__ = [
    "Blueprint",
    "Domain",
    "EnemySet",
    "ItemSet",
    "Row",
    "Windows",
    "build_windows",
    "largest_remainder",
    "open_domains",
]
