"""Compile every kernel ahead of use."""

from __future__ import annotations

from issmp_cat.cli.talk import say

__all__ = ["announce_compilation", "is_warm", "warmup"]


def is_warm() -> bool:
    """Whether the exam loop of exactly these sources has been compiled on this machine before."""
    from issmp_cat.compiled import cache_folder

    return any(cache_folder().rglob("kernel._run_compiled-*.nbc"))


def announce_compilation(quiet: bool = False) -> None:
    """Say that the first run compiles, when it does: half a minute of silence looks like a hang."""
    if not is_warm():
        say("compiling the exam loop for this machine, once; half a minute (issmp-cat warmup does it ahead)", quiet)


def warmup() -> None:
    """Run each kernel of this package once on a small bank."""
    from issmp_cat import Exam, ItemBank
    from issmp_simulations.logs import sample_log
    from issmp_simulations.population import Clock, Population
    from issmp_simulations.study import simulate

    bank = ItemBank.load_packaged("practice-bank")
    exam = Exam.load("practice")
    simulate(exam, bank, n=2, seed=1, threads=1)
    sample_log(bank, 2, 10, seed=1, population=Population(clock=Clock()), exam=exam, options=True)
