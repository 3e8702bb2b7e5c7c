"""``issmp-cat bank``: look at an item bank, check it, convert it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issmp_cat.cli.sources import open_bank, refuse_to_overwrite
from issmp_cat.cli.talk import counted, next_step, paragraph, print_json, say, table

if TYPE_CHECKING:
    from issmp_cat.bank import ItemBank
    from issmp_cat.bank.foreign import Format

__all__ = ["app"]

app = typer.Typer(help="Look at an item bank, check it, convert it.", no_args_is_help=True)

Bank = Annotated[str, typer.Argument(help="Bank file (.json, .csv, .tsv), or practice-bank.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")]


@app.command()
def check(
    bank: Bank,
    cut: Annotated[float, typer.Option(help="θ in logits at which information is shown.")] = -0.3,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check a bank: refuse contradictions, all at once; name what deserves a look.

    Contradictions (an id used twice, an unknown enemy, an impossible parameter) end with exit code 3. What is merely
    odd is listed, with exit code 0.

    Examples:
      issmp-cat bank check bank.json
      issmp-cat bank check practice-bank --json
    """
    from issmp_cat.cli.bank_findings import findings, supply

    loaded = open_bank(bank)
    domains, found = supply(loaded, cut), findings(loaded)
    if as_json:
        print_json({**_head(loaded), "cut": cut, "domains": map_dicts(domains), "findings": map_dicts(found)})
        return
    print(f"{bank}: no contradictions.\n{loaded!r}\n")
    table(
        f"Supply by domain; information of the operational items at θ = {cut:g}",
        ("domain", "operational", "pretest", "retired", "enemy pairs", "mean b", "information"),
        [(*_counts(d), "" if d.mean_b is None else f"{d.mean_b:.2f}", f"{d.information:.2f}") for d in domains],
    )
    across = _pairs_across(loaded)
    print(f"\nEnemy pairs across domains: {across}" if across else "\nNo enemies across domains.")
    for finding in found:
        paragraph(f"! {finding.words}; {_count(finding.items)}", "  ")
    if not found:
        print("Nothing deserves a look.")
    next_step(f"issmp-cat exam check {_fitting_exam(loaded)} --bank {bank}", quiet)


def _fitting_exam(bank: ItemBank) -> str:
    """The packaged exam that a bank of these domains and this size may fill; else one's own."""
    from issmp_cat.exam import Exam

    exam = Exam.load("issmp")
    if not set(bank.domains) <= set(exam.blueprint.ids):
        return "my-exam.toml"
    return exam.id if len(bank) >= exam.length.maximum else "practice"


def map_dicts(values: Any) -> list[dict[str, Any]]:
    """Dataclasses as dictionaries."""
    return [asdict(value) for value in values]


def _counts(supply: Any) -> tuple[object, ...]:
    return supply.domain, supply.operational, supply.pretest, supply.retired, supply.enemy_pairs


def _pairs_across(bank: ItemBank) -> int:
    return sum(1 for i, foes in enumerate(bank.enemies) for j in foes if j > i and bank.domain[i] != bank.domain[j])


def _count(items: tuple[str, ...], most: int = 6) -> str:
    named = ", ".join(items[:most]) + (", …" if len(items) > most else "")
    return f"{counted(len(items), 'item')}: {named}"


def _head(bank: ItemBank) -> dict[str, Any]:
    return {
        "bank": bank.id,
        "version": bank.version,
        "items": len(bank),
        "metric": bank.metric.model_dump(),
        "provisional": bank.provisional,
    }


