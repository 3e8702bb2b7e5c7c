"""Every way of passing over the answers against the plain float64 sum over all nodes, person after person."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from issmp_calibration.mml.blocks import pack
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.sources.memory import InMemory
from issmp_calibration.mml.sources.source import Answers, Regression, Request

GRID = Grid.spaced(6.0, 61)


def draw(persons, items, scores=2, seed=1, share=1.0):
    """Answers to items with so many scores, each given with some chance; and a table of log probabilities."""
    rng = np.random.default_rng(seed)
    first = np.arange(items + 1) * scores
    slope, step = np.exp(rng.normal(0, 0.3, items)), np.sort(rng.normal(0, 1, (items, scores - 1)))
    steps = slope[:, None, None] * (GRID.nodes - step[:, :, None])
    log_odds = np.concatenate([np.zeros((items, 1, 64)), np.cumsum(steps, axis=1)], axis=1)
    table = log_odds - np.log(np.exp(log_odds).sum(axis=1, keepdims=True))
    theta = rng.normal(size=persons)
    node = np.abs(GRID.nodes - theta[:, None]).argmin(axis=1)
    chance = np.exp(table)[:, :, node].transpose(2, 0, 1)
    score = (rng.random((persons, items, 1)) > np.cumsum(chance, axis=2)).sum(axis=2)
    given = rng.random((persons, items)) < share
    given[:, 0] = True
    start = np.concatenate([[0], np.cumsum(given.sum(axis=1))])
    code = (first[:-1] + np.minimum(score, scores - 1))[given].astype(np.uint16)
    table[:, :, GRID.live :] = 0.0
    return Answers.of(start, code), first, table.reshape(-1, 64)


def plain(answers, table, log_density):
    """Posteriors, their sums and the log likelihood; log_density has a row a person."""
    joint = np.add.reduceat(table[answers.code], answers.start[:-1], axis=0) + log_density
    marginal = np.logaddexp.reduce(joint, axis=1)
    posterior = np.exp(joint - marginal[:, None])
    counts = np.zeros(table.shape)
    np.add.at(counts, answers.code, np.repeat(posterior, np.diff(answers.start), axis=0))
    return posterior, counts, marginal.sum()


def normal(mean, sd):
    """Log weights of a normal density on the nodes."""
    density = norm.logpdf(GRID.nodes, mean, sd) + np.log(GRID.spacing)
    return np.where(np.arange(64) < GRID.live, density, -np.inf)


def agrees(found, answers, table, log_density, rtol, atol):
    posterior, counts, log_likelihood = plain(answers, table, log_density)
    mean = posterior @ GRID.nodes
    assert_allclose(found.log_likelihood, log_likelihood, rtol=rtol)
    assert_allclose(found.counts, counts, atol=atol * counts.max())
    assert_allclose(found.mean, mean, atol=100 * atol)
    variance = (posterior * (GRID.nodes - mean[:, None]) ** 2).sum(axis=1)
    assert_allclose(found.sd, np.sqrt(variance), atol=1000 * atol)
    return posterior


COMPLETE = draw(1_500, 37)
SOME_LEFT_OUT = draw(1_500, 60, seed=2, share=0.97)
SPARSE = draw(1_500, 120, seed=3, share=0.2)
THREE_SCORES = draw(1_500, 25, scores=3, seed=4)
LOGS = {"complete": COMPLETE, "some left out": SOME_LEFT_OUT, "sparse": SPARSE, "three scores": THREE_SCORES}


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("windowed", [False, True])
def test_a_pass_is_the_plain_sum(name, kind, windowed):
    answers, first, table = LOGS[name]
    density = normal(0.1, 1.1)[None]
    source = InMemory(answers, first)
    source.expect(Request(table.astype(kind), GRID, density))
    found = source.expect(Request(table.astype(kind), GRID, density, windowed=windowed))
    exact = (1e-13, 1e-13) if not windowed else (1e-10, 5e-9)
    rtol, atol = exact if kind is np.float64 else (1e-7, 5e-6)
    posterior = agrees(found, answers, table, density, rtol, atol)
    assert_allclose(found.population[0], posterior.sum(axis=0), atol=1e3 * atol)


def test_complete_answers_are_packed_seven_to_a_row():
    answers, first, _ = COMPLETE
    assert len(pack(answers.start, answers.code, first).row) == 6 * answers.n_persons
    answers, first, _ = THREE_SCORES
    assert len(pack(answers.start, answers.code, first).row) == 7 * answers.n_persons  # 3⁴ = 81 patterns
    answers, first, _ = SPARSE
    assert pack(answers.start, answers.code, first).row is answers.code


def test_booklets_are_packed_wherever_their_items_stand():
    """Two booklets over shuffled items with a common part: items with the same persons share blocks."""
    answers, first, table = draw(1_600, 48, seed=5)
    rng = np.random.default_rng(5)
    shuffled = rng.permutation(48)
    seen = np.zeros((1_600, 48), bool)
    seen[:800, shuffled[:32]] = seen[800:, shuffled[16:]] = True
    kept = Answers.of(np.arange(1_601) * 32, answers.code[seen.ravel()])
    source = InMemory(kept, first)
    assert len(pack(kept.start, kept.code, first).row) == 6 * 1_600
    density = normal(0.0, 1.0)[None]
    agrees(source.expect(Request(table, GRID, density)), kept, table, density, 1e-13, 1e-13)


@pytest.mark.parametrize("name", ["complete", "sparse"])
def test_groups_have_densities_of_their_own(name):
    answers, first, table = LOGS[name]
    group = np.random.default_rng(6).integers(0, 3, answers.n_persons)
    several = Answers.of(answers.start, answers.code, group)
    density = np.stack([normal(-0.5, 0.8), normal(0.0, 1.0), normal(0.7, 1.3)])
    found = InMemory(several, first, 3).expect(Request(table, GRID, density))
    posterior = agrees(found, answers, table, density[group], 1e-13, 1e-13)
    for which in range(3):
        assert_allclose(found.population[which], posterior[group == which].sum(axis=0), atol=1e-9)


def test_a_population_without_a_density_is_an_error():
    answers, first, table = SPARSE
    several = Answers.of(answers.start, answers.code, np.arange(answers.n_persons) % 2)
    with pytest.raises(ValueError, match="population 1, but densities of 1"):
        InMemory(several, first, 2).expect(Request(table, GRID, normal(0.0, 1.0)[None]))


def test_covariates_move_each_persons_density():
    answers, first, table = COMPLETE
    rng = np.random.default_rng(7)
    covariates, group = rng.normal(size=(answers.n_persons, 2)), rng.integers(0, 2, answers.n_persons)
    given = Answers.of(answers.start, answers.code, group, covariates)
    mean, sd, coefficients = np.array([0.0, 0.4]), np.array([0.9, 1.1]), np.array([0.3, -0.5])
    centre = mean[group] + covariates @ coefficients
    own = np.stack([normal(one, two) for one, two in zip(centre, sd[group], strict=True)])
    density = np.stack([normal(0.0, 0.9), normal(0.4, 1.1)])
    source = InMemory(given, first, 2)
    found = source.expect(Request(table, GRID, density, Regression(coefficients, mean, sd)))
    posterior = agrees(found, answers, table, own, 1e-12, 1e-12)
    products = covariates * (posterior @ GRID.nodes)[:, None]
    assert_allclose(found.by_covariate, [products[group == which].sum(axis=0) for which in (0, 1)], atol=1e-9)
    sums = source.population()
    assert_array_equal(sums.persons, np.bincount(group))
    assert_allclose(sums.products[1], covariates[group == 1].T @ covariates[group == 1])


def test_a_share_is_every_so_manyth_person_scaled_up():
    answers, first, table = SPARSE
    density = normal(0.0, 1.0)[None]
    source = InMemory(answers, first)
    found = source.expect(Request(table, GRID, density, share=0.25))
    part = answers.some(np.arange(0, answers.n_persons, 4))
    _, counts, log_likelihood = plain(part, table, density)
    assert_allclose(found.counts, 4.0 * counts, atol=1e-9)
    assert_allclose(found.log_likelihood, 4.0 * log_likelihood, rtol=1e-12)
    windowed = source.expect(Request(table, GRID, density, windowed=True))  # three in four have no window yet
    agrees(windowed, answers, table, density, 1e-10, 5e-9)


def test_a_sample_is_spread_evenly():
    answers, first, _ = SPARSE
    found = InMemory(answers, first).sample(5)
    assert found.n_persons == 5
    for place, person in enumerate([0, 300, 600, 900, 1200]):
        mine = slice(answers.start[person], answers.start[person + 1])
        assert_array_equal(found.code[found.start[place] : found.start[place + 1]], answers.code[mine])


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_threads_do_not_change_a_bit(kind, monkeypatch):
    monkeypatch.setattr("issmp_calibration.mml.windows.CHUNK_ANSWERS", 1_000)
    answers, first, table = COMPLETE
    group = np.random.default_rng(6).integers(0, 2, answers.n_persons)
    several = Answers.of(answers.start, answers.code, group)
    request = Request(table.astype(kind), GRID, np.stack([normal(0.0, 1.0), normal(0.3, 1.2)]))

    def run(executor):
        source = InMemory(several, first, 2)
        source.expect(request, executor)
        return source.expect(request._replace(windowed=True), executor)

    alone = run(None)
    with ThreadPoolExecutor(3) as executor:
        together = run(executor)
    for field in ("counts", "population", "mean", "sd", "log_likelihood"):
        assert_array_equal(getattr(alone, field), getattr(together, field))
