"""``issmp-cat exam eligibility``: may a candidate sit the exam on a day, and if not, from when?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from issmp_cat.cli.talk import counted, next_step, print_json, say, table, warn

if TYPE_CHECKING:
    from issmp_cat.exam import Exam
    from issmp_cat.exam.eligibility import Eligibility

__all__ = ["command"]


def command(
    exam: Annotated[
        str, typer.Argument(metavar="EXAM", help="Exam file (.toml), or issmp, issmp-linear, practice.")
    ] = "issmp",
    attempt: Annotated[
        list[str] | None, typer.Option(help="Date of an earlier attempt, such as 2026-01-31. Repeatable.")
    ] = None,
    candidates: Annotated[
        Path | None,
        typer.Option(help="CSV file: candidate and date, one row an attempt; or candidate, attempt_1, attempt_2, …"),
    ] = None,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="The day asked about. Default: today.")] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit code 5 when anyone is not eligible.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")] = False,
) -> None:
    """Check by the retake waiting times whether a candidate may sit the exam on a day, and if not, from when.

    Whoever is not eligible is not an error: the exit code is 0 unless --gate is given. A wait of 30 days after the 1st
    ends on the 31st, the first day allowed; beyond the list of waiting times the last one repeats.

    Examples:
      issmp-cat exam eligibility issmp --attempt 2026-01-10 --attempt 2026-03-01 --on 2026-05-20
      issmp-cat exam eligibility issmp --candidates attempts.csv --json
      issmp-cat exam eligibility issmp --attempt 2026-01-10 --gate -q   # 5 when not eligible
    """
    from issmp_cat.cli.eligibility_file import dates_of, read_candidates
    from issmp_cat.errors import GateFailed, UsageError
    from issmp_cat.exam import Exam
    from issmp_cat.exam.eligibility import eligibility

    if attempt and candidates:
        raise UsageError("--attempt and --candidates exclude each other: one candidate, or a file of them")
    loaded = Exam.load(exam)
    waiting = loaded.retakes.waiting_days
    dates, day = dates_of(attempt or [], on, waiting)
    if dates != sorted(dates):
        say(f"the attempts were not in order; sorted: {', '.join(map(str, sorted(dates)))}", quiet)
    people, unused = read_candidates(candidates, waiting, day) if candidates else ({"": dates}, [])
    if unused:
        say(f"columns not needed: {', '.join(unused)}", quiet)
    found = {name: eligibility(waiting, days, on=day) for name, days in people.items()}
    if as_json:
        print_json(_as_dict(loaded, day, found, whole_file=candidates is not None))
    elif candidates:
        _print_many(found)
    else:
        _print_one(loaded, found[""])
    barred = {name: one for name, one in found.items() if not one.eligible}
    if early := [name for name, one in found.items() if one.early]:
        warn(f"attempts taken before they were allowed: {', '.join(early) or _days(found[''].early)}")
    if gate and barred:
        raise GateFailed(_failed(barred))
    if barred:
        last = max(str(one.earliest) for one in barred.values())
        next_step(f"ask again with --on {last}" + ("" if candidates else ", or give --gate to a script"), quiet)


def _as_dict(exam: Exam, day: object, found: dict[str, Eligibility], *, whole_file: bool) -> dict[str, Any]:
    """One candidate's answer, or a list of them, under the exam that was asked."""
    rows = [
        {
            **({"candidate": name} if whole_file else {}),
            "eligible": one.eligible,
            "earliest": one.earliest,
            "days_left": one.days_left,
            "rule": one.rule,
            "waiting_days": one.waiting_days,
            "attempts": one.attempts,
            "early": one.early,
        }
        for name, one in found.items()
    ]
    head = {"exam": exam.id, "exam_version": exam.version, "retakes": exam.retakes.waiting_days, "on": day}
    return {**head, "candidates": rows} if whole_file else {**head, **rows[0]}


def _print_many(found: dict[str, Eligibility]) -> None:
    columns = ("candidate", "attempts", "last", "eligible", "earliest", "days left", "rule")
    rows = [
        (
            name,
            len(one.attempts),
            one.attempts[-1] if one.attempts else None,
            "yes" if one.eligible else "no",
            one.earliest,
            one.days_left,
            one.rule,
        )
        for name, one in found.items()
    ]
    day = next((f" on {one.on}" for one in found.values()), "")
    allowed = sum(one.eligible for one in found.values())
    table(f"Eligible{day}: {allowed} of {counted(len(found), 'candidate')}", columns, rows)


def _print_one(exam: Exam, one: Eligibility) -> None:
    since = f"; since {one.earliest}" if one.earliest else ""
    left = counted(one.days_left, "day")
    told = f"eligible{since}" if one.eligible else f"not eligible; earliest date {one.earliest}, in {left}"
    print(f"{one.on}: {told}")
    last = f" ({one.attempts[-1]})" if one.attempts else ""
    print(f"rule: {one.rule}{last}")
    waiting = ", ".join(map(str, exam.retakes.waiting_days))
    print(f"exam: {exam.id}, waiting days {waiting}; the last one repeats" if waiting else f"exam: {exam.id}")


def _days(days: tuple[object, ...]) -> str:
    return ", ".join(map(str, days))


def _failed(barred: dict[str, Eligibility]) -> str:
    people = [f"{name or 'the candidate'} from {one.earliest}" for name, one in barred.items()]
    more = f", and {len(people) - 5} more" if len(people) > 5 else ""
    return f"not eligible: {', '.join(people[:5])}{more}"
