"""``issmp-cat config``: every setting that exists, its value, and where the value comes from."""

from __future__ import annotations

import os
from typing import Annotated, NamedTuple

import typer

from issmp_cat.cli.talk import print_json, table

__all__ = ["Setting", "app", "settings"]

app = typer.Typer(help="Settings of this installation: value and origin.", no_args_is_help=True)


class Setting(NamedTuple):
    """One setting: its value, what it does, and which of flag, environment or default decides it."""

    name: str
    value: str
    origin: str
    meaning: str


@app.callback()
def _root() -> None:
    """Settings of this installation: value and origin."""


@app.command("show")
def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show every setting, its value and its origin.

    A command's own options come before the environment, the environment before the default. What a programme decides
    about an exam stands in the exam's file, never here.

    Examples:
      issmp-cat config show
      ISSMP_THREADS=1 issmp-cat config show --json
    """
    found = settings()
    if as_json:
        print_json([setting._asdict() for setting in found])
    else:
        table("Settings", Setting._fields, found)


def settings() -> list[Setting]:
    """All settings, as they stand now."""
    from issmp_cat.compiled import cache_folder

    origin = "environment ISSMP_CACHE" if os.environ.get("ISSMP_CACHE") else "default"
    if origin == "default" and os.environ.get("XDG_CACHE_HOME"):
        origin = "environment XDG_CACHE_HOME"
    threads = os.environ.get("ISSMP_THREADS")
    colour = os.environ.get("NO_COLOR")
    shared = os.environ.get("ISSMP_SHARED")
    return [
        Setting("cache", str(cache_folder()), origin, "folder of compiled kernels, one for each state of the sources"),
        Setting(
            "threads",
            threads or str(os.cpu_count() or 1),
            "environment ISSMP_THREADS" if threads else "default: all cores",
            "threads of simulations; results do not depend on it",
        ),
        Setting(
            "colour",
            "off" if colour else "on at a terminal",
            "environment NO_COLOR" if colour else "default",
            "colours and spinners appear at a terminal only",
        ),
        Setting(
            "shared data",
            shared or "../shared",
            "environment ISSMP_SHARED" if shared else "default",
            "real data and reference numbers beside a checkout, for its tests",
        ),
    ]
