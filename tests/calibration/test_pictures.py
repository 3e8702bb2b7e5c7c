"""Pictures show what their words say: a spread of items, limits that decided, lines nobody takes for intervals."""

import numpy as np
import pytest

from issmp_calibration import calibrate, drift
from issmp_cat import ResponseLog
from issmp_cat.bank import Covariance, Item, ItemBank


@pytest.fixture(scope="module")
def mixed():
    """24 items of two scores and 8 of three, 1,500 candidates."""
    rng = np.random.default_rng(11)
    theta, b = rng.normal(size=(1500, 1)), rng.normal(size=(1, 32))
    right = rng.random((2, 1500, 32)) < 1 / (1 + np.exp(-1.3 * (theta - b)))
    scores = np.where(np.arange(32) < 24, right[0], right.sum(axis=0)).astype(float)
    names = [f"q{k:02d}" for k in range(32)]
    model = dict.fromkeys(names[:24], "2pl") | dict.fromkeys(names[24:], "gpcm")
    return calibrate(ResponseLog.from_wide(scores, items=names), model=model)


def test_curves_of_a_mixed_bank_are_seven_items_from_easy_to_hard(mixed):
    plot = mixed.plot("curves")
    assert len({layer.label.split(":")[0] for layer in plot.layers}) == 7
    heights = [layer.data["y"][80] for layer in plot.layers]
    assert max(heights) - min(heights) > 0.5
    for layer in plot.layers:
        assert layer.dashed == ("share of points" in layer.label)
        assert 0.0 <= min(layer.data["y"]) <= max(layer.data["y"]) <= 1.0


def test_lines_to_names_keep_off_the_intervals(mixed):
    plot = mixed.plot("items")
    bars = next(layer for layer in plot.layers if layer.kind == "errorbars").data
    low = dict(zip(bars["x"], bars["low"], strict=True))
    line = next(layer for layer in plot.layers if layer.kind == "line").data
    tops = [(x, y) for x, y in zip(line["x"][::3], line["y"][::3], strict=True) if x in low]
    assert tops
    assert all(y < low[x] for x, y in tops)


def test_who_stayed_lies_inside_the_limits_of_the_picture_and_who_moved_outside():
    rng = np.random.default_rng(5)
    b = rng.normal(size=30)
    shift = rng.normal(0.0, 0.05, size=30)
    shift[:3] = 1.0, 0.9, 0.8
    errors = np.where(np.arange(30) == 1, 0.6, 0.05)

    def bank(where):
        return ItemBank.from_items([
            Item(id=f"q{k}", domain="D", a=1.0, b=float(where[k]),
                 covariance=Covariance(names=("a", "b"), values=((0.01, 0.0), (0.0, float(errors[k] ** 2)))))
            for k in range(30)
        ])  # fmt: skip

    found = drift(bank(b + shift), bank(b))
    assert {"q0", "q2"} <= set(found.flagged)
    assert "q1" not in found.flagged, "0.9 logits, but known to 0.85 only"
    for layer in found.plot("changes").layers:
        if layer.kind == "points":
            far = [max(abs(x), abs(y)) for x, y in zip(layer.data["x"], layer.data["y"], strict=True)]
            assert all((value > 1.0) == (layer.label == "moved") for value in far)
