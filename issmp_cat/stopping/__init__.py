"""When an exam ends, and what it then decides."""

from issmp_cat.stopping.certain import Certain, Progress
from issmp_cat.stopping.decide import count_run, decided_by, decision, is_late, stop_reason
from issmp_cat.stopping.interval import ConfidenceInterval, FixedLength
from issmp_cat.stopping.precision import PredictedSeReduction, StandardError
from issmp_cat.stopping.ratio import GeneralisedLikelihoodRatio, SequentialRatio, add_evidence
from issmp_cat.stopping.reasons import (
    CERTAIN,
    CURTAILED,
    DECIDED,
    GENERALISED_RATIO,
    GO_ON,
    LITTLE_TO_GAIN,
    MAXIMUM_LENGTH,
    NO_ITEM,
    PRECISE,
    RATIO,
    REASONS,
    TIME_OUT,
)
from issmp_cat.stopping.rule import BankTables, StopRule, build_stop_rule
from issmp_cat.stopping.settings import (
    Stopping,
    StoppingRule,
    TimeOut,
    contradictions,
    in_words,
    several,
    unreachable,
)

__all__ = [
    "CERTAIN",
    "CURTAILED",
    "DECIDED",
    "GENERALISED_RATIO",
    "GO_ON",
    "LITTLE_TO_GAIN",
    "MAXIMUM_LENGTH",
    "NO_ITEM",
    "PRECISE",
    "RATIO",
    "REASONS",
    "TIME_OUT",
    "BankTables",
    "Certain",
    "ConfidenceInterval",
    "FixedLength",
    "GeneralisedLikelihoodRatio",
    "PredictedSeReduction",
    "Progress",
    "SequentialRatio",
    "StandardError",
    "StopRule",
    "Stopping",
    "StoppingRule",
    "TimeOut",
    "add_evidence",
    "build_stop_rule",
    "contradictions",
    "count_run",
    "decided_by",
    "decision",
    "in_words",
    "is_late",
    "several",
    "stop_reason",
    "unreachable",
]
