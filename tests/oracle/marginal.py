"""The marginal likelihood in the plainest way: every person, every node, complex numbers allowed.

Complex numbers give exact derivatives: f'(x) = Im f(x + ih) / h without any difference (Squire & Trapp, 1998).
"""

import numpy as np

from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.latents import Latents, Moments
from issmp_calibration.mml.observed import Information, Solution
from issmp_calibration.mml.sources.source import Answers

STEP = 1e-30
GRID = Grid.spaced()
NODES = GRID.nodes[: GRID.live]


def logistic(z):
    return 1.0 / (1.0 + np.exp(-z))


def category_chances(model, cells, theta):
    """Chance of each score. Shape ``(nodes, scores)``."""
    z = theta[:, None]
    if model in {"rasch", "1pl", "2pl", "3pl", "4pl"}:
        c = logistic(cells[2]) if model in {"3pl", "4pl"} else 0.0
        miss = logistic(cells[3]) if model == "4pl" else 0.0
        right = c + (1.0 - miss - c) * logistic(cells[0] * z + cells[1])
        return np.hstack([1.0 - right, right])
    if model == "grm":
        reached = logistic(cells[0] * z + cells[1:])
        one, none = np.ones_like(z), np.zeros_like(z)
        return np.hstack([one, reached]) - np.hstack([reached, none])
    if model in {"gpcm", "pcm"}:
        odds = np.exp(np.arange(1, len(cells)) * cells[0] * z + cells[1:])
    else:
        steps = len(cells) // 2
        odds = np.exp(cells[:steps] * z + cells[steps:])
    whole = np.hstack([np.ones_like(z), odds])
    return whole / whole.sum(axis=1, keepdims=True)


class Plain:
    """Items, populations and answers; parameters as one vector.

    Args:
        design: for the meaning of the vector.
        parameters: of the items, held ones too.
        scores: NaN for missing. Shape ``(persons, items)``.
        nodes: abilities.
        mean: of each group; ``sd``; ``free``: (groups, 2).
        group: of each person.
        covariates: of each person; ``coefficients``: theirs, always free.
    """

    def __init__(self, design, parameters, scores, nodes, *, mean=(0.0,), sd=(1.0,), free=((False, False),), group=None,
                 covariates=None, coefficients=()):  # fmt: skip
        self.design, self.parameters, self.scores, self.nodes = design, parameters, scores, nodes
        self.mean, self.log_sd, self.free = np.array(mean), np.log(sd), np.array(free)
        self.group = np.zeros(len(scores), int) if group is None else group
        self.covariates = np.zeros((len(scores), 0)) if covariates is None else covariates
        self.coefficients = np.array(coefficients)

    @property
    def point(self):
        """Where the parameters are."""
        drawn = np.stack([self.mean, self.log_sd], axis=1)[self.free]
        return np.concatenate([self.design.pack(self.parameters), drawn, self.coefficients])

    def unpacked(self, vector):
        design = self.design
        cells = self.parameters.astype(vector.dtype)
        cells[design.free] = vector[design.index[design.free]]
        drawn = np.stack([self.mean, self.log_sd], axis=1).astype(vector.dtype)
        n = design.n_free + int(self.free.sum())
        drawn[self.free] = vector[design.n_free : n]
        return cells, drawn, vector[n:]

    def joint(self, vector):
        """Chance of each person's answers and of the node. Shape ``(persons, nodes)``."""
        cells, drawn, coefficients = self.unpacked(vector)
        mean, sd = drawn[:, 0], np.exp(drawn[:, 1])
        weight = np.exp(-0.5 * ((self.nodes - mean[:, None]) / sd[:, None]) ** 2)
        total = weight.sum(axis=1)[self.group]
        away = self.nodes - (mean[self.group] + self.covariates @ coefficients)[:, None]
        joint = np.exp(-0.5 * (away / sd[self.group][:, None]) ** 2) / total[:, None]
        for item, model in enumerate(self.design.models):
            chance = category_chances(model, cells[item, : self.design.n_parameters[item]], self.nodes)
            seen = ~np.isnan(self.scores[:, item])
            joint[seen] *= chance[:, self.scores[seen, item].astype(int)].T
        return joint

    def log_prior(self, vector):
        """Normal log densities, without their constants."""
        cells, _, _ = self.unpacked(vector)
        design = self.design
        used = design.prior_precision > 0.0
        value = np.where(design.on_log, np.log(np.where(design.on_log, cells, 1.0)), np.where(used, cells, 0.0))
        return -0.5 * (design.prior_precision * (value - design.prior_mean) ** 2)[used].sum()

    def by_person(self, vector):
        """Log likelihood of each person."""
        return np.log(self.joint(vector).sum(axis=1))

    def person_scores(self):
        """Derivatives of each person's log likelihood. Shape ``(persons, parameters)``."""
        here = self.point.astype(complex)
        return np.stack([self.by_person(here + 1j * STEP * e).imag / STEP for e in np.eye(len(here))], axis=1)

    def gradient(self, point):
        def value(vector):
            return self.by_person(vector).sum() + self.log_prior(vector)

        return np.array([value(point + 1j * STEP * e).imag / STEP for e in np.eye(len(point))])

    def information(self, step=1e-4):
        """Negative Hessian: central differences of exact gradients, one Richardson step."""
        here = self.point.astype(complex)

        def slopes(h):
            return np.stack(
                [(self.gradient(here + h * e) - self.gradient(here - h * e)) / (2 * h) for e in np.eye(len(here))]
            )

        return -(4 * slopes(step) - slopes(2 * step)) / 3

    def expectation(self):
        """Expected answers by code and node; expected persons by group and node; posterior means and SDs."""
        joint = self.joint(self.point)
        posterior = joint / joint.sum(axis=1, keepdims=True)
        counts = np.zeros((self.design.n_codes, len(self.nodes)))
        for item, first in enumerate(self.design.first[:-1]):
            for score in range(self.design.first[item + 1] - first):
                counts[first + score] = posterior[self.scores[:, item] == score].sum(axis=0)
        population = np.stack([posterior[self.group == g].sum(axis=0) for g in range(len(self.mean))])
        mean = posterior @ self.nodes
        return counts, population, mean, np.sqrt(posterior @ self.nodes**2 - mean**2)


