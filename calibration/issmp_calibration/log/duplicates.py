"""Rows that say the same twice, and candidates who answered an item twice."""

# ruff: noqa: S608 - every name in these queries is our own

from __future__ import annotations

from issmp_calibration.log.raw import Raw, count
from issmp_calibration.log.rules import Duplicates, Rules
from issmp_calibration.log.versions import WITHIN
from issmp_cat.errors import ResponseLogError

__all__ = ["duplicate_problem", "same_item", "settle_duplicates"]

CELLS = "option, score, response, status, seconds, position"
ANSWER = "option, score, response, status"


def same_item(rules: Rules) -> str:
    """The SQL expression by which two answers are to the same item."""
    return f"regexp_replace(a.item::VARCHAR, '{WITHIN}', '')" if rules.item_versions == "pooled" else "a.item"


def _find(raw: Raw, on: str, rules: Rules) -> None:
    """Create ``doubles``: the answers to items that a candidate answered more than once, ``copy`` by content.

    ``nth`` counts the rows of one content from 1; ``content`` the contents of one item and candidate, ``answer`` what
    was answered, whatever the time.
    """
    item = same_item(rules)
    raw.con.execute(
        "CREATE OR REPLACE TEMP TABLE doubles AS WITH twice AS MATERIALIZED ("
        f"SELECT a.candidate AS who, {item} AS what FROM answers a JOIN pairs ON {on} "
        "WHERE pairs.code NOT IN (FROM skipped) AND a.candidate IS NOT NULL AND a.item IS NOT NULL "
        "GROUP BY ALL HAVING count(*) > 1), "
        f"rows AS (SELECT a.*, twice.what FROM answers a JOIN twice ON a.candidate = twice.who AND {item} = twice.what "
        f"JOIN pairs ON {on} WHERE pairs.code NOT IN (FROM skipped)) "
        f"SELECT *, row_number() OVER (PARTITION BY candidate, what, {CELLS} ORDER BY __file, __row) AS nth, "
        f"dense_rank() OVER (PARTITION BY candidate, what ORDER BY {CELLS}) AS content, "
        f"dense_rank() OVER (PARTITION BY candidate, what ORDER BY {ANSWER}) AS answer FROM rows"
    )


def duplicate_problem(raw: Raw, on: str, rules: Rules) -> str:
    """The message about candidates who answered an item twice, each time otherwise; empty if nobody did."""
    _find(raw, on, rules)
    raw.con.execute(
        "CREATE OR REPLACE TEMP TABLE conflicts AS SELECT candidate::VARCHAR AS who, max(answer) AS answers "
        "FROM doubles GROUP BY candidate, what HAVING max(content) > 1"
    )
    total = count(raw, "SELECT count(DISTINCT who) FROM conflicts")
    if not total:
        return ""
    query = "SELECT DISTINCT who FROM conflicts ORDER BY who LIMIT 3"
    names = ", ".join(row[0] for row in raw.con.execute(query).fetchall())
    who = "1 candidate" if total == 1 else f"{total:,} candidates"
    dots = ", …" if total > 3 else ""
    same = count(raw, "SELECT count(*) FROM conflicts WHERE answers = 1")
    only = f"; {same:,} times with the same answer and only another time or position" if same else ""
    return (
        f"{who} answered an item twice in one attempt ({names}{dots}){only}: "
        "first or last decides (--duplicates, duplicates=)"
    )


def settle_duplicates(raw: Raw, on: str, duplicates: Duplicates, rules: Rules) -> list[str]:
    """Take surplus rows out of ``answers``: copies of a row, and all but the first or last of different answers.

    Creates ``gone_twice(__file, __row, item, candidate, rule)``, rule ``duplicate`` or ``answered_twice``.

    Returns:
        What was done.

    Raises:
        ResponseLogError: different answers to an item, and nothing says which one counts.
    """
    if duplicates == "error" and (problem := duplicate_problem(raw, on, rules)):
        raise ResponseLogError(raw.where, [problem])
    if duplicates != "error":
        _find(raw, on, rules)
    order = "DESC" if duplicates == "last" else "ASC"
    raw.con.execute(
        "CREATE OR REPLACE TABLE gone_twice AS SELECT __file, __row, item, candidate, "
        "CASE WHEN nth > 1 THEN 'duplicate' ELSE 'answered_twice' END AS rule FROM doubles QUALIFY nth > 1 OR "
        "row_number() OVER (PARTITION BY candidate, what, nth = 1 "
        f"ORDER BY __file {order}, __row {order}) > 1"
    )
    raw.con.execute(
        "CREATE OR REPLACE VIEW answers AS SELECT a.* FROM judged a ANTI JOIN gone_twice g "
        "ON a.__file = g.__file AND a.__row = g.__row AND a.item = g.item"
    )
    copies, others = (
        count(raw, f"SELECT count(*) FROM gone_twice WHERE rule = '{rule}'") for rule in ("duplicate", "answered_twice")
    )
    notes = [f"{copies:,} exact copies of another row are dropped"] if copies else []
    return notes + ([f"{others:,} duplicate answers set aside: the {duplicates} one counts"] if others else [])
