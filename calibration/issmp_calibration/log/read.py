"""Read a response log: any file or frame in, one ``ResponseLog`` out, or every fault at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issmp_calibration.log.answers import make_answers
from issmp_calibration.log.assemble import assemble
from issmp_calibration.log.faults import some
from issmp_calibration.log.key import ItemKey, read_key
from issmp_calibration.log.names import Columns, Layout, recognise
from issmp_calibration.log.pairs import make_book, read_pairs
from issmp_calibration.log.people import join_candidates, personal_columns
from issmp_calibration.log.raw import Raw, Source, open_raw
from issmp_calibration.log.rules import Attempts, Duplicates, Omitted, Rules, Shape
from issmp_calibration.log.scoring import Fault, Pair, Scorer, response_meaning
from issmp_calibration.log.trouble import any_row_fault, report_faults
from issmp_cat.errors import ResponseLogError
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_log"]


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
        duplicates: what to do when a candidate answered an item twice in one attempt.
        attempts: which attempt of a candidate counts, if the log holds several; ``"all"`` tells them apart.
        rules: the finer decisions.

    Returns:
        The log, candidates in the order of their ids, answers of each in the order of items; ``note`` says what was
        understood.

    Raises:
        ResponseLogError: every fault of the source, each with its line.
    """
    if isinstance(source, ResponseLog):
        return source
    items = None if key is None else read_key(key)
    with open_raw(source) as raw:
        layout = recognise(list(raw.types), raw.where, shape=shape, columns=columns, items=items.items if items else ())
        set_aside = make_answers(raw, layout, attempts)
        log = _read(raw, layout, items, omitted, duplicates, rules or Rules())
        personal, unused = personal_columns(raw.con, layout, log.persons)
    joined, told = join_candidates(candidates, log.persons) if candidates is not None else ({}, [])
    note = (f"{raw.where}: {layout.note()}", *set_aside, *log.note, *unused, *told)
    return replace(log, candidates=personal | joined, note=note)


def _read(
    raw: Raw, layout: Layout, items: ItemKey | None, omitted: Omitted, duplicates: Duplicates, rules: Rules
) -> ResponseLog:
    """Judge the distinct answers, then bring the rows into order."""
    pairs, on = read_pairs(raw, layout)
    if not pairs and not raw.rejects:
        raise ResponseLogError(raw.where, ["a header and no answers"])
    as_option, by_option, unkeyed = _meaning(layout, items, pairs)
    scorer = Scorer(items, rules, omitted, as_option, by_option, wide=layout.shape == "wide")
    verdicts = {pair.code: scorer.judge(pair) for pair in pairs}
    faults = {code: verdict for code, verdict in verdicts.items() if isinstance(verdict, Fault)}
    good = {code: None if isinstance(verdict, Fault) else verdict for code, verdict in verdicts.items()}
    raw.con.execute(
        "CREATE TABLE skipped AS SELECT unnest(?::BIGINT[]) AS code", [[c for c, v in good.items() if v is None]]
    )
    if faults or unkeyed or raw.rejects or any_row_fault(raw, layout):
        report_faults(raw, layout, faults, on, rules.listed, unkeyed)
    if not any(good.values()):
        raise ResponseLogError(raw.where, ["no answers: every row is empty or not presented"])
    order = items.items if items else layout.items or None
    log = assemble(raw, layout, make_book(good, order), on, duplicates, rules)
    return replace(log, note=(*scorer.notes(pairs, verdicts), *log.note))


def _meaning(layout: Layout, items: ItemKey | None, pairs: list[Pair]) -> tuple[bool, bool, str]:
    """Whether ``response`` holds options, whether the log is answered by option, and what is wrong with that."""
    keyed = items is not None and items.has_key
    roles = layout.roles
    responses = layout.shape == "wide" or "response" in roles
    as_option = responses and response_meaning(pairs, items if keyed else None) == "option"
    by_option = as_option or "option" in roles
    if by_option and not keyed and "score" not in roles:
        said = some(sorted({text for pair in pairs if (text := pair.response or pair.option)}), 5)
        advice = "give an item file with columns item,key (key=…, --key)"
        return as_option, False, f"the answers are options ({said}) and there is no key to score them by: {advice}"
    return as_option, by_option and keyed, ""