def information_of(plain, codes, parts=1, explained=None):
    """Our information at the plain model's point."""
    counts, population, mean, sd = plain.expectation()
    dead = np.zeros(len(GRID.nodes) - GRID.live)

    def padded(table):
        return np.hstack([table, np.tile(dead, (len(table), 1))])

    latents = Latents(
        mean=plain.mean,
        sd=np.exp(plain.log_sd),
        coefficients=plain.coefficients,
        log_density=np.hstack([_log_weights(plain), np.full((len(plain.mean), len(dead)), -np.inf)]),
        free=plain.free,
        explained=np.zeros(0) if explained is None else explained,
    )
    x, groups = plain.covariates, range(len(plain.mean))
    moments = Moments(
        population=padded(population),
        covariates=np.stack([x[plain.group == g].sum(axis=0) for g in groups]),
        products=np.stack([x[plain.group == g].T @ x[plain.group == g] for g in groups]),
        by_covariate=np.stack([x[plain.group == g].T @ mean[plain.group == g] for g in groups]),
    )
    none = np.zeros(plain.design.index.shape, bool)
    solution = Solution(plain.design, plain.parameters, GRID, latents, padded(counts), moments, none)
    whole = Answers.of(codes.start, codes.code, plain.group, plain.covariates)
    return Information(solution, Pieces(whole, np.stack([mean, sd], axis=1), parts))


class Pieces:
    """Answers cut into pieces, as a source larger than memory would."""

    def __init__(self, whole, moments, parts):
        self.whole, self.moments, self.n_answers = whole, moments, whole.n_answers
        self.cuts = np.array_split(np.arange(whole.n_persons), parts)

    def each(self, work, executor):
        return (work(self.whole.some(cut), self.moments[cut], executor) for cut in self.cuts)


def _log_weights(plain):
    weights = -0.5 * ((NODES - plain.mean[:, None]) / np.exp(plain.log_sd)[:, None]) ** 2
    return weights - np.log(np.exp(weights).sum(axis=1, keepdims=True))
