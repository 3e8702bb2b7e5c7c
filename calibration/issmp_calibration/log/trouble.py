"""When something is wrong: every fault of a log, each with its line."""

# ruff: noqa: S608 - every name in these queries has passed quoted() or is our own

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NoReturn, TypeAlias

from issmp_calibration.log.dictionary import Dictionary
from issmp_calibration.log.duplicates import duplicate_problem
from issmp_calibration.log.faults import Faults, counted
from issmp_calibration.log.hints import MOST_STRANGERS, STRANGERS, hints_for
from issmp_calibration.log.key import ItemKey
from issmp_calibration.log.lines import Place, lines_of, site
from issmp_calibration.log.names import Layout
from issmp_calibration.log.pairs import natural
from issmp_calibration.log.raw import Raw, count
from issmp_calibration.log.rules import Rules
from issmp_calibration.log.scoring import Fault
from issmp_calibration.log.suspicions import find_totals
from issmp_cat.errors import ResponseLogError

__all__ = ["any_row_fault", "nobody", "report_faults"]

NOBODY = ("NA", "N/A", "NaN", "nan", "NULL", "null", "None", "<NA>")  # what programs write where an id is missing
# Faults of a single row that no distinct pair shows: condition, kind, message.
ROW_FAULTS: dict[str, tuple[str, str, str]] = {
    "candidate": (f"candidate IS NULL OR candidate::VARCHAR IN {NOBODY}", "rows without a candidate", "no candidate"),
    "seconds": (
        "seconds IS NOT NULL AND try_cast(seconds AS FLOAT) IS NULL",
        "times that are no numbers",
        'seconds "{}" is not a number',
    ),
    "position": (
        "position IS NOT NULL AND coalesce(try_cast(position AS INTEGER), -1) NOT BETWEEN 0 AND 32767",
        "impossible positions",
        'position "{}" is not a whole number from 0 to 32767',
    ),
}
REJECTS = {
    "INVALID ENCODING": "not UTF-8 text; save the file as UTF-8",
    "UNQUOTED VALUE": "a quote that does not close",
    "LINE SIZE OVER MAXIMUM": "longer than 2 MB",
}
# Where a fault stands, its kind, its message, and how many of its kind it stands for.
Found: TypeAlias = tuple[Place, str, str, int]


def nobody(people: Dictionary) -> bool:
    """Whether some candidate is called as programs write a missing id."""
    if not people.texts or not len(people):
        return False
    names = people.bytes()
    return any(bool((names == name.encode()).any()) for name in NOBODY)


def any_row_fault(raw: Raw, layout: Layout) -> bool:
    """Whether any row lacks its candidate or has a time or position that is none."""
    conditions = [condition for role, (condition, *_) in ROW_FAULTS.items() if role in layout.roles]
    return bool(conditions) and count(raw, f"SELECT count(*) FROM answers WHERE {' OR '.join(conditions)}") > 0


def report_faults(
    raw: Raw,
    layout: Layout,
    pairs: Mapping[int, Fault],
    on: str,
    rules: Rules,
    items: ItemKey | None,
    unkeyed: str = "",
) -> NoReturn:
    """Find the lines of all faults and raise.

    Args:
        raw: holds ``answers``, ``pairs`` and ``skipped``.
        layout: how its columns were understood.
        pairs: fault of each refused pair.
        on: the condition that finds a row's pair.
        rules: how many faults of one kind are listed, and when two answers are to the same item.
        items: the item file.
        unkeyed: the message about options without a key, if that is so.
    """
    listed = rules.listed
    faults, hints = Faults(listed), Faults(listed)
    if unkeyed:
        faults.add("no key", unkeyed)
    strangers = {code: fault for code, fault in pairs.items() if fault.kind == STRANGERS}
    pairs = {code: fault for code, fault in pairs.items() if code not in strangers}
    totals, pairs = find_totals(raw, pairs, on, wide=layout.shape == "wide")
    found = [
        *totals,
        *_strangers(raw, strangers, on),
        *_pair_faults(raw, pairs, on, listed, wide=layout.shape == "wide"),
        *_row_faults(raw, listed),
    ]
    at_row, at_reject = lines_of(raw, [place for place, *_ in found])
    for (file, record), kind, message in _broken(raw):
        line = at_reject[file, record]
        faults.add(kind, f"{site(raw, file, line)}: {message}", line=line)
    for number, (place, kind, message, times) in enumerate(found):
        line = at_row.get(place, place[1])
        order = number if kind == STRANGERS else line
        faults.add(kind, f"{site(raw, place[0], line)}: {message}", line=order, times=times)
    if doubles := duplicate_problem(raw, on, rules):
        faults.add("duplicates", doubles)
    for rank, hint in enumerate(hints_for(raw, layout, faults, pairs, on, items)):
        hints.add("hint", hint, line=rank)
    raise ResponseLogError(raw.where, [*hints.problems(), *faults.problems()])


