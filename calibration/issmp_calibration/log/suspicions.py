"""What scores that cannot be most likely are: a row of totals, codes for no answer, items of several points."""

# ruff: noqa: S608 - every name in these queries is our own

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from issmp_calibration.log.faults import counted, some
from issmp_calibration.log.raw import Raw, count
from issmp_calibration.log.scoring import Fault, number

__all__ = ["TOTALS", "coded", "find_totals", "graded"]

TOTALS = "rows of totals"
TOTAL = re.compile(r"(grand |sub)?totals?|sums?|summe|gesamt|means?|average|avg|mittelwert|max(imum)?", re.IGNORECASE)
MOST_TOTALS = 3  # rows; more are no slip of one kind
LARGE = 10  # a row without such a name is one of totals only if most of it is larger, and an item has not more points
CODE = re.compile(r"-[0-9]+|[89]|8{2,}|9{2,}|9[5-9]|99[5-9]")
SHARE = 10  # one in so many answers to an item, and it is no slip


def find_totals(
    raw: Raw, pairs: Mapping[int, Fault], on: str, *, wide: bool
) -> tuple[list[tuple[tuple[int, int], str, str, int]], dict[int, Fault]]:
    """Rows, or candidates of a long log, that are sums over the others.

    Args:
        raw: holds ``answers`` and ``pairs``.
        pairs: fault of each refused pair; ``on``: the condition that finds a row's pair.
        wide: whether a row is a candidate.

    Returns:
        A fault for each such row, and the refused pairs that occur elsewhere too; ``totals(who)`` names the candidates.
    """
    raw.con.execute("CREATE OR REPLACE TEMP TABLE totals (who VARCHAR)")
    values = {code: value for code, fault in pairs.items() if (value := number(fault.cell)) is not None}
    if not values:
        return [], dict(pairs)
    raw.con.execute(
        "CREATE OR REPLACE TEMP TABLE refused AS SELECT unnest(?::BIGINT[]) AS code, unnest(?::DOUBLE[]) AS value",
        [list(values), list(values.values())],
    )
    rows = raw.con.execute(
        "SELECT coalesce(a.candidate::VARCHAR, '') AS who, min(__file), arg_min(__row, (__file, __row)), count(*), "
        f"median(refused.value), count(refused.code) AS bad FROM answers a JOIN pairs ON {on} "
        "LEFT JOIN refused ON refused.code = pairs.code GROUP BY who "
        f"HAVING 2 * bad >= count(*) AND bad > 1 ORDER BY 2, 3 LIMIT {MOST_TOTALS + 1}"
    ).fetchall()
    if not rows or len(rows) > MOST_TOTALS:
        return [], dict(pairs)
    last = raw.con.execute("SELECT __file, max(__row) FROM raw GROUP BY ALL").fetchall()
    found = [
        (who, (file, row), bad)
        for who, file, row, _, middle, bad in rows
        if TOTAL.fullmatch(who) or (wide and (file, row) in last and middle > LARGE)
    ]
    if not found or len(found) == count(raw, "SELECT count(DISTINCT candidate) FROM answers"):
        return [], dict(pairs)
    raw.con.execute("INSERT INTO totals SELECT unnest(?::VARCHAR[])", [[who for who, *_ in found]])
    words = "{} looks like a row of totals ({} that are no scores): take it out of the file"
    faults = [
        (place, TOTALS, words.format(f'candidate "{who}"' if who else "this", counted(bad, "value")), 1)
        for who, place, bad in found
    ]
    return faults, _elsewhere(raw, pairs, on)


def _elsewhere(raw: Raw, pairs: Mapping[int, Fault], on: str) -> dict[int, Fault]:
    """The refused pairs that others than the totals have."""
    raw.con.execute("CREATE OR REPLACE TEMP TABLE refused AS SELECT unnest(?::BIGINT[]) AS code", [list(pairs)])
    left = raw.con.execute(
        f"SELECT DISTINCT pairs.code FROM answers a JOIN pairs ON {on} JOIN refused ON refused.code = pairs.code "
        "WHERE NOT EXISTS (FROM totals WHERE who = coalesce(a.candidate::VARCHAR, ''))"
    ).fetchall()
    return {code: pairs[code] for (code,) in sorted(left)}


def _by_item(raw: Raw, pairs: Mapping[int, Fault]) -> dict[str, dict[float, int]]:
    """How often each impossible number occurs, by item."""
    found: dict[str, dict[float, int]] = defaultdict(dict)
    for code, item, rows in raw.con.execute("SELECT code, item::VARCHAR, count FROM pairs ORDER BY code").fetchall():
        fault = pairs.get(code)
        value = number(fault.cell) if fault is not None and fault.kind == "impossible scores" else None
        if value is not None and item is not None:
            found[item][value] = found[item].get(value, 0) + rows
    return found


def _codes(items: Mapping[str, Mapping[float, int]]) -> list[str]:
    """Numbers that surveys and tests write for no answer, at more than one place."""
    every = {value for values in items.values() for value in values}
    steps = {value for value in every if value in range(2, 8)}
    texts = {value: f"{value:g}" for value in every if CODE.fullmatch(f"{value:g}")}
    return [
        text
        for value, text in sorted(texts.items(), key=lambda pair: (-abs(pair[0]), pair[0]))
        if sum(values.get(value, 0) for values in items.values()) > 1
        and (value not in {8.0, 9.0} or not steps & {6, 7})
    ]


def coded(raw: Raw, pairs: Mapping[int, Fault]) -> Iterator[str]:
    """How to say that a number stands for no answer."""
    if codes := _codes(_by_item(raw, pairs)):
        said = " ".join(f"--omitted-code {code}" for code in codes)
        means = "means" if len(codes) == 1 else "mean"
        yield (
            f"if {' and '.join(codes)} {means} no answer: {said} (Rules(omitted_codes={tuple(codes)!r})); such answers "
            "count as wrong, or not at all with --omitted missing"
        )


def graded(raw: Raw, pairs: Mapping[int, Fault]) -> Iterator[str]:
    """How to say that items have several points."""
    items = _by_item(raw, pairs)
    codes = {float(code) for code in _codes(items)}
    answers = dict(raw.con.execute("SELECT item::VARCHAR, sum(count) FROM pairs GROUP BY ALL").fetchall())
    steps = {item: {v: n for v, n in values.items() if v not in codes} for item, values in items.items()}
    several = [
        item
        for item, values in steps.items()
        if values
        and all(value in range(2, LARGE + 1) for value in values)
        and sum(values.values()) > 1
        and SHARE * sum(values.values()) >= answers[item]
    ]
    if several:
        most = int(max(max(steps[item]) for item in several))
        yield (
            f"{counted(len(several), 'item')} with scores up to {most} ({some(several)}): if that is right, "
            f"--max-score {most} (Rules(max_score={most})), or a column max_score in the item file"
        )
