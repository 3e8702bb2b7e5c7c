"""Linking: constants recovered, standard errors by other roads, every bad input named."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from issmp_calibration.linking import Link, chain, link
from issmp_calibration.linking.characteristic import Criterion, Meeting, bring_together, nearest_start
from issmp_calibration.linking.curves import points
from issmp_calibration.linking.moments import mean_mean, mean_sigma
from issmp_calibration.linking.pairs import covariances, match, names_of
from issmp_cat.bank import Covariance, Item, ItemBank, Metric
from issmp_cat.errors import BankError, InputRejected, UsageError
from issmp_cat.irt import probability

METHODS = ["mean_mean", "mean_sigma", "haebara", "stocking_lord"]
A, B = 1.25, -0.4


def an_item(rng, k, model, error=0.05):
    """A random item with a full covariance of what its model estimates."""
    a = 1.0 if model in ("rasch", "pcm") else float(rng.uniform(0.7, 1.8))
    b = float(rng.normal())
    steps = {"grm": (b - 1.0, b, b + 0.8), "gpcm": (b - 0.5, b + 0.7), "pcm": (b + 0.4, b - 0.4)}.get(model, ())
    names = {"rasch": ("b",), "3pl": ("a", "b", "c")}.get(model, ("a", "b"))
    root = rng.normal(0, error, (len(names), len(names)))
    root *= np.where(np.array(names) == "c", 0.2, 1.0)[:, None]
    values = root @ root.T
    if model == "nrm":
        slopes, intercepts = (tuple(rng.normal(0, 1, 3).tolist()) for _ in range(2))
        names = tuple(f"{letter}{j}" for letter in "ac" for j in (1, 2, 3))
        root = rng.normal(0, error, (6, 6))
        known = Covariance(names=names, values=(root @ root.T).tolist())
        return Item(
            id=f"q{k}", domain="D", model=model, slopes=slopes, intercepts=intercepts, covariance=known,
            points=(0, 1, 0, 0),
        )  # fmt: skip
    if steps:
        names = (*(() if model == "pcm" else ("a",)), *(f"b{j + 1}" for j in range(len(steps))))
        root = rng.normal(0, error, (len(names), len(names)))
        values = root @ root.T
    return Item(
        id=f"q{k}", domain="D", model=model, a=a, b=float(np.mean(steps)) if steps else b, steps=steps,
        c=float(rng.uniform(0.1, 0.25)) if model == "3pl" else 0.0,
        covariance=Covariance(names=names, values=values.tolist()),
    )  # fmt: skip


def a_bank(models, seed=1, **names):
    rng = np.random.default_rng(seed)
    return ItemBank.from_items([an_item(rng, k, model) for k, model in enumerate(models)], **names)


def on_new_scale(old, slope, shift):
    """The bank as another calibration would hold it, were there no error: written out by hand."""
    items = [
        Item(
            id=item.id, domain="D", model="nrm", slopes=[s * slope for s in item.slopes], covariance=item.covariance,
            intercepts=[i + s * shift for s, i in zip(item.slopes, item.intercepts, strict=True)], points=item.points,
        )
        if item.model == "nrm"
        else Item(
            id=item.id, domain="D", model=item.model, a=item.a * slope, b=(item.b - shift) / slope, c=item.c,
            steps=[(step - shift) / slope for step in item.steps], covariance=item.covariance,
        )
        for item in old.items
    ]  # fmt: skip
    return ItemBank.from_items(items, metric=Metric(latent_mean=-shift / slope, latent_sd=1 / slope), id="new")


def again(item, **fields):
    """The item with other parameters; a and b of nominal items follow."""
    return Item.model_validate({**item.model_dump(), "a": None, "b": None, **fields})


def disturbed(bank, seed=2, size=0.08):
    """The bank with errors in a, b and c."""
    rng = np.random.default_rng(seed)
    items = []
    for item in bank.items:
        if item.model == "nrm":
            fields = {
                name: [x + float(rng.normal(0, size)) for x in getattr(item, name)] for name in ("slopes", "intercepts")
            }
            items.append(again(item, **fields))
            continue
        fixed = item.model in ("rasch", "pcm")
        by = float(rng.normal(0, size))
        items.append(
            item.model_copy(
                update={
                    "a": item.a if fixed else item.a * float(np.exp(rng.normal(0, size))),
                    "b": item.b + by,
                    "steps": tuple(step + by for step in item.steps),
                    "c": max(item.c + float(rng.normal(0, 0.01)), 0.0) if item.c else 0.0,
                }
            )
        )
    return ItemBank.from_items(items, metric=bank.metric, id=bank.id)


# ---- recovery


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("weights", ["normal", "uniform"])
@pytest.mark.parametrize(
    "models",
    [
        *(["2pl"] * 8, ["3pl"] * 8, ["grm"] * 5, ["gpcm"] * 5, ["nrm"] * 5),
        *(["2pl", "grm", "gpcm", "3pl"], ["nrm", "3pl", "grm", "nrm"]),
    ],
)
def test_a_known_link_is_recovered(method, models, weights, symmetric):
    old = a_bank(models)
    found = link(on_new_scale(old, A, B), old, method, weights=weights, symmetric=symmetric)
    assert_allclose([found.A, found.B], [A, B], rtol=0, atol=1e-7)
    assert not [anchor.item for anchor in found.anchors if max(abs(anchor.z_a), abs(anchor.z_b)) > 2.7]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", ["rasch", "pcm"])
def test_a_bank_with_slopes_of_1_is_only_shifted(method, model):
    old = a_bank([model] * 6)
    found = link(disturbed(on_new_scale(old, 1.0, B), size=0.01), old, method)
    assert found.A == 1.0
    assert abs(found.B - B) < 0.02
    assert "A = 1 by the model" in found.summary()
    if model == "rasch":
        assert found.se_slope == 0.0
        assert found.se_shift > 0.0


def test_the_shift_of_a_rasch_bank_has_the_error_of_a_difference_of_means():
    """By hand: the variances of both means added."""
    old = a_bank(["rasch"] * 6)
    new = on_new_scale(old, 1.0, B)
    by_hand = np.sqrt(2 * sum(item.covariance.values[0][0] for item in old.items) / 36)
    assert link(new, old, "mean_mean").se_shift == pytest.approx(by_hand, rel=1e-12)


# ---- the criteria


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("whole_test", [False, True])
def test_no_other_constants_lower_the_criterion(whole_test, symmetric):
    """Against a search that knows no derivatives."""
    old = a_bank(["2pl", "3pl", "grm", "gpcm", "2pl", "nrm"])
    new = disturbed(on_new_scale(old, A, B))
    criterion = Criterion(
        match(new, old, None), points(old.metric, "normal"), points(new.metric, "normal") if symmetric else None,
        whole_test,
    )  # fmt: skip
    found = bring_together(criterion)
    other = minimize(
        lambda x: criterion.value(*x), [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-15}
    )
    assert_allclose([found.A, found.B], other.x, atol=2e-6)
    assert found.criterion <= other.fun + 1e-14


def test_curves_that_stay_apart_are_searched_to_the_end():
    """Five nominal items whose points no A and B bring together: without the residuals' part steps go to and fro."""
    old = a_bank(["nrm"] * 5)
    pairs = match(disturbed(on_new_scale(old, A, B)), old, None)
    criterion = Criterion(pairs, points(old.metric, "normal"), None, whole_test=True)
    found = bring_together(criterion)
    other = minimize(
        lambda x: criterion.value(*x), [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-16}
    )
    assert_allclose([found.A, found.B], other.x, atol=1e-6)


