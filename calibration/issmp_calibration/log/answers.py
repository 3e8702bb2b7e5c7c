"""The relation ``answers``: one row an answer, whatever shape the source has."""

# ruff: noqa: S608 - every name in these queries has passed quoted() or is our own

from __future__ import annotations

from dataclasses import replace
from typing import Any

from issmp_calibration.log.faults import counted
from issmp_calibration.log.misconduct import find_flagged
from issmp_calibration.log.names import Layout
from issmp_calibration.log.raw import Raw, count, quoted
from issmp_calibration.log.removals import Removal
from issmp_calibration.log.rules import Attempts, Rules
from issmp_calibration.log.unreached import infer_not_reached
from issmp_calibration.log.versions import versioned_sql

__all__ = ["MEANINGS", "OWN", "make_answers", "own_columns"]

# What an answer can consist of; a column that the source lacks is NULL.
OWN = "__own_"
MEANINGS = ("option", "score", "response", "status")
WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "VARCHAR"}
FRACTIONS = {"FLOAT", "DOUBLE"}


def make_answers(
    raw: Raw, layout: Layout, attempts: Attempts, rules: Rules, candidates: Any = None
) -> tuple[Layout, list[Removal]]:
    """Create ``answers(__file, __row, candidate, item, option, score, response, status, seconds, position)``.

    Views stand on one another: ``every`` answer of the source, those of candidates who count, those of the attempt
    that counts; ``judged`` is the last of them, and ``answers`` the same until duplicates are settled.

    Returns:
        The layout, with a status where one was inferred; and what was taken out on the way, or left in although it is
        remarkable.
    """
    raw.con.execute(
        f"CREATE VIEW every AS {_from_wide(raw, layout) if layout.shape == 'wide' else _from_long(raw, layout)}"
    )
    view, removals = _without_flagged(raw, layout, rules, candidates)
    view, told = _choose_attempts(raw, layout, attempts, view)
    view, notes = infer_not_reached(raw, layout, rules, view)
    raw.con.execute(f"CREATE VIEW judged AS SELECT * FROM {view}")
    raw.con.execute("CREATE VIEW answers AS SELECT * FROM judged")
    if view == "ended":
        layout = replace(layout, roles={**layout.roles, "status": "score_status"})
    return layout, [*removals, *told, *(Removal("not_reached_inferred", "noted", note) for note in notes)]


def _without_flagged(raw: Raw, layout: Layout, rules: Rules, candidates: Any) -> tuple[str, list[Removal]]:
    """Answers of candidates flagged for misconduct, left out or only told of."""
    candidate = _id(raw, layout.roles["candidate"]) if "candidate" in layout.roles else ""
    number = find_flagged(raw, layout, candidate, candidates)
    if not number:
        return "every", []
    theirs = "SELECT * FROM every WHERE candidate::VARCHAR IN (SELECT who FROM accused)"
    there = count(raw, f"SELECT count(DISTINCT candidate) FROM ({theirs})")
    if not there:
        return "every", []
    said = f"{counted(there, 'candidate')} flagged for misconduct"
    if rules.flagged == "keep":
        note = f"{said}: kept here; --flagged drop leaves them out, as calibrate does by default"
        return "every", [Removal("flagged", "kept", note, theirs)]
    raw.con.execute(
        "CREATE VIEW unflagged AS SELECT * FROM every WHERE candidate IS NULL OR "
        "candidate::VARCHAR NOT IN (SELECT who FROM accused)"
    )
    return "unflagged", [Removal("flagged", "dropped", f"{said}: left out; --flagged keep uses them", theirs)]


def _id(raw: Raw, name: str) -> str:
    """An id column, in a type that does not write 7 as 7.0."""
    kind = raw.types[name]
    if kind in FRACTIONS:
        return f"CAST(CAST({quoted(name)} AS BIGINT) AS VARCHAR)"
    return quoted(name) if kind in WHOLE else f"CAST({quoted(name)} AS VARCHAR)"


