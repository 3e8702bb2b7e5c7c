"""A session on disk: which exam, which bank, which draws, and the answers; the rest is replayed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from issmp_cat.bank import ItemBank
from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.errors import SessionError
from issmp_cat.exam import Exam
from issmp_cat.exposure import ExposureTable
from issmp_cat.files import read_json, write_json
from issmp_cat.session.events import Answer
from issmp_cat.session.opening import Opening

if TYPE_CHECKING:
    from issmp_cat.session.session import Session

__all__ = ["SessionFile", "read_session_file", "seen_in", "write_session_file"]

FORMAT, FORMAT_VERSION = "issmp-cat/session", 1


class SessionFile(BaseModel):
    """A session on disk: which exam, which bank, which draws, and the answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["issmp-cat/session"]
    format_version: Literal[1]
    exam: str
    exam_version: str
    bank: str
    bank_version: str
    candidate: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    extra_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    answers: tuple[Answer, ...] = ()
    opening: Opening = Field(default_factory=Opening)
    unscored: tuple[Answer, ...] = ()
    exposure_version: str = ""


def write_session_file(session: Session, path: str | Path) -> None:
    """Write a session; whole or not at all."""
    content = SessionFile(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        exam=session.exam.id,
        exam_version=session.exam.version,
        bank=session.bank.id,
        bank_version=session.bank.version,
        candidate=session.candidate,
        seed=session.seed,
        extra_seconds=session.extra_seconds,
        answers=session.answers,
    )
    # What was not said at the start is not written: files without it stay as they always were.
    opening = session.opening.model_dump(mode="json", exclude_defaults=True)
    written = content.model_dump(mode="json", exclude={"opening", "unscored", "exposure_version"})
    said: dict[str, Any] = {"opening": opening, "unscored": [a.model_dump(mode="json") for a in session.unscored]}
    said["exposure_version"] = "" if session.exposure is None else session.exposure.version
    write_json(path, {**written, **{name: part for name, part in said.items() if part}})


def seen_in(path: str | Path) -> tuple[str, ...]:
    """Ids of the items that a session's file says were answered; of any exam and bank version.

    Raises:
        SessionError: not a session file.
    """
    content: Any = read_json(path, SessionError)
    try:
        saved = SessionFile.model_validate(content)
    except ValidationError as error:
        raise SessionError(str(path), plain_faults(error)) from None
    return tuple(answer.item for answer in (*saved.answers, *saved.unscored))


def read_session_file(
    path: str | Path, exam: Exam, bank: ItemBank, exposure: ExposureTable | None = None
) -> SessionFile:
    """Read a session's file, refusing one of another exam, bank or exposure table.

    Raises:
        SessionError: listing every fault.
    """
    content: Any = read_json(path, SessionError)
    try:
        saved = SessionFile.model_validate(content)
    except ValidationError as error:
        raise SessionError(str(path), plain_faults(error)) from None
    problems = [
        f'begun with {kind} "{name}" version {was}; this is "{now_name}" version {now}'
        for kind, name, was, now_name, now in (
            ("exam", saved.exam, saved.exam_version, exam.id, exam.version),
            ("bank", saved.bank, saved.bank_version, bank.id, bank.version),
        )
        if was != now
    ]
    table = "" if exposure is None else exposure.version
    if saved.exposure_version != table:
        was, now = (f"exposure table {version}" if version else "none" for version in (saved.exposure_version, table))
        problems.append(f"begun with {was}; given is {now}: resume with the table of the first answer (--exposure)")
    if problems:
        raise SessionError(str(path), problems)
    return saved
