"""Read a response log: any file or frame in, one ``ResponseLog`` out, or every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issmp_calibration.log.answers import make_answers
from issmp_calibration.log.assemble import assemble
from issmp_calibration.log.faults import some
from issmp_calibration.log.key import ItemKey, read_key
from issmp_calibration.log.names import Columns, Layout, recognise
from issmp_calibration.log.pairs import make_book, natural, open_stream, read_pairs
from issmp_calibration.log.people import join_candidates, personal_columns
from issmp_calibration.log.raw import Raw, Source, open_raw
from issmp_calibration.log.reasons import by_answer, by_duplicate, by_time
from issmp_calibration.log.removals import Removal
from issmp_calibration.log.report import make_report, write_dropped
from issmp_calibration.log.rules import Attempts, Duplicates, Omitted, Rules, Shape
from issmp_calibration.log.scoring import Fault, Pair, Scorer, Verdict, response_meaning
from issmp_calibration.log.stream import Part
from issmp_calibration.log.trouble import any_row_fault, report_faults
from issmp_calibration.log.versions import base, versions_note
from issmp_cat.errors import ResponseLogError
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reading", "read_as", "read_log"]


def read_log(
    source: Source | ResponseLog,
    *,
    key: str | Path | pd.DataFrame | ItemKey | Any | None = None,
    candidates: str | Path | pd.DataFrame | None = None,
    shape: Shape | None = None,
    columns: Columns | None = None,
    omitted: Omitted = "wrong",
    duplicates: Duplicates = "error",
    attempts: Attempts = "first",
    rules: Rules | None = None,
) -> ResponseLog:
    """Read a response log, long or wide, from CSV, Parquet or a data frame.

    Args:
        source: a path (.csv, .csv.gz, .tsv, .parquet), several paths of one kind, a data frame, or a log, which is
            returned as it is.
        key: the item file, or an item bank; turns options into scores and names the items that may occur.
        candidates: a table about candidates, joined into ``ResponseLog.candidates``.
        shape: ``"long"`` or ``"wide"``; found out from the column names if None.
        columns: column by role (candidate, item, option, score, response, seconds, position, attempt, status), where
            the names do not tell; ``ignore`` takes a list.
        omitted: how an omitted answer to an operational item counts. Omitted pretest items never count.
        duplicates: what to do when a candidate answered an item twice in one attempt. Rows that are the same in
            everything that is read are one row, whatever is said here.
        attempts: which attempt of a candidate counts, if the log holds several; ``"all"`` tells them apart.
        rules: the finer decisions.

    Returns:
        The log, candidates in the order of their ids, answers of each in the order of items; ``note`` says what was
        understood, ``report`` what was dropped or changed, rule by rule.

    Raises:
        ResponseLogError: every fault of the source, each with its line.
    """
    if isinstance(source, ResponseLog):
        return source
    reading = Reading(key, candidates, shape, columns, omitted, duplicates, attempts, rules or Rules())
    return read_as(source, reading)


@dataclass(frozen=True, slots=True)
class Reading:
    """The arguments of ``read_log``."""

    key: Any
    candidates: Any
    shape: Shape | None
    columns: Columns | None
    omitted: Omitted
    duplicates: Duplicates
    attempts: Attempts
    rules: Rules


def read_as(source: Source, how: Reading, dropped: Path | None = None) -> ResponseLog:
    """Read a log, and write the rows that were dropped or changed to ``dropped``; see ``read_log``."""
    items = None if how.key is None else read_key(how.key)
    with open_raw(source) as raw:
        known = items.items if items else ()
        layout = recognise(list(raw.types), raw.where, shape=how.shape, columns=how.columns, items=known)
        understood = layout.note()
        layout, removals = make_answers(raw, layout, how.attempts, how.rules, how.candidates)
        set_aside = [removal.words for removal in removals]
        log, further = _read(raw, layout, items, how)
        removals += further
        report = make_report(raw, removals, log.n_answers, wide=layout.shape == "wide")
        if dropped is not None:
            write_dropped(raw, removals, dropped, wide=layout.shape == "wide")
        personal, unused = personal_columns(raw.con, layout, log.persons)
    joined, told = join_candidates(how.candidates, log.persons) if how.candidates is not None else ({}, [])
    note = (f"{raw.where}: {understood}", *set_aside, *log.note, *unused, *told)
    return replace(log, candidates=personal | joined, note=note, report=report)


def _read(raw: Raw, layout: Layout, items: ItemKey | None, how: Reading) -> tuple[ResponseLog, list[Removal]]:
    """Judge the distinct answers, then bring the rows into order; and the rules that met them."""
    stream, parts = open_stream(raw, layout), list[Part]()
    stream.read(parts.append)
    pairs, on = read_pairs(stream)
    if not pairs and not raw.rejects:
        raise ResponseLogError(raw.where, ["a header and no answers"])
    rules = how.rules
    as_option, by_option, unkeyed = _meaning(layout, items, pairs, rules.max_score)
    scorer = Scorer(items, rules, how.omitted, as_option, by_option, wide=layout.shape == "wide")
    verdicts = {pair.code: scorer.judge(pair) for pair in pairs}
    faults = {code: verdict for code, verdict in verdicts.items() if isinstance(verdict, Fault)}
    good = {code: None if isinstance(verdict, Fault) else verdict for code, verdict in verdicts.items()}
    raw.con.execute(
        "CREATE TABLE skipped AS SELECT unnest(?::BIGINT[]) AS code", [[c for c, v in good.items() if v is None]]
    )
    if faults or unkeyed or raw.rejects or (stream.suspect and any_row_fault(raw, layout)):
        report_faults(raw, layout, faults, on, rules, unkeyed)
    if not any(good.values()):
        raise ResponseLogError(raw.where, ["no answers: every row is empty, not presented or set aside"])
    removals = by_answer(raw, scorer, pairs, verdicts, on)
    book = make_book(good, _order(items, layout, rules, good))
    log = assemble(raw, layout, book, on, how.duplicates, rules, stream, parts)
    versions = versions_note((pair.item or "" for pair in pairs), pooled=rules.item_versions == "pooled")
    removals += [*by_duplicate(raw), *by_time(log, on, rules)]
    return replace(log, note=(*versions, *scorer.notes(pairs, verdicts), *log.note)), removals


def _order(
    items: ItemKey | None, layout: Layout, rules: Rules, verdicts: Mapping[int, Verdict | None]
) -> list[str] | None:
    """Items in the order of the key or of the columns, versions after their items; None for their natural order."""
    if items is None:
        return list(layout.items) or None
    retired = {item for item, status in zip(items.items, items.status, strict=True) if status == "retired"}
    gone = retired if rules.retired == "drop" else set()
    listed = [item for item in items.items if item not in gone]
    if rules.item_versions == "pooled":
        return list(dict.fromkeys(map(base, listed)))
    further = {verdict.item for verdict in verdicts.values() if verdict is not None} - set(listed)
    after: dict[str, list[str]] = {}
    for item in sorted(further, key=natural):
        after.setdefault(base(item), []).append(item)
    return [name for item in listed for name in (item, *after.pop(item, ()))] + [
        n for more in after.values() for n in more
    ]


def _meaning(layout: Layout, items: ItemKey | None, pairs: list[Pair], most: int) -> tuple[bool, bool, str]:
    """Whether ``response`` holds options, whether the log is answered by option, and what is wrong with that."""
    keyed = items is not None and items.has_key
    roles = layout.roles
    responses = layout.shape == "wide" or "response" in roles
    as_option = responses and response_meaning(pairs, items if keyed else None, most) == "option"
    by_option = as_option or "option" in roles
    if by_option and not keyed and "score" not in roles:
        said = some(sorted({text for pair in pairs if (text := pair.response or pair.option)}), 5)
        advice = "give an item file with columns item,key (key=…, --key)"
        return as_option, False, f"the answers are options ({said}) and there is no key to score them by: {advice}"
    return as_option, by_option and keyed, ""
