"""Dates of earlier attempts as a registration desk holds them: typed, or in a CSV file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Sequence
from pathlib import Path

from issmp_cat.errors import InputRejected
from issmp_cat.exam.eligibility import attempt_faults
from issmp_cat.files import read_text

__all__ = ["dates_of", "day_of", "read_candidates"]

CANDIDATE = ("candidate", "id", "person", "candidate_id")
# One column "date" with a row an attempt, or several columns with a row a candidate; "attempt" alone is a number.
DATES = re.compile(r"(attempt_)?date(_?\d+)?|attempt_?\d+")


def day_of(text: str) -> dt.date | None:
    """A date written year-month-day; None when it is not one.

    >>> day_of(" 2026-01-10 "), day_of("10.01.2026"), day_of("2026-02-30")
    (datetime.date(2026, 1, 10), None, None)
    """
    try:
        return dt.date.fromisoformat(text.strip()) if re.fullmatch(r"\s*\d{4}-\d\d-\d\d\s*", text) else None
    except ValueError:
        return None


def dates_of(attempts: Sequence[str], on: str | None, waiting_days: Sequence[int]) -> tuple[list[dt.date], dt.date]:
    """Typed dates as dates.

    Args:
        attempts: earlier attempts, year-month-day, in the order given.
        on: the day asked about; today when None.
        waiting_days: the exam's waiting times, by which two attempts on one day are a fault or not.

    Raises:
        InputRejected: listing every text that is not a date, and every attempt that cannot be.
    """
    day = dt.datetime.now().astimezone().date() if on is None else day_of(on)
    texts = [*((f'--attempt "{text}"', text) for text in attempts), *([(f'--on "{on}"', on)] if on is not None else [])]
    faults = [f"{name}; expected a date such as 2026-01-31" for name, text in texts if day_of(text) is None]
    dates = [found for text in attempts if (found := day_of(text))]
    if day is not None:
        faults += attempt_faults(waiting_days, dates, on=day)
    if faults or day is None:
        raise InputRejected("exam eligibility", faults)
    return dates, day


def read_candidates(path: Path, waiting_days: Sequence[int], on: dt.date) -> tuple[dict[str, list[dt.date]], list[str]]:
    """The attempts of each candidate in a CSV file, in the file's order, and the columns that were not needed.

    A candidate's rows add up; an empty date is no attempt, so that candidates without any can stand in the file.

    Args:
        path: CSV or TSV with a column ``candidate`` and either ``date`` or ``attempt_1``, ``attempt_2``, …
        waiting_days: the exam's waiting times, by which two attempts on one day are a fault or not.
        on: the day asked about.

    Raises:
        InputRejected: listing every fault of the file with its line.
    """
    reader = csv.reader(io.StringIO(read_text(path, InputRejected)), delimiter="\t" if path.suffix == ".tsv" else ",")
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputRejected(str(path), [f"line {reader.line_num}: {error}"]) from None
    if len(rows) < 2:
        raise InputRejected(str(path), ["the file holds no candidates" if rows else "the file is empty"])
    header = [name.strip().lower() for name in rows[0][1]]
    who = [k for k, name in enumerate(header) if name in CANDIDATE]
    when = [k for k, name in enumerate(header) if DATES.fullmatch(name)]
    _require_columns(path, header, who, when)
    found: dict[str, list[dt.date]] = {}
    faults: list[str] = []
    for line, row in rows[1:]:
        if len(row) != len(header):
            faults.append(f"line {line}: {len(row)} fields; the header has {len(header)}")
            continue
        name = row[who[0]].strip()
        faults += [] if name else [f"line {line}: no candidate"]
        texts = [row[k] for k in when if row[k].strip()]
        faults += [
            f'line {line}: "{text.strip()}"; expected a date such as 2026-01-31' for text in texts if not day_of(text)
        ]
        found.setdefault(name, []).extend(day for text in texts if (day := day_of(text)))
    for name, days in found.items():
        faults += [f'candidate "{name}": {fault}' for fault in attempt_faults(waiting_days, days, on=on)]
    if faults:
        raise InputRejected(str(path), faults)
    return found, [name for k, name in enumerate(header) if k not in (*who, *when)]


def _require_columns(path: Path, header: list[str], who: list[int], when: list[int]) -> None:
    named = ", ".join(header)
    faults = [] if who else [f"no column of candidates ({', '.join(CANDIDATE)}); found: {named}"]
    faults += [] if len(who) < 2 else [f"{len(who)} columns of candidates: {', '.join(header[k] for k in who)}"]
    faults += [] if when else [f'no column of dates ("date", or "attempt_1", "attempt_2", …); found: {named}']
    if faults:
        raise InputRejected(str(path), faults)
