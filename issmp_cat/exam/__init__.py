"""An exam: everything a programme decides, in one file; and its plan, once a bank is known."""

from issmp_cat.exam.choose import Programme, choose, may_stop
from issmp_cat.exam.definition import Exam
from issmp_cat.exam.plan import Plan, begin, plan_exam
from issmp_cat.exam.step import Standing, estimated, next_item, provisional, record, standing

__all__ = [
    "Exam",
    "Plan",
    "Programme",
    "Standing",
    "begin",
    "choose",
    "estimated",
    "may_stop",
    "next_item",
    "plan_exam",
    "provisional",
    "record",
    "standing",
]
