"""What a candidate is told: the score report, as values, text, JSON and a page."""

from issmp_cat.report.score import DomainReport, ScoreReport, Verdict, score_report

__all__ = ["DomainReport", "ScoreReport", "Verdict", "score_report"]
