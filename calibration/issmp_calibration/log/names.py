"""Which column means what: the names we accept, and the shape they reveal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from issmp_calibration.log.faults import some
from issmp_calibration.log.likely import likely, name_it
from issmp_calibration.log.rules import Shape
from issmp_cat.errors import ResponseLogError, UsageError
from issmp_cat.spelling import did_you_mean

__all__ = ["ACCEPTED", "ANSWERS", "Columns", "Layout", "guess", "recognise", "turned"]

Columns: TypeAlias = Mapping[str, str | Sequence[str]]

# Ours first, then those of the Item Response Warehouse (id, item, resp, rt), then what exam vendors write.
ACCEPTED: dict[str, tuple[str, ...]] = {
    "candidate": ("candidate", "candidate_id", "person", "person_id", "examinee", "examinee_id", "id", "session_id"),
    "item": ("item", "item_id", "question", "question_id"),
    "item_version": ("item_version",),
    "option": ("option", "choice"),
    "score": ("score", "resp", "correct"),
    "response": ("response", "answer"),
    "seconds": ("seconds", "rt", "response_time", "time_seconds"),
    "position": ("position",),
    "attempt": ("attempt",),
    "status": ("score_status",),
}
ANSWERS = ("option", "score", "response")
PERSONAL = ("group", "form", "wave", "flagged")
COVARIATE = "cov_"
ROW_NAMES = ("unnamed: 0", "rownames")
UNNAMED = "unnamed: "
TURNED = 3  # columns beside one of items that make a table with a row an item
MOST = 12  # columns named in a message


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is read.

    Attributes:
        shape: long (a row an answer) or wide (a row a candidate).
        roles: column of each role that was found.
        items: the item columns of a wide table.
        personal: columns about candidates.
        ignored: columns that are not read.
    """

    shape: Shape
    roles: Mapping[str, str]
    items: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def note(self) -> str:
        """One line that says what was understood."""
        roles = ", ".join(f'{role} in "{name}"' for role, name in self.roles.items())
        if self.shape == "long":
            said = f"long: a row is an answer; {roles}"
        else:
            said = f"wide: a row is a candidate, {len(self.items)} item columns" + (
                f"; {roles}" if roles else "; candidates are numbered by row"
            )
        return said + (f"; not used: {', '.join(self.ignored)}" if self.ignored else "")


def recognise(
    names: Sequence[str], where: str, *, shape: Shape | None, columns: Columns | None, items: Iterable[str] = ()
) -> Layout:
    """Tell roles and shape from column names.

    Args:
        names: the table's columns.
        where: the source, for messages.
        shape: the user's word, or None to find out.
        columns: the user's names by role; ``ignore`` takes a list.
        items: item ids of the key, if there is one.

    Raises:
        ResponseLogError: a needed column is missing.
        UsageError: ``columns`` names an unknown role.
    """
    given, ignored = _given(names, where, columns or {})
    left = [name for name in names if name not in ignored and name not in given.values()]
    roles = given | {role: name for role, name in guess(left).items() if role not in given}
    if (shape or _shape(roles)) == "long":
        return _long(names, where, roles, ignored)
    return _wide(left, where, roles, ignored, set(items))


def _given(names: Sequence[str], where: str, columns: Columns) -> tuple[dict[str, str], tuple[str, ...]]:
    """The user's own mapping, checked."""
    ignore = columns.get("ignore", ())
    ignored = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    given = {role: str(name) for role, name in columns.items() if role != "ignore"}
    for role in given:
        if role not in ACCEPTED:
            hint = did_you_mean(role, [*ACCEPTED, "ignore"])
            raise UsageError(
                f'columns: unknown role "{role}"{hint}; known: {", ".join(ACCEPTED)}, ignore (--column, columns=)'
            )
    faults = [
        f'no column "{name}"{did_you_mean(name, names)}' for name in [*given.values(), *ignored] if name not in names
    ]
    if faults:
        raise ResponseLogError(where, faults)
    return given, ignored


def guess(names: Sequence[str]) -> dict[str, str]:
    """The first accepted name of each role, whatever its case."""
    lower = {name.lower(): name for name in reversed(names)}
    found = {}
    for role, accepted in ACCEPTED.items():
        hit = next((lower[name] for name in accepted if name in lower), None)
        if hit is not None:
            found[role] = hit
    return found


def _shape(roles: Mapping[str, str]) -> Shape:
    """Long if a column names items; else every column is an item."""
    return "long" if "item" in roles else "wide"


def _long(names: Sequence[str], where: str, roles: dict[str, str], ignored: Sequence[str]) -> Layout:
    """A layout with a row an answer."""
    answered = any(role in roles for role in ANSWERS)
    left = [name for name in names if name not in roles.values() and name not in ignored]
    if {"candidate", "item"} & roles.keys() == {"item"} and not answered and _many_alike(left):
        name = roles["item"]
        raise ResponseLogError(where, [turned(f'column "{name}" names the items', left)])
    faults = [_missing(role, names, left) for role in ("candidate", "item") if role not in roles]
    if not answered:
        accepted = ", ".join(name for role in ANSWERS for name in ACCEPTED[role])
        say = name_it("response", likely("response", left) or "COLUMN")
        faults.append(
            f"no column holds the answers; found {some(names, MOST)}; accepted names: {accepted}; or say {say}"
        )
    if faults:
        raise ResponseLogError(where, faults)
    rest = [name for name in names if name not in roles.values() and name not in ignored]
    personal = tuple(name for name in rest if _is_personal(name))
    return Layout("long", roles, (), personal, tuple(ignored) + tuple(name for name in rest if name not in personal))


def _wide(left: Sequence[str], where: str, roles: Mapping[str, str], ignored: Sequence[str], items: set[str]) -> Layout:
    """A layout with a row a candidate."""
    kept = {role: name for role, name in roles.items() if role in {"candidate", "attempt"} and name not in items}
    if "candidate" not in kept and left and left[0].lower() in ROW_NAMES:
        kept["candidate"] = left[0]
    rest = [name for name in left if name not in kept.values()]
    personal = tuple(name for name in rest if _is_personal(name) and name not in items)
    unnamed = tuple(name for name in rest if name.lower().startswith(UNNAMED))
    answers = tuple(name for name in rest if name not in {*personal, *unnamed})
    if not answers:
        raise ResponseLogError(where, [f"no item columns; found only {', '.join(left) or 'nothing'}"])
    return Layout("wide", kept, answers, personal, (*ignored, *unnamed))


def _is_personal(name: str) -> bool:
    """Whether a column tells about candidates rather than answers."""
    return name.lower() in PERSONAL or name.lower().startswith(COVARIATE)


def _missing(role: str, names: Sequence[str], left: Sequence[str]) -> str:
    """The message for a column that was not found, with the one that it may be."""
    found, accepted = some(names, MOST), ", ".join(ACCEPTED[role])
    say = name_it(role, likely(role, left) or "COLUMN")
    return f"no column names the {role}; found {found}; accepted names: {accepted}; or say {say}"


def _many_alike(columns: Sequence[str]) -> bool:
    """Whether columns can be candidates, a row being an item: several, and none sounds like answers."""
    return len(columns) >= TURNED and likely("response", columns) is None


def turned(what: str, columns: Sequence[str]) -> str:
    """The message for a table whose rows are items; ``what`` shows it."""
    return (
        f"the wrong way round: {what}, and its columns are {some(columns)}; a row must be a candidate and a column an "
        'item: transpose it, for instance by pandas.read_csv("log.csv", index_col=0).T.to_csv("turned.csv", '
        'index_label="candidate")'
    )
