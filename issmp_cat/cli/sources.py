"""What a command is given: a bank or an exam, by file or by the name of one that ships with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from issmp_cat.errors import UsageError

if TYPE_CHECKING:
    from issmp_cat.bank import ItemBank

__all__ = ["open_bank", "packaged_banks", "refuse_to_overwrite"]


def packaged_banks() -> tuple[str, ...]:
    """Names of the banks that ship with the package.

    >>> "practice-bank" in packaged_banks()
    True
    """
    from importlib import resources

    folder = resources.files("issmp_cat") / "data"
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith("-bank.json")))


def open_bank(source: str) -> ItemBank:
    """A bank from a file, or one that ships with the package.

    Raises:
        BankError: there is no such file, or it was refused.
    """
    from issmp_cat.bank import ItemBank
    from issmp_cat.errors import BankError

    if source in packaged_banks() and not Path(source).exists():
        return ItemBank.load_packaged(source)
    if not Path(source).suffix and not Path(source).exists():
        raise BankError(source, [f"no such file, and no bank of this name; known: {', '.join(packaged_banks())}"])
    return ItemBank.load(source)


def refuse_to_overwrite(path: Path, force: bool) -> None:
    """Stop before a file is replaced that nobody said may be replaced.

    Raises:
        UsageError: the file exists, and ``force`` is off.
    """
    if path.exists() and not force:
        raise UsageError(f"{path} exists; --force replaces it")
