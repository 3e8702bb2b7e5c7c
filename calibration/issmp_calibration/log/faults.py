"""Faults of one source, collected by kind so that all are told at once and none floods the screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from issmp_cat.errors import InputRejected

__all__ = ["Faults", "counted", "some"]


@dataclass(slots=True)
class Faults:
    """Messages by kind; ``listed`` of each kind are told, the others counted."""

    listed: int = 20
    told: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, message: str, *, line: int = 0, times: int = 1) -> None:
        """Note one fault; ``times`` stands for further ones of the same kind that are not listed."""
        self.count[kind] = self.count.get(kind, 0) + times
        self.told.setdefault(kind, []).append((line, message))

    def problems(self) -> list[str]:
        """All messages, each kind in the order of its lines."""
        found = []
        for kind, messages in self.told.items():
            shown = sorted(messages)[: self.listed]
            found += [message for _, message in shown]
            if rest := self.count[kind] - len(shown):
                found.append(f"… and {rest:,} more: {kind}")
        return found

    def check(self, where: str, error: type[InputRejected]) -> None:
        """Raise ``error`` if anything was found."""
        if self.told:
            raise error(where, self.problems())


def some(names: Iterable[object], most: int = 3) -> str:
    """The first few names, and dots for the others.

    >>> some(["a", "b", "c", "d"])
    'a, b, c, …'
    """
    said = [str(name) for name in names]
    return ", ".join(said[:most]) + (", …" if len(said) > most else "")


def counted(n: int, thing: str) -> str:
    """A number and what it counts.

    >>> counted(1, "candidate"), counted(1200, "item")
    ('1 candidate', '1,200 items')
    """
    return f"{n:,} {thing}{'' if n == 1 else 's'}"
