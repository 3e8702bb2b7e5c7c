"""Judge what answers are worth: every row is read once, every distinct answer is judged once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from issmp_calibration.log.answers import make_answers
from issmp_calibration.log.faults import some
from issmp_calibration.log.key import ItemKey
from issmp_calibration.log.names import Columns, Layout, recognise
from issmp_calibration.log.orientation import check_orientation
from issmp_calibration.log.pairs import Book, make_book, natural, open_stream, read_pairs
from issmp_calibration.log.raw import Raw
from issmp_calibration.log.reasons import by_answer
from issmp_calibration.log.removals import Removal
from issmp_calibration.log.rules import Attempts, Duplicates, Omitted, Rules, Shape
from issmp_calibration.log.scoring import Fault, Pair, Scorer, Verdict, response_meaning
from issmp_calibration.log.stream import Stream, Taker
from issmp_calibration.log.trouble import any_row_fault, nobody, report_faults
from issmp_calibration.log.versions import base, versions_note
from issmp_cat.errors import ResponseLogError

__all__ = ["Judged", "Reading", "judge", "understand"]


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


def understand(raw: Raw, items: ItemKey | None, how: Reading) -> tuple[Layout, list[str], list[Removal]]:
    """Tell what the columns mean, and create ``answers``.

    Returns:
        The layout, notes on it and on what was set aside, and the rules that set rows aside.
    """
    known = items.index if items else ()
    layout = recognise(list(raw.types), raw.where, shape=how.shape, columns=how.columns, items=known)
    doubts = check_orientation(raw, layout, known, how.candidates, how.shape, how.rules.max_score)
    understood = f"{raw.where}: {layout.note()}"
    layout, removals = make_answers(raw, layout, how.attempts, how.rules, how.candidates)
    removals = [*doubts, *removals]
    of_key = items.note if items else ()
    return layout, [understood, *of_key, *(removal.words for removal in removals)], removals


@dataclass(frozen=True, slots=True)
class Judged:
    """What the answers of a log are worth.

    Attributes:
        stream: what has read them; ``parts`` went to whoever asked for them.
        on: the SQL condition that finds a row's pair.
        book: what each pair is worth.
        removals: the rules that met answers for what they are.
        note: what was decided, for people.
    """

    stream: Stream
    on: str
    book: Book
    removals: list[Removal]
    note: tuple[str, ...]


def judge(raw: Raw, layout: Layout, items: ItemKey | None, how: Reading, take: Taker) -> Judged:
    """Read all rows and judge their distinct answers.

    Args:
        raw: holds ``answers``.
        layout: how its columns were understood.
        items: the item file.
        how: the arguments of ``read_log``.
        take: is handed every part of the rows, in order.

    Raises:
        ResponseLogError: every fault of the source, each with its line.
    """
    stream = open_stream(raw, layout)
    stream.read(take)
    pairs, on = read_pairs(stream)
    if not pairs and not raw.rejects:
        raise ResponseLogError(raw.where, ["a header and no answers"])
    rules = how.rules
    as_option, by_option, unkeyed = _meaning(layout, items, pairs, rules)
    scorer = Scorer(items, rules, how.omitted, as_option, by_option, wide=layout.shape == "wide")
    verdicts = {pair.code: scorer.judge(pair) for pair in pairs}
    faults = {code: verdict for code, verdict in verdicts.items() if isinstance(verdict, Fault)}
    good = {code: None if isinstance(verdict, Fault) else verdict for code, verdict in verdicts.items()}
    raw.con.execute(
        "CREATE TABLE skipped AS SELECT unnest(?::BIGINT[]) AS code", [[c for c, v in good.items() if v is None]]
    )
    if faults or unkeyed or raw.rejects or ((stream.suspect or nobody(stream.people)) and any_row_fault(raw, layout)):
        report_faults(raw, layout, faults, on, rules, items, unkeyed)
    if not any(good.values()):
        raise ResponseLogError(raw.where, ["no answers: every row is empty, not presented or set aside"])
    removals = by_answer(raw, scorer, pairs, verdicts, on)
    book = make_book(good, _order(items, layout, rules, good))
    versions = versions_note((pair.item or "" for pair in pairs), pooled=rules.item_versions == "pooled")
    return Judged(stream, on, book, removals, (*versions, *scorer.notes(pairs, verdicts)))


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


def _response_is_option(pairs: list[Pair], key: ItemKey | None, rules: Rules) -> bool:
    return response_meaning(pairs, key, rules.max_score, rules.omitted_codes) == "option"


def _meaning(layout: Layout, items: ItemKey | None, pairs: list[Pair], rules: Rules) -> tuple[bool, bool, str]:
    """Whether ``response`` holds options, whether the log is answered by option, and what is wrong with that."""
    keyed = items is not None and items.has_key
    roles = layout.roles
    responses = layout.shape == "wide" or "response" in roles
    as_option = responses and _response_is_option(pairs, items if keyed else None, rules)
    by_option = as_option or "option" in roles
    if by_option and not keyed and "score" not in roles:
        said = some(sorted({text for pair in pairs if (text := pair.response or pair.option)}), 5)
        advice = "give an item file with columns item,key (key=…, --key), or write 1 for right and 0 for wrong"
        return as_option, False, f"the answers are options ({said}) and there is no key to score them by: {advice}"
    return as_option, by_option and keyed, ""
