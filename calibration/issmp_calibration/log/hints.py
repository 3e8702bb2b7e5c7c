"""When much is wrong: what it is most likely, and what to do about it."""

# ruff: noqa: S608 - every name in these queries has passed quoted() or is our own

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from issmp_calibration.log.faults import Faults, counted
from issmp_calibration.log.key import ItemKey
from issmp_calibration.log.likely import ignore_it
from issmp_calibration.log.lines import lines_of, site
from issmp_calibration.log.names import Layout
from issmp_calibration.log.orientation import signs_of_turning
from issmp_calibration.log.raw import Raw, count, quoted
from issmp_calibration.log.scoring import Fault
from issmp_calibration.log.suspicions import coded, graded

__all__ = ["MOST_STRANGERS", "STRANGERS", "hints_for"]

STRANGERS = "unknown items"
MOST_STRANGERS = 10  # listed; a key of another form makes hundreds
ENCODINGS = 3  # lines in another encoding that may be slips
MOST_COLUMNS = 5  # that are no items


def hints_for(
    raw: Raw, layout: Layout, faults: Faults, pairs: Mapping[int, Fault], on: str, items: ItemKey | None
) -> list[str]:
    """What to do when so much is wrong that it is not the answers.

    Args:
        raw: holds ``raw``, ``answers`` and ``pairs``.
        layout: how its columns were understood.
        faults: what was found.
        pairs: fault of each refused pair; ``on``: the condition that finds a row's pair.
        items: the item file.
    """
    known = items.index if items else ()
    further = [name for name in layout.items if name not in known]
    return [
        *(items.note if items else ()),
        *_by_count(raw, faults, columns=layout.shape == "long" or bool(further)),
        *_turned(raw, layout, faults, known),
        *coded(raw, pairs),
        *graded(raw, pairs),
        *_headers(raw),
        *_encoding(raw),
        *_no_items(raw, layout, pairs, on, further),
    ]


def _by_count(raw: Raw, faults: Faults, *, columns: bool) -> list[str]:
    """Of the wrong kind altogether; ``columns``: whether some may be no items."""
    said = []
    if (strange := faults.count.get(STRANGERS, 0)) > MOST_STRANGERS:
        said.append(f"{strange:,} items are not in the item file: is it the key of this log (--key, key=)?")
    wrong = faults.count.get("impossible scores", 0)
    if wrong > faults.listed and wrong * 5 >= count(raw, "SELECT sum(count) FROM pairs"):
        said.append(
            "so many cannot be slips: options need a key (key=…, --key), scores above 1 need max_score (--max-score, "
            "or a column max_score in the item file)"
            + (', columns that are no items columns={"ignore": …} (--column ignore=…)' if columns else "")
        )
    if faults.count.get("unknown options", 0) > faults.listed:
        said.append(
            "an option that stands for no answer is named by Rules(omitted_codes=…) (--omitted-code); "
            'further options of an item are listed in a column "options" of the key'
        )

    return said


def _turned(raw: Raw, layout: Layout, faults: Faults, items: Collection[str]) -> Iterator[str]:
    """That a table may be the wrong way round, where it has many faults of one kind."""
    kinds = (STRANGERS, "impossible scores", "unknown options")
    if layout.shape != "wide" or max(faults.count.get(kind, 0) for kind in kinds) <= MOST_STRANGERS:
        return
    if signs := signs_of_turning(raw, layout, items, refused=True):
        yield f"perhaps the table is the wrong way round: {'; '.join(signs)}; a row must be a candidate: transpose it"


def _headers(raw: Raw) -> Iterator[str]:
    """Rows that hold the names of the columns, as in files that were joined."""
    names = [name for name, kind in raw.types.items() if kind == "VARCHAR"]
    if len(names) < 2:
        return
    same = " AND ".join(f"{quoted(name)} = {_text(name)}" for name in names)
    if not (rows := count(raw, f"SELECT count(*) FROM raw WHERE {same}")):
        return
    file, row = raw.con.execute(f"SELECT __file, __row FROM raw WHERE {same} ORDER BY ALL LIMIT 1").fetchall()[0]
    line = lines_of(raw, [(file, row)])[0].get((file, row), row)
    where = f"{counted(rows, 'row')}, {site(raw, file, line)} first"
    yield f"the header stands again in the file ({where}), as in files that were joined: take it out there"


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _encoding(raw: Raw) -> Iterator[str]:
    """Many lines in another encoding than UTF-8."""
    n = sum(reject.error == "INVALID ENCODING" for reject in raw.rejects)
    if n > ENCODINGS:
        yield (
            f"{n:,} lines are not UTF-8: save the file so, or if it was made under Windows: "
            "iconv -f WINDOWS-1252 -t UTF-8 FILE > utf8.csv"
        )


def _no_items(raw: Raw, layout: Layout, pairs: Mapping[int, Fault], on: str, further: Sequence[str]) -> Iterator[str]:
    """Columns of a wide table most of whose values are no scores, such as a total; never an item of the item file."""
    codes = [code for code, fault in pairs.items() if fault.kind == "impossible scores"]
    if layout.shape != "wide" or not codes:
        return
    raw.con.execute("CREATE OR REPLACE TEMP TABLE refused AS SELECT unnest(?::BIGINT[]) AS code", [codes])
    rows = raw.con.execute(
        "SELECT a.item::VARCHAR, count(refused.code) AS bad FROM answers a "
        f"JOIN pairs ON {on} LEFT JOIN refused ON refused.code = pairs.code "
        "GROUP BY ALL HAVING 2 * bad >= count(*) AND bad > 1 ORDER BY 1"
    ).fetchall()
    if 0 < len(rows) <= min(MOST_COLUMNS, len(layout.items) // 3):
        for name, bad in (row for row in rows if row[0] in further):
            yield f'column "{name}" holds {bad:,} values that are no scores: if it is no item, {ignore_it(name)}'
