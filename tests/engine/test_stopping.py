"""Stopping: the rules against normal probabilities, and the lengths they may not leave."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy.stats import norm

from issmp_cat.bank.bank_file import plain_faults
from issmp_cat.stopping import (
    DECIDED,
    GO_ON,
    MAXIMUM_LENGTH,
    PRECISE,
    REASONS,
    Certain,
    ConfidenceInterval,
    FixedLength,
    GeneralisedLikelihoodRatio,
    PredictedSeReduction,
    SequentialRatio,
    StandardError,
    Stopping,
    build_stop_rule,
    contradictions,
    in_words,
    is_late,
)
from issmp_cat.stopping import stop_reason as reason_of


def rule(stopping, minimum=5, maximum=10, cut=-0.3, seconds=60.0):
    return build_stop_rule(stopping, minimum=minimum, maximum=maximum, cut=cut, seconds=seconds)


def stop_reason(the_rule, n, theta, se):
    """The rules of this file look at the estimate only."""
    return reason_of(the_rule, None, n, theta, se, 0.0)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95, 0.99])
def test_the_interval_holds_its_level(level):
    two = ConfidenceInterval(level=level, sides="two").z
    one = ConfidenceInterval(level=level, sides="one").z
    assert norm.cdf(two) - norm.cdf(-two) == pytest.approx(level, abs=1e-12)
    assert norm.cdf(one) == pytest.approx(level, abs=1e-12)


@given(st.integers(0, 12), st.floats(-4, 4), st.floats(0.01, 2), st.sampled_from(["one", "two"]))
def test_an_exam_ends_when_the_cut_lies_outside_the_interval_and_only_in_its_lengths(n, theta, se, sides):
    stopping = ConfidenceInterval(level=0.95, sides=sides)
    outside = not theta - stopping.z * se <= -0.3 <= theta + stopping.z * se
    reason = stop_reason(rule(stopping), n, theta, se)
    if n < 5:
        assert reason == GO_ON
    elif outside:
        assert reason == DECIDED
    else:
        assert reason == (MAXIMUM_LENGTH if n >= 10 else GO_ON)


@given(st.integers(0, 12), st.floats(-4, 4), st.floats(0, 2))
def test_a_fixed_length_ends_at_its_length_however_sure_one_is(n, theta, se):
    assert stop_reason(rule(FixedLength(), minimum=10), n, theta, se) == (MAXIMUM_LENGTH if n >= 10 else GO_ON)


@pytest.mark.parametrize("se", [math.inf, math.nan])
def test_an_unknown_standard_error_never_decides(se):
    assert stop_reason(rule(ConfidenceInterval()), 7, 2.0, se) == GO_ON
    assert stop_reason(rule(ConfidenceInterval()), 10, 2.0, se) == MAXIMUM_LENGTH


def test_a_one_sided_rule_stops_no_later_than_a_two_sided_one():
    one, two = (rule(ConfidenceInterval(sides=sides)) for sides in ("one", "two"))
    assert one.z < two.z
    assert stop_reason(one, 7, 0.5, 0.45) == DECIDED
    assert stop_reason(two, 7, 0.5, 0.45) == GO_ON


def test_the_last_second_counts_and_the_next_is_late():
    limited = rule(FixedLength())
    assert not is_late(limited, 60.0)
    assert is_late(limited, math.nextafter(60.0, 61.0))
    assert not is_late(rule(FixedLength(), seconds=math.inf), 1e300)


@pytest.mark.parametrize("fields", [{"level": 0.5}, {"level": 1.0}, {"level": math.nan}, {"sides": "both"}, {"z": 2}])
def test_an_impossible_rule_is_refused(fields):
    with pytest.raises(ValidationError):
        ConfidenceInterval(**fields)


def test_every_reason_has_its_words_and_going_on_has_none():
    assert set(REASONS) == set(range(1, 11))
    assert len(set(REASONS.values())) == 10
    assert [REASONS[k] for k in (1, 2, 3, 4)] == [
        "the confidence interval excludes the cut",
        "the maximum length is reached",
        "the time is up",
        "no further item can be given",
    ]


# ---- several rules


def test_the_first_rule_that_fires_gives_the_reason():
    interval, precise = ConfidenceInterval(), StandardError(target=0.3)
    assert stop_reason(rule((interval, precise)), 7, 2.0, 0.2) == DECIDED
    assert stop_reason(rule((precise, interval)), 7, 2.0, 0.2) == PRECISE
    assert stop_reason(rule((precise, interval)), 7, 2.0, 0.4) == DECIDED
    assert stop_reason(rule((precise, interval)), 7, -0.3, 0.4) == GO_ON
    assert stop_reason(rule((precise, interval)), 4, 2.0, 0.2) == GO_ON


def test_several_rules_are_named_in_their_order():
    rules = (StandardError(target=0.3), ConfidenceInterval(level=0.9, sides="one"))
    assert in_words(rules) == "standard error at most 0.3; or 90 % confidence interval (one-sided) at the cut"
    assert in_words(FixedLength()) == "fixed length"


RULES = TypeAdapter(Stopping)
EVERY = [
    {"rule": "fixed_length"},
    {"rule": "confidence_interval", "level": 0.9},
    {"rule": "sprt", "alpha": 0.1},
    {"rule": "glr", "indifference": 0.3},
    {"rule": "standard_error", "target": 0.25},
    {"rule": "predicted_se_reduction", "hypo": 0.005, "target": 0.3, "hyper": 0.01},
    {"rule": "certain"},
    {"rule": "certain", "probability": 0.95},
]


@pytest.mark.parametrize("table", EVERY, ids=lambda table: table["rule"])
def test_one_table_reads_and_writes_alike_and_several_keep_their_order(table):
    one, both = RULES.validate_python(table), RULES.validate_python([table, {"rule": "standard_error", "target": 0.2}])
    assert both[0] == one
    assert RULES.validate_python(RULES.dump_python(one)) == one
    assert RULES.validate_json(RULES.dump_json(both)) == both
    assert in_words(both).startswith(in_words(one))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"rule": "guess"}, "rule must be one of fixed_length, confidence_interval, sprt"),
        ({}, "rule must be one of"),
        ([{"rule": "sprt"}, {"rule": "guess"}], "several.1: rule must be one of"),
        ({"rule": "sprt", "alpha": 0}, "sprt.alpha"),
        ({"rule": "sprt", "beta": 0.5}, "sprt.beta"),
        ({"rule": "glr", "indifference": 0}, "glr.indifference"),
        ({"rule": "standard_error"}, "standard_error.target: Field required"),
        ({"rule": "standard_error", "target": 0}, "greater than 0"),
        ({"rule": "certain", "probability": 0.5}, "certain.probability"),
        ({"rule": "predicted_se_reduction", "hyper": 0.02}, "give target too"),
        ({"rule": "predicted_se_reduction", "target": 0.3, "hyper": 0.001}, "hyper 0.001 is below hypo 0.01"),
    ],
)
def test_an_impossible_table_is_refused_with_its_place(table, words):
    with pytest.raises(ValidationError) as error:
        RULES.validate_python(table)
    assert words in "\n".join(plain_faults(error.value))


def faults(*rules, minimum=5, maximum=10, estimator="eap", time_out="final_estimate", last_n=None, timed=True):
    return contradictions(
        rules[0] if len(rules) == 1 else rules,
        minimum=minimum,
        maximum=maximum,
        estimator=estimator,
        time_out=time_out,
        last_n=last_n,
        timed=timed,
    )


@pytest.mark.parametrize(
    ("rules", "settings", "words"),
    [
        ((), {}, "no stopping rule"),
        ((FixedLength(),), {}, "a fixed-length exam has one length, not 5 to 10"),
        ((FixedLength(), ConfidenceInterval()), {}, "fixed_length stops at one length only"),
        ((ConfidenceInterval(), ConfidenceInterval(level=0.9)), {}, "confidence_interval is given 2 times"),
        ((SequentialRatio(), GeneralisedLikelihoodRatio()), {}, "each by its own ratio"),
        ((Certain(), SequentialRatio()), {}, "sprt decides by its ratio"),
        ((Certain(),), {"estimator": "ml"}, 'needs scoring.estimator "eap", not "ml"'),
        (
            (PredictedSeReduction(target=0.3, hyper=0.02), StandardError(target=0.3)),
            {},
            "would stop what hyper keeps going",
        ),
        ((ConfidenceInterval(),), {"time_out": "last_n_consistent"}, "needs last_n"),
        ((ConfidenceInterval(),), {"time_out": "last_n_consistent", "last_n": 6}, "above the minimum length 5"),
        ((ConfidenceInterval(),), {"last_n": 5}, 'last_n belongs to time_out = "last_n_consistent"'),
        (
            (ConfidenceInterval(),),
            {"time_out": "last_n_consistent", "last_n": 5, "timed": False},
            "needs time_limit_minutes",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_named(rules, settings, words):
    assert [fault for fault in faults(*rules, **settings) if words in fault]


def test_all_contradictions_are_told_at_once():
    found = faults(Certain(), SequentialRatio(), SequentialRatio(), estimator="wle", last_n=3)
    assert len(found) == 4


def test_sound_settings_are_let_through():
    assert faults(FixedLength(), minimum=10) == []
    assert faults(ConfidenceInterval(), StandardError(target=0.2), Certain(probability=0.9)) == []
    assert faults(SequentialRatio(), StandardError(target=0.2), estimator="ml") == []
    assert faults(ConfidenceInterval(), time_out="last_n_consistent", last_n=5) == []
