"""The options that every command takes which reads a response log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from issmp_calibration.log.rules import (
    Attempts,
    Duplicates,
    EmptyCell,
    ItemVersions,
    KeepOrDrop,
    Omitted,
    Shape,
)

__all__ = [
    "AttemptsOption",
    "CandidatesOption",
    "ColumnOption",
    "DuplicatesOption",
    "EmptyCellOption",
    "FlaggedOption",
    "InferNotReachedOption",
    "ItemVersionsOption",
    "JsonOption",
    "KeyOption",
    "LogArgument",
    "MaxScoreOption",
    "MaxSecondsOption",
    "NotReachedOption",
    "OmittedCodeOption",
    "OmittedOption",
    "OmittedPretestOption",
    "QuietOption",
    "RetiredOption",
    "ShapeOption",
    "parse_columns",
]

READING = "Reading the log"

LogArgument: TypeAlias = Annotated[
    list[Path],
    typer.Argument(
        metavar="LOG",
        help="Response log: .csv, .csv.gz, .tsv or .parquet, long or wide. Several files of one kind are read as one.",
    ),
]
KeyOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--key",
        "-k",
        help="Item file with columns item, key and, if wanted, status, domain, enemies, item_set, options, max_score, "
        "item_version, model, fix_a …, equal_a … (for calibrate); turns options into scores. Several right options: "
        "A|C; partial credit: A:2|B:1.",
    ),
]
CandidatesOption: TypeAlias = Annotated[
    Path | None, typer.Option("--candidates", help="Table about candidates: candidate, and whatever else.")
]
ShapeOption: TypeAlias = Annotated[
    Shape | None, typer.Option("--shape", help="If the column names mislead.", rich_help_panel=READING)
]
ColumnOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=NAME",
        help="Where a column's name does not tell, such as item=Frage; ignore=NAME leaves a column out. Repeatable.",
        rich_help_panel=READING,
    ),
]
OmittedOption: TypeAlias = Annotated[
    Omitted,
    typer.Option("--omitted", help="What omitted answers to operational items count as.", rich_help_panel=READING),
]
NotReachedOption: TypeAlias = Annotated[
    Omitted,
    typer.Option(
        "--not-reached",
        help="What items count as that a candidate did not get to (score_status not_reached, timed_out).",
        rich_help_panel=READING,
    ),
]
InferNotReachedOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--infer-not-reached",
        help="Without a column score_status: omitted answers at the end of a test, by position, were not reached, "
        "all but the first of them.",
        rich_help_panel=READING,
    ),
]
OmittedPretestOption: TypeAlias = Annotated[
    Omitted,
    typer.Option("--omitted-pretest", help="What omitted answers to pretest items count as.", rich_help_panel=READING),
]
FlaggedOption: TypeAlias = Annotated[
    KeepOrDrop | None,
    typer.Option(
        "--flagged",
        help="Candidates flagged for misconduct (column flagged); by default calibrate drops them, check and score "
        "keep them.",
        rich_help_panel=READING,
    ),
]
RetiredOption: TypeAlias = Annotated[
    KeepOrDrop,
    typer.Option("--retired", help="Answers to items whose status is retired.", rich_help_panel=READING),
]
ItemVersionsOption: TypeAlias = Annotated[
    ItemVersions,
    typer.Option(
        "--item-versions",
        help="Whether version 2 of item Q1 (column item_version) is an item of its own, Q1@v2.",
        rich_help_panel=READING,
    ),
]
DuplicatesOption: TypeAlias = Annotated[
    Duplicates,
    typer.Option(
        "--duplicates",
        help="Which answer to an item counts, if there are two; exact copies of a row are dropped in any case.",
        rich_help_panel=READING,
    ),
]
AttemptsOption: TypeAlias = Annotated[
    Attempts,
    typer.Option("--attempts", help="Which attempt of a candidate counts, if several.", rich_help_panel=READING),
]
OmittedCodeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--omitted-code",
        metavar="CODE",
        help='An option or a score that stands for "no answer", such as 8, 9 or -1. Repeatable.',
        rich_help_panel=READING,
    ),
]
EmptyCellOption: TypeAlias = Annotated[
    EmptyCell,
    typer.Option("--empty-cell", help="What an empty cell of a wide table means.", rich_help_panel=READING),
]
MaxScoreOption: TypeAlias = Annotated[
    int,
    typer.Option("--max-score", min=1, max=127, help="The highest score of an item.", rich_help_panel=READING),
]
MaxSecondsOption: TypeAlias = Annotated[
    float,
    typer.Option("--max-seconds", min=1.0, help="A longer time is not a time on an item.", rich_help_panel=READING),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
QuietOption: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")]


def parse_columns(pairs: Sequence[str]) -> dict[str, str | list[str]]:
    """Roles and columns from ``role=name`` pairs; ``ignore`` may occur several times.

    Raises:
        UsageError: a pair without an equals sign.

    >>> parse_columns(["item=Frage", "ignore=total", "ignore=note"])
    {'item': 'Frage', 'ignore': ['total', 'note']}
    """
    columns: dict[str, str | list[str]] = {}
    ignored: list[str] = []
    for pair in pairs:
        role, sign, name = pair.partition("=")
        if not sign:
            from issmp_cat.errors import UsageError

            raise UsageError(f'--column "{pair}": expected role=name, such as item=Frage')
        if role == "ignore":
            ignored.append(name)
        else:
            columns[role] = name
    return columns | ({"ignore": ignored} if ignored else {})
