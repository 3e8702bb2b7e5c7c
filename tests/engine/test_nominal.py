"""The nominal response model: against scipy's softmax, finite differences, and the models it contains."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq, minimize_scalar
from scipy.special import log_softmax, softmax

from issmp_cat import Exam, Item, ItemBank
from issmp_cat.ability import build_grid, maximise, posterior_moments, update_posterior
from issmp_cat.ability.maximum import MAP, ML, WLE
from issmp_cat.bank.nominal import slope_and_place
from issmp_cat.errors import BankError, SessionError
from issmp_cat.exam import plan_exam
from issmp_cat.irt import (
    NOMINAL,
    answer_terms,
    category_curves,
    category_probability,
    category_rates,
    draw_score,
    highest_score,
    item_information,
    select,
)
from issmp_cat.random import RESPONSE, uniform
from issmp_cat.selection import new_state
from issmp_simulations.kernel import Pace, new_records, run_exams

THETA = np.linspace(-4, 4, 33)
# Two to five categories; slopes of either sign, the best category first, last and between.
SLOPES = [(0.9,), (-1.2, 0.4, 0.8), (0.7, 1.9), (0.3, -0.5, 1.1, 0.2), (-0.8, -0.1)]
INTERCEPTS = [(0.4,), (0.3, -0.6, 1.0), (1.4, -0.2), (0.0, 0.5, -1.2, 2.0), (0.0, 0.9)]


def nominal(k, **fields):
    return Item(id=f"n{k}", domain="D1", model="nrm", slopes=SLOPES[k], intercepts=INTERCEPTS[k], **fields)


OTHERS = [
    Item(id="right", domain="D1", model="3pl", a=1.3, b=0.2, c=0.2),
    Item(id="graded", domain="D1", model="grm", a=1.1, steps=(-0.5, 0.8)),
    Item(id="credit", domain="D1", model="gpcm", a=0.9, steps=(0.6, -0.4)),
]
# In between, so that rows of one kind are not neighbours.
ITEMS = [nominal(0), OTHERS[0], nominal(1), nominal(2), OTHERS[1], nominal(3), OTHERS[2], nominal(4)]
BANK = ItemBank.from_items(ITEMS)
PARAMETERS = BANK.parameters
PLACES = [k for k, item in enumerate(ITEMS) if item.model == "nrm"]


def log_odds(item, theta):
    """Bock's multinomial logit with category 0 at 0. Shape (categories, points)."""
    slopes, intercepts = ([0.0, *ITEMS[item].slopes], [0.0, *ITEMS[item].intercepts])
    return np.outer(slopes, np.atleast_1d(theta)) + np.array(intercepts)[:, None]


def chances(theta, item):
    return softmax(log_odds(item, theta), axis=0)


def derivatives(theta, item, h=1e-3):
    """First and second of the chances, by five points: good to 1e-9."""
    at = {k: chances(theta + k * h, item) for k in (-2, -1, 0, 1, 2)}
    first = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * h)
    second = (-at[2] + 16 * at[1] - 30 * at[0] + 16 * at[-1] - at[-2]) / (12 * h * h)
    return first, second


# ---- the model


@pytest.mark.parametrize("item", PLACES)
def test_chances_are_the_softmax_of_slopes_and_intercepts(item):
    assert PARAMETERS.kind[item] == NOMINAL
    rows = slice(PARAMETERS.first[item], PARAMETERS.first[item + 1])
    assert_allclose(category_curves(THETA, PARAMETERS)[rows], chances(THETA, item), rtol=1e-13)
    for theta in THETA.tolist():
        one = [category_probability(PARAMETERS, item, s, theta) for s in range(highest_score(PARAMETERS, item) + 1)]
        assert_allclose(one, chances(theta, item)[:, 0], rtol=1e-13)