def test_wild_items_do_not_lead_the_search_astray():
    """Two of fourteen lie 45 logits away and pull mean/mean with them; no point of a grid is lower."""
    old = a_bank(["3pl"] * 14)
    new = disturbed(on_new_scale(old, A, B))
    wild = [item.model_copy(update={"b": -45.0}) for item in new.items[:2]]
    new = ItemBank.from_items([*wild, *new.items[2:]], metric=new.metric)
    for whole_test in (False, True):
        criterion = Criterion(match(new, old, None), points(old.metric, "normal"), None, whole_test)
        found = bring_together(criterion)
        grid = [(a, b) for a in np.geomspace(0.4, 3.0, 25) for b in np.linspace(-3, 3, 25)]
        assert found.criterion <= min(criterion.value(*at) for at in grid)


def test_the_gradient_is_that_of_the_criterion():
    old = a_bank(["2pl", "3pl", "grm", "gpcm", "nrm"])
    new = disturbed(on_new_scale(old, A, B))
    for whole_test in (False, True):
        criterion = Criterion(
            match(new, old, None), points(old.metric, "uniform"), points(new.metric, "uniform"), whole_test
        )
        h, value = 1e-5, criterion.value
        by_slope = (value(1.1 + h, 0.1) - value(1.1 - h, 0.1)) / (2 * h)
        by_shift = (value(1.1, 0.1 + h) - value(1.1, 0.1 - h)) / (2 * h)
        assert_allclose(2 * criterion.gradient(1.1, 0.1), [by_slope, by_shift], rtol=1e-6)


