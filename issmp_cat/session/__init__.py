"""One candidate's exam: events in, next item and decision out, replayable."""

from issmp_cat.session.events import Answer
from issmp_cat.session.exposure import exposure_counts
from issmp_cat.session.log import response_log
from issmp_cat.session.result import SessionResult, TraceRow
from issmp_cat.session.session import Session

__all__ = ["Answer", "Session", "SessionResult", "TraceRow", "exposure_counts", "response_log"]