@pytest.mark.parametrize("theta", [-60.0, 60.0])
def test_far_out_nothing_overflows(theta):
    table = category_curves(np.array([theta]), PARAMETERS)
    assert_allclose(np.add.reduceat(table[:, 0], PARAMETERS.first[:-1]), 1.0, rtol=1e-14)
    for item in PLACES:
        for score in range(highest_score(PARAMETERS, item) + 1):
            log_chance, rise, info, j = answer_terms(PARAMETERS, item, score, theta)
            assert log_chance == pytest.approx(log_softmax(log_odds(item, theta), axis=0)[score, 0], rel=1e-12)
            assert all(map(math.isfinite, (rise, info, j)))


@pytest.mark.parametrize("item", PLACES)
@pytest.mark.parametrize("theta", [-3.0, -0.8, 0.0, 0.405, 2.5])
def test_what_an_answer_says_is_what_differences_of_its_chance_say(item, theta):
    first, second = derivatives(np.array([theta]), item)
    p = chances(theta, item)[:, 0]
    for score in range(len(p)):
        log_chance, rise, info, j = answer_terms(PARAMETERS, item, score, theta)
        assert log_chance == pytest.approx(math.log(p[score]), abs=1e-12)
        assert rise == pytest.approx(first[score, 0] / p[score], abs=1e-7)
        assert info == pytest.approx((first[:, 0] ** 2 / p).sum(), abs=1e-8)
        assert j == pytest.approx((first[:, 0] * second[:, 0] / p).sum(), abs=1e-6)


@pytest.mark.parametrize("item", PLACES)
def test_tabulated_information_is_squared_slope_over_chance(item):
    first, _ = derivatives(THETA, item)
    rows = slice(PARAMETERS.first[item], PARAMETERS.first[item + 1])
    assert_allclose(category_rates(THETA, PARAMETERS)[1][rows], first, atol=1e-8)
    expected = (first**2 / chances(THETA, item)).sum(axis=0)
    assert_allclose(item_information(THETA, PARAMETERS)[:, item], expected, rtol=1e-6, atol=1e-9)


def test_items_of_other_models_are_untouched_by_nominal_neighbours():
    """Bit for bit."""
    others = [k for k in range(len(ITEMS)) if k not in PLACES]
    alone = ItemBank.from_items(OTHERS).parameters
    assert_array_equal(item_information(THETA, PARAMETERS)[:, others], item_information(THETA, alone))
    rows = np.concatenate([np.arange(PARAMETERS.first[k], PARAMETERS.first[k + 1]) for k in others])
    assert_array_equal(category_curves(THETA, PARAMETERS)[rows], category_curves(THETA, alone))


def test_partial_credit_is_the_nominal_model_with_slopes_that_rise_evenly():
    """d_k = −a (b_1 + … + b_k): the same curves, terms, slope and place."""
    credit = Item(id="p", domain="D1", model="gpcm", a=1.3, steps=(0.7, -0.9, 0.4))
    same = Item(
        id="p", domain="D1", model="nrm", slopes=(1.3, 2.6, 3.9), intercepts=tuple(-1.3 * np.cumsum(credit.steps))
    )
    one, other = (ItemBank.from_items([item]).parameters for item in (credit, same))
    assert_allclose(category_curves(THETA, other), category_curves(THETA, one), rtol=1e-12)
    assert_allclose(item_information(THETA, other), item_information(THETA, one), rtol=1e-12)
    for score in range(4):
        assert_allclose(answer_terms(other, 0, score, 0.7), answer_terms(one, 0, score, 0.7), rtol=1e-11, atol=1e-13)
    assert same.a == pytest.approx(1.3, rel=1e-14)


def test_with_two_categories_it_is_the_two_parameter_model():
    two = Item(id="i", domain="D1", model="nrm", slopes=(1.7,), intercepts=(0.51,))
    assert (two.a, two.b) == pytest.approx((1.7, -0.3), rel=1e-14)
    plain = ItemBank.from_items([Item(id="i", domain="D1", a=1.7, b=-0.3)]).parameters
    assert_allclose(category_curves(THETA, ItemBank.from_items([two]).parameters), category_curves(THETA, plain))


