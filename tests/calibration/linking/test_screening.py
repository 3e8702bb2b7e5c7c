"""Moved items: found, dropped, reported."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_calibration.linking import chain, drift, link
from issmp_calibration.linking.changes import robust_z
from issmp_cat.bank import Item, ItemBank
from issmp_cat.errors import BankError, UsageError

A, B, ITEMS = 1.2, 0.5, 24


@pytest.fixture(scope="module")
def old():
    rng = np.random.default_rng(11)
    return ItemBank.from_items(
        [Item(id=f"q{k}", domain="D", a=float(rng.uniform(0.7, 1.7)), b=float(rng.normal())) for k in range(ITEMS)],
        id="old",
    )


def recalibrated(old, moved=None, seed=12):
    """Another calibration with small errors; ``moved`` changes a by a factor and b by a sum, on the old scale."""
    rng = np.random.default_rng(seed)
    items = []
    for item in old.items:
        factor, by = (moved or {}).get(item.id, (1.0, 0.0))
        a = item.a * factor * float(np.exp(rng.normal(0, 0.03)))
        b = item.b + by + float(rng.normal(0, 0.05))
        items.append(Item(id=item.id, domain="D", a=a * A, b=(b - B) / A))
    return ItemBank.from_items(items, id="new")


MOVED = {"q3": (1.0, 0.8), "q7": (1.0, 0.9), "q11": (1.6, 0.0)}


def test_robust_z_of_a_normal_sample_is_z():
    values = np.random.default_rng(1).normal(3.0, 2.0, 200_000)
    assert_allclose(robust_z(values, np.ones(len(values), dtype=bool)), (values - 3.0) / 2.0, atol=0.05)


def test_robust_z_takes_median_and_spread_from_the_items_named():
    values = np.array([0.0, 1.0, 2.0, 3.0, 100.0])
    among = np.array([True, True, True, True, False])
    assert robust_z(values, among)[4] == pytest.approx((100.0 - 1.5) / (0.7413 * 1.5))


def test_rounding_of_files_moves_nothing():
    assert np.abs(robust_z(np.array([0.0, 1e-9, -1e-9, 0.0, 1e-8]), np.ones(5, dtype=bool))).max() < 0.1


@pytest.mark.parametrize("screen", ["once", "iterative"])
@pytest.mark.parametrize("method", ["mean_mean", "mean_sigma", "haebara", "stocking_lord"])
def test_moved_anchors_are_dropped_with_reasons_and_the_link_is_that_of_the_others(old, method, screen):
    new = recalibrated(old, MOVED)
    found = link(new, old, method, screen=screen, limit=4.0)
    assert set(found.dropped) == set(MOVED)
    assert "b moved by -0." in found.dropped["q3"]
    assert "log a moved by -0." in found.dropped["q11"]
    others = [id_ for id_ in old.ids if id_ not in MOVED]
    again = link(new, old, method, anchors=others)
    assert (found.A, found.B) == (again.A, again.B)
    assert abs(found.B - B) < abs(link(new, old, method).B - B)


def test_without_screening_moved_anchors_are_kept_and_named(old):
    found = link(recalibrated(old, MOVED), old, limit=4.0)
    assert len(found.used) == ITEMS
    assert "3 of the anchors used lie beyond |robust z| 4 (q3, q7, q11)" in found.summary()


def test_items_that_hide_behind_worse_ones_are_found_by_purifying():
    """Three of twelve moved by 3 logits widen the quartiles, and one that moved by 1 stays within them at first."""
    old = ItemBank.from_items([Item(id=f"q{k}", domain="D", b=(k % 6) / 2 - 1.25) for k in range(12)])
    by = [3.0, 3.0, 3.0, 1.0, *np.linspace(-0.05, 0.05, 8).tolist()]
    new = ItemBank.from_items([i.model_copy(update={"b": i.b + d}) for i, d in zip(old.items, by, strict=True)])
    assert set(link(new, old, "mean_mean", screen="once", limit=2.5).dropped) == {"q0", "q1", "q2"}
    assert set(link(new, old, "mean_mean", screen="iterative", limit=2.5).dropped) == {"q0", "q1", "q2", "q3"}


def test_screening_that_leaves_too_few_is_refused():
    old = ItemBank.from_items([Item(id=f"q{k}", domain="D", b=k - 1.5) for k in range(4)])
    by = [0.0, 0.001, -0.001, 2.0]
    new = ItemBank.from_items(
        [item.model_copy(update={"b": item.b + d}) for item, d in zip(old.items, by, strict=True)]
    )
    with pytest.raises(BankError, match=r"screening at \|z\| > 0\.1 leaves 2 anchors; at least 3 are needed"):
        link(new, old, "mean_mean", screen="iterative", limit=0.1)


def test_a_step_that_moved_is_enough():
    rng = np.random.default_rng(5)
    old = ItemBank.from_items(
        [
            Item(id=f"q{k}", domain="D", model="grm", a=1.2, steps=(b - 0.8, b, b + 0.9))
            for k, b in enumerate(rng.normal(size=10).tolist())
        ]
    )

    def again(item):
        steps = np.array(item.steps) + rng.normal(0, 0.02, 3) + (item.id == "q4") * np.array([0.0, 0.0, 0.6])
        return item.model_copy(update={"steps": tuple(steps.tolist()), "b": float(steps.mean())})

    found = drift(ItemBank.from_items([again(item) for item in old.items]), old, limit=4.0)
    assert found.flagged == ("q4",)
    assert found.items[4].change_b == pytest.approx(-0.6, abs=0.1)


# ---- drift


def test_drift_names_the_items_that_moved_and_by_how_much(old):
    found = drift(recalibrated(old, MOVED), old, limit=4.0)
    assert found.flagged == ("q3", "q7", "q11")
    frame = found.frame.set_index("item")
    assert list(frame.index[frame["flag"]]) == list(found.flagged)
    assert frame.loc["q3", "change_b"] == pytest.approx(-0.8, abs=0.2)
    assert frame.loc["q11", "change_a"] == pytest.approx(-np.log(1.6), abs=0.1)
    assert frame.loc["q3", "rmsd"] > 3 * frame["rmsd"].median()
    assert "drift: 3 of 24 common items" in found.summary()
    assert "<table" in found._repr_html_()


def test_items_outside_the_anchors_are_judged_too(old):
    found = drift(recalibrated(old, MOVED), old, anchors=[f"q{k}" for k in range(12, 24)], limit=4.0)
    assert found.flagged == ("q3", "q7", "q11")
    assert not found.frame["used"][:12].any()


def test_among_many_items_that_stayed_few_are_flagged():
    """2,000 normal changes in a and in b: 0.7 % of each cross Tukey's fence, 1.4 % in all (SE 0.26 points)."""
    rng = np.random.default_rng(8)
    old = ItemBank.from_items(
        [Item(id=f"q{k}", domain="D", a=1.0, b=b) for k, b in enumerate(rng.normal(size=2000).tolist())]
    )
    found = link(recalibrated(old), old, "mean_mean")
    crossed = np.mean([max(abs(row.z_a), abs(row.z_b)) > 2.7 for row in found.anchors])
    assert crossed == pytest.approx(0.014, abs=4 * 0.0026)


