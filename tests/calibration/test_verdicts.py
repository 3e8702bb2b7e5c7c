"""What to do with an item: each rule alone, the worst deciding."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from issmp_calibration import calibrate
from issmp_calibration.bank_verdict import standing
from issmp_calibration.item_verdict import ACTIONS, CODES, ItemVerdict, Reason
from issmp_calibration.log import classical_statistics
from issmp_calibration.statistics import KeySuspicion, classical
from issmp_calibration.verdict_rules import VerdictRules
from issmp_calibration.verdicts import LARGEST_A, LARGEST_B, Bound, Evidence, judge
from issmp_cat.bank import Item
from issmp_cat.errors import UsageError
from issmp_cat.responses import ResponseLog


def one(model="2pl", counts=(400, 600), **more):
    """An item that nothing is wrong with, but for what is said."""
    column = lambda value: np.array([value], dtype=float)  # noqa: E731
    sound = {
        "model": (model,),
        "fitted": np.array([True]),
        "held": np.array([False]),
        "presented": np.array([sum(counts)]),
        "counts": np.array([counts]),
        "scores": np.array([len(counts)]),
        "slope": column(1.0),
        "slope_error": column(0.1),
        "extremes": np.array([[1.0, 0.5]]),
        "bounds": ((),),
        "prior_share": column(np.nan),
        "distance": column(0.0),
        "tolerance": 1e-3,
        "integration_error": column(0.0),
        "singular": ((),),
        "item_rest": column(0.4),
        "key": (None,),
    }
    given = {
        name: column(value) if isinstance(value, float) and name != "tolerance" else value
        for name, value in more.items()
    }
    return Evidence(**{**sound, **given})


def verdict(evidence, rules=None):
    return judge(evidence, rules or VerdictRules())[0]


CASES = {
    "negative_discrimination": one(slope=-0.4),
    "no_variation": one(counts=(0, 1000), fitted=np.array([False])),
    "out_of_range": one(extremes=np.array([[1.0, 51.0]])),
    "key_suspected": one(key=(KeySuspicion("B", 0.3, "A", -0.1, 1000),)),
    "nobody_saw_it": one(counts=(0, 0), fitted=np.array([False])),
    "too_few_answers": one(counts=(90, 90)),
    "too_few_in_category": one("grm", counts=(400, 9, 600)),
    "hardly_discriminates": one(slope=0.15, slope_error=0.02),
    "at_bound": one(bounds=((Bound("intercept", -30.0),),)),
    "unsettled": one(distance=0.01),
    "integration_error": one(integration_error=0.06),
    "singular_information": one(singular=(("slope", "intercept"),)),
    "imprecise": one(location_error=np.array([2.1])),
    "left_out": one(fitted=np.array([False]), apart=("its scores have gaps",)),
    "stands_in_bank": one(
        counts=(0, 0), fitted=np.array([False]), standing=standing(["q"], [Item(id="q", domain="x", b=0.0)])
    ),
    "guessing_not_identified": one("3pl", prior_share=0.9),
}


def test_every_reason_has_a_case_here():
    assert list(CASES) == list(CODES)


@pytest.mark.parametrize("code", CODES)
def test_each_reason_alone_asks_for_its_action(code):
    found = verdict(CASES[code])
    assert found.codes == (code,)
    assert found.action == CODES[code][0]
    assert found.reasons[0].words
    # A use is no complaint: the words of the verdict stay "ok".
    assert (found.words == "ok") == (found.action == "use")


def test_a_sound_item_has_no_reasons():
    assert verdict(one()) == ItemVerdict()
    assert ItemVerdict().words == "ok"


def test_the_worst_reason_decides_and_stands_first():
    found = verdict(one("3pl", slope=-0.4, prior_share=0.95, counts=(50, 60)))
    assert found.action == "retire"
    assert found.codes == ("negative_discrimination", "too_few_answers", "guessing_not_identified")
    assert [reason.action for reason in found.reasons] == ["retire", "hold", "use"]


def test_numbers_say_what_was_found_and_what_was_asked():
    assert dict(verdict(CASES["too_few_answers"]).reasons[0].numbers) == {"answers": 180, "required": 200}
    assert dict(verdict(CASES["too_few_in_category"]).reasons[0].numbers) == {"required": 10, "score_1": 9}
    assert dict(verdict(CASES["integration_error"]).reasons[0].numbers) == {"error": 0.06, "allowed": 0.05}
    assert verdict(CASES["key_suspected"]).reasons[0].numbers["option"] == "B"


def test_thresholds_are_held_exactly():
    assert verdict(one(counts=(100, 100))).action == "use"
    assert verdict(one(counts=(10, 990))).action == "use"
    assert verdict(one(counts=(9, 991))).codes == ("too_few_in_category",)
    assert verdict(one(slope=0.3, slope_error=0.151)).codes == ("hardly_discriminates",)
    assert verdict(one(slope=0.3, slope_error=0.149)).action == "use"
    assert verdict(one(distance=1e-3)).action == "use"


def test_a_slope_below_0_by_chance_is_not_called_negative_and_still_no_bank_can_hold_it():
    found = verdict(one(slope=-0.02, slope_error=0.05))
    assert found.codes == ("out_of_range", "hardly_discriminates")
    assert found.action == "retire"
    assert verdict(one(slope=-0.02, slope_error=np.nan)).codes == ("negative_discrimination",)


def test_a_steep_slope_that_is_not_known_is_called_uncertain_and_not_flat():
    found = verdict(one(slope=2.94, slope_error=1.60)).reasons[0]
    assert found.words == "its slope is too uncertain (a 2.94 ± 1.60)"
    assert found.numbers["required"] == pytest.approx(3.2)
    assert verdict(one(slope=0.15, slope_error=0.1)).words.startswith("hardly discriminates (a 0.15 ± 0.10)")


def test_two_reasons_of_one_kind_are_one_item():
    found = verdict(one(extremes=np.array([[LARGEST_A + 1, LARGEST_B + 1]])))
    assert found.codes == ("out_of_range", "out_of_range")
    assert found.kinds == ("out_of_range",)


def test_models_ask_for_different_numbers_of_answers():
    for model, needed in (("rasch", 100), ("2pl", 200), ("grm", 200), ("3pl", 400)):
        assert verdict(one(model, counts=(needed // 2, needed // 2))).action == "use"
        assert verdict(one(model, counts=(needed // 2, needed // 2 - 1))).codes == ("too_few_answers",)


def test_a_difficulty_that_is_hardly_known_is_imprecise():
    assert verdict(one(location_error=np.array([2.0]))).action == "use"
    found = verdict(one(location_error=np.array([5.0]))).reasons[0]
    assert found.words == "its difficulty is hardly known: standard error 5.0 logits, above 2"
    assert dict(found.numbers) == {"se_b": 5.0, "allowed": 2.0}
    assert verdict(one(location_error=np.array([0.6])), VerdictRules(max_se_b=0.5)).codes == ("imprecise",)


def test_an_item_of_the_bank_that_nobody_saw_is_what_the_bank_says():
    items = [
        Item(id="fine", domain="x", b=0.0, answers=900),
        Item(id="watched", domain="x", b=0.0, verdict="c at its bound"),
        Item(id="gone", domain="x", b=0.0, status="retired"),
    ]
    said = standing(["fine", "watched", "gone", "new"], items)
    unseen = [verdict(one(counts=(0, 0), fitted=np.array([False]), standing=(reason,))) for reason in said]
    assert [found.action for found in unseen] == ["use", "hold", "retire", "hold"]
    assert unseen[1].words == "as in the bank, no answers here: c at its bound"
    assert unseen[3].codes == ("nobody_saw_it",)


def test_an_item_without_variation_is_retired_only_when_enough_have_met_it():
    assert verdict(one(counts=(0, 12), fitted=np.array([False]))).action == "hold"
    assert verdict(one(counts=(0, 0, 700), fitted=np.array([False]))).words.startswith("everyone got it right")
    assert verdict(one(counts=(700, 0), fitted=np.array([False]))).words.startswith("everyone got it wrong")
    assert verdict(one(counts=(0, 700, 0), fitted=np.array([False]))).words.startswith("everyone got score 1")


def test_where_the_slope_is_fixed_the_item_rest_correlation_speaks():
    """1,000 answers: a correlation of 2/√1000 = 0.063 is the least that counts as one."""
    for r, code in (
        (-0.07, "negative_discrimination"),
        (-0.05, "hardly_discriminates"),
        (0.06, "hardly_discriminates"),
    ):
        assert verdict(one("rasch", slope=np.nan, item_rest=r)).codes == (code,)
    assert verdict(one("rasch", slope=np.nan, item_rest=0.07)).action == "use"


def test_where_raw_scores_do_not_compare_no_item_is_judged_by_them():
    for r in (-0.3, 0.0):
        assert verdict(one("rasch", slope=np.nan, item_rest=r, comparable=False)).action == "use"
    assert verdict(one(slope=-0.4, comparable=False)).codes == ("negative_discrimination",)
    assert verdict(one("rasch", slope=np.nan, comparable=False, key=CASES["key_suspected"].key)).action == "hold"


def test_a_missing_answer_does_not_keep_a_rasch_fit_from_holding_an_item():
    """One item is answered at random: it is held whether all took all items, or each missed one by chance."""
    rng = np.random.default_rng(12)
    matrix = (rng.random((600, 8)) < 1 / (1 + np.exp(-rng.normal(size=(600, 1)) * 1.5))).astype(float)
    matrix[:, 0] = rng.permutation(np.arange(600) % 2)
    whole = calibrate(ResponseLog.from_wide(matrix), model="rasch").items.verdicts
    matrix[np.arange(600), rng.integers(1, 8, 600)] = np.nan
    parts = calibrate(ResponseLog.from_wide(matrix), model="rasch").items.verdicts
    assert whole[0].codes == ("hardly_discriminates",)
    assert parts[0].codes == ("hardly_discriminates",)


def test_a_bound_explains_why_there_are_no_standard_errors():
    found = verdict(one(bounds=((Bound("slope", 10.0),),), singular=(("slope",),), slope_error=np.nan))
    assert found.codes == ("at_bound",)


def test_thresholds_and_actions_can_be_set():
    rules = VerdictRules(
        min_answers=50, min_per_score=5, actions={"guessing_not_identified": "hold", "at_bound": "retire"}
    )
    assert verdict(one(counts=(45, 6)), rules).action == "use"
    assert verdict(CASES["guessing_not_identified"], rules).action == "hold"
    assert verdict(CASES["at_bound"], rules).action == "retire"


def test_wrong_rules_are_refused_all_at_once():
    with pytest.raises(UsageError) as caught:
        VerdictRules(min_answers=-1, actions={"at_bond": "hold", "at_bound": "drop"})
    for words in ("min_answers -1", 'did you mean "at_bound"', 'action "drop"'):
        assert words in str(caught.value)


def test_the_bank_s_limits_are_the_limits_here():
    Item(id="i", domain="d", a=LARGEST_A, b=LARGEST_B)
    for beyond in ({"a": LARGEST_A * 1.001, "b": 0.0}, {"b": LARGEST_B * 1.001}):
        with pytest.raises(ValueError, match="less than or equal"):
            Item(id="i", domain="d", **beyond)


def test_an_item_held_at_its_parameters_needs_no_answers_but_must_go_with_ability():
    held = {"held": np.array([True]), "slope": np.nan, "counts": (30, 0, 20)}
    assert verdict(one("grm", item_rest=0.5, **held)).action == "use"
    assert verdict(one("grm", item_rest=-0.5, **held)).codes == ("negative_discrimination",)


def test_reasons_sort_by_what_they_ask_for():
    reasons = [Reason("x", "x", {}, action) for action in ACTIONS]
    assert [reason.action for reason in ItemVerdict.of(reasons).reasons] == ["retire", "hold", "use"]


@pytest.fixture(scope="module")
def options_log():
    """Options A to D, A right; of item 3 the file's key A is wrong, B is what the able choose."""
    rng = np.random.default_rng(8)
    theta, b = rng.normal(size=1200), rng.normal(0, 0.7, 8)
    right = rng.random((1200, 8)) < 1 / (1 + np.exp(-1.3 * (theta[:, None] - b)))
    option = np.where(right, 0, rng.integers(1, 4, right.shape))
    option[:, 3] = np.choose(option[:, 3], [1, 0, 2, 3])
    score = (option == 0).astype(np.int8)
    return ResponseLog(
        persons=np.arange(1200).astype(str),
        items=np.array([f"q{k}" for k in range(8)]),
        start=np.arange(0, 9601, 8),
        item=np.tile(np.arange(8, dtype=np.uint16), 1200),
        score=score.ravel(),
        option=option.ravel().astype(np.uint8),
        options=("A", "B", "C", "D"),
    )


