"""Information and standard errors against exact derivatives of the plain marginal likelihood.

Louis's identity holds at any parameters, so nothing is fitted: the parameters are drawn, the answers simulated.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from issmp_calibration.mml import observed
from issmp_calibration.mml.codes import encode
from issmp_calibration.mml.em import Settings, fit, fit_source
from issmp_calibration.mml.information import REASONS, errors_of, source_errors, standard_errors
from issmp_calibration.mml.layout import lay_out
from issmp_calibration.mml.priors import Priors
from issmp_calibration.mml.sources.folder import Folder
from issmp_calibration.mml.sources.memory import InMemory
from issmp_calibration.mml.sources.source import Answers
from issmp_calibration.mml.sources.store import cut, write_shards
from issmp_cat.responses import ResponseLog
from oracle.marginal import NODES, Plain, category_chances, information_of

STEPS = {"grm": 3, "gpcm": 2, "pcm": 3, "nrm": 3}


def draw_cells(model, rng):
    """Working parameters of an item, drawn."""
    slope, steps = rng.uniform(0.7, 1.6), STEPS.get(model, 1)
    if model == "nrm":
        return np.concatenate([np.sort(rng.uniform(0.2, 1.8, steps)), rng.normal(0, 0.7, steps)])
    if model == "grm":
        return np.array([slope, *np.sort(rng.normal(0, 1.2, steps))[::-1] + 0.3 * np.arange(steps)[::-1]])
    if model in {"gpcm", "pcm"}:
        return np.array([1.0 if model == "pcm" else slope, *rng.normal(0, 0.8, steps)])
    one = 1.0 if model == "rasch" else slope
    guess, slip = rng.normal(-1.4, 0.2), rng.normal(-3.0, 0.2)
    return np.array(
        [one, rng.normal(), guess if model in {"3pl", "4pl"} else -np.inf, slip if model == "4pl" else -np.inf]
    )


def simulate(models, persons=160, *, seed=1, missing=0.2, group=None, covariates=None, priors=None, held=None, ties=(),
             **population):  # fmt: skip
    """A plain model with its answers; and the codes."""
    rng = np.random.default_rng(seed)
    cells = [draw_cells(model, rng) for model in models]
    mean, sd = np.array(population.get("mean", [0.0])), np.array(population.get("sd", [1.0]))
    which = np.zeros(persons, int) if group is None else group
    theta = rng.normal(mean[which], sd[which])
    if covariates is not None:
        theta += covariates @ np.array(population["coefficients"])
    chances = [category_chances(model, own, theta) for model, own in zip(models, cells, strict=True)]
    scores = np.stack([(rng.random(persons)[:, None] > p.cumsum(axis=1)).sum(axis=1) for p in chances], axis=1).astype(
        float
    )
    scores[:, 1:][rng.random((persons, len(models) - 1)) < missing] = np.nan  # everyone answers the first item
    log = ResponseLog.from_wide(scores)
    assert len(log.persons) == persons
    codes = encode(log, np.isin(models, list(STEPS)), which)
    assert codes.n_items == len(models)
    assert codes.n_persons == persons
    design = lay_out(codes, models, Priors() if priors is None else priors, held, ties)
    parameters = np.zeros(design.index.shape)
    for item, own in enumerate(cells):
        parameters[item, : len(own)] = own
    # Cells that share a value take that of the first.
    for place in np.unique(design.index[design.free]):
        shared = design.index == place
        parameters[shared] = parameters[shared][0]
    plain = Plain(design, parameters, scores, NODES, group=which, covariates=covariates, **population)
    return plain, codes


def symmetric(upper):
    return np.triu(upper) + np.triu(upper, 1).T


MIXED = ["2pl", "grm", "3pl", "nrm", "gpcm", "rasch", "4pl", "pcm"]
TWO = {"mean": [0.0, 0.4], "sd": [1.0, 1.3], "free": [[False, False], [True, True]]}
RNG = np.random.default_rng(5)
CASES = {
    "2pl": {"models": ["2pl"] * 6},
    "3pl with its priors": {"models": ["3pl"] * 6, "priors": Priors.default("3pl")},
    "4pl": {"models": ["4pl"] * 4},
    "rasch and pcm": {"models": ["rasch", "rasch", "pcm"]},
    "1pl": {"models": ["1pl"] * 6},
    "grm": {"models": ["grm"] * 4},
    "gpcm": {"models": ["gpcm"] * 4},
    "nrm": {"models": ["nrm"] * 4},
    "mixed": {"models": MIXED},
    "held and equal": {"models": MIXED[:5], "held": {(0, 0): 1.0}, "ties": [[(1, 0), (4, 0)], [(3, 0), (3, 1)]]},
    "two groups": {"models": MIXED[:4], "group": np.repeat([0, 1], [70, 90]), **TWO},
    "rasch with free groups": {
        "models": ["2pl"] * 5,
        "held": {(k, 0): 1.0 for k in range(5)},
        "group": np.repeat([0, 1], [70, 90]),
        **TWO,
        "free": [[False, True], [True, True]],
    },
    "regression": {
        "models": ["2pl", "grm", "2pl"],
        "covariates": RNG.normal(size=(160, 3)) - 0.1,
        "coefficients": [0.5, -0.3, 0.1],
        "free": [[True, True]],
    },
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def case(request):
    return simulate(**request.param)


@pytest.mark.parametrize("dense", [True, False])
def test_observed_information_is_the_negative_hessian(case, dense, monkeypatch):
    plain, codes = case
    monkeypatch.setattr("issmp_calibration.mml.missing.DENSE", 0.0 if dense else 2.0)
    expected = plain.information()
    scale = np.sqrt(np.abs(np.diagonal(expected)))
    found = symmetric(information_of(plain, codes, parts=2).observed())
    assert_allclose(found / np.outer(scale, scale), expected / np.outer(scale, scale), atol=2e-8)


@pytest.mark.parametrize("dense", [True, False])
def test_cross_product_is_that_of_the_persons_scores(case, dense, monkeypatch):
    plain, codes = case
    monkeypatch.setattr("issmp_calibration.mml.missing.DENSE", 0.0 if dense else 2.0)
    scores = plain.person_scores()
    expected = scores.T @ scores
    found = symmetric(information_of(plain, codes, parts=2).cross_product())
    scale = np.sqrt(np.diagonal(expected))
    assert_allclose(found / np.outer(scale, scale), expected / np.outer(scale, scale), atol=1e-8)


def test_sandwich_stands_between():
    plain, codes = simulate(["2pl"] * 5, 300, seed=3)
    information = information_of(plain, codes)
    inverse = np.linalg.inv(plain.information())
    scores = plain.person_scores()
    expected = inverse @ scores.T @ scores @ inverse
    found = errors_of(information, "sandwich")
    for item in range(5):
        own = slice(2 * item, 2 * item + 2)
        assert_allclose(found.covariance[item, :2, :2], expected[own, own], rtol=1e-6)


def test_errors_are_blocks_of_the_inverse(case):
    plain, codes = case
    found = errors_of(information_of(plain, codes))
    information = plain.information()
    free = plain.design.free
    if np.linalg.eigvalsh(information)[0] <= 0.0:
        # Nothing was fitted: where the curve is no hill, some cell must go without.
        assert not (found.known[free].all() and found.population_known[:, :2][plain.free].all())
        return
    inverse = np.linalg.inv(information)
    assert_array_equal(found.known, free)
    for item in range(plain.design.n_items):
        there = plain.design.index[item, free[item]]
        own = found.covariance[item][np.ix_(free[item], free[item])]
        assert_allclose(own, inverse[np.ix_(there, there)], rtol=1e-4, atol=1e-6 * np.abs(own).max())
    expected = np.sqrt(np.diagonal(inverse))[plain.design.n_free :]
    n_group = int(plain.free.sum())
    assert_allclose(found.population_deviations[:, :2][plain.free], expected[:n_group], rtol=1e-5)
    assert_allclose(found.population_deviations[0, 2:], expected[n_group:], rtol=1e-5)


def test_a_cell_at_its_bound_has_a_reason_and_leaves_the_others_alone():
    plain, codes = simulate(["3pl"] * 5, 400, seed=4, priors=Priors.default("3pl"))
    plain.parameters[2, 2] = plain.design.lower[2, 2]
    found = errors_of(information_of(plain, codes))
    assert found.reasons(2) == {2: "at_bound"}
    assert found.known[2].tolist() == [True, True, False, False]
    assert REASONS[found.reason[2, 3]] == "held"
    assert found.reasons(0) == {}
    assert (found.deviations[found.known] > 0.0).all()
    assert np.isfinite(found.deviations[found.known]).all()
    # As if it were held there.
    held, codes = simulate(
        ["3pl"] * 5, 400, seed=4, priors=Priors.default("3pl"), held={(2, 2): plain.design.lower[2, 2]}
    )
    held.parameters[2, 2], held.scores = plain.parameters[2, 2], plain.scores
    assert_allclose(found.deviations[2, :2], errors_of(information_of(held, codes)).deviations[2, :2], rtol=1e-6)


def test_an_item_whose_parameters_cannot_be_told_apart_is_said_to_be_so():
    """Two candidates answered the last item: its slope and its intercept are one question."""
    plain, codes = simulate(["2pl"] * 8, 500, seed=6)
    plain.scores[2:, 7] = np.nan
    plain.scores[:2, 7] = 0.0, 1.0
    plain.parameters[7, :2] = 9.0, 0.0
    codes = encode(ResponseLog.from_wide(plain.scores))
    found = errors_of(information_of(plain, codes))
    assert found.known[:7, :2].all()
    assert not found.known[7].any()
    assert set(found.reasons(7).values()) <= {"not_identified", "singular_information"}


@pytest.mark.parametrize("executor", [1, 2])
def test_many_answers_and_windows_give_the_errors_of_every_node(executor, monkeypatch):
    """Float32, windows and a few polynomials, against float64 on every node."""
    rng = np.random.default_rng(8)
    plain, codes = simulate(["2pl", "grm", "3pl"] * 10, 1500, seed=9, group=rng.integers(0, 2, 1500), **TWO)
    exact = errors_of(information_of(plain, codes))
    monkeypatch.setattr(observed, "SMALL", 1000)
    monkeypatch.setattr(observed, "EXACT", 1000)
    information = information_of(plain, codes)
    with ThreadPoolExecutor(executor) as threads:
        information.executor = threads
        quick = errors_of(information)
    assert quick.orders < 40
    assert_allclose(quick.deviations[exact.known], exact.deviations[exact.known], rtol=1e-3)
    assert_allclose(quick.population_deviations[1], exact.population_deviations[1], rtol=1e-3)


def test_errors_of_new_items_hold_those_of_the_anchors():
    """Against the change of the estimates when the anchors move, found by fitting again."""
    rng = np.random.default_rng(12)
    theta, slope, intercept = rng.normal(size=400), rng.uniform(0.8, 1.6, 6), rng.normal(0, 0.8, 6)
    scores = (rng.random((400, 6)) < 1 / (1 + np.exp(-(slope * theta[:, None] + intercept)))).astype(float)
    codes = encode(ResponseLog.from_wide(scores))
    factor = rng.normal(0, 0.5, (3, 2, 2))
    anchors = np.zeros((6, 4, 4))
    anchors[:3, :2, :2] = factor @ np.swapaxes(factor, 1, 2) + 0.002 * np.eye(2)

    def fitted(moves):
        cells = np.stack([slope, intercept], axis=1)[:3] + moves
        held = {(item, cell): float(cells[item, cell]) for item in range(3) for cell in range(2)}
        design = lay_out(codes, "2pl", Priors(), held)
        return design, fit(codes, design, Settings(tolerance=1e-8, refine=False))

    design, found = fitted(np.zeros((3, 2)))
    errors = standard_errors(codes, design, found, anchors=anchors)
    without = standard_errors(codes, design, found)
    assert_array_equal(errors.known, without.known)
    h, moved = 1e-4, np.zeros((3, 2, 6, 2))
    for item in range(3):
        for cell in range(2):
            step = np.zeros((3, 2))
            step[item, cell] = h
            moved[item, cell] = (fitted(step)[1].parameters[:, :2] - fitted(-step)[1].parameters[:, :2]) / (2 * h)
    for item in range(3, 6):
        change = moved[:, :, item]
        added = np.einsum("acp,acd,adq->pq", change, anchors[:3, :2, :2], change)
        expected = without.covariance[item, :2, :2] + added
        assert (np.diagonal(added) > 0.05 * np.diagonal(expected)).all()  # not by luck: the anchors' share is large
        assert_allclose(errors.covariance[item, :2, :2], expected, rtol=1e-3)


def test_an_sd_that_follows_from_the_coefficients_is_no_parameter_of_its_own():
    """By the chain rule from the information in which it is one."""
    rng = np.random.default_rng(15)
    x = rng.normal(size=(160, 2))
    plain, codes = simulate(
        ["2pl"] * 4, covariates=x - x.mean(axis=0), coefficients=[0.4, -0.2], free=[[False, True]], sd=[0.9]
    )
    whole = plain.information()
    n = plain.design.n_free
    explained = np.array([-0.3, 0.2])
    along = np.eye(n + 3)[:, np.r_[:n, n + 1, n + 2]]
    along[n, n:] = explained
    expected = along.T @ whole @ along
    plain.free = np.array([[False, False]])
    found = symmetric(information_of(plain, codes, explained=explained).observed())
    assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


def test_a_folder_of_shards_gives_the_errors_of_the_answers_in_memory(tmp_path, monkeypatch):
    _, codes = simulate(["2pl"] * 10, 2_000, seed=21)
    answers = Answers.of(codes.start, codes.code)
    monkeypatch.setattr("issmp_calibration.mml.observed.EXACT", 1_000)
    design = lay_out(codes, "2pl")
    memory = InMemory(answers, codes.first)
    found = fit_source(memory, design, codes.counts[codes.items], Settings())
    expected = source_errors(memory, design, found)
    folder = Folder(write_shards(cut(answers, 700), tmp_path, [2] * 10))
    again = fit_source(folder, design, codes.counts[codes.items], Settings())
    errors = source_errors(folder, design, again)
    assert errors.known[:, :2].all()
    assert_allclose(errors.deviations[:, :2], expected.deviations[:, :2], rtol=1e-5)
    assert_allclose(errors.covariance, standard_errors(codes, design, found).covariance, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("kind", ["observed", "crossproduct", "sandwich"])
def test_intervals_cover_the_truth(kind):
    """Forty small studies of items of several models, 95 % intervals of every parameter, pooled."""
    rng, models = np.random.default_rng(30), ["2pl", "grm", "gpcm", "2pl", "grm", "2pl"]
    cells = [draw_cells(model, rng) for model in models]
    inside = []
    for _ in range(40):
        theta = rng.normal(size=500)
        chances = [category_chances(model, own, theta) for model, own in zip(models, cells, strict=True)]
        scores = np.stack([(rng.random(500)[:, None] > p.cumsum(axis=1)).sum(axis=1) for p in chances], axis=1)
        codes = encode(ResponseLog.from_wide(scores.astype(float)), np.isin(models, list(STEPS)))
        if codes.n_items < len(models):
            continue
        design = lay_out(codes, models, Priors())
        found = fit(codes, design, Settings(refine=False))
        errors = standard_errors(codes, design, found, kind=kind)
        truth = np.zeros(design.index.shape)
        for item, own in enumerate(cells):
            truth[item, : len(own)] = own
        away = np.abs(found.parameters[errors.known] - truth[errors.known])
        inside.append(away < 1.96 * errors.deviations[errors.known])
    # 40 × 17 intervals that go together within a study: 0.95 to within three times 0.011.
    assert len(inside) > 30
    assert abs(np.concatenate(inside).mean() - 0.95) < 0.033
