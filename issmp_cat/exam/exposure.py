"""An exam under exposure control: its plan with a table."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from issmp_cat.bank import ItemBank
from issmp_cat.errors import ExamError
from issmp_cat.exam.definition import Exam
from issmp_cat.exam.overlap import Terms, terms_for
from issmp_cat.exam.plan import Plan, plan_exam, pool_of
from issmp_cat.exposure import ExposureTable
from issmp_cat.selection import Pool
from issmp_cat.selection.admission import Admission, build_admission
from issmp_cat.selection.prices import priced

__all__ = ["plan_under", "require_table", "terms_under"]


def plan_under(exam: Exam, bank: ItemBank, table: ExposureTable | None) -> Plan:
    """The plan of an exam whose items are used as an exposure table says; without one, :func:`plan_exam`.

    Raises:
        ExamError: the table belongs to another version of the exam or the bank.
        BlueprintInfeasible: the bank cannot keep the cap.
    """
    return _controlled(plan_exam(exam, bank), exam, bank, table, barred=False)


def terms_under(exam: Exam, bank: ItemBank, seen: Sequence[str], table: ExposureTable | None) -> Terms:
    """The exam for a candidate who saw these items before, used as a table says; raises as its two parts do."""
    terms = terms_for(exam, bank, seen)
    return terms._replace(plan=_controlled(terms.plan, exam, bank, table, barred=len(terms.barred) > 0))


def _controlled(plan: Plan, exam: Exam, bank: ItemBank, table: ExposureTable | None, *, barred: bool) -> Plan:
    """A plan of this exam, perhaps one made for a candidate, under an exposure table; as it is without one.

    Args:
        plan: of the exam on the bank.
        exam: the exam; ``bank``: its items; ``table``: who is admitted to which.
        barred: whether the candidate may not be given some of the items, so that others may be needed.
    """
    if table is None:
        return plan
    pool, admission = _tables(exam, bank, table)
    # Pretest items block their enemies, too.
    fewer = barred or exam.pretest is not None
    return plan._replace(
        pool=pool._replace(simple=plan.pool.simple),
        admission=admission._replace(tight=admission.tight or (fewer and len(admission.controlled) > 0)),
    )


@functools.lru_cache(maxsize=4)
def _tables(exam: Exam, bank: ItemBank, table: ExposureTable) -> tuple[Pool, Admission]:
    _require_fit(exam, bank, table)
    plan = plan_exam(exam, bank)
    pool = priced(plan.pool, table.price, table.weight) if len(table.price) else plan.pool
    return pool, build_admission(pool, plan.windows.quota, table.edges, np.array(table.admit))


def _require_fit(exam: Exam, bank: ItemBank, table: ExposureTable) -> None:
    problems = [
        f'made for {kind} "{name}" version {was}; this is "{now_name}" version {now}. Calibrate again: {_command(exam)}'
        for kind, name, was, now_name, now in (
            ("exam", table.exam, table.exam_version, exam.id, exam.version),
            ("bank", table.bank, table.bank_version, bank.id, bank.version),
        )
        if was != now
    ]
    if not problems and table.items != pool_of(bank).ids:
        problems = [f"holds {len(table.items)} items, not the {len(pool_of(bank))} operational ones in their order"]
    if problems:
        raise ExamError(f"exposure table {table.version}", problems)


def _command(exam: Exam) -> str:
    return f"issmp-cat exposure calibrate {exam.id} --bank BANK -o exposure.json"


def require_table(exam: Exam, table: ExposureTable | None) -> None:
    """Refuse to begin an exam whose exposure is to be controlled without the table that does it.

    Raises:
        ExamError: control without a table, or a table without control.
    """
    control = exam.exposure.control
    if table is None and control != "none":
        problem = (
            f'exposure control "{control}" needs a table that says who is admitted to which item. '
            f"Make one: {_command(exam)}; give it with --exposure exposure.json, or start(bank, exposure=…)"
        )
        raise ExamError(exam.id, [problem])
    if table is not None and control == "none":
        raise ExamError(exam.id, ['an exposure table was given, but [exposure] control is "none": drop one of the two'])
