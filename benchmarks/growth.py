"""How the time of a 2PL fit grows: persons 5,000 to 1,000,000 (125 of 1,500 items each), items 100 to 1,500.

CPU-seconds from codes in memory to parameters, no standard errors, kernels compiled beforehand; and bytes of memory for
each answer beyond the runtime. Each fit runs in a process of its own. The exponent is the slope of log time over log
size, by least squares. ``--plot growth.svg`` draws it, ``--largest 100000`` stops earlier, ``--store`` fits the largest
from shards on disk too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numba
import numpy as np
import psutil

PERSONS = (5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
ITEMS = (100, 200, 400, 800, 1_500)
SHARD = 100_000


@numba.njit(cache=False)
def draw(seed: int, theta: np.ndarray, slope: np.ndarray, intercept: np.ndarray, each: int) -> np.ndarray:
    """Codes of ``each`` different items a person, drawn at random and put in order."""
    np.random.seed(seed)  # noqa: NPY002 - numba's own generator
    n_items = slope.size
    bag = np.arange(n_items)
    code = np.empty((theta.size, each), np.uint16)
    for person in range(theta.size):
        for place in range(each):
            other = place + np.random.randint(n_items - place)  # noqa: NPY002
            bag[place], bag[other] = bag[other], bag[place]
        mine = np.sort(bag[:each])
        for place in range(each):
            item = mine[place]
            chance = 1.0 / (1.0 + np.exp(-(slope[item] * theta[person] + intercept[item])))
            code[person, place] = 2 * item + (np.random.random() < chance)  # noqa: NPY002
    return code


def sample(persons: int, items: int, each: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Codes, persons × ``each``, and how often each item got each score."""
    random = np.random.default_rng(1)
    slope, intercept = np.exp(random.normal(0.0, 0.3, items)), random.normal(size=items)
    theta = np.random.default_rng(seed + 100).normal(size=persons)
    code = draw(seed, theta, slope, intercept, each)
    counts = np.zeros(2 * items, np.int64)
    for begin in range(0, persons, SHARD):
        counts += np.bincount(code[begin : begin + SHARD].ravel(), minlength=2 * items)
    return code, counts.reshape(-1, 2)


def measure(persons: int, items: int, each: int, *, store: str = "") -> dict[str, float]:
    """One fit, warmed up on a small one."""
    from issmp_calibration.mml.codes import Codes
    from issmp_calibration.mml.em import Settings, fit_source
    from issmp_calibration.mml.layout import lay_out
    from issmp_calibration.mml.sources.folder import Folder
    from issmp_calibration.mml.sources.memory import InMemory
    from issmp_calibration.mml.sources.source import Answers
    from issmp_calibration.mml.sources.store import Store
    from issmp_calibration.workers import workers

    first = 2 * np.arange(items + 1)

    def fitted(source: object, counts: np.ndarray) -> tuple[float, int]:
        nobody = np.zeros(0, np.int64)
        codes = Codes(nobody, nobody, nobody, np.arange(items), counts, (), first, nobody)
        design = lay_out(codes, "2pl")
        begun = time.process_time()
        with workers(None, source.n_answers) as executor:
            found = fit_source(source, design, counts, Settings(), executor)
        if not found.settled:
            raise SystemExit(f"{source.n_persons} persons: not settled")
        return time.process_time() - begun, len(found.passes)

    small, counts = sample(4_000, items, each)
    fitted(InMemory(Answers.of(np.arange(4_001) * each, small.ravel()), first), counts)
    runtime = psutil.Process().memory_info().rss
    if store:
        counts = np.load(Path(store) / "counts.npy")
        source = Folder(Store.open(store))
    else:
        code, counts = sample(persons, items, each)
        source = InMemory(Answers.of(np.arange(persons + 1) * each, code.ravel()), first)
    peak = Peak()
    seconds, passes = fitted(source, counts)
    largest = peak.stop()
    return {
        "persons": persons,
        "items": items,
        "answers": persons * each,
        "seconds": seconds,
        "passes": passes,
        "bytes": (largest - runtime) / (persons * each),
        "peak_mib": largest / 2**20,
    }


