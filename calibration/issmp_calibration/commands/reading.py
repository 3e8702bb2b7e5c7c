"""What the commands that fit or score do first: read the log and say what was understood."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from issmp_calibration.log.options import (
    AttemptsOption,
    CandidatesOption,
    ColumnOption,
    DuplicatesOption,
    EmptyCellOption,
    FlaggedOption,
    InferNotReachedOption,
    ItemVersionsOption,
    KeyOption,
    MaxScoreOption,
    MaxSecondsOption,
    NotReachedOption,
    OmittedCodeOption,
    OmittedOption,
    OmittedPretestOption,
    RetiredOption,
    ShapeOption,
    parse_columns,
)

if TYPE_CHECKING:
    from issmp_calibration.log import ItemKey
    from issmp_calibration.log.judge import Reading
    from issmp_calibration.log.rules import KeepOrDrop
    from issmp_cat.responses import ResponseLog

__all__ = ["LogOptions", "reads_log", "refuse_reading", "takes"]


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The options of every command that reads a response log, as typed; see ``log.options`` for their meaning."""

    key: KeyOption = None
    candidates: CandidatesOption = None
    shape: ShapeOption = None
    column: ColumnOption = None
    omitted: OmittedOption = "wrong"
    not_reached: NotReachedOption = "missing"
    infer_not_reached: InferNotReachedOption = False
    omitted_pretest: OmittedPretestOption = "missing"
    duplicates: DuplicatesOption = "error"
    attempts: AttemptsOption = "first"
    flagged: FlaggedOption = None
    retired: RetiredOption = "drop"
    item_versions: ItemVersionsOption = "separate"
    omitted_code: OmittedCodeOption = None
    empty_cell: EmptyCellOption = "not_presented"
    max_score: MaxScoreOption = 1
    max_seconds: MaxSecondsOption = 10_800.0

    def read(
        self,
        log: Any,
        key: ItemKey | Any | None = None,
        *,
        quiet: bool,
        flagged: KeepOrDrop = "keep",
        max_score: int = 1,
        dropped: Path | None = None,
    ) -> ResponseLog:
        """The log, read as the options say; what was understood goes to stderr.

        Args:
            log: paths.
            key: the item file, if it was read already or a bank takes its place.
            quiet: say nothing.
            flagged: what the command does with flagged candidates unless told.
            max_score: the highest score that the command knows items to have.
            dropped: write the rows that were dropped or changed here.
        """
        from issmp_calibration.log.read import read_as
        from issmp_cat.cli.talk import say

        answers = read_as(log, self.reading(key, flagged=flagged, max_score=max_score), dropped)
        for line in answers.note:
            say(line, quiet)
        if answers.report.removed:
            say(f"{answers.report.summary()}; to the row: issmp-cat check LOG --dropped FILE", quiet)
        return answers

    def reading(self, key: ItemKey | Any | None = None, *, flagged: KeepOrDrop = "keep", max_score: int = 1) -> Reading:
        """What to hand to ``read_as`` or ``store_as``; arguments as of ``read``."""
        from issmp_calibration.log import Rules
        from issmp_calibration.log.judge import Reading

        rules = Rules(
            not_reached=self.not_reached,
            infer_not_reached=self.infer_not_reached,
            omitted_pretest=self.omitted_pretest,
            retired=self.retired,
            item_versions=self.item_versions,
            flagged=self.flagged or flagged,
            omitted_codes=tuple(self.omitted_code or ()),
            empty_cell=self.empty_cell,
            max_score=max(self.max_score, max_score),
            max_seconds=self.max_seconds,
        )
        columns = parse_columns(self.column or [])
        known = self.key if key is None else key
        return Reading(known, self.candidates, self.shape, columns, self.omitted, self.duplicates, self.attempts, rules)

    def words(self, **others: Any) -> list[str]:
        """The options with which the next command reads the log as this one did.

        Args:
            **others: options in place of those typed.

        >>> LogOptions(key=Path("key.csv"), omitted="missing", omitted_code=["8", "9"]).words()
        ['--key', 'key.csv', '--omitted', 'missing', '--omitted-code', '8', '--omitted-code', '9']
        """
        said = replace(self, **others)
        words = []
        for option in fields(said):
            value = getattr(said, option.name)
            if value is None or value == option.default:
                continue
            name = f"--{option.name.replace('_', '-')}"
            for one in value if isinstance(value, list) else [value]:
                words += [name] if one is True else [name, f"{one:g}" if isinstance(one, float) else str(one)]
        return words


def refuse_reading(store: Path, typed: LogOptions) -> list[str]:
    """What to say of the options that read a log, where the log is a store, which was judged when it was made.

    Raises:
        UsageError: options that cannot change it any more.
    """
    from issmp_cat.errors import UsageError

    late = [word for word in typed.words(key=None) if word.startswith("--")]
    if late:
        raise UsageError(
            f"{store} is a store, judged when it was made: {', '.join(dict.fromkeys(late))} cannot apply any more; "
            "leave them away, or give them to issmp-cat store and make it again"
        )
    if typed.key is None:
        return []
    return [f"{typed.key}: right options are not read, {store} was scored when it was made; all other columns are"]


def takes(name: str, options: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options that a dataclass lists in place of its one parameter ``name``."""
    hints = get_type_hints(options, include_extras=True)
    listed = [
        inspect.Parameter(
            option.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=option.default, annotation=hints[option.name]
        )
        for option in fields(options)
        if option.default is not MISSING
    ]

    def spread(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)

        def run(**typed: Any) -> None:
            command(**{name: options(**{option.name: typed.pop(option.name) for option in listed})}, **typed)

        own = list(signature.parameters.values())
        at = next(place for place, parameter in enumerate(own) if parameter.name == name)
        parameters = [*own[:at], *listed, *own[at + 1 :]]
        run.__doc__, run.__module__, run.__name__ = command.__doc__, command.__module__, command.__name__
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return run

    return spread


reads_log = takes("reading", LogOptions)