def test_stocking_and_lords_criterion_is_the_squared_gap_of_expected_scores():
    """Written out for two-parameter items: the new curves at the old scale's points."""
    old = a_bank(["2pl"] * 5)
    new = disturbed(on_new_scale(old, A, B))
    theta, weight = points(old.metric, "uniform")
    nothing, one = np.zeros(5), np.ones(5)
    theirs = probability(theta, old.a, old.b, nothing, one).sum(axis=1)
    ours = probability(theta, new.a / 1.1, 1.1 * new.b + 0.2, nothing, one).sum(axis=1)
    criterion = Criterion(match(new, old, None), points(old.metric, "uniform"), None, whole_test=True)
    assert criterion.value(1.1, 0.2) == pytest.approx(float(weight @ (theirs - ours) ** 2), rel=1e-12)


# ---- standard errors


def constants(new, old, method, symmetric=False):
    """A and B alone."""
    if method in ("mean_mean", "mean_sigma"):
        return solutions(new, old, method, symmetric)[:2]
    on_new = points(new.metric, "normal") if symmetric else None
    criterion = Criterion(match(new, old, None), points(old.metric, "normal"), on_new, method != "haebara")
    meeting = Meeting(criterion)
    meeting.search(nearest_start(criterion, meeting))
    return meeting.where