class Peak:
    """The largest resident size while something runs; mapped files, which the system may drop at will, included."""

    def __init__(self) -> None:
        self.process, self.largest, self.running = psutil.Process(), 0, True
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        while self.running:
            self.largest = max(self.largest, self.process.memory_info().rss)
            time.sleep(0.005)

    def stop(self) -> int:
        self.running = False
        self.thread.join()
        return self.largest


def run(persons: int, items: int, each: int, store: str = "") -> dict[str, float]:
    """``measure`` in a process of its own."""
    told = subprocess.run(
        [sys.executable, __file__, "--one", f"{persons},{items},{each},{store}"], check=True, stdout=subprocess.PIPE
    )
    row: dict[str, float] = json.loads(told.stdout)
    print(
        f"{persons:>9,} × {each:>4} of {items:>5,}: {row['seconds']:8.3f} CPU-s, {row['passes']:.0f} passes, "
        f"{row['bytes']:.2f} bytes an answer, peak {row['peak_mib']:.0f} MiB",
        flush=True,
    )
    return row


def exponent(rows: list[dict[str, float]], by: str) -> float:
    """Slope of log time over log size."""
    return float(np.polyfit(np.log([row[by] for row in rows]), np.log([row["seconds"] for row in rows]), 1)[0])


def write_store(persons: int, items: int, each: int, folder: Path) -> None:
    """The largest sample as shards, one in memory at a time."""
    from issmp_calibration.mml.sources.source import Answers
    from issmp_calibration.mml.sources.store import write_shards

    totals = np.zeros((items, 2), np.int64)

    def shards() -> object:
        for number, begin in enumerate(range(0, persons, SHARD)):
            n = min(SHARD, persons - begin)
            code, counts = sample(n, items, each, seed=number + 1)
            totals[:] += counts
            yield Answers.of(np.arange(n + 1) * each, code.ravel())

    write_shards(shards(), folder, [2] * items)
    np.save(folder / "counts.npy", totals)


def draw_plot(persons: list[dict[str, float]], items: list[dict[str, float]], path: Path) -> None:
    """Both series on logarithmic axes."""
    from issmp_cat.plot import Layer, Plot

    def columns(rows: list[dict[str, float]]) -> dict[str, list[float]]:
        return {"x": [np.log10(row["answers"]) for row in rows], "y": [np.log10(row["seconds"]) for row in rows]}

    layers = []
    series = (("125 of 1,500 items", persons, "persons"), ("20,000 candidates, complete", items, "items"))
    for colour, (label, rows, by) in enumerate(series):
        name = f"{label}: time ~ {by}^{exponent(rows, by):.2f}"
        layers += [Layer("points", columns(rows), name, colour), Layer("line", columns(rows), "", colour)]
    Plot(
        title="A fit takes time in proportion to the answers",
        x="answers (powers of ten)",
        y="CPU-seconds (powers of ten)",
        layers=tuple(layers),
    ).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--largest", type=int, default=PERSONS[-1])
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--store", action="store_true")
    given = parser.parse_args()
    if given.one:
        persons, items, each, store = given.one.split(",")
        print(json.dumps(measure(int(persons), int(items), int(each), store=store)))
        return
    by_persons = [run(persons, 1_500, 125) for persons in PERSONS if persons <= given.largest]
    print(f"time ~ persons^{exponent(by_persons, 'persons'):.2f}")
    by_items = [run(20_000, items, items) for items in ITEMS]
    print(f"time ~ items^{exponent(by_items, 'items'):.2f}")
    if given.plot:
        draw_plot(by_persons, by_items, given.plot)
    if given.store:
        with tempfile.TemporaryDirectory() as folder:
            write_store(given.largest, 1_500, 125, Path(folder))
            print("from shards on disk:")
            run(given.largest, 1_500, 125, folder)


if __name__ == "__main__":
    main()
