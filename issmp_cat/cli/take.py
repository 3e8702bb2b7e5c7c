"""``issmp-cat take``: one candidate takes an adaptive exam, answer by answer, and gets a score report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issmp_cat.cli.sources import open_bank, packaged_banks, refuse_to_overwrite
from issmp_cat.cli.talk import counted, keep, next_step, print_json, say, table

if TYPE_CHECKING:
    from issmp_cat.bank import ItemBank
    from issmp_cat.cli.respondents import Respondent
    from issmp_cat.exposure import ExposureTable
    from issmp_cat.report import ScoreReport
    from issmp_cat.session import Session

__all__ = ["command"]


def command(
    exam: Annotated[str | None, typer.Option(help="Exam file, or the name of one: practice, issmp, …")] = None,
    bank: Annotated[str | None, typer.Option(help="Bank file, or practice-bank.")] = None,
    candidate: Annotated[str, typer.Option(help="Whose exam it is.")] = "",
    seed: Annotated[int | None, typer.Option(min=0, help="What the draws follow from; drawn when not given.")] = None,
    person: Annotated[
        int | None, typer.Option(min=0, help="Number of a candidate of `simulate` with this seed, to replay that exam.")
    ] = None,
    background: Annotated[
        list[str] | None, typer.Option(help='What is known of the candidate, such as "years=5". Repeatable.')
    ] = None,
    seen: Annotated[
        list[Path] | None,
        typer.Option(help="Session file of an earlier attempt, for [retakes] seen_items. Repeatable."),
    ] = None,
    exposure: Annotated[Path | None, typer.Option(help="Exposure table; where the exam asks for control.")] = None,
    save: Annotated[Path | None, typer.Option(help="Session file, written after every answer.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the session in this file.")] = None,
    answers: Annotated[str | None, typer.Option(help="Read the answers from this file; - for standard input.")] = None,
    simulee: Annotated[float | None, typer.Option(help="Let the model answer at this θ (logits).")] = None,
    truth: Annotated[str | None, typer.Option(help="With --simulee: the bank that answers. Default: --bank.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show θ and its standard error after each answer.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the score report as a page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")] = False,
) -> None:
    """Take an adaptive exam in the terminal: by default a practice quiz of 20 questions.

    Answer with the letter of an option; q stops. The session is kept after every answer and can be resumed. At the end
    comes a score report, and what it does and does not say. Questions go to stderr, the report to stdout.

    Examples:
      issmp-cat take
      issmp-cat take --resume session-practice-17.json
      issmp-cat take --exam issmp --bank bank.json --simulee -0.3 --seed 1 --trace
    """
    from issmp_cat.cli.respondents import Person, Script, Simulee
    from issmp_cat.errors import UsageError
    from issmp_cat.exposure import ExposureTable

    if (answers is not None) + (simulee is not None) > 1:
        raise UsageError("--answers and --simulee exclude each other: either a list answers or the model does")
    if truth and simulee is None:
        raise UsageError("--truth says who answers for a simulated candidate: give --simulee too")
    if resume and (seed is not None or person is not None or background or seen):
        raise UsageError("--resume goes on with what is in the file: leave --seed, --person, --background, --seen out")
    table = None if exposure is None else ExposureTable.load(exposure)
    known = {"person": person or 0, "background": _values(background or []), "seen": _seen(seen or [])}
    known["exposure"] = table
    session = _resumed(resume, exam, bank, table) if resume else _opened(exam, bank, seed, candidate, known)
    respondent: Respondent = Person()
    said = ""
    if answers is not None:
        respondent = Script(answers)
    elif simulee is not None:
        respondent = Simulee(simulee, open_bank(truth) if truth else session.bank, session.seed)
        said = f"answers drawn from the model at θ = {simulee:g}; no person took this exam".replace("-", "−")
    path = save or resume
    if path is None and simulee is None:
        path = Path(f"session-{session.exam.id}-{session.seed}.json")
    if path is not None:
        refuse_to_overwrite(path, path == resume)
    _open_page(session, said, path, quiet)
    session = _take(session, respondent, path)
    _close_page(session, said, path, html, as_json=as_json, trace=trace, quiet=quiet)


def _opened(exam: str | None, bank: str | None, seed: int | None, candidate: str, known: dict[str, Any]) -> Session:
    from issmp_cat.errors import UsageError
    from issmp_cat.exam import Exam

    loaded = Exam.load(exam or "practice")
    if bank is None and loaded.id != "practice":
        raise UsageError(f'exam "{loaded.id}" needs a bank: give --bank FILE')
    return loaded.start(open_bank(bank or "practice-bank"), seed=seed, candidate=candidate, **known)


def _seen(paths: list[Path]) -> list[str]:
    """The items of earlier attempts."""
    from issmp_cat.session.session_file import seen_in

    return [item for path in paths for item in seen_in(path)]


def _values(pairs: list[str]) -> dict[str, float]:
    """``name=number`` as names and numbers; every text that is none is told."""
    from issmp_cat.errors import UsageError

    found: dict[str, float] = {}
    faults = []
    for text in pairs:
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            faults.append(f'--background "{text}"; expected name=number, such as years=5')
    if faults:
        raise UsageError("\n  ".join(faults))
    return found


def _resumed(path: Path, exam: str | None, bank: str | None, exposure: ExposureTable | None) -> Session:
    """The session in a file; exam and bank are found by their ids if they ship with the package."""
    from issmp_cat.errors import SessionError
    from issmp_cat.exam import Exam
    from issmp_cat.files import read_json
    from issmp_cat.session import Session

    content: Any = read_json(path, SessionError)
    named = content if isinstance(content, dict) else {}
    loaded = Exam.load(exam or str(named.get("exam", "practice")))
    items = open_bank(bank) if bank else _bank_called(str(named.get("bank", "")))
    return Session.load(path, loaded, items, exposure)


def _bank_called(name: str) -> ItemBank:
    from issmp_cat.errors import UsageError

    for packaged in packaged_banks():
        bank = open_bank(packaged)
        if bank.id == name:
            return bank
    raise UsageError(f'this session was begun with bank "{name}": give its file with --bank')


def _open_page(session: Session, said: str, path: Path | None, quiet: bool) -> None:
    from issmp_cat.cli.pages import opening

    say(opening(session), quiet)
    if said:
        say(f"*** SIMULATED CANDIDATE: {said} ***", quiet)
    kept = f"kept in {path} after every answer; " if path else ""
    say(f"{kept}seed {session.seed}", quiet)


def _take(session: Session, respondent: Respondent, path: Path | None) -> Session:
    """Ask until the exam ends or the candidate stops; what was answered is on disk before the next question."""
    _keep(session, path)
    while (item := session.next_item) is not None:
        response, seconds, interrupted = respondent(session, item)
        if response is None:
            # Time spent on a question that was left counts: resuming does not turn the clock back.
            session = replace(session, extra_seconds=session.extra_seconds + seconds)
            _keep(session, path)
            if interrupted:
                raise KeyboardInterrupt
            return session
        given = session.questions
        session = session.answer(item, response, seconds=seconds)
        _keep(session, path)
        if session.questions == given:
            say("\nThe time is up: this answer came too late and does not count.")
    return session


def _keep(session: Session, path: Path | None) -> None:
    if path is not None:
        session.save(path)
        keep(f"{counted(session.questions, 'answer')} kept in {path}; issmp-cat take --resume {path} goes on")


def _close_page(
    session: Session, said: str, path: Path | None, html: Path | None, *, as_json: bool, trace: bool, quiet: bool
) -> None:
    from issmp_cat.cli.pages import missed, trace_rows
    from issmp_cat.files import atomic_write
    from issmp_cat.report import score_report

    report = score_report(session, simulated=said)
    if html:
        with atomic_write(html) as handle:
            handle.write(report.html())
    if as_json:
        print_json({**report.as_dict(), "seed": session.seed, "missed": missed(session), "trace": trace_rows(session)})
    elif session.finished:
        say("", quiet)
        _print_report(session, report, trace=trace)
    if not session.finished:
        say(f"\nStopped after {counted(session.questions, 'answer')}.", quiet)
        next_step(f"issmp-cat take --resume {path}", quiet)
    elif path:
        say(f"\nThe session is in {path}.", quiet)


def _print_report(session: Session, report: ScoreReport, *, trace: bool) -> None:
    from issmp_cat.cli.pages import LIMITS, review, trace_rows, wrap

    print(report.text())
    if trace:
        print()
        rows = trace_rows(session)
        table("θ after each answer", list(rows[0]), [list(row.values()) for row in rows])
    if report.simulated:
        return
    if wrong := review(session):
        print(f"\n{wrong}")
    if report.provisional:
        print("\n" + "\n".join(wrap(line, "", "  ") for line in LIMITS.splitlines()))
