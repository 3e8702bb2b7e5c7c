"""The names by which ``bank convert`` knows the formats of other programs: the only such table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from issmp_cat.cli.sources import open_bank, packaged_banks
from issmp_cat.cli.talk import say
from issmp_cat.errors import BankError, UsageError
from issmp_cat.spelling import did_you_mean

if TYPE_CHECKING:
    from issmp_cat.bank import ItemBank
    from issmp_cat.bank.foreign import Format

__all__ = [
    "FORMATS",
    "OWN",
    "check_metric",
    "chosen_model",
    "formats",
    "named_format",
    "open_any",
    "say_how_read",
    "say_how_written",
    "target_format",
]

OWN = (".json", ".csv", ".tsv")
FORMATS = ("mirt", "mirt-slope", "bilog", "winsteps", "flexmirt", "irtpro", "flexmirt-table", "qti")


def formats() -> Mapping[str, Format]:
    """Every format by its name."""
    from issmp_cat.bank.foreign import BILOG, FLEXMIRT, MIRT, MIRT_SLOPE, PRINTED, QTI, WINSTEPS

    return dict(zip(FORMATS, (MIRT, MIRT_SLOPE, BILOG, WINSTEPS, FLEXMIRT, FLEXMIRT, PRINTED, QTI), strict=True))


def named_format(name: str) -> Format | None:
    """The format of a name; None for ``bank``, this program's own.

    Raises:
        UsageError: there is no such format.
    """
    if name == "bank":
        return None
    if name not in FORMATS:
        raise UsageError(
            f'no format "{name}"{did_you_mean(name, [*FORMATS, "bank"])}; there are bank, {", ".join(FORMATS)}'
        )
    return formats()[name]


def _recognised(path: Path) -> Format | None:
    """The one format that a file's content can be, or None."""
    from issmp_cat.files import read_text

    if path.suffix.lower() == ".json":
        return None
    text = read_text(path, BankError)
    found = {id(entry): entry for entry in formats().values() if entry.recognises(text)}
    return next(iter(found.values())) if len(found) == 1 else None


def open_any(
    source: str,
    name: str,
    metric: float | None,
    stepped: Literal["grm", "gpcm"] | None,
    structure: Path | None = None,
) -> tuple[ItemBank, Format | None]:
    """A bank from any file, and the format it was read in; None for this program's own.

    Raises:
        BankError: the file was refused, or nobody can tell its format.
        UsageError: there is no such format.
    """
    path = Path(source)
    if source in packaged_banks() and not path.exists():
        return open_bank(source), None
    found = named_format(name) if name else _recognised(path) if path.suffix else None
    if found is None:
        if not name and path.suffix and path.suffix.lower() not in OWN:
            raise BankError(source, [f"cannot tell its format; --from says it: {', '.join(FORMATS)}"])
        return open_bank(source), None
    from issmp_cat.bank.foreign import Wishes, read_foreign
    from issmp_cat.files import read_text

    steps = "" if structure is None else read_text(structure, BankError)
    try:
        return read_foreign(path, found, Wishes(metric if found.free_metric else None, stepped, steps)), found
    except BankError:
        if (other := _recognised(path)) is None or other is found:
            raise
    asked, there = (f"{one.name} file ({one.program})" for one in (found, other))
    raise BankError(source, [f"this is no {asked}; by its content it is a {there}: --from {other.name}"])


def target_format(target: Path, name: str) -> Format | None:
    """The format to write; None for this program's own, which the suffix chooses.

    Raises:
        UsageError: there is no such format, or the suffix is not one of this program's.
    """
    found = named_format(name) if name else None
    if found is None and target.suffix.lower() not in OWN:
        raise UsageError(f"{target}: the suffix chooses the format; expected .json, .csv or .tsv, or --to FORMAT")
    return found


def check_metric(metric: float | None, *used: Format | None) -> None:
    """Refuse a metric that no file of the conversion can have.

    Raises:
        UsageError: it is not between 0.1 and 10, or every format has D = 1.
    """
    if metric is None:
        return
    if not 0.1 <= metric <= 10.0:
        raise UsageError(f"--metric {metric:g}: D is 1 (logistic), 1.7 or 1.702 (normal metric)")
    if metric != 1.0 and not any(entry is not None and entry.free_metric for entry in used):
        names = ", ".join(entry.name for entry in used if entry is not None) or "bank files"
        raise UsageError(f"--metric {metric:g}: {names} have D = 1; only bilog and qti files may have another")


def chosen_model(stepped: str) -> Literal["grm", "gpcm"] | None:
    """What items with a, b1, b2, … are, as asked for.

    Raises:
        UsageError: they are no such thing.
    """
    models: dict[str, Literal["grm", "gpcm"] | None] = {"": None, "grm": "grm", "gpcm": "gpcm"}
    if stepped not in models:
        raise UsageError(f"--stepped {stepped}: expected grm or gpcm")
    return models[stepped]


def say_how_read(source: str, bank: ItemBank, read: Format | None, *, named: bool, quiet: bool) -> None:
    """Tell what a file was taken for: format, metric, parameterisation, scale, standard errors, items left out."""
    if read is not None:
        say(f"{source}: read as {read.name} ({read.program}){'' if named else ', recognised by its content'}", quiet)
    for part in ("metric", "parameterisation", "scale", "standard_errors") if read is not None else ("metric",):
        if part in bank.provenance:
            say(f"{source}: {part.replace('_', ' ')}: {bank.provenance[part]}", quiet)
    for item, reason in bank.provenance.get("left_out", {}).items() if read is not None else ():
        say(f'{source}: item "{item}" left out: {reason}', quiet)


def say_how_written(target: Path, bank: ItemBank, written: Format | None, metric: float | None, *, quiet: bool) -> None:
    """Tell in which metric a file is written, and what it cannot hold.

    Raises:
        BankError: the format has no place for some items, all named.
    """
    if written is None:
        from issmp_cat.cli.bank_rows import lost_in_csv

        lost = [] if target.suffix.lower() == ".json" else lost_in_csv(bank)
    else:
        if problems := written.misfits(bank):
            raise BankError(str(target), problems)
        say(f"{target}: {written.name} ({written.program}), slopes for D = {metric or written.usual_metric:g}", quiet)
        lost = written.lost(bank)
    if lost:
        say(f"{target} cannot hold: {', '.join(lost)}", quiet)
