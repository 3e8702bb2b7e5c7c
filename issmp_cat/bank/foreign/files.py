"""Files of other programs as banks, and banks as such files: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from issmp_cat.bank.bank_file import sound_items
from issmp_cat.bank.foreign.format import Format, Wishes
from issmp_cat.bank.item import Item, Metric
from issmp_cat.bank.item_bank import ItemBank
from issmp_cat.errors import BankError
from issmp_cat.files import atomic_write, read_text

__all__ = ["read_foreign", "write_foreign"]

LISTED = 20  # problems of a file
FEW = 4  # problems that leave open whether it is a file of its kind


def read_foreign(path: str | Path, format_: Format, wishes: Wishes | None = None) -> ItemBank:
    """A bank from another program's file, on the logistic metric D = 1.

    Args:
        path: the file.
        format_: how to read it, for instance ``issmp_cat.bank.foreign.BILOG``.
        wishes: metric and model where the file does not say.

    Returns:
        The bank; its provenance states program, metric, parameterisation, scale and standard errors.

    Raises:
        BankError: every fault of the file, with its line.
    """
    path = Path(path)
    reading = format_.read(read_text(path, BankError), wishes or Wishes())
    problems = list(reading.problems)
    items: list[Item] = []
    if reading.rows or not problems:
        items, faults = sound_items(reading.rows, reading.refused)
        problems += faults
    mean, sd = reading.population or (0.0, 1.0)
    try:
        metric = Metric(latent_mean=mean, latent_sd=sd)
    except ValidationError:
        problems.append(f"population of mean {mean:g} and SD {sd:g}; expected finite numbers, SD above 0")
    if problems:
        raise BankError(str(path), _told(problems, format_, nothing=not items))
    provenance = {"source": path.name, "program": format_.program, **reading.notes}
    if reading.left_out:
        provenance["left_out"] = dict(reading.left_out)  # type: ignore[assignment]
    return ItemBank.from_items(items, where=str(path), id=path.stem, metric=metric, provenance=provenance)


def _told(problems: list[str], format_: Format, *, nothing: bool) -> list[str]:
    """The problems of a file, as far as they help: where no item can be read it is another kind of file."""
    if nothing and len(problems) > FEW:
        kind = f"{format_.name} file ({format_.program})"
        return [f"this is no {kind}: not one item can be read; {problems[0]}, and {len(problems) - 1:,} more problems"]
    more = len(problems) - LISTED
    return problems if more <= 0 else [*problems[:LISTED], f"… and {more:,} more problems"]


def write_foreign(bank: ItemBank, path: str | Path, format_: Format, metric: float | None = None) -> None:
    """Write a bank for another program; what the format cannot hold is what ``format_.lost(bank)`` lists.

    Args:
        bank: the items.
        path: where; an existing file is replaced.
        format_: how.
        metric: D of the slopes in the file; the program's own when not given.

    Raises:
        BankError: the format has no place for some items, all named.
    """
    if problems := format_.misfits(bank):
        raise BankError(str(path), problems)
    text = format_.write(bank, metric or format_.usual_metric)
    with atomic_write(path) as handle:
        handle.write(text)
