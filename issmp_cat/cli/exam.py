"""``issmp-cat exam``: what an exam asks for, and whether a bank can give it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issmp_cat.cli.eligibility import command as eligibility
from issmp_cat.cli.sources import open_bank
from issmp_cat.cli.talk import counted, next_step, paragraph, print_json, table

if TYPE_CHECKING:
    from issmp_cat.bank import ItemBank
    from issmp_cat.cli.exam_supply import ExamCheck
    from issmp_cat.exam import Exam

__all__ = ["app"]

app = typer.Typer(help="What an exam asks for, and whether a bank can give it.", no_args_is_help=True)
app.command("eligibility")(eligibility)

SECTIONS = ("length", "start", "selection", "exposure", "scoring", "stopping", "scale", "retakes", "report", "pretest")

ExamName = Annotated[str, typer.Argument(metavar="EXAM", help="Exam file (.toml), or issmp, issmp-linear, practice.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")]


@app.command("check")
def check(
    exam: ExamName = "issmp",
    bank: Annotated[str | None, typer.Option(help="Bank that shall fill it: a file, or practice-bank.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check an exam, and whether a bank can fill its blueprint at every length.

    A blueprint that cannot be filled ends with exit code 4 and says which domain lacks how many items, or which rows
    conflict and what would mend it.

    Examples:
      issmp-cat exam check issmp --bank bank.json
      issmp-cat exam check practice --bank practice-bank
    """
    from issmp_cat.blueprint import build_windows
    from issmp_cat.cli.exam_supply import ExamCheck, check_exam, domain_rows
    from issmp_cat.exam import Exam

    loaded = Exam.load(exam)
    held = open_bank(bank) if bank else None
    build_windows(loaded.blueprint, loaded.length.minimum, loaded.length.maximum)
    found = check_exam(loaded, held) if held else ExamCheck(domain_rows(loaded))
    if as_json:
        print_json({**_head(loaded, held), **asdict(found), "assumptions": assumptions(loaded, held)})
        return
    _print_check(loaded, held, found)
    if not bank:
        next_step(f"issmp-cat exam check {exam} --bank bank.json", quiet)
    else:
        next_step(f"issmp-cat simulate --exam {exam} --bank {bank} -n 10000 -o study.json", quiet)


def _head(exam: Exam, bank: ItemBank | None) -> dict[str, Any]:
    head = {"exam": exam.id, "exam_version": exam.version}
    return {**head, "bank": bank.id, "bank_version": bank.version} if bank else head


def assumptions(exam: Exam, bank: ItemBank | None) -> list[str]:
    """What the exam rests on that nobody measured."""
    said = [exam.scale.assumed, exam.note]
    if bank:
        mean, sd = bank.metric.latent_mean, bank.metric.latent_sd
        mean = mean if exam.scoring.prior_mean is None else exam.scoring.prior_mean
        sd = sd if exam.scoring.prior_sd is None else exam.scoring.prior_sd
        said.append(f"Candidates are taken to come from a population with mean {mean:g} and SD {sd:g} (logits).")
        said += ["Item difficulties are provisional: judged, not measured."] if bank.provisional else []
    return [line for line in said if line]


def _use(exam: Exam) -> str:
    """Exposure control, in words."""
    control = exam.exposure
    if control.control == "none" or control.cap is None:
        return "not controlled"
    each = f" in each band of θ̂ cut at {', '.join(f'{edge:g}' for edge in control.bands)}" if control.bands else ""
    method = control.control.replace("_", "–" if control.control == "sympson_hetter" else " ")
    return f"at most {100 * control.cap:g} % of candidates see an item{each}, by {method}; sessions need its table"


def _print_check(exam: Exam, bank: ItemBank | None, found: ExamCheck) -> None:
    lengths = list(found.domains[0].windows)
    print(f"{exam.title}\n{_length(exam)}\n")
    columns = ["domain", "name", "weight", *(f"at {n}" for n in lengths)]
    columns += ["operational", "compatible", "spare"] if bank else []
    rows = [
        [d.id, d.name, f"{d.weight:g}", *(_window(*d.windows[n]) for n in lengths), *(_spare(d) if bank else ())]
        for d in found.domains
    ]
    table("Items of each domain at every length (some shown)", columns, rows)
    if bank:
        items = counted(sum(d.operational or 0 for d in found.domains), "operational item")
        ignored = exam.blueprint.enemies == "ignore"
        pairs = "enemies are ignored" if ignored else counted(found.enemy_pairs, "enemy pair")
        _print_rows(found)
        print(f"\nBank {bank.id}: {items}, {pairs}{_sets(found)}. It fills the blueprint.")
        paragraph(f"Next item: {found.path}.")
        paragraph(f"Use of items: {_use(exam)}.")
        if exam.pretest:
            slots = counted(exam.pretest.slots, "unscored question")
            paragraph(f"Tried out: {counted(found.pretest_items, 'pretest item')} in {slots} a candidate.")
        for warning in found.warnings:
            paragraph(f"Note: {warning}.")
        print()
        table(
            f"Precision for a candidate at the cut (θ = {exam.scale.theta_cut:g}) with the best items",
            ("length", "information", "SE", "posterior SD"),
            [(p.length, f"{p.information:.1f}", f"{p.se:.3f}", f"{p.posterior_sd:.3f}") for p in found.precision],
        )
    _print_assumptions(exam, bank)


