"""Banks by file or by name, for the command line."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from issmp_cat import ItemBank
from issmp_cat.cli.sources import open_bank
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
    return open_bank(source)
