"""The relation ``answers``: one row an answer, whatever shape the source has."""

# ruff: noqa: S608 - every name in these queries has passed quoted() or is our own

from __future__ import annotations

from issmp_calibration.log.names import Layout
from issmp_calibration.log.raw import Raw, count, quoted
from issmp_calibration.log.rules import Attempts

__all__ = ["MEANINGS", "make_answers"]

# What an answer can consist of; a column that the source lacks is NULL.
MEANINGS = ("option", "score", "response", "status")
WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "VARCHAR"}
FRACTIONS = {"FLOAT", "DOUBLE"}


def make_answers(raw: Raw, layout: Layout, attempts: Attempts) -> list[str]:
    """Create ``answers(__file, __row, candidate, item, option, score, response, status, seconds, position)``.

    Returns:
        Notes about attempts set aside.
    """
    if layout.shape == "wide":
        raw.con.execute(f"CREATE VIEW every AS {_from_wide(raw, layout)}")
    else:
        raw.con.execute(f"CREATE VIEW every AS {_from_long(raw, layout)}")
    if "attempt" not in layout.roles:
        raw.con.execute("CREATE VIEW answers AS SELECT * FROM every")
        return []
    return _choose_attempts(raw, attempts)


def _id(raw: Raw, name: str) -> str:
    """An id column, in a type that does not write 7 as 7.0."""
    kind = raw.types[name]
    if kind in FRACTIONS:
        return f"CAST(CAST({quoted(name)} AS BIGINT) AS VARCHAR)"
    return quoted(name) if kind in WHOLE else f"CAST({quoted(name)} AS VARCHAR)"


def _from_long(raw: Raw, layout: Layout) -> str:
    """A long table's columns under their roles."""
    roles = layout.roles
    cells = [f"{_id(raw, roles[role])} AS {role}" for role in ("candidate", "item")]
    cells += [
        f"{quoted(roles[role])} AS {role}" if role in roles else f"NULL::VARCHAR AS {role}"
        for role in (*MEANINGS, "seconds", "position", "attempt")
    ]
    return f"SELECT __file, __row, {', '.join(cells)} FROM raw"


def _from_wide(raw: Raw, layout: Layout) -> str:
    """A wide table turned, its cells as text under the role ``response``."""
    roles = layout.roles
    person = _id(raw, roles["candidate"]) if "candidate" in roles else "row_number() OVER (ORDER BY __file, __row)"
    attempt = quoted(roles["attempt"]) if "attempt" in roles else "NULL::VARCHAR"
    names = ", ".join(quoted(name) for name in layout.items)
    cells = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in layout.items)
    inner = f"SELECT __file, __row, {person} AS _person, {attempt} AS _attempt, {cells} FROM raw"
    empty = ", ".join(f"NULL::VARCHAR AS {role}" for role in ("option", "score", "status", "seconds", "position"))
    return (
        f"SELECT __file, __row, _person AS candidate, _item AS item, _response AS response, {empty}, "
        f"_attempt AS attempt FROM ({inner}) UNPIVOT INCLUDE NULLS (_response FOR _item IN ({names}))"
    )


def _choose_attempts(raw: Raw, attempts: Attempts) -> list[str]:
    """Keep one attempt of each candidate, or tell them apart.

    Attempts are ordered by the number they contain: "4+" comes after "4".
    """
    number = "coalesce(try_cast(regexp_extract(attempt::VARCHAR, '[0-9]+') AS BIGINT), 0)"
    order = f"({number}, coalesce(attempt::VARCHAR, ''))"
    pick = "max_by" if attempts == "last" else "min_by"
    raw.con.execute(
        f"CREATE TABLE chosen AS SELECT candidate AS who, {pick}(coalesce(attempt::VARCHAR, ''), {order}) AS which, "
        "count(DISTINCT coalesce(attempt::VARCHAR, '')) AS attempts FROM every GROUP BY candidate"
    )
    repeated = count(raw, "SELECT count(*) FROM chosen WHERE attempts > 1")
    if attempts == "all" and repeated:
        raw.con.execute(
            "CREATE VIEW answers AS SELECT every.* REPLACE (CASE WHEN attempts > 1 "
            "THEN concat(candidate, '#', attempt) "
            "ELSE candidate::VARCHAR END AS candidate) FROM every LEFT JOIN chosen ON candidate IS NOT DISTINCT "
            "FROM who"
        )
        return [f"{repeated:,} candidates with several attempts; each attempt stands as candidate#attempt"]
    if not repeated:
        raw.con.execute("CREATE VIEW answers AS SELECT * FROM every")
        return []
    raw.con.execute(
        "CREATE VIEW answers AS SELECT every.* FROM every JOIN chosen ON candidate IS NOT DISTINCT FROM who "
        "AND coalesce(attempt::VARCHAR, '') = which"
    )
    gone = count(raw, "SELECT (SELECT count(*) FROM every) - (SELECT count(*) FROM answers)")
    return [
        f"{repeated:,} candidates with several attempts; the {attempts} of each is used, {gone:,} answers set aside"
    ]
