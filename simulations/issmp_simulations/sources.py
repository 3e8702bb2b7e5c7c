"""Banks by file or by name, for the command line."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from issmp_cat import ItemBank
from issmp_cat.cli.sources import open_bank, packaged_banks
from issmp_cat.errors import BankError
from issmp_cat.spelling import did_you_mean
from issmp_simulations.standard import STANDARD_BANKS, BankModel, BankName, standard_bank

__all__ = ["open_any_bank"]


def open_any_bank(source: str) -> ItemBank:
    """A bank from a file, one that ships with the package, or a standard bank by its name.

    Raises:
        BankError: there is no such file, or it was refused.
    """
    name, _, model = source.partition("/")
    if name in STANDARD_BANKS and model in ("", "2pl", "3pl") and not Path(source).exists():
        return standard_bank(cast("BankName", name), model=cast("BankModel", model or "3pl"))
    known = [*STANDARD_BANKS, *packaged_banks()]
    if source not in known and not Path(source).suffix and not Path(source).exists():
        hint = did_you_mean(name, known)
        names = f"{', '.join(STANDARD_BANKS)} (each also with /2pl), {', '.join(packaged_banks())}"
        raise BankError(source, [f"no such file, and no bank of this name{hint}; known: {names}"])
    return open_bank(source)