@app.command()
def show(
    bank: Bank,
    item: Annotated[list[str] | None, typer.Option("--item", help="Only this item, in full. Repeatable.")] = None,
    sort: Annotated[str, typer.Option(help="Column to sort by; -COLUMN for falling order.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many rows.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a bank's items: parameters, standard errors, status, verdicts and classical statistics.

    Test statistics come first, if the bank's calibration recorded them.

    Examples:
      issmp-cat bank show bank.json --sort=-b --limit 20
      issmp-cat bank show practice-bank --item P-D1-01
    """
    from issmp_cat.cli.bank_rows import item_facts, rows_of, sort_rows, spread

    loaded = open_bank(bank)
    statistics = loaded.provenance.get("test_statistics") or {}
    if item:
        facts = [item_facts(loaded, name) for name in item]
        if as_json:
            print_json(facts)
        else:
            print("\n\n".join(_two_columns(fact) for fact in facts))
        return
    rows = sort_rows(rows_of(loaded), sort)[:limit]
    if as_json:
        print_json({**_head(loaded), "test_statistics": statistics, "spread": spread(loaded), "rows": rows})
        return
    print(f"{loaded!r}\n")
    if statistics:
        named = {("KR-20 (α)" if name == "alpha" else name): value for name, value in statistics.items()}
        values = [_number(value, 4) for value in named.values()]
        table("Test statistics (raw score, operational items)", list(named), [values])
        print()
    if ranges := spread(loaded):
        cells = [(name, *(_number(value, 4) for value in values)) for name, values in ranges.items()]
        table("Item statistics (operational items)", ("", "lowest", "median", "highest"), cells)
        print()
    used = [name for name in rows[0] if any(row[name] not in (None, "") for row in rows)]
    table("", used, [[_number(row[name]) for name in used] for row in rows])


def _number(value: Any, digits: int = 3) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(_number(part, digits) for part in value)
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def _two_columns(facts: dict[str, Any]) -> str:
    width = max(map(len, facts)) + 2
    return "\n".join(f"{name:<{width}}{_number(value)}" for name, value in facts.items() if value not in (None, "", []))


def _what_it_needs(bank: ItemBank, written: Format, metric: float | None) -> str:
    """Options without which a file that was just written cannot be read: what it does not say of itself."""
    models = {item.model for item in bank.items if item.steps}
    words = f" --metric {metric:g}" if metric else ""
    if written.name == "mirt" and models:
        words += f" --stepped {'grm' if 'grm' in models else 'gpcm'}"
    return words


@app.command()
def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help="Bank or other program's file, or practice-bank.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write; suffix or --to chooses the format.")],
    from_: Annotated[str, typer.Option("--from", metavar="FORMAT", help="Format of IN.")] = "",
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="Format of OUT.")] = "",
    metric: Annotated[float | None, typer.Option(help="D of the slopes in a bilog or qti file.")] = None,
    stepped: Annotated[str, typer.Option(help="grm or gpcm: what a, b1, b2, … of a mirt file are.")] = "",
    structure: Annotated[
        Path | None, typer.Option(metavar="SFILE", help="Winsteps' second file, which holds the steps of PCM items.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    quiet: Quiet = False,
) -> None:
    """Convert a bank between JSON (complete), CSV (parameters, for spreadsheets) and the files of other programs.

    Formats of other programs, read and written: mirt (coef() as CSV: a, b, g, u), mirt-slope (a1, d, g, u), bilog
    (.PAR), winsteps (IFILE), flexmirt and irtpro (-prm.txt), flexmirt-table (printed tables, with standard errors),
    qti (usage data). IN is recognised by its content where
    that is safe. Metric, parameterisation, scale, standard errors and what a file cannot hold are printed.

    A CSV with a column D holds slopes for exp(−D a (θ − b)); they are converted to the logistic metric D = 1, and that
    is said. BILOG-MG files have D = 1.7 unless --metric says otherwise.

    Examples:
      issmp-cat bank convert bank.json bank.csv
      issmp-cat bank convert coef.csv bank.json --from mirt --dry-run
      issmp-cat bank convert bank.json bank.par --to bilog --metric 1.702
    """
    from issmp_cat.bank.foreign import WINSTEPS, WINSTEPS_STEPS, structure_of, write_foreign
    from issmp_cat.cli.bank_formats import (
        check_metric,
        chosen_model,
        open_any,
        say_how_read,
        say_how_written,
        target_format,
    )
    from issmp_cat.errors import UsageError
    from issmp_cat.files import atomic_write

    written = target_format(target, to)
    beside = structure if structure is not None and written is WINSTEPS else None
    loaded, read = open_any(source, from_, metric, chosen_model(stepped), None if beside else structure)
    if structure is not None and beside is None and read is not WINSTEPS:
        raise UsageError(f"--structure {structure}: only winsteps files have one; neither {source} nor {target} is")
    written = WINSTEPS_STEPS if beside else written
    check_metric(metric, read, written)
    for path in (target, beside) if beside else (target,):
        refuse_to_overwrite(path, force or dry_run)
    say_how_read(source, loaded, read, named=bool(from_), quiet=quiet)
    slopes_for = metric if written is not None and written.free_metric else None
    say_how_written(target, loaded, written, slopes_for, quiet=quiet)
    if dry_run:
        say(f"would write {len(loaded)} items to {target}", quiet)
        return
    if written is None:
        loaded.save(target)
    else:
        write_foreign(loaded, target, written, slopes_for)
    if beside:
        with atomic_write(beside) as handle:
            handle.write(structure_of(loaded.items))
    say(f"wrote {len(loaded)} items to {target}", quiet)
    again = f"bank check {target}"
    if written is not None:
        again = f"bank convert {target} again.json --from {written.name}{_what_it_needs(loaded, written, slopes_for)}"
        again += f"{f' --structure {beside}' if beside else ''} --dry-run"
    next_step(f"issmp-cat {again}", quiet)
