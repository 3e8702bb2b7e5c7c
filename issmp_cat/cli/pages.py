"""What a person sees while taking an exam, and after it."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Any

from issmp_cat.cli.talk import counted

if TYPE_CHECKING:
    from issmp_cat.bank import Item
    from issmp_cat.session import Session

__all__ = ["LIMITS", "missed", "opening", "question_page", "review", "trace_rows", "wrap"]

WIDEST = 80

LIMITS = """\
What this result says, and what not:
- It says how these answers compare with an assumed pass mark, if these questions are as hard as they were judged to \
be. Few answers pin an ability down loosely: look at the interval, not at the number.
- It does not say whether you would pass the real exam. That has other questions, is longer and linear, and its pass \
mark on this scale is not public. Passing here promises nothing, and failing here forbids nothing.
- The questions answered wrongly, with their rationales, are worth more than the score.
"""


def wrap(text: str, first: str = "", rest: str | None = None) -> str:
    """Text broken to the terminal's width, 80 columns at most."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    return textwrap.fill(text, width, initial_indent=first, subsequent_indent=first if rest is None else rest)


def opening(session: Session) -> str:
    """What stands before the first question."""
    exam = session.exam
    limit = f" in {exam.time_limit_minutes:g} minutes" if exam.time_limit_minutes else ""
    lines = [exam.title, "=" * len(exam.title)]
    lines += [wrap(note) for note in (exam.note, session.bank.note) if note]
    lines.append(wrap(f"{_length(session)} questions{limit}. There is no way back to an earlier question."))
    if session.questions:
        lines.append(f"Resumed after {counted(session.questions, 'answer')}; {_clock(session)}.")
    return "\n".join(lines)


def question_page(session: Session, item: Item) -> str:
    """One question: where we are, the stem, the options."""
    head = f"Question {session.questions + 1} of {_length(session)}, {_clock(session)}"
    lines = ["", head, "-" * len(head)]
    if item.content is None:
        plain = "Was it answered right?" if item.highest == 1 else "How was the answer scored?"
        asked = "Which category was chosen?" if item.model == "nrm" else plain
        lines.append(wrap(f"Item {item.id}: this bank holds no question texts. {asked}"))
        return "\n".join(lines)
    lines += [wrap(item.content.stem), ""]
    lines += [wrap(option, f"  {chr(ord('A') + k)}  ", "     ") for k, option in enumerate(item.content.options)]
    return "\n".join([*lines, ""])


def _length(session: Session) -> str:
    tried = session.exam.pretest.slots if session.exam.pretest else 0
    low, high = session.exam.length.minimum + tried, session.exam.length.maximum + tried
    return str(high) if low == high else f"{low} to {high}"


def _clock(session: Session) -> str:
    if session.exam.time_limit_minutes is None:
        return "no time limit"
    left = int(max(session.exam.time_limit_seconds - session.seconds, 0))
    return f"{left // 60}:{left % 60:02d} left"


def missed(session: Session) -> list[dict[str, Any]]:
    """The questions answered wrongly, with key and rationale, as far as the bank holds texts."""
    rows = []
    for answer in session.answers:
        item = session.bank.items[session.bank.index[answer.item]]
        if item.earned[answer.score] == 0 and item.content is not None:
            content = item.content
            texts = dict(zip((chr(ord("A") + k) for k in range(len(content.options))), content.options, strict=True))
            rows.append(
                {
                    "item": item.id,
                    "domain": item.domain,
                    "stem": content.stem,
                    "chosen": answer.choice,
                    "chosen_text": texts.get(answer.choice or "", ""),
                    "key": content.key,
                    "key_text": texts[content.key],
                    "rationale": content.rationale,
                }
            )
    return rows


def review(session: Session) -> str:
    """The questions answered wrongly, for reading; empty when there are none."""
    rows = missed(session)
    if not rows:
        return ""
    lines = [f"Answered wrongly ({len(rows)} of {len(session.answers)})"]
    for row in rows:
        lines += ["", wrap(f"{row['domain']}: {row['stem']}")]
        lines += [wrap(row["chosen_text"], f"  your answer {row['chosen']}: ", "    ")] if row["chosen"] else []
        lines += [wrap(row["key_text"], f"  right is {row['key']}: ", "    "), wrap(row["rationale"], "  ")]
    return "\n".join(lines)


def trace_rows(session: Session) -> list[dict[str, Any]]:
    """θ and its standard error after each answer."""
    return [
        {
            "position": row.position,
            "item": row.item,
            "domain": row.domain,
            "score": row.score,
            "seconds": round(row.seconds, 1),
            "theta": round(row.theta, 3),
            "se": round(row.se, 3),
        }
        for row in session.trace
    ]
