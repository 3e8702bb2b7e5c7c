"""What happens in an exam, and what may not: answers as events, checked before they are taken in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from issmp_cat.bank import Item, ItemBank
from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.errors import SessionError

__all__ = ["Answer", "answer_event", "impossible_answers"]


class Answer(BaseModel):
    """One event: an item was answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    score: Annotated[int, Field(ge=0, le=127)]
    choice: str | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


def answer_event(where: str, item: Item, response: int | str, seconds: float) -> Answer:
    """The response as an event, scored by the item's key when it is a letter."""
    try:
        if isinstance(response, str):
            letters = [chr(ord("A") + k) for k in range(len(item.content.options))] if item.content else []
            choice = response.strip().upper()
            if item.content is None or choice not in letters:
                expected = f"one of {', '.join(letters)}" if letters else f"{_scores(item)}: this item has no key"
                raise SessionError(where, [f'response "{response}" to "{item.id}"; expected {expected}'])
            return Answer(item=item.id, score=item.score(choice), choice=choice, seconds=seconds)
        event = Answer(item=item.id, score=response, seconds=seconds)
    except ValidationError as error:
        raise SessionError(where, plain_faults(error, f'answer to "{item.id}"')) from None
    if event.score > item.highest:
        raise SessionError(where, [f'score {event.score} for "{item.id}"; expected {_scores(item)}'])
    return event


def _scores(item: Item) -> str:
    return "0 or 1" if item.highest == 1 else f"a whole number from 0 to {item.highest}"


def impossible_answers(answers: Sequence[Answer], bank: ItemBank, maximum: int) -> list[str]:
    """Why these answers cannot be those of one exam on these items; nothing when they can."""
    problems = [f"{len(answers)} answers; the exam has {maximum} items"] if len(answers) > maximum else []
    seen: set[str] = set()
    for k, answer in enumerate(answers):
        if answer.item not in bank.index:
            problems.append(f'answer {k + 1}: item "{answer.item}" is not in the bank')
        elif answer.score > (item := bank.items[bank.index[answer.item]]).highest:
            problems.append(f'answer {k + 1}: score {answer.score} for "{item.id}"; expected {_scores(item)}')
        elif answer.item in seen:
            problems.append(f'answer {k + 1}: item "{answer.item}" was answered before')
        seen.add(answer.item)
    return problems
