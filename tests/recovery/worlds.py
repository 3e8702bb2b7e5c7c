"""True items of each model, and answers drawn from them by formulas of their own."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

from issmp_cat import ResponseLog

Table = dict[str, np.ndarray]


@dataclass(frozen=True)
class World:
    """A model with its true items.

    Attributes:
        model: as ``calibrate`` calls it.
        persons: candidates of one replication.
        items: how many.
        draw: true parameters by column of the item table, each of shape ``(items,)``; called anew for every
            replication with that replication's stream, so that a truth under a prior can vary as the prior says.
        chances: of every score at some abilities. Shape ``(persons, items, categories)``.
        presented: share of the items that each candidate meets, drawn at random.
        sd: of the population, logits.
        believed: whether the truth is drawn as the default priors believe, among it items whose answers tell little:
            coverage is judged; of the bias of posterior modes, no longer ∝ 1/n where priors are strong, only the size
            is told.
    """

    model: str
    persons: int
    items: int
    draw: Callable[[np.random.Generator, int], Table]
    chances: Callable[[np.ndarray, Table], np.ndarray]
    presented: float = 0.8
    sd: float = 1.0
    believed: bool = False


def fixed(seed: int, draw: Callable[[np.random.Generator, int], Table]) -> Callable[[np.random.Generator, int], Table]:
    """The same items in every replication."""

    def again(_: np.random.Generator, items: int) -> Table:
        return draw(np.random.Generator(np.random.Philox(seed)), items)

    return again


def slopes(stream: np.random.Generator, items: int) -> np.ndarray:
    """Discriminations around 1."""
    return np.exp(stream.normal(0.0, 0.3, items))


def logistic(stream: np.random.Generator, items: int) -> Table:
    """Items of two parameters."""
    return {"a": slopes(stream, items), "b": stream.normal(0.0, 1.0, items)}


def rasch(stream: np.random.Generator, items: int) -> Table:
    """Items of one, their difficulties spread around the population's mean."""
    return {"b": stream.normal(0.0, 1.0, items)}


def one_slope(stream: np.random.Generator, items: int) -> Table:
    """Difficulties, and one discrimination for all."""
    return {"a": np.full(items, 1.3), "b": stream.normal(0.0, 1.0, items)}


def guessed(stream: np.random.Generator, items: int) -> Table:
    """Items of three parameters, slope and guessing as the default priors believe, which the answers must then not
    contradict."""
    a = np.exp(stream.normal(0.0, 0.5, items))
    return {"a": a, "b": stream.normal(0.0, 1.0, items), "c": expit(stream.normal(np.log(0.25), 0.5, items))}


def slipped(stream: np.random.Generator, items: int) -> Table:
    """Items of four parameters, all but b as the default priors believe."""
    miss = expit(stream.normal(np.log(0.05 / 0.95), 0.5, items))
    return {**guessed(stream, items), "d": 1.0 - miss}


def well_guessed(stream: np.random.Generator, items: int) -> Table:
    """Items of three parameters that answers tell well: many candidates below b guess, slopes are steep."""
    a, b = stream.uniform(1.4, 2.2, items), stream.uniform(0.2, 1.6, items)
    return {"a": a, "b": b, "c": stream.uniform(0.12, 0.3, items)}


def well_slipped(stream: np.random.Generator, items: int) -> Table:
    """Items of four parameters that answers tell well: candidates far above and far below every b."""
    a, b = stream.uniform(1.8, 2.6, items), stream.uniform(-0.4, 0.4, items)
    return {"a": a, "b": b, "c": stream.uniform(0.12, 0.3, items), "d": 1.0 - stream.uniform(0.03, 0.09, items)}


def categories(stream: np.random.Generator, items: int) -> Table:
    """Three categories, the first between the others: slopes and intercepts against it."""
    first, second = stream.normal(-0.5, 0.3, items), stream.normal(0.9, 0.3, items)
    return {"a1": first, "a2": second, "c1": stream.normal(0.5, 0.5, items), "c2": stream.normal(-0.2, 0.5, items)}


def steps(stream: np.random.Generator, items: int) -> Table:
    """Four ordered scores."""
    middle = stream.normal(0.0, 0.7, items)
    gaps = stream.uniform(0.6, 1.2, (2, items))
    return {"a": slopes(stream, items), "b1": middle - gaps[0], "b2": middle, "b3": middle + gaps[1]}