@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(-4, 4)), min_size=1, max_size=6), st.floats(0.3, 3), st.floats(-2, 2)
)
def test_slope_and_place_move_with_the_scale_as_a_and_b_do(categories, unit, origin):
    slopes, intercepts = map(list, zip(*categories, strict=True))
    a, b = slope_and_place(slopes, intercepts)
    moved = [s / unit for s in slopes], [i - s * origin / unit for s, i in categories]
    if a > 0.05 and abs(b) < 40 / unit - 2:
        assert slope_and_place(*moved) == pytest.approx((a / unit, unit * b + origin), rel=1e-6, abs=1e-6)


def test_a_selection_of_items_keeps_its_slopes():
    part = select(PARAMETERS, np.array([5, 1, 2]))
    assert_allclose(category_curves(THETA, part)[:5], chances(THETA, 5), rtol=1e-13)
    assert part.slopes.tolist()[5:7] == [0.0, 0.0]


# ---- draws and abilities


@pytest.mark.parametrize("item", PLACES)
def test_draws_fall_on_each_category_as_often_as_its_chance(item):
    p = chances(0.35, item)[:, 0]
    reached = np.cumsum(p[::-1])[::-1]
    for score in range(1, len(p)):
        assert draw_score(PARAMETERS, item, 0.35, reached[score] * (1 - 1e-12)) >= score
        assert draw_score(PARAMETERS, item, 0.35, reached[score] * (1 + 1e-12)) < score


def log_likelihood(theta, items, scores):
    return sum(log_softmax(log_odds(i, theta), axis=0)[s, 0] for i, s in zip(items, scores, strict=True))


PATTERNS = [((0, 2, 3, 5, 7), (1, 2, 2, 3, 0)), ((0, 2, 3, 5, 7), (0, 0, 0, 4, 2)), ((2, 2, 3), (1, 3, 1))]


def estimate(method, items, scores):
    return maximise(method, PARAMETERS, np.array(items), np.array(scores), len(items), (-4.0, 4.0), (0.0, 1.0))


@pytest.mark.parametrize("method", [ML, MAP])
@pytest.mark.parametrize(("items", "scores"), PATTERNS)
def test_modes_are_the_highest_points_that_a_dense_search_finds(method, items, scores):
    def height(theta):
        return log_likelihood(theta, items, scores) - (theta**2 / 2 if method == MAP else 0)

    around = max(np.linspace(-4, 4, 401), key=height)
    best = minimize_scalar(lambda theta: -height(theta), bounds=(around - 0.02, around + 0.02), method="bounded")
    # A maximum is located to the root of rounding.
    assert estimate(method, items, scores).theta == pytest.approx(float(np.clip(best.x, -4, 4)), abs=1e-5)


@pytest.mark.parametrize(("items", "scores"), PATTERNS)
def test_warms_estimate_solves_warms_equation(items, scores):
    def equation(theta):
        total, info, j = 0.0, 0.0, 0.0
        for i, s in zip(items, scores, strict=True):
            first, second = derivatives(np.array([theta]), i)
            p = chances(theta, i)[:, 0]
            total += first[s, 0] / p[s]
            info += (first[:, 0] ** 2 / p).sum()
            j += (first[:, 0] * second[:, 0] / p).sum()
        return total + j / (2 * info)

    theta = estimate(WLE, items, scores).theta
    assert theta == pytest.approx(brentq(equation, theta - 0.05, theta + 0.05, xtol=1e-12), abs=1e-6)


@pytest.mark.parametrize(("items", "scores"), PATTERNS)
def test_the_posterior_is_the_product_of_the_chances(items, scores):
    grid = build_grid(PARAMETERS, nodes=81, limit=4.0, mean=0.0, sd=1.0)
    own = grid.prior.copy()
    for n, (item, score) in enumerate(zip(items, scores, strict=True)):
        update_posterior(grid, own, n, item, score)
    weights = np.exp([log_likelihood(theta, items, scores) - theta**2 / 2 for theta in grid.nodes])
    mean = (weights * grid.nodes).sum() / weights.sum()
    sd = math.sqrt((weights * (grid.nodes - mean) ** 2).sum() / weights.sum())
    assert posterior_moments(grid.nodes, own) == pytest.approx((mean, sd), abs=1e-12)


