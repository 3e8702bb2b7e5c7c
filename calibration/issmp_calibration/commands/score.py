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
    from issmp_calibration.pass_rates import PassRates
    from issmp_calibration.scoring import Scores
    from issmp_cat.bank import ItemBank
    from issmp_cat.exam import Exam
    from issmp_cat.responses import ResponseLog

__all__ = ["command"]


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
    Path | None, typer.Option("--output", "-o", help="Write a row for each candidate to this CSV file.")
]
MethodOption: TypeAlias = Annotated[
    Method | None, typer.Option("--method", "-m", help="Estimator; by default the exam's own, EAP without one.")
]
PretestOption: TypeAlias = Annotated[bool, typer.Option("--pretest", help="Let pretest items count too.")]
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
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    threads: ThreadsOption = None,
) -> None:
    """Score the candidates of a response log: θ and its standard error, or raw scores and pass rates.

    ``--exam`` adds scaled score and decision by the exam's scale and cut; ``--raw-cut`` decides by raw score. With
    ml, map and wle a column ``at_bound`` says whose estimate stands at a fence of the search.

    Without ``-o`` and ``--json`` the rows go to stdout as CSV; with ``-o`` stdout shows the pass rates.

    Examples:
      issmp-cat score responses.csv.gz --key key.csv --bank bank.json --exam issmp -o scores.csv

      issmp-cat score responses.csv --bank bank.json --exam issmp-linear --method wle > scores.csv

      issmp-cat score responses.csv.gz --key key.csv --candidates candidates.csv --raw-cut 119 --by attempt
    """
    from issmp_calibration import read_key
    from issmp_calibration.pass_rates import refuse_column
    from issmp_cat.bank import ItemBank
    from issmp_cat.cli import talk

    refuse_output("--output", output, (".csv",))
    _refuse(bank, exam, raw_cut, by)
    known = read_key(reading.key) if reading.key else None
    items = ItemBank.load(bank) if bank else None
    highest = max(item.highest for item in items.items) if items else 1
    answers = reading.read(log, known, quiet=quiet, max_score=highest)
    if by is not None:
        refuse_column(answers, by)
    columns, rates = _score(answers, known, items, exam, raw_cut, by, method, threads, pretest=pretest, quiet=quiet)
    _tell(columns, rates, output, as_json=as_json)
    if output:
        talk.say(f"wrote {output}", quiet)
    talk.next_step("issmp-cat simulate --help" if bank else "issmp-cat calibrate --help", quiet)


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
    log: ResponseLog,
    known: ItemKey | None,
    bank: ItemBank | None,
    exam: str | None,
    raw_cut: int | None,
    by: str | None,
    method: Method | None,
    threads: int | None,
    *,
    pretest: bool,
    quiet: bool,
) -> tuple[dict[str, Any], PassRates | None]:
    """Columns of the table by candidate; pass rates where something decides who passes."""
    from issmp_calibration.pass_rates import pass_rates, raw_decisions
    from issmp_cat.cli import talk

    columns: dict[str, Any] = {"candidate": log.persons}
    rates = None
    if bank is not None:
        from issmp_cat.exam import Exam

        plan = Exam.load(exam) if exam else None
        with talk.progress("scoring", quiet=quiet):
            scores = _abilities(log, bank, plan, method, threads, pretest=pretest)
        for line in scores.summary().splitlines():
            talk.say(line, quiet)
        columns |= {"theta": scores.theta, "se": scores.se, "answers": scores.answers, "raw": scores.raw}
        if scores.method != "eap":
            columns["at_bound"] = scores.at_bound
        if plan is not None:
            talk.say(f"cut θ {plan.scale.theta_cut:g} ({plan.id}). {plan.scale.assumption}".strip(), quiet)
            scaled, decision = _decide(scores, plan)
            columns |= {"scaled": scaled, "decision": decision}
            rates = pass_rates(log, decision == "pass", decision != "", by)
        elif raw_cut is None:
            talk.say("θ, its standard error and the raw score: --exam EXAM adds scaled score and decision", quiet)
    if raw_cut is not None:
        raw, passed, counted = raw_decisions(log, raw_cut, known)
        columns |= {"raw": raw, "decision": _words(passed, counted)}
        rates = pass_rates(log, passed, counted, by)
    if by is not None:
        columns[by] = log.candidates[by]
    return columns, rates


def _abilities(
    log: ResponseLog, bank: ItemBank, exam: Exam | None, method: Method | None, threads: int | None, *, pretest: bool
) -> Scores:
    """θ by the exam's own estimator and grid, so that a session's report and this table say the same."""
    from issmp_calibration.scoring import score

    how: dict[str, Any] = {} if exam is None else _as_examined(bank, exam)
    if method is not None:
        how["method"] = method.value
    return score(log, bank, pretest=pretest, threads=threads, **how)


def _as_examined(items: ItemBank, exam: Exam) -> dict[str, Any]:
    """Estimator, population and grid of an exam, as arguments of ``score``."""
    how = exam.scoring
    mean = items.metric.latent_mean if how.prior_mean is None else float(how.prior_mean)
    sd = items.metric.latent_sd if how.prior_sd is None else float(how.prior_sd)
    return {"method": how.estimator, "prior": (mean, sd), "nodes": how.nodes, "limit": float(how.limit)}


def _decide(scores: Scores, exam: Exam) -> tuple[Any, Any]:
    """Scaled score and decision of each candidate; nothing for those without answers."""
    import numpy as np

    known = scores.answers > 0
    scaled = [
        exam.scale.score(float(theta)) if there else None for theta, there in zip(scores.theta, known, strict=True)
    ]
    return np.array(scaled, dtype=object), _words(scores.theta >= exam.scale.theta_cut, known)


def _words(passed: Any, known: Any) -> Any:
    import numpy as np

    return np.where(known, np.where(passed, "pass", "fail"), "")


def _tell(columns: dict[str, Any], rates: PassRates | None, output: Path | None, *, as_json: bool) -> None:
    """Rows and rates, where they belong."""
    import sys

    import pandas as pd

    from issmp_cat.cli import talk
    from issmp_cat.files import atomic_write

    frame = pd.DataFrame(columns)
    if output:
        with atomic_write(output) as handle:
            frame.to_csv(handle, index=False, lineterminator="\n")
    if as_json:
        talk.print_json({"candidates": columns, "pass_rates": rates.columns if rates else None})
    elif rates and (output or "theta" not in columns):
        table = rates.columns
        share = {name: [f"{100 * value:.1f} %" for value in table[name]] for name in ("rate", "low", "high")}
        talk.table("pass rates (95 % intervals)", list(table), list(zip(*(table | share).values(), strict=True)))
    elif not output:
        frame.to_csv(sys.stdout, index=False, lineterminator="\n")
