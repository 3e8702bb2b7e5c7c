"""``issmp-cat score``: abilities, scaled scores and decisions for every candidate of a log."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from issmp_calibration.commands.outputs import refuse_output
from issmp_calibration.commands.reading import LogOptions, reads_log
from issmp_calibration.log.options import (
    JsonOption,
    LogArgument,
    QuietOption,
)

if TYPE_CHECKING:
    from issmp_calibration.log import ItemKey
    from issmp_calibration.log.store import LogStore
    from issmp_calibration.pass_rates import PassRates
    from issmp_calibration.scoring.priors import PriorLike
    from issmp_cat.bank import ItemBank
    from issmp_cat.exam import Exam
    from issmp_cat.responses import ResponseLog

__all__ = ["command"]

SUFFIXES = (".csv", ".parquet")


class Method(StrEnum):
    """The estimators, as typed on the command line."""

    eap = "eap"
    map = "map"
    ml = "ml"
    wle = "wle"


BankOption: TypeAlias = Annotated[
    Path | None, typer.Option("--bank", "-b", help="Item bank (.json or .csv) to score against.")
]
ExamOption: TypeAlias = Annotated[
    str | None, typer.Option("--exam", "-e", help="Exam that sets scale, cut and estimator: a name or a TOML file.")
]
RawCutOption: TypeAlias = Annotated[
    int | None, typer.Option("--raw-cut", min=0, help="Pass by raw score: the lowest that passes. Needs no bank.")
]
ByOption: TypeAlias = Annotated[
    str | None, typer.Option("--by", metavar="COLUMN", help="Pass rates by this column about candidates.")
]
OutputOption: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write a row for each candidate to this file: .csv or .parquet.")
]
MethodOption: TypeAlias = Annotated[
    Method | None, typer.Option("--method", "-m", help="Estimator; by default the exam's own, EAP without one.")
]
PretestOption: TypeAlias = Annotated[bool, typer.Option("--pretest", help="Let pretest items count too.")]
PriorOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--prior", metavar="MEAN,SD", help="Population, logits; GROUP=MEAN,SD for each with --prior-by."),
]
PriorByOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--prior-by",
        metavar="COLUMN",
        help="Each candidate's population by this column: as --prior says, or as the bank remembers its groups.",
    ),
]
DrawsOption: TypeAlias = Annotated[
    int, typer.Option("--plausible-values", min=0, max=1000, metavar="M", help="Draw M values from each posterior.")
]
SeedOption: TypeAlias = Annotated[
    int | None, typer.Option("--seed", min=0, help="All draws follow from it; drawn and told when not given.")
]
ThreadsOption: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Threads; all processors by default.")]


@reads_log
def command(
    log: LogArgument,
    reading: LogOptions,
    bank: BankOption = None,
    exam: ExamOption = None,
    raw_cut: RawCutOption = None,
    by: ByOption = None,
    output: OutputOption = None,
    method: MethodOption = None,
    pretest: PretestOption = False,
    prior: PriorOption = None,
    prior_by: PriorByOption = None,
    plausible_values: DrawsOption = 0,
    seed: SeedOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    threads: ThreadsOption = None,
) -> None:
    """Score the candidates of a response log: θ and its standard error, or raw scores and pass rates.

    ``--exam`` adds scaled score and decision by the exam's scale and cut for candidates whose answers make a whole test
    of it; ``none`` stands for the others, with the reason in a column ``undecided``. A bank whose domains are not the
    exam's is refused with exit code 3. ``--raw-cut`` decides by raw score. With
    ml, map and wle a column ``at_bound`` says whose estimate stands at a fence of the search.

    ``--plausible-values 5`` adds columns pv1 to pv5: draws from each candidate's posterior, by which populations are
    described without bias (Mislevy, 1991).

    Without ``-o`` and ``--json`` the rows go to stdout as CSV; with ``-o`` stdout shows the pass rates.

    Examples:
      issmp-cat score responses.csv.gz --key key.csv --bank bank.json --exam issmp -o scores.csv

      issmp-cat score responses.csv --bank bank.json --exam issmp-linear --method wle > scores.csv

      issmp-cat score responses.csv.gz --key key.csv --candidates candidates.csv --raw-cut 119 --by attempt

      issmp-cat score long.parquet --bank bank.json --plausible-values 5 --seed 1 -o draws.parquet

      issmp-cat score long.csv --bank bank.json --candidates people.csv --prior-by country

      issmp-cat score long.csv --bank bank.json --prior-by region --prior north=0,1 --prior south=0.3,0.9
    """
    import shlex

    from issmp_calibration import read_key
    from issmp_calibration.commands.score_next import next_words
    from issmp_calibration.commands.score_priors import parse_prior
    from issmp_calibration.commands.score_rows import tell_scores
    from issmp_calibration.pass_rates import refuse_column
    from issmp_cat.bank import ItemBank
    from issmp_cat.cli import talk

    refuse_output("--output", output, SUFFIXES)
    _refuse(bank, exam, raw_cut, by)
    items = ItemBank.load(bank) if bank else None
    how = _how(bank, method, pretest, parse_prior(prior or (), prior_by, items), plausible_values, seed, threads)
    known = read_key(reading.key) if reading.key else None
    highest = max(item.highest for item in items.items) if items else 1
    answers = _stored(log, reading, quiet) or reading.read(log, known, quiet=quiet, max_score=highest)
    if by is not None:
        refuse_column(answers, by)
    columns, rates = _score(answers, known, items, exam, raw_cut, by, how, quiet=quiet)
    tell_scores(columns, rates, output, as_json=as_json)
    if output:
        talk.say(f"wrote {output}", quiet)
    following = next_words(log, reading.words(), bank, items, exam, columns)
    talk.next_step(shlex.join(["issmp-cat", *following]), quiet)


def _stored(log: list[Path], reading: LogOptions, quiet: bool) -> LogStore | None:
    """The log as a store, if that is what was named; how answers are read was settled when it was written."""
    from issmp_calibration.log.store import LogStore
    from issmp_calibration.mml.sources.store import INDEX
    from issmp_cat.cli.talk import say
    from issmp_cat.errors import UsageError

    if len(log) != 1 or not (log[0] / INDEX).is_file():
        return None
    if words := [word for word in reading.words() if word.startswith("--")]:
        raise UsageError(f"{', '.join(words)}: {log[0]} is a store, whose answers were read when it was written")
    store = LogStore.open(log[0])
    say(store.summary(), quiet)
    return store


def _how(
    bank: Path | None,
    method: Method | None,
    pretest: bool,
    prior: PriorLike | None,
    plausible_values: int,
    seed: int | None,
    threads: int | None,
) -> dict[str, Any]:
    """What was typed about the estimates, as arguments of ``score``."""
    from issmp_cat.errors import UsageError

    typed = {
        "method": method and method.value,
        "prior": prior,
        "seed": seed,
        "plausible_values": plausible_values or None,
    }
    how = {name: value for name, value in typed.items() if value is not None}
    if bank is None and how:
        words = ", ".join(f"--{name.replace('_', '-')}" for name in how)
        raise UsageError(f"{words}: there is nothing to estimate without --bank FILE")
    return how | {"pretest": pretest, "threads": threads}


def _refuse(bank: Path | None, exam: str | None, raw_cut: int | None, by: str | None) -> None:
    """Options that leave nothing to do, or contradict each other."""
    from issmp_cat.errors import UsageError

    if bank is None and raw_cut is None:
        raise UsageError("nothing to score with: give --bank FILE, or --raw-cut POINTS")
    if raw_cut is not None and exam is not None:
        raise UsageError("--raw-cut and --exam both decide who passes: give one of them")
    if by is not None and raw_cut is None and exam is None:
        raise UsageError("--by tells who passes: give --exam EXAM or --raw-cut POINTS, which decide that")


def _score(
    log: ResponseLog | LogStore,
    known: ItemKey | None,
    bank: ItemBank | None,
    exam: str | None,
    raw_cut: int | None,
    by: str | None,
    how: dict[str, Any],
    *,
    quiet: bool,
) -> tuple[dict[str, Any], PassRates | None]:
    """Columns of the table by candidate; pass rates where something decides who passes."""
    import numpy as np

    from issmp_calibration.pass_rates import pass_rates, raw_decisions
    from issmp_cat.cli import talk
    from issmp_cat.responses import ResponseLog

    columns: dict[str, Any] = {"candidate": log.persons}
    rates = None
    if bank is not None:
        from issmp_calibration.exam_decisions import answers_by_domain, decide, refuse_other_exam
        from issmp_calibration.scoring import score
        from issmp_cat.exam import Exam

        plan = Exam.load(exam) if exam else None
        if plan is not None:
            refuse_other_exam(plan, bank, pretest=how["pretest"])
        with talk.progress("scoring", quiet=quiet):
            scores = score(log, bank, **({} if plan is None else _as_examined(bank, plan)) | how)
        for line in scores.summary().splitlines():
            talk.say(line, quiet)
        columns |= scores.columns
        if plan is not None:
            talk.say(f"cut θ {plan.scale.theta_cut:g} ({plan.id}). {plan.scale.assumption}".strip(), quiet)
            found = decide(scores.theta, answers_by_domain(log, plan, bank, pretest=how["pretest"]), plan, bank)
            for line in found.summary():
                talk.warn(line)
            columns |= {"scaled": found.scaled, "decision": found.decision, "undecided": found.undecided}
            rates = pass_rates(log, found.decision == "pass", found.decided, by)
        elif raw_cut is None:
            talk.say("θ, its standard error and the raw score: --exam EXAM adds scaled score and decision", quiet)
    if raw_cut is not None:
        parts = [log] if isinstance(log, ResponseLog) else log.shards()
        raw, passed, counted = map(
            np.concatenate, zip(*(raw_decisions(part, raw_cut, known) for part in parts), strict=True)
        )
        columns |= {"raw": raw, "decision": _words(passed, counted)}
        rates = pass_rates(log, passed, counted, by)
    if by is not None:
        columns[by] = log.candidates[by]
    return columns, rates


def _as_examined(items: ItemBank, exam: Exam) -> dict[str, Any]:
    """Estimator, population and grid of an exam, as arguments of ``score``."""
    how = exam.scoring
    found = {"method": how.estimator, "nodes": how.nodes, "limit": float(how.limit)}
    if how.prior_mean is None and how.prior_sd is None:
        return found
    mean = items.metric.latent_mean if how.prior_mean is None else float(how.prior_mean)
    sd = items.metric.latent_sd if how.prior_sd is None else float(how.prior_sd)
    return {**found, "prior": (mean, sd)}


def _words(passed: Any, known: Any) -> Any:
    import numpy as np

    return np.where(known, np.where(passed, "pass", "fail"), "")