# ---- the bank


def test_banks_come_back_from_json_and_csv(tmp_path):
    named = nominal(1, points=(0, 0, 1, 2), options=("A", "B", "C", "D"))
    estimated = nominal(2, covariance={"names": ("a1", "c2"), "values": ((0.01, 0.0), (0.0, 0.04))})
    bank = ItemBank.from_items([named, estimated, nominal(3), *OTHERS])
    bank.save(tmp_path / "bank.json")
    assert ItemBank.load(tmp_path / "bank.json").items == bank.items
    for suffix in ("csv", "tsv"):
        bank.save(tmp_path / f"bank.{suffix}")
        back = ItemBank.load(tmp_path / f"bank.{suffix}")
        # The table has no columns for errors of slopes and intercepts.
        assert [i.model_copy(update={"covariance": None}) for i in bank.items] == list(back.items)
    assert bank.points.tolist()[:4] == [0, 0, 1, 2]
    assert bank.frame["slopes"][1] == "0.7 1.9"


def test_slopes_of_a_table_in_the_normal_metric_are_converted(tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text('id,model,slopes,intercepts,D\nn,nrm,"1 2","0.5 0",1.702\nq,2pl,,,1\n'.replace("q,2pl,,,1\n", ""))
    assert_allclose(ItemBank.load(path).items[0].slopes, [1.702, 3.404])
    assert ItemBank.load(path).items[0].intercepts == (0.5, 0.0)


def test_what_is_in_a_bank_without_nominal_items_hashes_as_before():
    assert ItemBank.load_packaged("practice-bank").version == PRACTICE
    assert ItemBank.from_items(OTHERS).version == MIXED


PRACTICE, MIXED = "fce77245019e", "48e2d7d073ad"


def test_points_come_from_the_item_from_its_key_or_are_the_score():
    text = {"stem": "?", "options": ("no", "yes", "perhaps"), "key": "B"}
    assert nominal(2).earned == (0, 1, 2)
    assert nominal(2, content=text).earned == (0, 1, 0)
    assert nominal(2, content=text, points=(0, 2, 1)).earned == (0, 2, 1)
    assert OTHERS[0].earned == (0, 1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"intercepts": (0.1,)}, "one slope and one intercept for each category but the first; found 2 and 1"),
        ({"slopes": ()}, "found 0 and 2"),
        ({"slopes": (0.0, 0.0)}, "all categories have the slope 0"),
        ({"points": (0, 1)}, "2 points for 3 categories"),
        ({"points": (0, 0, 0)}, "no category earns points"),
        ({"options": ("A", "B")}, "2 options for 3 categories"),
        ({"options": ("A", "B", "A")}, "stands for two categories"),
        ({"a": 3.0}, "follow from its slopes"),
        ({"c": 0.2}, "has c = 0"),
        ({"steps": (0.0, 1.0)}, "has no steps"),
        ({"covariance": {"names": ("a3",), "values": ((1.0,),)}}, "covariance of a3, but 2 slopes"),
        ({"covariance": {"names": ("b",), "values": ((1.0,),)}}, "covariance of b, but 2 slopes"),
        ({"content": {"stem": "?", "options": ("x", "y"), "key": "A"}}, "2 options in content for 3 categories"),
    ],
)
def test_faults_of_nominal_items_are_named(fields, words):
    with pytest.raises(ValueError, match=words):
        Item(**{"id": "n", "domain": "D1", "model": "nrm", "slopes": (0.7, 1.9), "intercepts": (1.0, 0.0), **fields})


def test_items_of_other_models_refuse_what_is_nominal():
    with pytest.raises(ValueError, match="a 2pl item has no slopes and no points; nrm items have"):
        Item(id="i", domain="D1", b=0.0, slopes=(1.0,), points=(0, 1))
    with pytest.raises(ValueError, match="covariance of a1, but 0 steps"):
        Item(id="i", domain="D1", b=0.0, covariance={"names": ("a1",), "values": ((1.0,),)})


