"""Is a row a candidate, and a column an item? A table that was turned, or a long one, reads as wide and fits badly."""

# ruff: noqa: S608 - every name in these queries has passed quoted() or is our own

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from issmp_calibration.log.faults import counted, some
from issmp_calibration.log.likely import ignore_it, likely, name_it
from issmp_calibration.log.names import ANSWERS, Layout, guess, turned
from issmp_calibration.log.people import listed_candidates
from issmp_calibration.log.raw import Raw, count, quoted
from issmp_calibration.log.removals import Removal
from issmp_calibration.log.rules import Shape
from issmp_cat.errors import ResponseLogError

__all__ = ["check_orientation", "signs_of_turning"]

WIDER = 2  # times as many columns as rows
ROWS_EACH = 1.5, 3.0  # rows a candidate: more, and a row is an answer; where no column's name tells of answers
FEW_COLUMNS = 12  # a long table has not more
MANY_ROWS = 20  # so many different values are no scores of one item
LABEL = re.compile(r"(?:item|question|frage|aufgabe|task|q)[ _.-]?[0-9]+", re.IGNORECASE)
PERSON = re.compile(r"(?:candidate|person|examinee|student|pupil|participant|user|id)[ _.-]?[0-9]+", re.IGNORECASE)
SHORT_PERSON = re.compile(rf"{PERSON.pattern}|(?:cand|pers|subj|stud|resp|c|p|s)[ _.-]?[0-9]+", re.IGNORECASE)


def check_orientation(
    raw: Raw, layout: Layout, items: Collection[str], candidates: Any, shape: Shape | None, most: int
) -> list[Removal]:
    """Look whether a table that was read as wide is so.

    Args:
        raw: the open source.
        layout: how its columns were understood.
        items: item ids of the item file, if there is one.
        candidates: the candidate table, if there is one.
        shape: the user's word, which stands.
        most: the highest score of an item.

    Returns:
        What looks wrong, but may be right.

    Raises:
        ResponseLogError: it is turned, or long, or one of its columns holds candidates.
    """
    if layout.shape != "wide":
        return []
    _refuse_turned(raw, layout, items, candidates)
    if shape is None:
        _refuse_long(raw, layout, items, most)
    _refuse_candidates(raw, layout, items, most)
    return _doubts(raw, layout, items)


def _refuse_turned(raw: Raw, layout: Layout, items: Collection[str], candidates: Any) -> None:
    """Stop where item file or candidate table prove that rows are items."""
    first = layout.roles.get("candidate", layout.items[0])
    others = [name for name in layout.items if name != first]
    if _share(others, items) >= 0.5:
        return
    rows = _values(raw, first)
    if _share(rows, items) >= 0.5:
        what = f'column "{first}" holds items of the item file ({some(rows)})'
        raise ResponseLogError(raw.where, [turned(what, others)])
    if candidates is not None and _share(others, known := listed_candidates(candidates)) >= 0.5:
        names = [name for name in others if name in known]
        what = f"{len(names):,} of its columns are candidates of the candidate table ({some(names)})"
        raise ResponseLogError(raw.where, [turned(what, others)])


def _share(found: Sequence[str], known: Collection[str]) -> float:
    """How many of some names are known."""
    return sum(name in known for name in found) / len(found) if found and known else 0.0


def _values(raw: Raw, name: str) -> list[str]:
    """The first few different values of a column."""
    column = f"CAST({quoted(name)} AS VARCHAR)"
    query = f"SELECT {column}, min((__file, __row)) FROM raw WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY 2"
    return [str(value) for value, _ in raw.con.execute(f"{query} LIMIT 1000").fetchall()]


def _refuse_long(raw: Raw, layout: Layout, items: Collection[str], most: int) -> None:
    """Stop where a row is an answer, and no column was known to name its item."""
    columns = [name for name in layout.items if name not in items]
    if len(columns) != len(layout.items) or len(columns) > FEW_COLUMNS:
        return
    roles = guess(columns)
    answers = next((roles[role] for role in ANSWERS if role in roles), None)
    candidate = layout.roles.get("candidate") or likely("candidate", [name for name in columns if name != answers])
    if answers is None and candidate in layout.items and _all_scores(raw, str(candidate), most):
        return  # an item that is called like a candidate
    each = _rows_each(raw, layout, candidate) if candidate else 0.0
    if each < ROWS_EACH[answers is None]:
        return
    rest = [name for name in columns if name not in {candidate, answers}]
    answers_too = answers or likely("response", [name for name in rest if name != likely("item", rest)])
    item = _item_column(raw, str(candidate), [name for name in rest if name != answers_too], items)
    missing = [] if "candidate" in layout.roles else [name_it("candidate", str(candidate))]
    missing += [name_it("item", item or "COLUMN")]
    missing += [] if answers else [name_it("response", answers_too or "COLUMN")]
    among = "" if item else f", COLUMN one of {some(rest, 8) or 'none: there is no further column'}"
    words = (
        f'long, by all appearances: "{candidate}" holds the same candidate in {each:,.1f} rows on average, so a row is '
        f"an answer; but no column is known to name the item; say {' and '.join(missing)}{among}; "
        'or --shape wide (shape="wide") if a row is a candidate'
    )
    raise ResponseLogError(raw.where, [words])


