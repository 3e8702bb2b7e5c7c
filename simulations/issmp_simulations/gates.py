"""The figures of a study that ``--gate`` knows."""

from __future__ import annotations

__all__ = ["FIGURES"]

# The names of ``StudyResult.figures``, needed before there is a study.
FIGURES = (
    *("pass_rate", "true_pass_rate", "accuracy", "false_pass", "false_fail", "false_pass_rate", "false_fail_rate"),
    *("bias", "rmse", "mean_se", "coverage", "mean_length", "mean_seconds"),
    *("exposure_maximum", "exposure_mean", "never_used", "overlap", "exposure_chi_square", "violations", "unproven"),
)
