"""Changes against their own standard errors: what sampling alone moves is not drift."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_calibration.linking import drift, link
from issmp_cat.bank import Item, ItemBank
from issmp_cat.bank.item import Covariance

A, B = 1.2, 0.5


def a_truth(rng, n):
    return np.stack([rng.uniform(0.7, 1.7, n), rng.normal(size=n)], axis=1)


def estimated(rng, truth, errors, name, slope=1.0, shift=0.0):
    """A bank of estimates drawn from the covariances it holds; ``errors`` are SEs of a and b on the scale of truth."""
    items = []
    for k, ((a, b), (se_a, se_b)) in enumerate(zip(truth, errors, strict=True)):
        scale = np.diag([slope, 1.0 / slope])
        covariance = scale @ np.array([[se_a**2, 0.3 * se_a * se_b], [0.3 * se_a * se_b, se_b**2]]) @ scale
        drawn = rng.multivariate_normal([a * slope, (b - shift) / slope], covariance)
        values = tuple(tuple(row) for row in covariance.tolist())
        held = Covariance(names=("a", "b"), values=values)
        items.append(Item(id=f"q{k}", domain="D", a=float(drawn[0]), b=float(drawn[1]), covariance=held))
    return ItemBank.from_items(items, id=name)


def unequal(rng, n):
    """SEs of a and b of items some of which have ten times fewer answers than others."""
    by_answers = np.exp(rng.uniform(np.log(0.05), np.log(0.25), n))
    return np.stack([0.6 * by_answers, by_answers], axis=1)


@pytest.fixture(scope="module")
def quiet_years():
    """Forty pairs of calibrations of items that did not move, by how they are judged."""
    rng = np.random.default_rng(54)
    found = []
    for _ in range(40):
        truth = a_truth(rng, 54)
        old = estimated(rng, truth, unequal(rng, 54), "old")
        new = estimated(rng, truth, unequal(rng, 54), "new", A, B)
        found.append(drift(new, old, "mean_mean"))
    return found


def test_sampling_alone_is_not_drift(quiet_years):
    flagged = np.mean([each.figures["flagged_share"] for each in quiet_years])
    by_z = np.mean([max(abs(item.z_a), abs(item.z_b)) > 2.7 for each in quiet_years for item in each.items])
    assert flagged <= 0.02
    assert by_z > 0.06  # what robust z alone would have flagged


def test_changes_in_their_standard_errors_are_standard_normal(quiet_years):
    for name in ("in_se_a", "in_se_b"):
        values = np.array([getattr(item, name) for each in quiet_years for item in each.items])
        assert values.std() == pytest.approx(1.0, abs=0.08)  # four SEs of an SD of 2,160 values are 0.06
        assert values.mean() == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("seed", range(4))
def test_items_that_moved_by_five_errors_are_found(seed):
    rng = np.random.default_rng(seed)
    truth, moved = a_truth(rng, 54), [3, 17, 40]
    errors = np.full((54, 2), [0.05, 0.1 / np.sqrt(2.0)])  # of a change of b: 0.1
    later = truth.copy()
    later[moved, 1] += np.array([0.5, -0.5, 0.5])
    old, new = estimated(rng, truth, errors, "old"), estimated(rng, later, errors, "new", A, B)
    found = drift(new, old)
    assert {f"q{k}" for k in moved} <= set(found.flagged)
    assert len(found.flagged) <= 5
    assert "and 2.58 standard errors" in found.summary()
    assert " SE)" in found.items[3].reason
    assert [f"q{k}" in found.link.used for k in moved] == [False] * 3


def nudged(bank, place, name, by):
    items = list(bank.items)
    items[place] = items[place].model_copy(update={name: getattr(items[place], name) + by})
    return ItemBank.from_items(items, id=bank.id)


@pytest.mark.parametrize("method", ["mean_mean", "mean_sigma", "stocking_lord"])
def test_standard_errors_are_those_of_relinking_with_each_parameter_nudged(method):
    rng = np.random.default_rng(6)
    truth = a_truth(rng, 6)
    old = estimated(rng, truth, unequal(rng, 6), "old")
    new = estimated(rng, truth, unequal(rng, 6), "new", A, B)
    anchors, step = ["q4", "q1", "q2", "q0"], 1e-4

    def changes(new, old):
        found = drift(new, old, method, anchors, limit=1e6).items
        return np.array([[item.change_a, item.change_b] for item in found])

    variance = np.zeros((6, 2))
    for k in range(6):
        for first, bank in (("new", new), ("old", old)):
            by = []
            for name in ("a", "b"):
                ends = [nudged(bank, k, name, sign * step) for sign in (1, -1)]
                up, down = [changes(end, old) if first == "new" else changes(new, end) for end in ends]
                by.append((up - down) / (2 * step))
            variance += np.einsum("pkv,pq,qkv->kv", by, np.array(bank.items[k].covariance.values), by)
    found = drift(new, old, method, anchors, limit=1e6).items
    told = [[item.change_a / item.in_se_a, item.change_b / item.in_se_b] for item in found]
    assert_allclose(told, np.sqrt(variance), rtol=1e-3)


def test_without_covariances_robust_z_judges_alone_and_that_is_said():
    rng = np.random.default_rng(3)
    truth = a_truth(rng, 12)
    bank = estimated(rng, truth, unequal(rng, 12), "old")
    bare = ItemBank.from_items([item.model_copy(update={"covariance": None}) for item in bank.items[:2]])
    mixed = ItemBank.from_items([*bare.items, *bank.items[2:]], id="new")
    found = drift(mixed, bank)
    assert found.items[0].in_se_b is None
    assert "standard errors are not known of 2 items (q0, q1)" in found.summary()
    none = ItemBank.from_items([item.model_copy(update={"covariance": None}) for item in bank.items])
    assert "standard errors are not known here" in drift(none, bank).summary()


def test_a_well_known_step_speaks_before_an_ill_known_one_that_is_farther():
    names = ("a", "b1", "b2", "b3")

    def item(k, by, errors=(0.05, 0.05, 0.05)):
        steps = tuple((np.array([-0.8, 0.0, 0.9]) + 0.1 * k + np.array(by)).tolist())
        values = np.diag(np.square([0.05, *errors])).tolist()
        held = Covariance(names=names, values=tuple(tuple(row) for row in values))
        return Item(id=f"q{k}", domain="D", model="grm", a=1.2, steps=steps, covariance=held)

    old = ItemBank.from_items(
        [item(k, (0.0, 0.02 * (-1) ** k, 0.0), errors=(0.05, 0.05, 0.5 if k == 4 else 0.05)) for k in range(12)]
    )
    new = ItemBank.from_items(
        [item(k, (0.0, 0.5, 0.9) if k == 4 else (0.0, 0.0, 0.05 * (k % 3 - 1))) for k in range(12)]
    )
    found = drift(new, old)
    assert found.flagged == ("q4",)
    assert found.items[4].change_b == pytest.approx(-0.5, abs=0.1)


def test_a_link_says_that_screening_acts_on_flagged_anchors():
    rng = np.random.default_rng(9)
    truth = a_truth(rng, 30)
    errors = np.full((30, 2), 0.05)
    later = truth.copy()
    later[5, 1] += 1.0
    old, new = estimated(rng, truth, errors, "old"), estimated(rng, later, errors, "new", A, B)
    words = link(new, old).summary()
    assert "robust z| 2.7 and 2.58 standard errors (" in words
    assert "--screen iterative drops such anchors" in words
    assert "q5" in link(new, old, screen="iterative").dropped


def test_plots_name_the_items_that_moved_and_draw_the_limit():
    rng = np.random.default_rng(9)
    truth = a_truth(rng, 30)
    later = truth.copy()
    later[5, 1] += 1.0
    errors = np.full((30, 2), 0.05)
    found = drift(estimated(rng, later, errors, "new"), estimated(rng, truth, errors, "old"))
    data = found.plot().data
    assert "q5" in data["text"]
    assert [x for x, kind in zip(data["x"], data["kind"], strict=True) if kind == "vline"] == [-1.0, 1.0]
    frame = found.plot().frame
    beyond = {
        name: frame.loc[frame["layer"] == name, ["x", "y"]].abs().max(axis=1) > 1.0 for name in ("moved", "stayed")
    }
    assert len(beyond["moved"]) + len(beyond["stayed"]) == 30
    assert beyond["moved"].all()
    assert not beyond["stayed"].any()
    assert found.plot().to_svg().startswith("<svg")
