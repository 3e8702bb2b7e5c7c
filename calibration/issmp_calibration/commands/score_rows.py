"""What scoring found, as rows in a file or on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from issmp_cat.cli import talk

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from issmp_calibration.pass_rates import PassRates

__all__ = ["tell_scores"]


def tell_scores(columns: dict[str, Any], rates: PassRates | None, output: Path | None, *, as_json: bool) -> None:
    """Rows and pass rates, where they belong: whole files, or none.

    Args:
        columns: by name, each of shape ``(persons,)``.
        rates: who passes; None where nothing decides it.
        output: a CSV or Parquet file; None for stdout.
        as_json: one JSON document instead.
    """
    import sys

    import pandas as pd

    frame = pd.DataFrame(columns)
    if output:
        _write(frame, output)
    if as_json:
        talk.print_json({"candidates": columns, "pass_rates": rates.columns if rates else None})
    elif rates and (output or "theta" not in columns):
        table = rates.columns
        share = {name: [f"{100 * value:.1f} %" for value in table[name]] for name in ("rate", "low", "high")}
        talk.table("pass rates (95 % intervals)", list(table), list(zip(*(table | share).values(), strict=True)))
    elif not output:
        frame.to_csv(sys.stdout, index=False, lineterminator="\n")


def _write(frame: pd.DataFrame, output: Path) -> None:
    """The table under its name once it is complete."""
    from issmp_cat.files import atomic_path, atomic_write

    if output.suffix.lower() == ".csv":
        with atomic_write(output) as handle:
            frame.to_csv(handle, index=False, lineterminator="\n")
        return
    import duckdb

    with atomic_path(output) as temporary, duckdb.connect() as con:
        con.register("scores", frame)
        con.table("scores").write_parquet(str(temporary))
