"""Items that candidates did not get to, inferred from where their answers end.

Of the omitted answers at the end of a test all but the first are taken for not reached: the first was seen, and left
(the practice of TIMSS and PISA: Martin, von Davier & Mullis, 2020, Methods and Procedures: TIMSS 2019; OECD, 2017, PISA
2015 Technical Report). Where a score_status tells, nothing is inferred.
"""

# ruff: noqa: S608 - every name in these queries has passed quoted() or is our own

from __future__ import annotations

from issmp_calibration.log.names import Layout
from issmp_calibration.log.raw import Raw
from issmp_calibration.log.rules import Rules
from issmp_calibration.log.scoring import MISSING, number
from issmp_cat.errors import ResponseLogError

__all__ = ["infer_not_reached"]


def infer_not_reached(raw: Raw, layout: Layout, rules: Rules, before: str) -> tuple[str, list[str]]:
    """Create ``ended``, with status not_reached where it was inferred.

    Args:
        raw: holds the relation ``before``.
        layout: how its columns were understood.
        rules: whether to infer, and which options stand for no answer.
        before: the name of the relation to start from.

    Returns:
        The relation to go on with, and notes.

    Raises:
        ResponseLogError: a long log without positions.
    """
    if not rules.infer_not_reached:
        return before, []
    if "status" in layout.roles:
        return before, ["score_status says what was not reached; nothing is inferred"]
    if layout.shape == "long" and "position" not in layout.roles:
        problem = "not reached cannot be inferred without positions: name their column (--column position=…)"
        raise ResponseLogError(raw.where, [problem])
    place = "try_cast(position AS BIGINT)" if layout.shape == "long" else _column(layout)
    blank = " AND ".join(f"({_blank(role, rules)})" for role in _cells(layout))
    # Where each candidate's answers end, and the first blank behind that: a row each, so the view only joins.
    raw.con.execute(
        f"CREATE TABLE ends AS WITH last AS (SELECT candidate, max({place}) FILTER (NOT ({blank})) AS place "
        f"FROM {before} GROUP BY candidate) SELECT b.candidate AS who, min({place}) AS first_blank FROM {before} b "
        "JOIN last ON b.candidate IS NOT DISTINCT FROM last.candidate "
        f"WHERE ({blank}) AND {place} > coalesce(last.place, -1) GROUP BY b.candidate"
    )
    unreached = f"CASE WHEN ({blank}) AND {place} > first_blank THEN 'not_reached' END"
    raw.con.execute(
        f"CREATE VIEW ended AS SELECT b.* REPLACE ({unreached} AS status) FROM {before} b "
        "LEFT JOIN ends ON b.candidate IS NOT DISTINCT FROM who"
    )
    return "ended", ["omitted answers at the end of a test, after the first of them, are taken as not reached"]


def _cells(layout: Layout) -> list[str]:
    """The columns that hold an answer; an item is blank where all of them are, or the option alone if there is one."""
    if layout.shape == "wide":
        return ["response"]
    found = [role for role in ("option", "score", "response") if role in layout.roles]
    return ["option"] if "option" in found else found


def _blank(role: str, rules: Rules) -> str:
    words = [*MISSING, *(code.lower() for code in rules.omitted_codes)]
    listed = ", ".join("'" + word.replace("'", "''") + "'" for word in words)
    said = f"{role} IS NULL OR lower(trim({role}::VARCHAR)) IN ({listed})"
    numbers = [value for code in rules.omitted_codes if (value := number(code)) is not None]
    if not numbers:
        return said
    return f"{said} OR coalesce(try_cast({role}::VARCHAR AS DOUBLE) IN ({', '.join(map(repr, numbers))}), false)"


def _column(layout: Layout) -> str:
    """The place of an item among the columns of a wide table."""
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in layout.items)
    return f"list_position([{listed}], item)"
