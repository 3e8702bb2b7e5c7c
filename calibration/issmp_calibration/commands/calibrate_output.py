"""What ``issmp-cat calibrate`` prints and writes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from issmp_calibration.item_table import USUAL, ItemTable
from issmp_calibration.item_verdict import ItemVerdict
from issmp_calibration.log.faults import counted, some
from issmp_calibration.outcome import FEW
from issmp_calibration.plot_choice import leading_kinds, worst_first
from issmp_calibration.plots import KINDS, draw
from issmp_cat.cli import talk
from issmp_cat.files import atomic_write

if TYPE_CHECKING:
    from issmp_calibration.girth_opinion import GirthOpinion
    from issmp_calibration.manifest import Manifest
    from issmp_calibration.result import Calibration
    from issmp_cat.bank import ItemBank

__all__ = ["Outputs", "next_command", "print_json", "print_text"]

SHOWN = 60  # items listed on the screen; longer tables go to a file


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a calibration is written; None for nowhere.

    Attributes:
        bank: the item bank; ``bank_id``: its name, the file's if None.
        items: the item table, CSV.
        result: the whole result, JSON.
        plots: folder for the plots.
    """

    bank: Path | None
    bank_id: str | None
    items: Path | None
    result: Path | None
    plots: Path | None

    @property
    def manifest(self) -> Path | None:
        """Where the manifest goes: beside the bank, or beside the result."""
        beside = self.bank or self.result
        return None if beside is None else beside.with_name(f"{beside.stem}.manifest.json")

    def write(self, found: Calibration, manifest: Manifest, *, dry_run: bool) -> list[str]:
        """Write each file, whole or not at all; a line about each.

        Everything is made before the first file is written, so that a fault in making leaves all files as they were.
        """
        bank = found.to_bank(id=self.bank_id or self.bank.stem) if self.bank else None
        drawings = {self.plots / f"{kind}.svg": draw(found, kind, None) for kind in KINDS} if self.plots else {}
        table = found.frame if self.items else None
        if not dry_run:
            if self.bank and bank:
                bank.save(self.bank)
            if self.items and table is not None:
                with atomic_write(self.items) as handle:
                    table.to_csv(handle, index=False, lineterminator="\n")
            if self.result:
                found.to_json(self.result)
            if self.manifest:
                replace(manifest, bank_version=bank.version if bank else None).save(self.manifest)
            if self.plots:
                self.plots.mkdir(parents=True, exist_ok=True)
            for path, drawing in drawings.items():
                drawing.save(path)
        said = [] if bank is None else [f"{self.bank}: {_banked(found, bank)}"]
        said += [str(path) for path in (self.items, self.result, self.manifest, *drawings) if path]
        return [f"{'would write' if dry_run else 'wrote'} {line}" for line in said]


def _banked(found: Calibration, bank: ItemBank) -> str:
    """How many items the bank holds, which it does not, and why."""
    left_out: Mapping[str, str] = bank.provenance["left_out"]
    held: Mapping[str, object] = bank.provenance["hold"]
    on_hold = f"; {len(held):,} of them on hold" if held else ""
    stand: Sequence[str] = bank.provenance.get("as_in_the_old_bank", ())
    if stand:
        on_hold = f", {len(stand):,} of them as they were in the old bank{on_hold.replace('of them ', '')}"
        listed = some([f"{item} ({why})" for item, why in left_out.items()], 5)
        return f"{len(bank):,} items{on_hold}" + (f"; left out: {listed}" if left_out else "")
    if not left_out:
        return f"all {len(found.items):,} items{on_hold}"
    reasons = some([f"{item} ({why})" for item, why in left_out.items()], 5)
    return f"{len(bank):,} of {len(found.items):,} items{on_hold}; left out: {reasons}"


def print_json(found: Calibration, opinion: GirthOpinion | None) -> None:
    """The whole result, figures and second opinion included."""
    content = {**json.loads(found.to_json()), "figures": found.figures}
    if opinion is not None:
        content["girth"] = {
            "summary": opinion.summary(),
            "items": dict(opinion.columns),
            "log_likelihood": opinion.log_likelihood,
            "girths_log_likelihood": opinion.girths_log_likelihood,
        }
    talk.print_json(content)


