"""Compile every kernel ahead of use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from issmp_cat.cli.talk import say

if TYPE_CHECKING:
    from issmp_cat import Exam

__all__ = ["announce_compilation", "is_warm", "warmup"]


# Exams that look values up and exams that score every item are compiled apart.
MARK = "scored-exams-are-warm"


def is_warm(*, scored: bool = False) -> bool:
    """Whether the exam loop of exactly these sources has been compiled on this machine before."""
    from issmp_cat.compiled import cache_folder

    return (cache_folder() / MARK).exists() if scored else any(cache_folder().rglob("kernel._run_compiled-*.nbc"))


def announce_compilation(quiet: bool, *exams: Exam) -> None:
    """Say that the first run of such exams compiles, when it does: half a minute of silence looks like a hang."""
    from issmp_cat.compiled import cache_folder

    scored = {not exam.selection.tabulated for exam in exams}
    if not all(is_warm(scored=kind) for kind in scored):
        say("compiling the exam loop for this machine, once; half a minute (issmp-cat warmup does it ahead)", quiet)
    if True in scored:
        (cache_folder() / MARK).touch()


def warmup() -> None:
    """Run each kernel of this package once on a small bank."""
    from issmp_cat import Exam, ItemBank
    from issmp_cat.compiled import cache_folder
    from issmp_simulations.logs import sample_log
    from issmp_simulations.population import Clock, Population
    from issmp_simulations.study import simulate

    bank = ItemBank.load_packaged("practice-bank")
    exam = Exam.load("practice")
    simulate(exam, bank, n=2, seed=1, threads=1)
    scored = exam.model_copy(update={"selection": exam.selection.model_copy(update={"criterion": "mpwi"})})
    simulate(scored, bank, n=2, seed=1, threads=1)
    (cache_folder() / MARK).touch()
    sample_log(bank, 2, 10, seed=1, population=Population(clock=Clock()), exam=exam, options=True)
