"""Compile the kernels ahead, so that no fit waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from issmp_cat.ability import Estimator
    from issmp_cat.arrays import Floats

__all__ = ["announce_compilation", "warmup"]

MARKS = {"check": "check-is-warm", "fit": "calibration-is-warm"}


def announce_compilation(work: Literal["check", "fit"], *, quiet: bool) -> None:
    """Say once, before the first work of its kind on a machine or version, why it takes longer."""
    from issmp_cat.cli.talk import say
    from issmp_cat.compiled import cache_folder

    mark = cache_folder() / MARKS[work]
    if mark.exists():
        return
    say(f"compiling the {work} for this machine, once; up to a minute (issmp-cat warmup does it ahead)", quiet)
    mark.touch()


def warmup() -> None:
    """Fit and score small made-up logs in every way that has kernels of its own; numba keeps the compiled code."""
    import numpy as np

    from issmp_calibration.calibration import calibrate
    from issmp_calibration.log import classical_statistics
    from issmp_calibration.options import CalibrationOptions
    from issmp_calibration.scoring import score
    from issmp_cat.compiled import cache_folder
    from issmp_cat.responses import ResponseLog

    draws = np.random.default_rng(1)

    def made_up(persons: int, items: int, share: float) -> Floats:
        ability, difficulty = draws.normal(size=(persons, 1)), draws.normal(size=items)
        noise = draws.normal(scale=1.7, size=(persons, items))
        return np.where(draws.random((persons, items)) < share, ability - difficulty + noise > 0.0, np.nan)

    # Above 20,000 and 200,000 answers fits go other ways; below a third of all pairs they sum answer by answer.
    small, thin = made_up(60, 8, 0.8), made_up(200, 30, 0.2)
    large, sparse = made_up(2_100, 100, 1.0), made_up(1_400, 600, 0.25)
    methods: tuple[Estimator, ...] = ("eap", "map")
    for scores in (small, large, sparse, thin):
        log = ResponseLog.from_wide(scores)
        for model in ("rasch", "2pl", "3pl"):
            found = calibrate(log, model=model, options=CalibrationOptions(max_passes=2))
        for method in methods:
            score(log, found.to_bank(), method=method)
        classical_statistics(log)
    many = ResponseLog.from_wide(made_up(4_200, 30, 0.5))  # above 4,096 candidates scoring goes another way
    score(many, found.to_bank(), plausible_values=1, seed=1)
    _read_made_up()
    for mark in MARKS.values():
        (cache_folder() / mark).touch()


def _read_made_up() -> None:
    """Read logs with ids that are texts or numbers, with times and without, and write one as a store."""
    import tempfile
    from pathlib import Path

    import pandas as pd

    from issmp_calibration.log import read_log, write_store

    rows = [(person, item, (person + item) % 2) for person in range(3) for item in (2, 1)]
    numbers = pd.DataFrame(rows, columns=["candidate", "item", "score"])
    texts = numbers.astype({"candidate": str, "item": str})
    read_log(numbers)
    read_log(texts.assign(seconds=1.0, position=1))
    with tempfile.TemporaryDirectory() as folder:
        write_store(texts, Path(folder) / "store")
