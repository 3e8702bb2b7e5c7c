"""Every family of models against finite differences, against the engine's own curves, and against itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax

from issmp_calibration.mml.expansion import absorb
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.layout import lay_out
from issmp_calibration.mml.models import FAMILIES, log_table
from issmp_calibration.mml.models.dispatch import chances, expected, terms
from issmp_calibration.mml.models.family import GRADED, LOGISTIC, NOMINAL, PARTIAL
from issmp_cat.irt import build_parameters, category_curves

ROWS = {
    "2PL": (LOGISTIC, [1.3, -0.4, -np.inf, -np.inf]),
    "3PL": (LOGISTIC, [1.3, -0.4, -1.2, -np.inf]),
    "4PL": (LOGISTIC, [0.7, 0.6, -1.5, -2.5]),
    "4PL, negative": (LOGISTIC, [-0.9, 0.6, -1.5, -2.5]),
    "graded": (GRADED, [1.4, 2.0, 0.1, -1.7]),
    "graded, close thresholds": (GRADED, [0.8, 0.5, 0.49, -1.0]),
    "partial credit": (PARTIAL, [0.9, 0.8, 1.1, -0.6]),
    "nominal": (NOMINAL, [0.5, -0.8, 1.6, 0.3, 0.2, -1.0]),
}
THETA = np.array([-5.5, -1.3, 0.0, 0.7, 4.8])


def n_scores(kind, row):
    return {LOGISTIC: 2, GRADED: len(row), PARTIAL: len(row), NOMINAL: len(row) // 2 + 1}[kind]


def logs(kind, row, theta):
    found = np.empty(n_scores(kind, row))
    chances(kind, np.array(row), theta, found)
    return found


def all_terms(kind, row, theta):
    n, width = n_scores(kind, row), len(row)
    found = np.empty(n), np.zeros((n, width)), np.zeros((n, width, width))
    terms(kind, np.array(row), theta, *found)
    return found


@pytest.fixture(params=ROWS, scope="module")
def item(request):
    kind, row = ROWS[request.param]
    return kind, np.array(row)


@pytest.mark.parametrize("theta", THETA)
def test_derivatives_are_those_of_the_log_probability(item, theta):
    kind, row = item
    log_chance, score, curvature = all_terms(kind, row, theta)
    assert_allclose(log_chance, logs(kind, row, theta), rtol=1e-13)
    h = 1e-5
    for cell in np.flatnonzero(np.isfinite(row)):
        up, down = row.copy(), row.copy()
        up[cell] += h
        down[cell] -= h
        by_cell = (logs(kind, up, theta) - logs(kind, down, theta)) / (2 * h)
        assert_allclose(score[:, cell], by_cell, rtol=1e-5, atol=1e-8)
        bend = (all_terms(kind, up, theta)[1] - all_terms(kind, down, theta)[1]) / (2 * h)
        scale = np.abs(curvature).max()
        assert_allclose(curvature[:, cell], bend, rtol=1e-5, atol=1e-7 * max(scale, 1.0))


def test_chances_add_up_to_one_far_out_too(item):
    kind, row = item
    for theta in (-400.0, *THETA, 400.0):
        assert_allclose(np.exp(logs(kind, row, theta)).sum(), 1.0, rtol=1e-12)


def test_curves_are_the_engines_and_multinomial_logits(item):
    kind, row = item
    if kind == NOMINAL:
        slopes, intercepts = np.split(row, 2)
        logits = np.pad(np.outer(THETA, slopes) + intercepts, ((0, 0), (1, 0)))
        ours = np.exp(np.column_stack([logs(kind, row, theta) for theta in THETA]))
        assert_allclose(ours, softmax(logits, axis=1).T, rtol=1e-12)
        return
    natural = FAMILIES[kind].natural(row[None])[0][0]
    c, d = (natural[2], natural[3]) if kind == LOGISTIC else (0.0, 1.0)
    steps = natural[1:2] if kind == LOGISTIC else natural[1:]
    theirs = build_parameters(*(np.array([x]) for x in (natural[0], steps.mean(), c, d, kind)), [steps])
    ours = np.exp(np.column_stack([logs(kind, row, theta) for theta in THETA]))
    assert_allclose(ours, category_curves(THETA, theirs), rtol=1e-12)


def test_parameters_come_back_from_those_people_read(item):
    kind, row = item
    family = FAMILIES[kind]
    natural, jacobian = (part[0] for part in family.natural(row[None]))
    assert_allclose(family.working(natural), row, rtol=1e-12)
    h = 1e-6
    for cell in np.flatnonzero(np.isfinite(row)):
        up, down = row.copy(), row.copy()
        up[cell] += h
        down[cell] -= h
        slope = (family.natural(up[None])[0] - family.natural(down[None])[0])[0] / (2 * h)
        assert_allclose(jacobian[:, cell], slope, atol=1e-8)


def test_the_quick_way_without_asymptotes_is_the_general_one():
    """A guessing chance of e^-40 is none, but goes the long way round."""
    counts, nodes = np.random.default_rng(1).random((2, 61)), np.linspace(-6, 6, 61)
    quick, slow = (np.zeros(4), np.zeros((4, 4))), (np.zeros(4), np.zeros((4, 4)))
    row = np.array([1.2, 0.3, -np.inf, -np.inf])
    value = expected(LOGISTIC, counts, nodes, row, *quick)
    other = expected(LOGISTIC, counts, nodes, np.array([1.2, 0.3, -40.0, -np.inf]), *slow)
    assert_allclose(value, other, rtol=1e-13)
    assert_allclose(quick[0][:2], slow[0][:2], rtol=1e-10)
    assert_allclose(quick[1][:2, :2], slow[1][:2, :2], rtol=1e-10)


class Answers:
    """As much of codes as a design needs."""

    def __init__(self, scores):
        self.first = np.concatenate([[0], np.cumsum(scores)])
        self.n_items = len(scores)


def test_taking_mean_and_sd_out_of_the_population_changes_no_probability():
    names, rows = (
        ["4pl", "grm", "gpcm", "nrm"],
        [ROWS[name][1] for name in ("4PL", "graded", "partial credit", "nominal")],
    )
    design = lay_out(Answers([2, 4, 4, 4]), names)
    cells = np.zeros(design.index.shape)
    for k, row in enumerate(rows):
        cells[k, : len(row)] = row
    grid = Grid.spaced()
    moved = absorb(design, absorb(design, cells, 0.4, 0.0), 0.0, np.log(1.3))
    there = Grid((grid.nodes - 0.4) / 1.3, grid.live)
    assert_allclose(log_table(design, moved, there), log_table(design, cells, grid), atol=1e-12)