def test_a_broken_table_names_line_and_cell(tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text('id,model,slopes,intercepts\nn,nrm,"1 x","0.5 0"\nm,,"1","0"\n')
    with pytest.raises(BankError, match=r'line 2: slopes is "1 x"(.|\n)*line 3: slopes, but no model; expected one of'):
        ItemBank.load(path)


# ---- selection and sessions


def test_items_are_chosen_by_their_information():
    first = an_exam(selection={"rule": "best"}).start(bank_of_30(), seed=1).next_item
    information = item_information(np.zeros(1), bank_of_30().parameters)[0]
    assert first.id == bank_of_30().ids[int(np.argmax(information))]


def bank_of_30():
    rng = np.random.default_rng(4)
    items = []
    for k in range(30):
        slopes, intercepts = rng.normal(0, 1, 3), rng.normal(0, 1, 3)
        items.append(
            Item(
                id=f"q{k}", domain="D1", model="nrm", slopes=tuple(slopes), intercepts=tuple(intercepts),
                content={"stem": "?", "options": ("w", "x", "y", "z"), "key": "ABCD"[int(np.argmax([0, *slopes]))]},
            )
        )  # fmt: skip
    return ItemBank.from_items(items, id="nominal")


def an_exam(**changes):
    issmp = Exam.load("issmp").model_dump()
    blueprint = {"domains": [{"id": "D1", "name": "all", "weight": "1"}]}
    return Exam.model_validate({**issmp, "blueprint": blueprint, "length": {"minimum": 8, "maximum": 12}, **changes})


def test_a_letter_is_a_category_and_the_report_counts_what_it_earns():
    from issmp_cat.report import score_report

    bank, exam = bank_of_30(), an_exam()
    session = exam.start(bank, seed=3)
    earned = 0
    for k in range(8):
        item = session.next_item
        letter = "ABCD"[k % 4]
        session = session.answer(item, letter)
        assert session.answers[-1].score == k % 4
        earned += letter == item.content.key
    report = score_report(session)
    assert sum(domain.right for domain in report.domains) == earned
    assert sum(domain.possible for domain in report.domains) == 8
    with pytest.raises(SessionError, match="expected one of A, B, C, D"):
        session.answer(session.next_item, "E")


@pytest.mark.parametrize("estimator", ["eap", "map", "ml", "wle"])
def test_a_session_measures_by_its_categories(estimator):
    bank, exam = bank_of_30(), an_exam(scoring={"estimator": estimator})
    session = exam.start(bank, seed=3)
    while not session.finished:
        slopes = (0.0, *session.next_item.slopes)
        session = session.answer(session.next_item, int(np.argmax(slopes)))
    assert session.result.theta > 1.0


@pytest.mark.parametrize("estimator", ["eap", "wle"])
def test_a_simulated_exam_is_the_session_bit_for_bit(estimator):
    bank = bank_of_30()
    design = an_exam(scoring={"estimator": estimator})
    plan = plan_exam(design, bank)
    for seed, theta in ((1, -1.8), (2, 0.4), (3, 2.5)):
        out = new_records(1, plan.rule.maximum)
        state = new_state(plan.pool, plan.windows.quota, plan.grid.prior)
        pace = Pace(timed=False, log_median=0.0, log_sd=0.0, speed_sd=0.0)
        run_exams(plan, None, plan.pool.parameters, state, np.array([theta]), 0, seed, pace, out)
        session = design.start(bank, seed=seed)
        while not session.finished:
            item, n = bank.index[session.next_item.id], len(session.answers)
            score = draw_score(bank.parameters, item, theta, uniform(seed, RESPONSE, 0, n))
            session = session.answer(session.next_item, score)
        assert out.scores[0, : len(session.answers)].tolist() == [answer.score for answer in session.answers]
        assert (out.theta[0], out.se[0]) == (session.result.theta, session.result.se)
