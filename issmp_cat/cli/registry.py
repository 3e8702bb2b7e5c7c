"""The commands of all installed packages, found by their entry points, as one tool."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer
from typer.core import TyperGroup

from issmp_cat import __version__
from issmp_cat.cli.extras import missing_extra
from issmp_cat.errors import UsageError

__all__ = ["build_command", "tidy"]

GROUP = "issmp_cat.commands"
HELP = {"help_option_names": ["-h", "--help"]}

# In the order of the work; commands of other packages that are not named here come last.
PANELS: dict[str, tuple[str, ...]] = {
    "From response log to item bank": ("check", "store", "calibrate", "score", "link", "drift", "bank"),
    "Exams": ("exam", "take"),
    "Evidence by simulation": ("simulate", "study", "exposure", "sample"),
    "The tool": ("warmup", "config", "demo"),
}


def build_command() -> TyperGroup:
    """All commands of all installed packages, in the order of the work."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", context_settings=HELP)
    app.callback(help=tidy(_root.__doc__))(_root)
    panels = {name: panel for panel, names in PANELS.items() for name in names}
    order = list(panels)
    found = sorted(entry_points(group=GROUP), key=lambda e: order.index(e.name) if e.name in panels else len(order))
    for entry in found:
        _add(app, entry, panels.get(entry.name, "Further"))
    whole = typer.main.get_command(app)
    if not isinstance(whole, TyperGroup):
        msg = "no commands are installed: install the package again"
        raise UsageError(msg)
    # Typer puts groups before or after plain commands; the help follows this order.
    whole.commands = {entry.name: whole.commands[entry.name] for entry in found}
    return whole


def _add(app: typer.Typer, entry: EntryPoint, panel: str) -> None:
    try:
        command = entry.load()
    except ImportError as error:
        stand_in = {**HELP, "ignore_unknown_options": True, "allow_extra_args": True}
        app.command(entry.name, rich_help_panel=panel, context_settings=stand_in)(_absent(error))
        return
    if isinstance(command, typer.Typer):
        for inner in command.registered_commands:
            inner.help = tidy(inner.help or (inner.callback.__doc__ if inner.callback else ""))
        app.add_typer(command, name=entry.name, rich_help_panel=panel)
    else:
        app.command(entry.name, rich_help_panel=panel, help=tidy(command.__doc__))(command)


def _absent(error: ImportError) -> Callable[[], None]:
    """A stand-in for a command that cannot be loaded: it shows in the help and says why when called."""
    missing = missing_extra(error) if isinstance(error, ModuleNotFoundError) else None

    def command() -> None:
        raise missing or error

    command.__doc__ = f"Not available: {missing or error}"
    return command


def tidy(doc: str | None) -> str:
    r"""A docstring as help: prose unwrapped, so that it flows to the reader's width; examples line by line.

    >>> print(tidy("First line.\n\nProse on\ntwo lines.\n\nExamples:\n    one\n\n    two"))
    First line.
    <BLANKLINE>
    Prose on two lines.
    <BLANKLINE>
    Examples:
      one
      two
    """
    paragraphs: list[str] = []
    examples: list[str] = []
    for block in inspect.cleandoc(doc or "").split("\n\n"):
        lines = block.splitlines()
        prose = [line for line in lines if not line.startswith(" ")]
        paragraphs += [" ".join(prose)] if prose else []
        examples += [f"  {line.strip()}" for line in lines if line.startswith(" ")]
    return "\n\n".join(paragraphs) + "".join(f"\n{line}" for line in examples)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"issmp-cat {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    _debug: Annotated[bool, typer.Option("--debug", help="Show an error's traceback; may stand anywhere.")] = False,
) -> None:
    """Adaptive certification tests: response log, item bank, adaptive exam, decision, evidence.

    Data goes to stdout, talk to stderr. Exit codes: 0 ok, 1 bug, 2 wrong usage, 3 input rejected, 4 infeasible
    blueprint or not converged, 5 a --gate was missed, 130 interrupted.

    Examples:
      issmp-cat demo
      issmp-cat take
      issmp-cat calibrate responses.csv --key key.csv -o bank.json
    """
