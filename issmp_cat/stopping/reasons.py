"""Why an exam ended, by the numbers that kernels return, and in words."""

from __future__ import annotations

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
]

# 0 means the exam goes on.
GO_ON, DECIDED, MAXIMUM_LENGTH, TIME_OUT, NO_ITEM = 0, 1, 2, 3, 4
RATIO, GENERALISED_RATIO, PRECISE, LITTLE_TO_GAIN, CERTAIN, CURTAILED = 5, 6, 7, 8, 9, 10
REASONS: dict[int, str] = {
    DECIDED: "the confidence interval excludes the cut",
    MAXIMUM_LENGTH: "the maximum length is reached",
    TIME_OUT: "the time is up",
    NO_ITEM: "no further item can be given",
    RATIO: "the likelihood ratio at the cut has reached a bound",
    GENERALISED_RATIO: "the generalised likelihood ratio at the cut has reached a bound",
    PRECISE: "the standard error has reached its target",
    LITTLE_TO_GAIN: "another item would hardly reduce the standard error",
    CERTAIN: "no further answers could change the decision",
    CURTAILED: "further answers are very unlikely to change the decision",
}
