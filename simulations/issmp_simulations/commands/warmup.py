"""``issmp-cat warmup``: compile all kernels now, so that nothing waits later."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["command"]

GROUP = "issmp_cat.warmup"


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr.")] = False,
) -> None:
    """Compile every kernel for this machine and keep the result in the cache folder.

    Done once after installing or updating; takes about a minute, and no time at all when it has been done.

    Examples:
      issmp-cat warmup

      issmp-cat warmup --quiet
    """
    import time
    from importlib.metadata import entry_points

    from issmp_cat.cli.talk import next_step, print_json, say
    from issmp_cat.compiled import cache_folder

    seconds: dict[str, float] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        say(f"{entry.name}: compiling its kernels", quiet)
        began = time.perf_counter()
        try:
            compile_all = entry.load()
        except ModuleNotFoundError as error:
            say(f"{entry.name}: left out, {error.name} is not installed", quiet)
            continue
        compile_all()
        seconds[entry.name] = round(time.perf_counter() - began, 1)
        say(f"{entry.name}: {seconds[entry.name]} s", quiet)
    if as_json:
        print_json({"cache": str(cache_folder()), "seconds": seconds})
    else:
        print(f"kernels are compiled and kept in {cache_folder()}")
    next_step("issmp-cat demo", quiet)
