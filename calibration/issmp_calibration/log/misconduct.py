"""Candidates flagged for misconduct: who they are, and their answers left out where that is asked."""

# ruff: noqa: S608 - every name in these queries has passed quoted() or is our own

from __future__ import annotations

from typing import Any

from issmp_calibration.log.names import ACCEPTED, Layout
from issmp_calibration.log.raw import Raw, quoted
from issmp_calibration.log.table import read_table

__all__ = ["FLAGGED", "find_flagged", "is_flagged"]

FLAGGED = "flagged"
CLEAN = ("", "0", "0.0", "no", "n", "false", "f", "none", "nan", "na", "n/a", "null", "-")


def is_flagged(cell: object) -> bool:
    """Whether a cell of a column ``flagged`` accuses: a reason in words does, as 1 or yes do.

    >>> [is_flagged(cell) for cell in (0, "1", "", "no", "collusion", 1.0)]
    [False, True, False, False, True, True]
    """
    return str(cell).strip().lower() not in CLEAN


def find_flagged(raw: Raw, layout: Layout, candidate: str, candidates: Any) -> int:
    """Create ``accused(who)``, ids as text, from the log's column ``flagged`` and the candidate table's.

    Args:
        raw: the open source.
        layout: how its columns were understood.
        candidate: the SQL expression of a row's candidate; empty where candidates have no column.
        candidates: the candidate table, or None.

    Returns:
        How many there are, with or without answers in this log.
    """
    raw.con.execute("CREATE OR REPLACE TABLE accused (who VARCHAR)")
    own = next((name for name in layout.personal if name.lower() == FLAGGED), None)
    if own is not None and candidate:
        clean = ", ".join(f"'{word}'" for word in CLEAN)
        cell = f"coalesce(lower(trim(CAST({quoted(own)} AS VARCHAR))), '')"
        raw.con.execute(
            f"INSERT INTO accused SELECT DISTINCT CAST({candidate} AS VARCHAR) FROM raw WHERE {cell} NOT IN ({clean}) "
            f"AND {candidate} IS NOT NULL"
        )
    if candidates is not None:
        raw.con.execute("INSERT INTO accused SELECT unnest(?::VARCHAR[])", [_in_table(candidates)])
    row = raw.con.execute("SELECT count(DISTINCT who) FROM accused").fetchone()
    return int(row[0]) if row else 0


def _in_table(source: Any) -> list[str]:
    """Flagged candidates of a candidate table."""
    table = read_table(source, "candidate table")
    lower = {name.lower(): name for name in reversed(table.names)}
    if FLAGGED not in lower:
        return []
    who = next((lower[name] for name in ACCEPTED["candidate"] if name in lower), table.names[0])
    cells = zip(table.cells[who], table.cells[lower[FLAGGED]], strict=True)
    return [candidate for candidate, cell in cells if is_flagged(cell)]