def _print_rows(found: ExamCheck) -> None:
    """The rows, what the bank has for them, and whether they make a difference."""
    if found.rows:
        print()
        table(
            "Rows, at the maximum length",
            ("row", "counts", "minimum", "maximum", "items", "domains allow", "effect"),
            [
                (
                    row.id,
                    row.counts,
                    _number(row.minimum),
                    _number(row.maximum),
                    _number(row.items),
                    _reach(row),
                    row.effect,
                )
                for row in found.rows
            ],
        )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.10g}"


def _reach(row: Any) -> str:
    return "" if row.least is None else f"{row.least:,.10g}–{row.greatest:,.10g}"


def _sets(found: ExamCheck) -> str:
    if not found.sets.sets:
        return ""
    return f", {counted(found.sets.sets, 'item set')} of {found.sets.items} items, the largest of {found.sets.largest}"


def _print_assumptions(exam: Exam, bank: ItemBank | None) -> None:
    print("\nAssumed, not measured:")
    for line in assumptions(exam, bank):
        paragraph(f"- {line}", "  ")


def _window(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}–{high}"


def _spare(row: Any) -> tuple[object, ...]:
    """Operational items, those that go together, and how many more than the quota."""
    if row.compatible is None:
        return row.operational, "plenty", "plenty"
    return row.operational, row.compatible, row.compatible - row.quota


def _length(exam: Exam) -> str:
    from issmp_cat.stopping import in_words

    low, high = exam.length.minimum, exam.length.maximum
    length = f"{high} items" if low == high else f"{low} to {high} items"
    limit = f", {exam.time_limit_minutes:g} minutes" if exam.time_limit_minutes else ", no time limit"
    limit += f" (then the last {exam.last_n} estimates decide)" if exam.last_n else ""
    early = "" if low == high else f"\nStops early by: {in_words(exam.stopping)}"
    return f"{length}{limit}; pass at {exam.scale.pass_mark} of {exam.scale.highest}{early}"


@app.command("show")
def show(exam: ExamName = "issmp", as_json: AsJson = False) -> None:
    """Show what an exam decides: blueprint, length, selection, scoring, stopping, scale.

    Examples:
      issmp-cat exam show issmp
      issmp-cat exam show my-exam.toml --json
    """
    from issmp_cat.exam import Exam

    loaded = Exam.load(exam)
    if as_json:
        print_json({**loaded.model_dump(mode="json"), "version": loaded.version})
        return
    print(f"{loaded.title}\n{_length(loaded)}\nversion {loaded.version}, {loaded.date or 'undated'}; {loaded.source}\n")
    table("Blueprint", ("domain", "name", "weight"), [(d.id, d.name, d.weight) for d in loaded.blueprint.domains])
    if loaded.blueprint.rows:
        print()
        table(
            "Rows, at the maximum length",
            ("row", "attribute", "counts", "minimum", "maximum"),
            [
                (row.id, row.attribute, ", ".join(row.wanted) or "sum", _number(row.minimum), _number(row.maximum))
                for row in loaded.blueprint.rows
                if row.active
            ],
        )
    parts = loaded.model_dump(mode="json", exclude_none=True)
    rows = [
        (f"{part}.{name}", ", ".join(map(_in_words, value)) if isinstance(value, list) else _in_words(value))
        for section in SECTIONS
        for part, values in _tables(section, parts.get(section, {}))
        for name, value in values.items()
        if name != "assumption" and value not in ("", [])
    ]
    print()
    table("Settings", ("setting", "value"), rows)
    _print_assumptions(loaded, None)


def _in_words(value: object) -> str:
    """One entry of a list; a table of the exam file as its names and values."""
    return " ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


def _tables(name: str, values: Any) -> list[tuple[str, dict[str, Any]]]:
    """A section's one table, or its several with their numbers."""
    return [(f"{name}.{k + 1}", one) for k, one in enumerate(values)] if isinstance(values, list) else [(name, values)]


@app.command("list")
def list_exams(as_json: AsJson = False) -> None:
    """List the exams and banks that ship with the package.

    Examples:
      issmp-cat exam list
    """
    from issmp_cat.cli.sources import packaged_banks
    from issmp_cat.exam import Exam
    from issmp_cat.exam.definition import packaged_exams

    exams = {name: Exam.load(name).title for name in packaged_exams()}
    if as_json:
        print_json({"exams": exams, "banks": packaged_banks()})
        return
    table("Exams", ("name", "title"), list(exams.items()))
    print()
    table("Banks", ("name", "title"), [(name, open_bank(name).title) for name in packaged_banks()])
