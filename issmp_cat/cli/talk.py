"""How commands talk: data on stdout, talk and progress on stderr, no colours or spinners where nobody looks."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["counted", "keep", "kept", "next_step", "paragraph", "print_json", "progress", "say", "table", "warn"]

# Piped tables are for programs and pagers: no column is cut to the width of a screen that is not there.
PIPE_WIDTH = 240
_kept: list[str] = []


def say(text: str, quiet: bool = False) -> None:
    """A line of talk on stderr."""
    if not quiet:
        print(text, file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """A warning on stderr; ``--quiet`` does not silence it."""
    print(f"warning: {text}", file=sys.stderr, flush=True)


def next_step(text: str, quiet: bool = False) -> None:
    """What a person would do next, as a command."""
    say(f"next: {text}", quiet)


def keep(text: str) -> None:
    """What to tell should the command be interrupted from now on: what is safe, and how to go on."""
    _kept[:] = [text]


def kept() -> str:
    """What the last :func:`keep` said."""
    return _kept[0] if _kept else "no half-written file is left behind"


def paragraph(text: str, hanging: str = "") -> None:
    """Prose on stdout: broken between words at a terminal's width, one line in a pipe."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        text = textwrap.fill(text, width, subsequent_indent=hanging, break_on_hyphens=False)
    print(text)


def counted(n: int, thing: str) -> str:
    """A number and what it counts.

    >>> counted(1, "answer"), counted(1200, "item")
    ('1 answer', '1,200 items')
    """
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def print_json(content: object) -> None:
    """One JSON document on stdout; what is not a number becomes null."""
    print(json.dumps(_plain(content), indent=1, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    """Numbers, strings, lists and dicts only."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Sequence | set | frozenset):
        return [_plain(part) for part in value]
    return str(value)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout: numbers to the right, nothing for what is missing.

    Args:
        title: what it shows; empty for none.
        columns: their names.
        rows: one sequence a row, of the columns' length; format numbers before.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = [[_cell(value) for value in row] for row in rows]
    view = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for k, name in enumerate(columns):
        numeric = all(_is_numeric(row[k]) for row in cells) and any(row[k] for row in cells)
        view.add_column(Text(name), justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in cells:
        view.add_row(*(Text(cell) for cell in row))
    out = console(sys.stdout)
    if title:
        out.print(Text(title, style="bold"))
    out.print(view)


def console(stream: IO[str]) -> Console:
    """A rich console that neither guesses nor decorates."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to the program's edge: whoever closed a pipe had read enough."""
            raise BrokenPipeError

    width = None if stream.isatty() else PIPE_WIDTH
    return Quiet(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value)


def _is_numeric(text: str) -> bool:
    return not text or text.strip("+-−–.,%0123456789e ") == ""


@contextlib.contextmanager
def progress(label: str, total: float | None = None, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """Show how far something is; yields ``advance(n)``.

    A bar while it runs if stderr is a terminal, and a line with the time it took; the line alone elsewhere.

    Args:
        label: what is being done.
        total: how much there is to do, in any unit; None when unknown.
        quiet: show nothing.
    """
    began = time.perf_counter()
    if quiet:
        yield lambda _: None
        return
    if sys.stderr.isatty():
        with _bar(label, total) as advance:
            yield advance
    else:
        yield lambda _: None
    say(f"{label}: {time.perf_counter() - began:.1f} s")


@contextlib.contextmanager
def _bar(label: str, total: float | None) -> Iterator[Callable[[float], None]]:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(sys.stderr), transient=True) as bars:
        task = bars.add_task(label, total=total)
        yield lambda n: bars.update(task, advance=n)
