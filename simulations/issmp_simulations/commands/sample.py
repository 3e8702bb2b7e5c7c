"""``issmp-cat sample``: standard banks, and response logs of simulated candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

__all__ = ["app"]

BANKS = (".json", ".csv")

app = typer.Typer(no_args_is_help=True, help="Make standard banks and response logs of simulated candidates.")

QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")]


@app.command("bank")
def bank_command(
    name: Annotated[str, typer.Argument(help="218, 1500, 10000, or 1500-unequal.")],
    model: Annotated[str, typer.Option(help="3pl, or 2pl: the same items without guessing.")] = "3pl",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to: .json (whole) or .csv (parameters).")
    ] = Path("bank.json"),
    key: Annotated[
        Path | None, typer.Option(help="Write the item file for calibrate too: item,key,status,domain,enemies.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write one of the standard banks: simulated items in the six domains of the ISSMP, with enemies.

    The same bank every time, so that figures can be compared.

    Examples:
      issmp-cat sample bank 1500 -o bank.json

      issmp-cat sample bank 1500 --model 2pl -o bank.json --key key.csv
    """
    from issmp_cat.cli.talk import next_step, print_json, say
    from issmp_simulations.keys import save_key
    from issmp_simulations.standard import BankModel, BankName, standard_bank

    _refuse_places(output, key, BANKS)
    bank = standard_bank(cast("BankName", name), model=cast("BankModel", model))
    bank.save(output)
    if key is not None:
        save_key(bank, key)
        say(f"wrote {key}", quiet)
    if as_json:
        print_json({"bank": str(output), "id": bank.id, "version": bank.version, "items": len(bank)})
    else:
        print(f"{output}: {len(bank):,} simulated items, version {bank.version}")
    next_step(f"issmp-cat sample log --bank {output} --persons 5000 --answers 125 -o log.parquet", quiet)


@app.command("log")
def log_command(
    bank: Annotated[str, typer.Option("--bank", "-b", help="Item bank: a file, or the name of a standard bank.")],
    persons: Annotated[int, typer.Option(min=1, help="How many candidates.")] = 5_000,
    answers: Annotated[int | None, typer.Option(min=1, help="Items each; the whole bank when not given.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to: .csv, .csv.gz or .parquet.")] = Path(
        "log.parquet"
    ),
    design: Annotated[
        str, typer.Option(help="random: a form of one's own within the blueprint; fixed: one form; adaptive.")
    ] = "random",
    exam: Annotated[
        str | None, typer.Option(help="Exam whose blueprint applies; the ISSMP when the bank has its domains.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="All draws follow from it; drawn and printed when not given.")
    ] = None,
    mean: Annotated[float, typer.Option(help="Mean ability, logits.")] = 0.0,
    sd: Annotated[float, typer.Option(min=0.0, help="SD of the abilities, logits.")] = 1.0,
    seconds: Annotated[bool, typer.Option("--seconds", help="Record the time on each item.")] = False,
    key: Annotated[
        Path | None, typer.Option(help="Record chosen options, and write their key to this item file.")
    ] = None,
    true_theta: Annotated[
        bool, typer.Option("--true-theta", help="Keep each candidate's true ability as a column.")
    ] = False,
    wide: Annotated[bool, typer.Option("--wide", help="A row a candidate instead of a row an answer.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a response log of simulated candidates who answer by a bank's parameters.

    Items are chosen at random, alike for all, or by the answers so far; never by the true ability.

    Examples:
      issmp-cat sample log --bank 1500/2pl --persons 5000 --answers 125 --key key.csv -o log.parquet

      issmp-cat sample log --bank bank.json --persons 100000 --answers 125 --seconds --seed 1 -o log.csv.gz

      issmp-cat sample log --bank bank.json --persons 2000 --answers 100 --design adaptive --wide -o log.csv
    """
    import secrets

    from issmp_cat import Exam
    from issmp_cat.cli.talk import next_step, print_json, progress, say
    from issmp_simulations import Clock, Population
    from issmp_simulations.keys import save_key
    from issmp_simulations.log_files import FORMATS, write_log
    from issmp_simulations.logs import LogDesign, sample_log
    from issmp_simulations.sources import open_any_bank

    _refuse_places(output, key, tuple(FORMATS))
    items = open_any_bank(bank)
    chosen = secrets.randbits(32) if seed is None else seed
    with progress("simulating answers", None, quiet):
        log = sample_log(
            items, persons, answers, design=cast("LogDesign", design), seed=chosen,
            population=Population(mean=mean, sd=sd, clock=Clock() if seconds else None),
            exam=None if exam is None else Exam.load(exam), options=key is not None, true_theta=true_theta,
        )  # fmt: skip
    with progress(f"writing {output}", None, quiet):
        write_log(log, output, wide=wide)
    if key is not None:
        save_key(items, key)
        say(f"wrote {key}", quiet)
    made: dict[str, Any] = {
        "log": str(output), "candidates": log.n_persons, "items": log.n_items, "answers": log.n_answers, "seed": chosen,
    }  # fmt: skip
    if as_json:
        print_json(made)
    else:
        print(
            f"{output}: {log.n_answers:,} answers of {log.n_persons:,} simulated candidates to {log.n_items:,} items, "
            f"seed {chosen}"
        )
    key_option = f" --key {key}" if key is not None else ""
    next_step(f"issmp-cat calibrate {output}{key_option} --model 2pl -o calibrated.json", quiet)


def _refuse_places(output: Path, key: Path | None, suffixes: tuple[str, ...]) -> None:
    """Stop before the work if nothing can be written afterwards.

    Raises:
        UsageError: another suffix, or one file for both.
        InputRejected: a folder that is not there, or cannot be written to.
    """
    from issmp_cat.errors import UsageError
    from issmp_simulations.outputs import require_file_place

    if not output.name.lower().endswith(suffixes):
        raise UsageError(f"--output {output}: expected a name that ends in {' or '.join(suffixes)}")
    if key is not None and key.absolute() == output.absolute():
        raise UsageError(f"--key {key}: the same file as --output; the item file is one of its own")
    for path in (output, key):
        if path is not None:
            require_file_place(path)
