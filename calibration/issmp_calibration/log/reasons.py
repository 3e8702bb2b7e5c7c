"""The rules at work in a log that was read, with the queries that find their rows."""

# ruff: noqa: S608 - every name in these queries is our own

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from issmp_calibration.log.faults import counted
from issmp_calibration.log.raw import Raw, count
from issmp_calibration.log.removals import Action, Removal
from issmp_calibration.log.rules import Rules
from issmp_calibration.log.scoring import Fault, Pair, Scorer, Verdict
from issmp_cat.responses import ResponseLog

__all__ = ["by_answer", "by_duplicate", "by_time"]

OF_ANSWERS: dict[str, tuple[Action, str]] = {
    "retired": ("dropped", "answers to retired items"),
    "not_presented": ("dropped", "rows whose score_status says not_presented"),
    "empty_cell": ("noted", "empty cells, taken as not presented"),
    "omitted_wrong": ("changed", "omitted answers count as wrong"),
    "omitted_missing": ("changed", "omitted answers count as missing"),
    "not_reached_wrong": ("changed", "not reached answers count as wrong"),
    "not_reached_missing": ("changed", "not reached answers count as missing"),
}


def by_answer(
    raw: Raw, scorer: Scorer, pairs: Sequence[Pair], verdicts: Mapping[int, Verdict | Fault | None], on: str
) -> list[Removal]:
    """What became of answers for what they are: not presented, retired, omitted, not reached."""
    rule = {code: _rule(scorer, code, verdict) for code, verdict in verdicts.items()}
    codes = [code for code, name in rule.items() if name]
    raw.con.execute(
        "CREATE OR REPLACE TABLE reasons AS SELECT unnest(?::BIGINT[]) AS code, unnest(?::VARCHAR[]) AS rule",
        [codes, [rule[code] for code in codes]],
    )
    found = []
    for name, (action, words) in OF_ANSWERS.items():
        if not (answers := sum(pair.rows for pair in pairs if rule[pair.code] == name)):
            continue
        query = (
            f"SELECT a.* FROM judged a JOIN pairs ON {on} JOIN reasons r ON r.code = pairs.code WHERE r.rule = '{name}'"
        )
        found.append(Removal(name, action, words, "" if action == "noted" else query, answers))
    return found


def _rule(scorer: Scorer, code: int, verdict: Verdict | Fault | None) -> str:
    """The rule that an answer met; empty for one that was given and counts."""
    if verdict is None:
        return scorer.left_out.get(code, "empty_cell")
    if isinstance(verdict, Fault) or not verdict.omitted:
        return ""
    return f"{'omitted' if verdict.reached else 'not_reached'}_{'wrong' if verdict.score == 0 else 'missing'}"


def by_duplicate(raw: Raw) -> list[Removal]:
    """Rows that stood twice, and further answers to the same item."""
    if not count(raw, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'gone_twice'"):
        return []
    words = {
        "duplicate": "exact copies of another row",
        "answered_twice": "further answers of a candidate to the same item (--duplicates)",
    }
    return [
        Removal(rule, "dropped", said, f"SELECT * FROM gone_twice WHERE rule = '{rule}'")
        for rule, said in words.items()
    ]


def by_time(log: ResponseLog, on: str, rules: Rules) -> list[Removal]:
    """Times that are none; the answers stay."""
    if log.seconds is None or not (none := np.isnan(log.seconds)).any():
        return []
    seconds = "try_cast(a.seconds AS FLOAT)"
    kinds = {
        "time_zero": (f"{seconds} = 0", "times of zero seconds are not used as times"),
        "time_negative": (f"{seconds} < 0", "negative times, which cannot be, are not used as times"),
        "time_too_long": (
            f"{seconds} > {rules.max_seconds:g}",
            f"times above {rules.max_seconds:,.0f} seconds are not used as times",
        ),
    }
    rows = f"SELECT a.* FROM answers a JOIN pairs ON {on} WHERE pairs.code NOT IN (FROM skipped) AND"
    found = [Removal(rule, "changed", words, f"{rows} {condition}") for rule, (condition, words) in kinds.items()]
    return [*found, Removal("time_none", "noted", f"{counted(int(none.sum()), 'answer')} without a usable time")]
