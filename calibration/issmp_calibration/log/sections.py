"""Headings, lines and facts on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["facts", "section"]


def section(console: Console, title: str, lines: Iterable[str | tuple[bool, str]]) -> None:
    """A heading and its lines; a pair is a line with a tick or an exclamation mark. Nothing is read as markup."""
    from rich.text import Text

    console.print()
    console.print(Text(title, style="bold"))
    for line in lines:
        good, words = line if isinstance(line, tuple) else (None, line)
        mark = {None: ("·", "dim"), True: ("✓", "green"), False: ("!", "yellow")}[good]
        grid = _grid()
        grid.add_row("", Text(*mark), Text(words))
        console.print(grid)


def facts(console: Console, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """A heading and a table of two columns."""
    from rich.text import Text

    section(console, title, [])
    grid = _grid()
    for name, fact in rows:
        grid.add_row("", Text(name, style="dim"), Text(fact))
    console.print(grid)


def _grid() -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    for _ in range(3):
        grid.add_column()
    return grid