def test_drift_is_written_whole(old, tmp_path):
    found = drift(recalibrated(old, MOVED), old, limit=4.0)
    content = json.loads(found.to_json(tmp_path / "drift.json"))
    assert content["flagged"] == ["q3", "q7", "q11"]
    assert json.loads((tmp_path / "drift.json").read_text(encoding="utf-8")) == content
    assert len(content["items"]) == ITEMS


def test_plots_draw_and_their_arguments_change_the_data(old, tmp_path):
    found = link(recalibrated(old, MOVED), old, screen="iterative", limit=4.0)
    for kind in ("difficulties", "slopes", "changes"):
        assert found.plot(kind).save(tmp_path / f"{kind}.svg").stat().st_size > 1000
    data = {kind: found.plot(kind).data["x"] for kind in ("difficulties", "slopes", "changes")}
    assert len({tuple(x) for x in data.values()}) == 3
    assert found.plot("changes", items=["q3", "q5"]).data["kind"].count("points") == 2
    with pytest.raises(UsageError, match='unknown plot "slope"'):
        found.plot("slope")
    with pytest.raises(UsageError, match='item "Q3" is not among the common items'):
        found.plot(items=["Q3"])
    with pytest.raises(UsageError, match="holds no items"):
        chain(found, found).plot()