def test_a_wrong_key_is_suspected_and_named(options_log):
    found = classical(options_log, np.ones(8, bool))
    assert [place for place, key in enumerate(found.key) if key] == [3]
    suspicion = found.key[3]
    assert (suspicion.option, suspicion.key, suspicion.answers) == ("B", "A", 1200)
    # Against numpy's own correlation of choosing B with the mean of the other seven scores.
    scores = options_log.score.reshape(1200, 8).astype(float)
    rest = np.delete(scores, 3, axis=1).mean(axis=1)
    assert_allclose(suspicion.r_option, np.corrcoef(options_log.option.reshape(1200, 8)[:, 3] == 1, rest)[0, 1])
    assert_allclose(suspicion.r_key, np.corrcoef(scores[:, 3], rest)[0, 1])


def test_the_same_item_rest_correlations_as_the_check_s(options_log):
    slow = classical_statistics(options_log)
    assert_allclose(classical(options_log, np.ones(8, bool)).item_rest, slow.item_rest, atol=1e-12)


def test_the_rest_of_items_with_steps_is_their_share_of_points():
    rng = np.random.default_rng(9)
    theta = rng.normal(size=500)
    scores = np.column_stack(
        [np.digitize(theta + rng.normal(size=500), cuts) for cuts in ([0], [-1, 0, 1], [-0.5, 0.5])]
    )
    found = classical(ResponseLog.from_wide(scores.astype(float)), np.ones(3, bool), np.array([1, 3, 2]))
    for item, others in ((0, [1, 2]), (1, [0, 2]), (2, [0, 1])):
        rest = scores[:, others].sum(axis=1)  # everyone met every item: the share is the sum but for a constant
        assert_allclose(found.item_rest[item], np.corrcoef(scores[:, item], rest)[0, 1])


def test_the_documentation_lists_every_reason_with_its_action():
    text = (Path(__file__).parents[2] / "docs" / "calibration.md").read_text(encoding="utf-8")
    for code, (action, _) in CODES.items():
        assert f"| `{code}` | {action} |" in text