def _from_long(raw: Raw, layout: Layout) -> str:
    """A long table's columns under their roles."""
    roles = layout.roles
    item = _id(raw, roles["item"])
    if "item_version" in roles:
        item = versioned_sql(item, quoted(roles["item_version"]))
    cells = [f"{_id(raw, roles['candidate'])} AS candidate", f"{item} AS item"]
    cells += [
        f"{quoted(roles[role])} AS {role}" if role in roles else f"NULL::VARCHAR AS {role}"
        for role in (*MEANINGS, "seconds", "position", "attempt")
    ]
    own = [f"{quoted(name)} AS {OWN}{k}" for k, name in enumerate(own_columns(layout))]
    return f"SELECT __file, __row, {', '.join([*cells, *own])} FROM raw"


def own_columns(layout: Layout) -> list[str]:
    """Columns that say something of the candidate; ``answers`` has them as ``__own_0``, ``__own_1``, …."""
    return [*([layout.roles["attempt"]] if "attempt" in layout.roles else []), *layout.personal]


def _from_wide(raw: Raw, layout: Layout) -> str:
    """A wide table turned, its cells as text under the role ``response``."""
    roles = layout.roles
    person = _id(raw, roles["candidate"]) if "candidate" in roles else "row_number() OVER (ORDER BY __file, __row)"
    attempt = quoted(roles["attempt"]) if "attempt" in roles else "NULL::VARCHAR"
    names = ", ".join(quoted(name) for name in layout.items)
    cells = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in layout.items)
    own = "".join(f", {quoted(name)} AS {OWN}{k}" for k, name in enumerate(own_columns(layout)))
    inner = f"SELECT __file, __row, {person} AS _person, {attempt} AS _attempt{own}, {cells} FROM raw"
    owned = "".join(f", {OWN}{k}" for k in range(len(own_columns(layout))))
    empty = ", ".join(f"NULL::VARCHAR AS {role}" for role in ("option", "score", "status", "seconds", "position"))
    return (
        f"SELECT __file, __row, _person AS candidate, _item AS item, _response AS response, {empty}, "
        f"_attempt AS attempt{owned} FROM ({inner}) UNPIVOT INCLUDE NULLS (_response FOR _item IN ({names}))"
    )


def _choose_attempts(raw: Raw, layout: Layout, attempts: Attempts, before: str) -> tuple[str, list[Removal]]:
    """Keep one attempt of each candidate, or tell them apart.

    Attempts are ordered by the number they contain: "4+" comes after "4".
    """
    if "attempt" not in layout.roles:
        return before, []
    number = "coalesce(try_cast(regexp_extract(attempt::VARCHAR, '[0-9]+') AS BIGINT), 0)"
    order = f"({number}, coalesce(attempt::VARCHAR, ''))"
    pick = "max_by" if attempts == "last" else "min_by"
    raw.con.execute(
        f"CREATE TABLE chosen AS SELECT candidate AS who, {pick}(coalesce(attempt::VARCHAR, ''), {order}) AS which, "
        f"count(DISTINCT coalesce(attempt::VARCHAR, '')) AS attempts FROM {before} GROUP BY candidate"
    )
    repeated = count(raw, "SELECT count(*) FROM chosen WHERE attempts > 1")
    if not repeated:
        return before, []
    said = f"{repeated:,} candidates with several attempts"
    if attempts == "all":
        raw.con.execute(
            "CREATE VIEW chosen_answers AS SELECT b.* REPLACE (CASE WHEN attempts > 1 "
            "THEN concat(candidate, '#', attempt) "
            f"ELSE candidate::VARCHAR END AS candidate) FROM {before} b LEFT JOIN chosen ON candidate IS NOT DISTINCT "
            "FROM who"
        )
        note = f"{said}; each attempt stands as candidate#attempt"
        return "chosen_answers", [Removal("attempt", "noted", note)]
    joined = f"FROM {before} b JOIN chosen ON candidate IS NOT DISTINCT FROM who AND coalesce(attempt::VARCHAR, '')"
    raw.con.execute(f"CREATE VIEW chosen_answers AS SELECT b.* {joined} = which")
    others = f"SELECT b.* {joined} <> which"
    gone = count(raw, f"SELECT count(*) FROM ({others})")
    note = f"{said}; the {attempts} of each is used, {gone:,} answers set aside"
    return "chosen_answers", [Removal("attempt", "dropped", note, others)]
