"""``issmp-cat drift``: which items changed between two calibrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from issmp_calibration.commands.link import Method, anchor_rows
from issmp_calibration.commands.outputs import refuse_folder, refuse_output
from issmp_calibration.log.options import JsonOption, QuietOption

if TYPE_CHECKING:
    from issmp_calibration.linking import Drift

__all__ = ["command"]

EXAMPLE = "flagged_share<=0.05"


def command(
    old: Annotated[Path, typer.Argument(help="The earlier calibration (.json or .csv); its scale is kept.")],
    new: Annotated[Path, typer.Argument(help="The later calibration (.json or .csv).")],
    method: Annotated[Method, typer.Option("--method", "-m", help="How the scales are linked.")] = Method.stocking_lord,
    anchor: Annotated[
        list[str] | None,
        typer.Option("--anchor", metavar="ID", help="The link may rest on this item, repeatable; on all if not given."),
    ] = None,
    limit: Annotated[
        float, typer.Option(help="Robust z beyond which an item may have moved; 2.58 SE must be passed too.")
    ] = 2.7,
    false_discoveries: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="Ask for more than 2.58 SE of many items: of those flagged this share are accidents."
        ),
    ] = None,
    gate: Annotated[
        list[str] | None, typer.Option("--gate", help=f"Exit with 5 unless this holds, such as {EXAMPLE}; repeatable.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write all common items (.csv), or the whole result (.json).")
    ] = None,
    plots: Annotated[Path | None, typer.Option("--plots", metavar="DIR", help="Write plots (SVG) here.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Show all common items, not only those that moved.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show how far every common item moved between two calibrations, by the changes of log a and of b.

    An item is flagged when the robust z of a change (z_a, z_b) is beyond the limit and the change exceeds 2.58 of its
    own standard errors (in_se_a, in_se_b); by robust z alone where a bank does not hold the item's covariance.
    About 1 item in 100 is flagged by chance; --false-discoveries 0.05 keeps that to 5 in 100 of those flagged.

    The scales are linked first, by the items that did not move. Figures for --gate: common, used, flagged,
    flagged_share, worst_z, worst_rmsd (points of expected score), worst_change_b (logits), A, B. Exit code 3 when the
    banks share too few items, 5 when a --gate is missed.

    Examples:
      issmp-cat drift 2025.json 2026.json

      issmp-cat drift 2025.json 2026.json --gate "flagged_share<=0.05" --gate "worst_rmsd<=0.05" --plots plots

      issmp-cat drift 2025.json 2026.json --limit 4 -o drift.csv
    """
    from issmp_calibration.linking import drift
    from issmp_calibration.linking.drifting import FIGURES
    from issmp_cat.bank import ItemBank
    from issmp_cat.cli import talk
    from issmp_cat.cli.gates import parse_gate, require, require_known

    gates = [parse_gate(text, example=EXAMPLE) for text in gate or []]
    require_known(gates, FIGURES)
    refuse_output("--output", output, (".csv", ".json"))
    refuse_folder("--plots", plots)
    found = drift(
        ItemBank.load(new), ItemBank.load(old), method.value, anchor, limit=limit, false_discoveries=false_discoveries
    )
    if as_json:
        talk.print_json(found.content())
    else:
        _show(found, every=every)
    for path in _write(found, output, plots):
        talk.say(f"wrote {path}", quiet)
    require(gates, found.figures)
    look = f"bank show {new} --item {found.flagged[0]}" if found.flagged else ""
    following = look or f"link {new} --to {old} -o linked.json"
    talk.next_step(f"issmp-cat {following}", quiet)


def _show(found: Drift, *, every: bool) -> None:
    from issmp_cat.cli import talk

    for line in found.summary().splitlines():
        talk.paragraph(line)
    items = [item for item in found.items if every or item.reason]
    if items:
        head, rows = anchor_rows(items)
        talk.table(
            "common items (change: old against linked new)" if every else "items that moved",
            [*head, "rmsd"],
            [(*row, f"{item.rmsd:.3f}") for row, item in zip(rows, items, strict=True)],
        )


def _write(found: Drift, output: Path | None, plots: Path | None) -> list[Path]:
    """The files asked for, and their names."""
    from issmp_calibration.linking.plots import KINDS
    from issmp_cat.files import atomic_write

    written = []
    if output is not None:
        if output.suffix.lower() == ".json":
            found.to_json(output)
        else:
            with atomic_write(output) as handle:
                handle.write(found.frame.to_csv(index=False))
        written.append(output)
    if plots is not None:
        plots.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            written.append(plots / f"drift-{kind}.svg")
            found.plot(kind).save(written[-1])  # type: ignore[arg-type]
    return written