def _strangers(raw: Raw, pairs: Mapping[int, Fault], on: str) -> list[Found]:
    """Items that the key does not know, each once, in their natural order; the last one listed stands for the rest."""
    if not pairs:
        return []
    raw.con.execute("CREATE OR REPLACE TEMP TABLE refused AS SELECT unnest(?::BIGINT[]) AS code", [list(pairs)])
    rows = raw.con.execute(
        "SELECT a.item::VARCHAR, min(__file), arg_min(__row, (__file, __row)), any_value(pairs.code), count(*) "
        f"FROM answers a JOIN pairs ON {on} JOIN refused ON refused.code = pairs.code GROUP BY ALL"
    ).fetchall()
    rows.sort(key=lambda row: natural(row[0]))
    shown = rows[:MOST_STRANGERS]
    return [
        (
            (file, row),
            STRANGERS,
            pairs[code].message + (f"; {counted(answers, 'answer')}" if answers > 1 else ""),
            len(rows) - k if k == len(shown) - 1 else 1,
        )
        for k, (_, file, row, code, answers) in enumerate(shown)
    ]


def _pair_faults(raw: Raw, pairs: Mapping[int, Fault], on: str, listed: int, *, wide: bool) -> list[Found]:
    """Rows of refused pairs: the first few of each kind, the last of them standing for the rest."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for code, fault in pairs.items():
        by_kind[fault.kind].append(code)
    found = []
    for kind, codes in by_kind.items():
        raw.con.execute("CREATE OR REPLACE TEMP TABLE refused AS SELECT unnest(?::BIGINT[]) AS code", [codes])
        join = (
            f"FROM answers a JOIN pairs ON {on} JOIN refused ON refused.code = pairs.code "
            "WHERE NOT EXISTS (FROM totals WHERE who = coalesce(a.candidate::VARCHAR, ''))"
        )
        rows = raw.con.execute(
            f"SELECT __file, __row, pairs.code, a.item {join} ORDER BY ALL LIMIT {listed}"
        ).fetchall()
        total = count(raw, "SELECT sum(pairs.count) FROM pairs JOIN refused USING (code)")
        for k, (file, row, code, item) in enumerate(rows):
            column = f'column "{item}": ' if wide else ""
            found.append(((file, row), kind, column + pairs[code].message, total - k if k == len(rows) - 1 else 1))
    return found


def _row_faults(raw: Raw, listed: int) -> list[Found]:
    """Rows without a candidate, with a time or a position that is none."""
    found = []
    for column, (condition, kind, message) in ROW_FAULTS.items():
        where = f"FROM answers WHERE {condition}"
        query = f"SELECT DISTINCT __file, __row, {column}::VARCHAR {where} ORDER BY ALL LIMIT {listed}"
        rows = raw.con.execute(query).fetchall()
        total = count(raw, f"SELECT count(DISTINCT (__file, __row)) {where}")
        for k, (file, row, cell) in enumerate(rows):
            said = message.format(cell) + (f' ("{cell}" is no name)' if column == "candidate" and cell else "")
            found.append(((file, row), kind, said, total - k if k == len(rows) - 1 else 1))
    return found


def _broken(raw: Raw) -> list[tuple[Place, str, str]]:
    """Rows that could not be split, one message each."""
    found: dict[Place, tuple[Place, str, str]] = {}
    for reject in raw.rejects:
        text, place = raw.texts[reject.file], (reject.file, reject.record)
        shown = " ⏎ ".join(reject.text.splitlines())[:40] + ("…" if len(reject.text) > 40 else "")
        cells = reject.text.count(text.delimiter) + 1
        said = REJECTS.get(reject.error, f"{cells} fields; the header has {len(text.header)}")
        found.setdefault(place, (place, "broken rows", f"{said}: {shown}"))
    return list(found.values())
