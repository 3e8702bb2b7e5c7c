"""What the commands that fit or score do first: read the log and say what was understood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from issmp_calibration.log import ItemKey
    from issmp_calibration.log.rules import EmptyCell
    from issmp_cat.responses import ResponseLog

__all__ = ["read_answers"]


def read_answers(
    log: Any,
    key: ItemKey | None,
    *,
    column: Sequence[str] | None,
    omitted_code: Sequence[str] | None,
    empty_cell: EmptyCell,
    quiet: bool,
    **reading: Any,
) -> ResponseLog:
    """The log, read as the options of the command say; what was understood goes to stderr.

    Args:
        log: paths.
        key: the item file.
        column: pairs role=name; ``omitted_code``: options that stand for no answer.
        empty_cell: what an empty cell of a wide table means.
        quiet: say nothing.
        **reading: further arguments of ``read_log``.
    """
    from issmp_calibration.log import Rules, read_log
    from issmp_calibration.log.options import parse_columns
    from issmp_cat.cli.talk import say

    rules = Rules(omitted_codes=tuple(omitted_code or ()), empty_cell=empty_cell)
    answers = read_log(log, key=key, columns=parse_columns(column or []), rules=rules, **reading)
    for line in answers.note:
        say(line, quiet)
    return answers