def print_text(found: Calibration, opinion: GirthOpinion | None) -> None:
    """Summary, items that deserve a look (all of a short test), and the second opinion."""
    print(found.summary())
    print()
    columns = _columns(found.items)
    names, rows = list(columns), list(zip(*columns.values(), strict=True))
    places, title = _worth_a_look(found.items)
    wanted = [rows[place] for place in places]
    if wanted:
        talk.table(title, names, [[_number(value) for value in row] for row in wanted[:SHOWN]])
    if len(wanted) > SHOWN:
        print(f"… and {len(wanted) - SHOWN:,} more: --items FILE writes the whole table")
    elif found.items.names[len(USUAL) :]:
        print("steps, slopes and intercepts of scores: --items FILE writes the whole table")
    if opinion is None:
        return
    print(f"\n{opinion.summary()}")
    if len(opinion.item) and len(opinion.item) <= SHOWN:
        side = opinion.columns
        talk.table("", list(side), [[_number(value) for value in row] for row in zip(*side.values(), strict=True)])


def _worth_a_look(table: ItemTable) -> tuple[list[int], str]:
    """Rows to show, and how to call them: all of a short table; of a long one those to retire, then those on hold.

    Of items that nobody saw there is nothing to look at: they are counted.
    """
    if len(table) <= SHOWN:
        return list(range(len(table))), "items"
    against = worst_first(table, np.arange(len(table)))
    seen = against[table.answers[against] > 0]
    title = f"items to hold or retire, worst first: {len(against):,} of {len(table):,}"
    unseen = len(against) - len(seen)
    title += f"; {unseen:,} that nobody saw are not listed" if unseen else ""
    return seen.tolist(), title


def _columns(table: ItemTable) -> dict[str, Sequence[object]]:
    """What fits on a screen; everything else is in the table that ``--items`` writes."""
    columns, estimates = table.columns, dict[str, Sequence[object]]()
    for name in _estimated(table):
        estimates[name] = [_number(value, 3) for value in columns[name]]
        errors = columns[f"se_{name}"]
        if name != "c" and not np.isnan(errors).all():
            estimates[f"se_{name}"] = [_number(value, 3) for value in errors]
    needed = [_number(value, 0) for value in table.answers_needed]
    return {
        "item": columns["item"],
        **({"model": columns["model"]} if len(set(columns["model"])) > 1 else {}),
        **estimates,
        "answers": columns["answers"],
        **({"needed": needed} if any(needed) else {}),
        "action": columns["action"],
        "reasons": [_told(verdict) for verdict in table.verdicts],
    }


def _told(verdict: ItemVerdict) -> str:
    """The first two reasons, what few answers do not explain before them."""
    kinds = leading_kinds(verdict)
    words = ", ".join(code.replace("_", " ") for code in kinds[:2])
    return words + (f" + {len(kinds) - 2}" if len(kinds) > 2 else "")


def _estimated(table: ItemTable) -> list[str]:
    """Which of a, b, c are worth a column: those that vary between items or have standard errors."""
    values, errors = table.parameters[table.fitted], table.standard_errors[table.fitted]
    known, there = np.asarray(~np.isnan(errors).all(axis=0)), np.asarray(~np.isnan(values))
    varies = [bool(there[:, k].any()) and np.ptp(values[there[:, k], k]) > 0.0 for k in range(3)]
    return [name for k, name in enumerate(USUAL[:3]) if known[k] or varies[k]]


def _number(value: object, decimals: int = 4) -> object:
    """A number that exists in so many decimals, nothing for one that does not."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.{decimals}f}"  # noqa: PLR0124 - NaN alone differs from itself
    return value


def next_command(found: Calibration, log: list[Path], bank: Path | None, again: list[str]) -> str:
    """What to do next: mostly to score the same log with the new bank."""
    if not found.converged:
        few = f"--min-to-fit {FEW}" in found.reason
        return f"the same command with {f'--min-to-fit {FEW}' if few else 'a larger --max-passes'}"
    if bank is None:
        return "add -o bank.json to write the item bank"
    if len(split := np.flatnonzero(found.items.item != found.items.base)):
        return (
            f"{counted(len(split), 'item')} of the bank hold for one group each, such as "
            f'"{found.items.item[split[0]]}": score each group with a bank of its own items, called as in its log'
        )
    return shlex.join(["issmp-cat", "score", *map(str, log), "--bank", str(bank), *again])
