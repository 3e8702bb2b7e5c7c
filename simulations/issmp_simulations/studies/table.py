"""A study's table: for people as Markdown, for programs as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from issmp_simulations.estimates import Estimate
from issmp_simulations.studies.definition import Study
from issmp_simulations.studies.row import Row

__all__ = ["COLUMNS", "as_csv", "as_json", "as_markdown", "cells"]

FORMAT, FORMAT_VERSION = "issmp-cat/study-table", 1
COLUMNS = (
    "design", "bank", "exams", "accuracy % ± SE", "less reference, points", "mean length ± SE", "false pass %",
    "false fail %", "largest exposure", "never used %", "RMSE of θ", "violations", "unproven",
)  # fmt: skip


def cells(row: Row) -> tuple[str, ...]:
    """A row as people read it.

    The digits follow the standard errors.
    """
    return (
        row.title,
        row.bank,
        f"{row.candidates:,}",
        _with_error(row.accuracy, 100.0),
        "" if row.difference is None else _with_error(row.difference, 100.0, sign="+"),
        _with_error(row.mean_length),
        f"{100 * row.false_pass.value:.2f}",
        f"{100 * row.false_fail.value:.2f}",
        f"{row.exposure_maximum.value:.3f}",
        f"{100 * row.never_used:.1f}",
        f"{row.rmse.value:.4f}",
        str(row.violations),
        str(row.unproven),
    )


def _with_error(value: Estimate, factor: float = 1.0, sign: str = "") -> str:
    """A figure and its standard error, to the digits that the error leaves standing.

    >>> _with_error(Estimate(0.96164, 0.00019, 0.9613, 0.962), 100.0), _with_error(Estimate(125.0, 0.0, 125.0, 125.0))
    ('96.164 ± 0.019', '125')
    """
    number, error = factor * value.value, factor * value.se
    if error == 0.0:
        return f"{number:{sign}.6g}"
    digits = 3 if error < 0.1 else 2 if error < 1.0 else 1
    return f"{number:{sign}.{digits}f} ± {error:.{digits}f}"


def as_markdown(study: Study, rows: Sequence[Row]) -> str:
    """A page: what was simulated, the table, why exams ended, and how to make it again."""
    lines = [f"# {study.title}", "", *([study.note.strip(), ""] if study.note else [])]
    people = sorted({row.candidates for row in rows})
    population = rows[0].provenance["titles"]["population"]
    simulated = (
        f"Simulated candidates {population}; seed {study.seed}; the same candidates and the same luck in every design. "
        "± is one Monte-Carlo standard error."
    )
    lines += [
        simulated,
        "",
        *_by_bank(rows),
        *_lines(COLUMNS, [cells(row) for row in rows]),
        "",
    ]
    if study.reference is not None:
        title = next(design.title for design in study.designs if design.id == study.reference)
        lines += [
            f'"Less reference" is accuracy less that of "{title}" on the same bank, candidate by candidate.',
            "",
        ]
    reasons = list(dict.fromkeys(reason for row in rows for reason in row.reasons))
    ended = [
        (row.title, row.bank, *(f"{100 * row.reasons.get(reason, 0.0):.2f}" for reason in reasons)) for row in rows
    ]
    lines += ["Why exams ended, %:", "", *_lines(("design", "bank", *reasons), ended), ""]
    versions = rows[0].provenance["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    number = f" -n {people[0]}" if len(people) == 1 and people[0] != study.candidates else ""
    lines += [f"Made by `issmp-cat study run {study.id}{number}`; {told}.", ""]
    return "\n".join(lines)


def _by_bank(rows: Sequence[Row]) -> list[str]:
    """Accuracy and mean length, a design a line and a bank a column; nothing where there is one bank."""
    banks = list(dict.fromkeys(row.bank for row in rows))
    if len(banks) == 1:
        return []
    found = {(row.title, row.bank): row for row in rows}
    lines = [
        (title, *(_short(found.get((title, bank))) for bank in banks)) for title in dict.fromkeys(r.title for r in rows)
    ]
    return ["Accuracy % ± SE, mean length:", "", *_lines(("design", *banks), lines), ""]


def _short(row: Row | None) -> str:
    return "" if row is None else f"{_with_error(row.accuracy, 100.0)}, {row.mean_length.value:.1f}"


def _lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    head = [f"| {' | '.join(columns)} |", f"|---|---|{'---:|' * (len(columns) - 2)}"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows)]


def as_csv(rows: Sequence[Row]) -> str:
    """One row a design, figures and their standard errors in columns of their own, nothing rounded."""
    flat = [_flat(row) for row in rows]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(flat[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()


def _flat(row: Row) -> dict[str, Any]:
    content: dict[str, Any] = {"id": row.id, "design": row.title, "bank": row.bank, "candidates": row.candidates}
    for name in ("accuracy", "difference", "mean_length", "false_pass", "false_fail", "exposure_maximum", "rmse"):
        value = getattr(row, name)
        content[name] = "" if value is None else repr(value.value)
        content[f"{name}_se"] = "" if value is None else repr(value.se)
    return {**content, "never_used": row.never_used, "violations": row.violations, "unproven": row.unproven}


def as_json(study: Study, rows: Sequence[Row]) -> dict[str, Any]:
    """Everything, with the definition of the study and where each figure comes from."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "study": json.loads(study.model_dump_json()),
        "rows": [row.as_dict() for row in rows],
    }