def solutions(new, old, method, symmetric):
    if method in ("mean_mean", "mean_sigma"):
        return (mean_mean if method == "mean_mean" else mean_sigma)(match(new, old, None))
    on_new = points(new.metric, "normal") if symmetric else None
    return bring_together(Criterion(match(new, old, None), points(old.metric, "normal"), on_new, method != "haebara"))


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_the_constants_follow_each_parameter_as_linking_again_says(method, symmetric):
    """One parameter of one item moved by a little, and everything solved again."""
    old = a_bank(["2pl", "3pl", "3pl", "2pl", "2pl", "grm"])
    new = disturbed(on_new_scale(old, A, B))
    found = solutions(new, old, method, symmetric)
    h = 1e-4
    for which, gradient in (("new", found.new), ("old", found.old)):
        for k, name, at in ((0, "a", 0), (0, "b", 1), (1, "a", 0), (1, "b", 1), (1, "c", 2)):
            ends = []
            for step in (h, -h):
                banks = {"new": new, "old": old}
                items = list(banks[which].items)
                items[k] = items[k].model_copy(update={name: getattr(items[k], name) + step})
                banks[which] = ItemBank.from_items(items, metric=banks[which].metric)
                ends.append(constants(banks["new"], banks["old"], method, symmetric))
            by_again = (np.array(ends[0]) - np.array(ends[1])) / (2 * h)
            assert_allclose(gradient[:, k, at], by_again, rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_the_constants_follow_steps_slopes_and_intercepts_too(method, symmetric):
    """Every parameter of a graded, a partial credit and a nominal item, each moved and everything solved again."""
    old = a_bank(["2pl", "3pl", "grm", "gpcm", "nrm", "2pl"])
    new = disturbed(on_new_scale(old, A, B))
    found = solutions(new, old, method, symmetric)
    h = 1e-4
    for which, gradient in (("new", found.new), ("old", found.old)):
        for k in (2, 3, 4):
            item = (new if which == "new" else old).items[k]
            for at, name in enumerate(names_of(item)):
                field = {"a": "slopes", "b": "steps", "c": "intercepts"}[name[0]] if name[1:] else name
                ends = []
                for step in (h, -h):
                    value = getattr(item, field)
                    moved = value + step if field == "a" else list(value)
                    if field != "a":
                        moved[int(name[1:]) - 1] += step
                    kept = {} if item.model == "nrm" else {"a": item.a}
                    changed = again(item, **{**kept, field: moved})
                    banks = {"new": new, "old": old}
                    items = list(banks[which].items)
                    items[k] = changed
                    banks[which] = ItemBank.from_items(items, metric=banks[which].metric)
                    ends.append(constants(banks["new"], banks["old"], method, symmetric))
                by_again = (np.array(ends[0]) - np.array(ends[1])) / (2 * h)
                assert_allclose(gradient[:, k, at], by_again, rtol=2e-4, atol=2e-6, err_msg=f"{which} {k} {name}")


def redrawn(bank, rng):
    """The bank as another sample of candidates might have given it: parametric bootstrap."""
    items = []
    for item, covariance in zip(bank.items, covariances(bank.items), strict=True):
        if item.steps or item.slopes:
            own = item.intercepts if item.slopes else item.steps
            first = item.slopes or (item.a,)
            size = len(first) + len(own)
            drawn = rng.multivariate_normal([*first, *own], covariance[:size, :size])
            if item.slopes:
                items.append(again(item, slopes=drawn[: len(own)].tolist(), intercepts=drawn[len(own) :].tolist()))
            else:
                items.append(again(item, a=float(drawn[0]), steps=drawn[1:].tolist()))
            continue
        a, b, c, _ = rng.multivariate_normal([item.a, item.b, item.c, 1.0], covariance[:4, :4])
        items.append(item.model_copy(update={"a": float(a), "b": float(b), "c": float(max(c, 0.0))}))
    return ItemBank.from_items(items, metric=bank.metric)


@pytest.mark.parametrize("method", METHODS)
def test_standard_errors_are_those_of_the_bootstrap(method):
    """300 draws: the SD's own standard error is 4 %; four of them, and a little for curvature, are let pass."""
    old = a_bank(["2pl"] * 6 + ["3pl"] * 6, seed=4)
    new = disturbed(on_new_scale(old, A, B))
    found = link(new, old, method)
    rng = np.random.default_rng(7)
    draws = [constants(redrawn(new, rng), redrawn(old, rng), method) for _ in range(300)]
    assert_allclose([found.se_slope, found.se_shift], np.std(draws, axis=0), rtol=0.18)
    assert_allclose(
        found.covariance[0][1], np.cov(np.transpose(draws))[0, 1], atol=0.25 * found.se_slope * found.se_shift
    )


@pytest.mark.parametrize("method", ["mean_mean", "stocking_lord"])
def test_standard_errors_by_items_with_steps_and_options_are_those_of_the_bootstrap(method):
    """120 draws: the SD's own standard error is 6 %; the covariances name b1, b2, … and a1, …, c1, …"""
    old = a_bank(["grm", "gpcm", "nrm"] * 2 + ["2pl"], seed=4)
    new = disturbed(on_new_scale(old, A, B))
    found = link(new, old, method)
    rng = np.random.default_rng(7)
    draws = [constants(redrawn(new, rng), redrawn(old, rng), method) for _ in range(120)]
    assert_allclose([found.se_slope, found.se_shift], np.std(draws, axis=0), rtol=0.25)


def test_a_nominal_item_on_another_scale_has_the_covariance_of_transformed_draws():
    item = a_bank(["nrm"], seed=9).items[0]
    mean = [*item.slopes, *item.intercepts]
    draws = np.random.default_rng(1).multivariate_normal(mean, item.covariance.values, 400_000)
    slopes, intercepts = draws[:, :3] / A, draws[:, 3:] - draws[:, :3] * B / A
    moved = Link(A, B, None, "haebara", ()).apply(ItemBank.from_items([item])).items[0]
    assert_allclose(moved.slopes, np.array(item.slopes) / A, rtol=1e-14)
    by_draws = np.cov(np.hstack([slopes, intercepts]).T)
    sd = np.sqrt(np.diag(by_draws))
    assert_allclose(np.array(moved.covariance.values) / np.outer(sd, sd), by_draws / np.outer(sd, sd), atol=0.01)


def test_nominal_items_with_other_categories_are_refused_by_name():
    old = a_bank(["nrm"] * 4)
    first, second, third, _ = old.items
    changed = [
        again(first, slopes=first.slopes[:2], intercepts=first.intercepts[:2], points=(0, 1, 0), covariance=None),
        again(second, points=(1, 0, 0, 0)),
        again(third, options=("B", "A", "C", "D")),
    ]
    named = [first, second, again(third, options=("A", "B", "C", "D"))]
    with pytest.raises(BankError) as refused:
        link(ItemBank.from_items(changed), ItemBank.from_items(named))
    for words in ("3 categories in the new bank, 4 in the old one", "earn (1, 0, 0, 0)", "B A C D in the new bank"):
        assert words in str(refused.value)


def test_points_of_nominal_items_may_be_known_in_one_bank_only():
    """Stocking and Lord compare expected points: the same link, whichever bank says them."""
    old = a_bank(["nrm"] * 5)
    new = disturbed(on_new_scale(old, A, B))
    bare = ItemBank.from_items([again(item, points=()) for item in new.items], metric=new.metric)
    one, other = link(bare, old), link(new, old)
    assert (one.A, one.B) == (other.A, other.B)


def test_the_error_of_a_moved_ability_is_that_of_slope_and_shift_together():
    found = Link(1.2, 0.3, ((0.0004, -0.0001), (-0.0001, 0.0009)), "haebara", ())
    draws = np.random.default_rng(3).multivariate_normal([1.2, 0.3], found.covariance, 200_000)
    assert_allclose(
        found.standard_error(np.array([-2.0, 0.0, 1.5])), (draws @ [[-2, 0, 1.5], [1, 1, 1]]).std(axis=0), rtol=0.01
    )


def test_without_covariances_there_are_no_standard_errors_and_it_is_said():
    old = a_bank(["2pl"] * 5)
    new = on_new_scale(old, A, B)
    bare = ItemBank.from_items(
        [item.model_copy(update={"covariance": None}) for item in new.items[:2]] + [*new.items[2:]]
    )
    found = link(bare, old)
    assert found.covariance is found.se_slope is found.se_shift is None
    assert found.standard_error(np.zeros(1)) is None
    assert "no standard errors: the covariance is not known of 2 in the new bank (q0, q1)" in found.summary()
    steps = ItemBank.from_items([i.model_copy(update={"covariance": None}) for i in a_bank(["grm"] * 4).items])
    assert "4 in the new bank (q0, q1, q2, …) and 4 in the old bank" in link(steps, steps).summary()


# ---- chains


def test_a_chain_is_its_links_one_after_the_other():
    first, second = a_bank(["2pl"] * 5, seed=1), a_bank(["2pl"] * 5, seed=2)
    one = link(disturbed(on_new_scale(first, 1.3, 0.5), seed=3), first)
    two = link(disturbed(on_new_scale(second, 0.8, -0.7), seed=4), second)
    whole = chain(one, two)
    theta = np.linspace(-3, 3, 7)
    assert_allclose(whole.theta(theta), two.theta(one.theta(theta)), rtol=1e-14)
    rng = np.random.default_rng(5)
    (a1, b1), (a2, b2) = (rng.multivariate_normal([each.A, each.B], each.covariance, 200_000).T for each in (one, two))
    assert_allclose(whole.covariance, np.cov([a2 * a1, a2 * b1 + b2]), rtol=0.02, atol=2e-5)


def test_a_chain_there_and_back_stays_put():
    bank = a_bank(["2pl"] * 5)
    other = on_new_scale(bank, A, B)
    whole = chain(link(other, bank), link(bank, other))
    assert_allclose([whole.A, whole.B], [1.0, 0.0], rtol=0, atol=1e-7)


def test_a_chain_with_a_link_of_unknown_error_has_none():
    known = Link(1.2, 0.3, ((0.01, 0.0), (0.0, 0.01)), "haebara", (), provenance={"new": "x", "old": "y"})
    whole = chain(known, Link(1.0, 0.1, None, "mean_mean", (), provenance={"new": "y", "old": "z"}))
    assert whole.covariance is None
    assert "no standard errors: none are known for y to z" in whole.summary()
    assert (whole.provenance["new"], whole.provenance["old"]) == ("x", "z")


# ---- applying


def test_a_linked_bank_gives_the_same_chances_to_the_same_people():
    old = a_bank(["2pl", "3pl", "grm", "gpcm", "nrm"])
    new = on_new_scale(old, A, B)
    linked = Link(A, B, None, "haebara", ()).apply(new)
    for name in ("a", "b", "c"):
        assert_allclose(getattr(linked, name), getattr(old, name), atol=1e-12)
    assert_allclose(linked.parameters.steps, old.parameters.steps, atol=1e-12)
    assert_allclose(linked.parameters.slopes, old.parameters.slopes, atol=1e-12)
    assert linked.metric.latent_mean == pytest.approx(0.0, abs=1e-12)
    assert linked.metric.latent_sd == pytest.approx(1.0)
    assert linked.provenance["links"][0]["A"] == A


def test_covariances_are_those_of_transformed_draws():
    bank = a_bank(["3pl"], seed=9)
    item = bank.items[0]
    draws = np.random.default_rng(1).multivariate_normal([item.a, item.b, item.c], item.covariance.values, 400_000)
    moved = Link(A, B, None, "haebara", ()).apply(bank).items[0].covariance
    by_draws = np.cov((draws * [1 / A, A, 1.0] + [0, B, 0]).T)
    sd = np.sqrt(np.diag(by_draws))
    assert_allclose(np.array(moved.values) / np.outer(sd, sd), by_draws / np.outer(sd, sd), atol=0.01)


def test_a_rasch_bank_refuses_another_slope():
    with pytest.raises(BankError, match=r"so A must be 1, not 1\.25 \(q0, q1, q2, …\)"):
        Link(A, B, None, "haebara", ()).apply(a_bank(["rasch"] * 4))


def test_parameters_beyond_the_banks_bounds_are_named():
    bank = ItemBank.from_items([Item(id="q0", domain="D", b=45.0), Item(id="q1", domain="D", b=-45.0)])
    with pytest.raises(BankError, match=r"2 problems(.|\n)*q0(.|\n)*q1"):
        Link(A, B, None, "haebara", ()).apply(bank)


def test_a_result_survives_json_and_cannot_be_changed(tmp_path):
    old = a_bank(["2pl"] * 5)
    found = link(disturbed(on_new_scale(old, A, B)), old, screen="once")
    assert Link.from_json(found.to_json(tmp_path / "link.json")) == found
    assert Link.from_json(tmp_path / "link.json") == found
    assert json.loads(found.to_json())["se_A"] == found.se_slope
    assert list(found.frame["item"]) == [f"q{k}" for k in range(5)]
    assert "<table" in found._repr_html_()
    with pytest.raises(AttributeError):
        found.A = 2.0
    for broken in ("{}", '{"format": "issmp-cat/link"}', "{", str(tmp_path / "none.json")):
        with pytest.raises(InputRejected):
            Link.from_json(broken)


# ---- bad input


def test_every_fault_of_the_anchors_is_named_at_once():
    old, new = a_bank(["2pl", "2pl", "grm", "2pl"]), a_bank(["2pl", "3pl", "2pl", "2pl"])
    with pytest.raises(BankError) as error:
        link(new, old, anchors=["q0", "q1", "q2", "Q3"])
    text = str(error.value)
    assert 'anchor "Q3" is not in the new bank' in text
    assert 'anchor "Q3" is not in the old bank' in text
    assert 'item "q1": model 3pl in the new bank, 2pl in the old one; link by the others (anchors)' in text
    assert 'item "q2": model 2pl in the new bank, grm in the old one' in text


def test_banks_of_different_models_are_refused_in_one_line():
    with pytest.raises(BankError) as error:
        link(a_bank(["1pl"] * 30), a_bank(["rasch"] * 30))
    (said,) = error.value.problems
    assert said == (
        "30 items (q0, q1, q2, …): model 1pl in the new bank, rasch in the old one; "
        "calibrate one bank again with the other's model"
    )


def test_too_few_or_no_common_items_are_refused():
    old = a_bank(["2pl"] * 2)
    with pytest.raises(BankError, match="2 anchors; at least 3 are needed"):
        link(old, old)
    single = a_bank(["rasch"])
    with pytest.raises(BankError, match="1 anchor; at least 2 are needed"):
        link(single, single)
    other = ItemBank.from_items([Item(id="z", domain="D", b=0.0)])
    with pytest.raises(BankError, match="no common items: the new bank has z; the old one q0, q1"):
        link(other, old)


def test_retired_items_are_no_anchors_unless_asked_for():
    old = a_bank(["2pl"] * 4)
    retired = ItemBank.from_items([item.model_copy(update={"status": "retired"}) for item in old.items])
    with pytest.raises(BankError, match="all 4 common items are retired"):
        link(retired, old)
    assert link(retired, old, anchors=old.ids).used == old.ids


def test_other_numbers_of_steps_are_refused():
    one = ItemBank.from_items([Item(id=f"q{k}", domain="D", model="grm", steps=(-1.0, 1.0)) for k in range(3)])
    two = ItemBank.from_items([Item(id=f"q{k}", domain="D", model="grm", steps=(-1.0, 0.0, 1.0)) for k in range(3)])
    with pytest.raises(BankError, match=r"items \(q0, q1, q2\): 2 steps in the new bank, 3 in the old one"):
        link(one, two)


def test_unknown_words_are_refused_with_a_guess():
    bank = a_bank(["2pl"] * 3)
    with pytest.raises(UsageError, match=r'method "stocking" is not known \(did you mean "stocking_lord"\?\)'):
        link(bank, bank, "stocking")
    with pytest.raises(UsageError, match=r"a robust z above 0"):
        link(bank, bank, limit=0.0)
    with pytest.raises(UsageError, match='screen "all"'):
        link(bank, bank, screen="all")


def test_equal_difficulties_leave_mean_sigma_nothing_to_go_by():
    bank = ItemBank.from_items([Item(id=f"q{k}", domain="D", a=1.0 + k, b=0.5) for k in range(3)])
    with pytest.raises(BankError, match="all anchors are equally difficult"):
        link(bank, bank, "mean_sigma")
    assert abs(link(bank, bank, "mean_mean").A - 1.0) < 1e-12


def test_errors_of_steps_move_with_the_scale_and_need_no_place_in_the_links_own():
    """b* = A b + B stretches the error of every step by A, that of the slope by 1/A."""
    values = ((0.04, 0.01, 0.0), (0.01, 0.09, 0.02), (0.0, 0.02, 0.16))
    graded = {"model": "grm", "covariance": {"names": ("a", "b1", "b2"), "values": values}}
    old = ItemBank.from_items(
        [
            Item(id=f"I{k}", domain="D", a=1.0 + 0.1 * k, steps=(-1.0 + 0.2 * k, 0.5 + 0.2 * k), **graded)
            for k in range(5)
        ]
    )
    new = ItemBank.from_items(
        [i.model_copy(update={"a": 2 * i.a, "steps": tuple(s / 2 for s in i.steps), "b": i.b / 2}) for i in old.items]
    )
    moved = link(new, old, method="mean_sigma").apply(new).items[0]
    assert_allclose(moved.steps, old.items[0].steps, atol=1e-9)
    assert_allclose(moved.covariance.values, np.array(values) * np.outer([0.5, 2, 2], [0.5, 2, 2]), rtol=1e-9)
