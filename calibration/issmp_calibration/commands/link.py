"""``issmp-cat link``: one calibration onto the scale of another."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issmp_calibration.commands.outputs import refuse_output
from issmp_calibration.log.options import JsonOption, QuietOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from issmp_calibration.linking import Anchor, Link

__all__ = ["Method", "anchor_rows", "command"]


class Method(StrEnum):
    """The methods, as typed on the command line."""

    mean_mean = "mean_mean"
    mean_sigma = "mean_sigma"
    haebara = "haebara"
    stocking_lord = "stocking_lord"


class Weights(StrEnum):
    """Where curves are compared."""

    normal = "normal"
    uniform = "uniform"


class Screen(StrEnum):
    """What happens to anchors that moved."""

    none = "none"
    once = "once"
    iterative = "iterative"


def command(
    new: Annotated[Path, typer.Argument(help="The bank to be transformed (.json or .csv).")],
    to: Annotated[
        list[Path],
        typer.Option(
            "--to", help="The bank whose scale is kept (.json or .csv); several are a chain, the last one's is kept."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the new bank on the old scale (.json or .csv).")
    ] = None,
    method: Annotated[Method, typer.Option("--method", "-m", help="How slope and shift are found.")] = (
        Method.stocking_lord
    ),
    anchor: Annotated[
        list[str] | None,
        typer.Option("--anchor", metavar="ID", help="Link by this item, repeatable; by all common items if not given."),
    ] = None,
    screen: Annotated[
        Screen, typer.Option(help="Moved anchors: flag them, drop them once, or one by one with a new link each time.")
    ] = Screen.none,
    limit: Annotated[
        float, typer.Option(help="Robust z beyond which an anchor may have moved; 2.58 SE must be passed too.")
    ] = 2.7,
    weights: Annotated[Weights, typer.Option(help="Of the abilities at which curves are compared.")] = Weights.normal,
    symmetric: Annotated[bool, typer.Option("--symmetric", help="Compare curves on both scales.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Put one calibration onto the scale of another by the items they share: θ_old = A θ_new + B.

    Prints A and B with standard errors, and the anchors with how far each moved: the change, its robust z (z_a, z_b),
    and the change over its own standard error (in_se_a, in_se_b). --screen drops those beyond both limits. A bank with
    Rasch or PCM items allows A = 1 only. With several --to each bank is linked to the next, and the links follow each
    other: A = A₂A₁, B = A₂B₁ + B₂. Exit code 3 when the banks share too few items, 4 when no minimum is found.

    Examples:
      issmp-cat link new.json --to old.json -o linked.json

      issmp-cat link new.json --to old.json --method haebara --screen iterative -o linked.json

      issmp-cat link new.json --to old.json --anchor Q1 --anchor Q7 --anchor Q12 --json

      issmp-cat link 2026.json --to 2025.json --to 2024.json -o linked.json
    """
    from issmp_calibration.linking import chain, link
    from issmp_cat.bank import ItemBank
    from issmp_cat.cli import talk

    refuse_output("--output", output, (".json", ".csv"))
    banks = [ItemBank.load(path) for path in (new, *to)]
    bank, kept = banks[0], to[-1]
    links = [
        link(
            one,
            other,
            method.value,
            anchor,
            weights=weights.value,
            symmetric=symmetric,
            screen=screen.value,
            limit=limit,
        )
        for one, other in pairwise(banks)
    ]
    found = chain(*links) if len(links) > 1 else links[0]
    linked = found.apply(bank)
    if as_json:
        steps = {"links": [each.content() for each in links]} if len(links) > 1 else {}
        talk.print_json(found.content() | steps)
    else:
        for each, (one, other) in zip(links, pairwise([new, *to]), strict=True):
            _show(each, f"{one} to {other}: " if len(links) > 1 else "")
        if len(links) > 1:
            talk.paragraph(found.summary())
    if output and not dry_run:
        linked.save(output)
        talk.say(f"wrote {output}: {talk.counted(len(linked), 'item')} on the scale of {kept}", quiet)
    elif output:
        talk.say(f"would write {output}: {talk.counted(len(linked), 'item')} on the scale of {kept}", quiet)
    written = output if output and not dry_run else None
    again = f"link {new} {' '.join(f'--to {path}' for path in to)} -o linked.json"
    following = f"bank show {written}" if written else again
    talk.next_step(f"issmp-cat {following}", quiet)


def _show(found: Link, label: str) -> None:
    from issmp_cat.cli import talk

    for number, line in enumerate(found.summary().splitlines()):
        talk.paragraph(line if number else label + line)
    talk.table("anchors (change: old against linked new)", *anchor_rows(found.anchors))


def anchor_rows(anchors: Sequence[Anchor]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Common items as a table to print: head and rows."""
    head = ["item", "used", "a_old", "a_linked", "b_old", "b_linked"]
    head += ["change_a", "change_b", "z_a", "z_b", "in_se_a", "in_se_b"]
    return head, [
        (
            row.item,
            "yes" if row.used else "no",
            *(f"{value:.3f}" for value in (row.a_old, row.a_linked, row.b_old, row.b_linked)),
            *(f"{value:+.3f}" for value in (row.change_a, row.change_b)),
            *(f"{value:+.1f}" for value in (row.z_a, row.z_b)),
            *("" if value is None else f"{value:+.1f}" for value in (row.in_se_a, row.in_se_b)),
        )
        for row in anchors
    ]