def equal_steps(stream: np.random.Generator, items: int) -> Table:
    """Four ordered scores of items with slope 1."""
    table = steps(stream, items)
    del table["a"]
    return table


def right(theta: np.ndarray, table: Table) -> np.ndarray:
    """Wrong and right answers: c + (d − c) / (1 + exp(−a (θ − b)))."""
    none = np.zeros_like(table["b"])
    a, c, d = table.get("a", none + 1.0), table.get("c", none), table.get("d", none + 1.0)
    p = c + (d - c) * expit(a * (theta[:, None] - table["b"]))
    return np.stack([1.0 - p, p], axis=-1)


def graded(theta: np.ndarray, table: Table) -> np.ndarray:
    """Differences of the chances to reach a score (Samejima, 1969)."""
    reached = [expit(table["a"] * (theta[:, None] - table[f"b{k}"])) for k in (1, 2, 3)]
    one = np.ones_like(reached[0])
    return np.stack([one - reached[0], reached[0] - reached[1], reached[1] - reached[2], reached[2]], axis=-1)


def partial(theta: np.ndarray, table: Table) -> np.ndarray:
    """Odds of neighbouring scores (Masters, 1982; Muraki, 1992)."""
    a = table.get("a", np.ones_like(table["b1"]))
    climbs = np.cumsum([a * (theta[:, None] - table[f"b{k}"]) for k in (1, 2, 3)], axis=0)
    return softmax(np.stack([np.zeros_like(climbs[0]), *climbs], axis=-1), axis=-1)


def nominal(theta: np.ndarray, table: Table) -> np.ndarray:
    """Multinomial logits (Bock, 1972)."""
    logits = [np.zeros((len(theta), len(table["a1"])))]
    logits += [table[f"a{k}"] * theta[:, None] + table[f"c{k}"] for k in (1, 2)]
    return softmax(np.stack(logits, axis=-1), axis=-1)


# 3PL and 4PL: items and numbers of candidates at which the bias that is not ∝ 1/n must be small beside its Monte-Carlo
# error. It falls as 1/n². Pilots of other replications found −0.011 in the mean slope of the 3PL with 15,000 candidates
# and −0.022 in that of the 4PL with 25,000 (most of all parameters, in Monte-Carlo errors): with the numbers below half
# a Monte-Carlo error of 200 replications. The priors weigh little here, but pull: slopes lie up to two prior SDs high.
WORLDS = {
    "rasch": World("rasch", 4000, 20, fixed(1, rasch), right, sd=1.4),
    "1pl": World("1pl", 4000, 20, fixed(2, one_slope), right),
    "2pl": World("2pl", 4000, 20, fixed(3, logistic), right),
    "3pl, truth as priors believe": World("3pl", 10_000, 40, guessed, right, believed=True),
    "grm": World("grm", 4000, 20, fixed(5, steps), graded),
    "pcm": World("pcm", 4000, 20, fixed(6, equal_steps), partial, sd=1.4),
    "gpcm": World("gpcm", 4000, 20, fixed(7, steps), partial),
    "nrm": World("nrm", 4000, 20, fixed(8, categories), nominal),
    "4pl, truth as priors believe": World("4pl", 10_000, 40, slipped, right, believed=True),
    "3pl": World("3pl", 60_000, 20, fixed(10, well_guessed), right),
    "4pl": World("4pl", 160_000, 20, fixed(11, well_slipped), right),
}


def answers(name: str, replication: int) -> tuple[ResponseLog, Table]:
    """One replication's log and the truth behind it."""
    world = WORLDS[name]
    stream = np.random.Generator(np.random.Philox(key=[list(WORLDS).index(name), replication]))
    table = world.draw(stream, world.items)
    theta = stream.normal(0.0, world.sd, world.persons)
    reach = np.cumsum(world.chances(theta, table), axis=-1)[..., :-1]
    score = (stream.random((world.persons, world.items, 1)) > reach).sum(axis=-1).astype(float)
    score[stream.random(score.shape) >= world.presented] = np.nan
    return ResponseLog.from_wide(score), table
