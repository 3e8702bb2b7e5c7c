"""What the commands that fit or score do first: read the log and say what was understood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from issmp_calibration.log import ItemKey
    from issmp_calibration.log.rules import EmptyCell
    from issmp_cat.responses import ResponseLog

__all__ = ["read_answers", "reading_words"]

# What a command takes for granted; only what differs is said again.
TAKEN = {"omitted": "wrong", "duplicates": "error", "attempts": "first", "empty_cell": "not_presented"}


def read_answers(
    log: Any,
    key: ItemKey | None,
    *,
    column: Sequence[str] | None,
    omitted_code: Sequence[str] | None,
    empty_cell: EmptyCell,
    quiet: bool,
    max_score: int = 1,
    **reading: Any,
) -> ResponseLog:
    """The log, read as the options of the command say; what was understood goes to stderr.

    Args:
        log: paths.
        key: the item file.
        column: pairs role=name; ``omitted_code``: options that stand for no answer.
        empty_cell: what an empty cell of a wide table means.
        quiet: say nothing.
        max_score: the highest score of an item.
        **reading: further arguments of ``read_log``.
    """
    from issmp_calibration.log import Rules, read_log
    from issmp_calibration.log.options import parse_columns
    from issmp_cat.cli.talk import say

    rules = Rules(omitted_codes=tuple(omitted_code or ()), empty_cell=empty_cell, max_score=max_score)
    answers = read_log(log, key=key, columns=parse_columns(column or []), rules=rules, **reading)
    for line in answers.note:
        say(line, quiet)
    return answers


def reading_words(**options: Any) -> list[str]:
    """The options with which the next command reads the log as this one did.

    >>> reading_words(key="key.csv", omitted="missing", duplicates="error", omitted_code=["8", "9"], shape=None)
    ['--key', 'key.csv', '--omitted', 'missing', '--omitted-code', '8', '--omitted-code', '9']
    """
    words = []
    for name, value in options.items():
        if value is None or value == TAKEN.get(name):
            continue
        for one in value if isinstance(value, list) else [value]:
            words += [f"--{name.replace('_', '-')}", str(one)]
    return words