def _rows_each(raw: Raw, layout: Layout, name: str) -> float:
    """Rows a candidate, or an attempt."""
    cells = ", ".join(quoted(column) for column in (name, layout.roles.get("attempt")) if column)
    known = f"FROM raw WHERE {quoted(name)} IS NOT NULL"
    return count(raw, f"SELECT count(*) {known}") / max(count(raw, f"SELECT count(DISTINCT ({cells})) {known}"), 1)


def _item_column(raw: Raw, candidate: str, names: Sequence[str], items: Collection[str]) -> str | None:
    """The column that tells the items: by the item file, by its name, or since no candidate has a value twice."""
    for name in names:
        if _share(_values(raw, name), items) >= 0.5:
            return name
    if named := likely("item", names):
        return named
    rows = count(raw, "SELECT count(*) FROM raw")
    for name in names:
        once = count(raw, f"SELECT count(DISTINCT ({quoted(candidate)}, {quoted(name)})) FROM raw") == rows
        if once and count(raw, f"SELECT count(DISTINCT {quoted(name)}) FROM raw") < rows:
            return name
    return None


def _refuse_candidates(raw: Raw, layout: Layout, items: Collection[str], most: int) -> None:
    """Stop where a column that was taken for an item names the candidates."""
    if "candidate" in layout.roles:
        return
    columns = [name for name in layout.items if name not in items]
    named, first = likely("candidate", columns), layout.items[0]
    for name in dict.fromkeys(name for name in (named, first) if name in columns):
        text = f"CAST({quoted(name)} AS VARCHAR)"
        rows = count(raw, f"SELECT count({text}) FROM raw")
        different = count(raw, f"SELECT count(DISTINCT {text}) FROM raw")
        scores = _all_scores(raw, name, most) and not (name == named and rows >= MANY_ROWS and different == rows)
        if rows < 2 or scores or (different < rows and name != named) or 2 * different < rows:
            continue
        words = (
            f'column "{name}" is read as an item, but by its name or its values ({some(_values(raw, name))}) it names '
            f"the candidates; say {name_it('candidate', name)}, or {ignore_it(name)} if it is neither"
        )
        raise ResponseLogError(raw.where, [words])


def _all_scores(raw: Raw, name: str, most: int) -> bool:
    """Whether every value of a column can be a score."""
    text = f"CAST({quoted(name)} AS VARCHAR)"
    return not count(raw, f"SELECT count(*) FROM raw WHERE {text} IS NOT NULL AND NOT {_is_score(text, most)}")


def _is_score(text: str, most: int) -> str:
    """The condition that a cell can be a score."""
    return f"coalesce(try_cast({text} AS DOUBLE) BETWEEN 0 AND {most}, lower({text}) IN ('true', 'false', 't', 'f'))"


def signs_of_turning(raw: Raw, layout: Layout, items: Collection[str], *, refused: bool = False) -> list[str]:
    """What makes a turned table likely, where nothing proves it; of one that is ``refused`` less is enough."""
    if _share(layout.items, items) >= 0.5:
        return []
    person = SHORT_PERSON if refused else PERSON
    rows, signs = count(raw, "SELECT count(*) FROM raw"), []
    first = layout.roles.get("candidate")
    labels = _values(raw, first) if first else []
    if labels and sum(bool(LABEL.fullmatch(label)) for label in labels) * 2 >= len(labels):
        signs.append(f'"{first}" holds names like those of items ({some(labels)})')
    if sum(bool(person.fullmatch(name)) for name in layout.items) * 2 >= len(layout.items):
        signs.append(f"its columns have names like those of candidates ({some(layout.items)})")
    if rows > 1 and len(layout.items) > WIDER * rows:
        signs.append(f"it has {counted(len(layout.items), 'item column')} and {counted(rows, 'row')}")
    if refused and items and rows == len(items) != len(layout.items):
        signs.append(f"it has as many rows as the item file has items ({rows:,})")
    return signs


def _doubts(raw: Raw, layout: Layout, items: Collection[str]) -> list[Removal]:
    """The signs of a turned table, as a remark."""
    signs = signs_of_turning(raw, layout, items)
    if not signs:
        return []
    words = f"perhaps the wrong way round: {'; '.join(signs)}; if rows are items, transpose it: a row is a candidate"
    return [Removal("orientation", "noted", words)]
