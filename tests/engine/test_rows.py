"""Rows, item sets and enemy sets at the border: every fault at once, infeasibility explained, the path decided."""

import itertools

import numpy as np
import pytest
from pydantic import ValidationError

from issmp_cat import Exam, Item, ItemBank
from issmp_cat.blueprint import Blueprint, Row
from issmp_cat.errors import BlueprintInfeasible, ExamError
from issmp_cat.exam import plan_exam
from issmp_cat.exam.content import content_of
from issmp_cat.exam.programmes import programme_of
from issmp_cat.selection import give, new_state, ranked
from issmp_cat.selection.conflict import Demand, System, least_relief, smallest_conflict


def exam_of(rows=(), *, minimum=4, maximum=8, weights=("0.5", "0.5"), **blueprint):
    base = Exam.load("issmp").model_dump()
    domains = [{"id": f"D{k}", "weight": w} for k, w in enumerate(weights)]
    return Exam.model_validate(
        {
            **base,
            "blueprint": {"domains": domains, "rows": list(rows), **blueprint},
            "length": {"minimum": minimum, "maximum": maximum},
            "selection": {"rule": "best"},
        }
    )


def bank_of(n=20, **fields):
    """Items of two domains in turn; key A for every fifth, words from 10 on, cognitive level in threes."""
    items = []
    for k in range(n):
        attributes = {"key": "A" if k % 5 == 0 else "B", "words": 10 + k, "level": ["apply", "recall", "recall"][k % 3]}
        items.append(Item(id=f"i{k}", domain=f"D{k % 2}", b=0.1 * k, attributes=attributes))
    return ItemBank.from_items([item.model_copy(update=fields.get(item.id, {})) for item in items])


def row(**fields):
    return {"id": "r", "attribute": "key", "value": "A", **fields}


# ---- the file


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "neither minimum nor maximum"),
        ({"minimum": 5, "maximum": 4}, "minimum 5 is above maximum 4"),
        ({"minimum": 2.5}, "must be a whole number"),
        ({"minimum": -1}, "at least 0"),
        ({"value": None, "minimum": 1}, "a count needs the value"),
        ({"measure": "sum", "minimum": 1}, "leave out value"),
        ({"measure": "product", "minimum": 1}, "'count' or 'sum'"),
        ({"minimum": 1, "weight": 2}, "Extra inputs"),
    ],
)
def test_an_unsound_row_is_refused(fields, words):
    with pytest.raises(ValidationError, match=words):
        Row.model_validate(row(**fields))


def test_ids_used_twice_and_contradictions_are_told_together():
    rows = [row(id="a", minimum=4), row(id="b", value=["A"], maximum=3), row(id="b", value="B", maximum=3)]
    with pytest.raises(ValidationError) as error:
        Blueprint.model_validate({"domains": [{"id": "D0", "weight": 1}], "rows": rows})
    assert "row id used twice: b" in str(error.value)
    assert 'rows "a" and "b" bound the same items and contradict each other: at least 4, at most 3' in str(error.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"items": ["i1", "i1"]}, 'item "i1" is named twice: it would be its own enemy'),
        ({"items": ["i1"]}, "enemies are at least two"),
        ({}, "either items, or sets, or an attribute"),
        ({"items": ["i1", "i2"], "sets": ["S1", "S2"]}, "either items, or sets"),
        ({"attribute": "key"}, "attribute and value go together"),
    ],
)
def test_an_unsound_enemy_set_is_refused(fields, words):
    with pytest.raises(ValidationError, match=words):
        Blueprint.model_validate({"domains": [{"id": "D0", "weight": 1}], "enemy_sets": [fields]})


# ---- on a bank


def test_every_name_that_the_bank_does_not_know_is_told_at_once_with_a_guess():
    bank = bank_of(i3={"item_set": "S1"}, i5={"item_set": "S1"}, i7={"enemies": ("i5",)})
    exam = exam_of(
        [
            row(id="x", attribute="kye", minimum=1),
            row(id="y", value=["A", "C"], maximum=4),
            {"id": "z", "attribute": "level", "measure": "sum", "maximum": 9},
        ],
        sets=[{"id": "S2"}],
        enemy_sets=[
            {"id": "e", "items": ["i1", "i101"]},
            {"id": "f", "items": ["i3", "i5"]},
            {"sets": ["S1", "S9"]},
            {"attribute": "level", "value": "aply"},
        ],
    )
    with pytest.raises(ExamError) as error:
        plan_exam(exam, bank)
    said = "\n".join(error.value.problems)
    assert error.value.exit_code == 3
    for words in (
        'row "x": no item of the bank has an attribute "kye" (did you mean "key"?)',
        'row "y": no item has key "C"; the values are A, B',
        "row \"z\": \"level\" is summed, but 20 items have no number there: i0 ('apply'), i1 ('recall')",
        'set "S2": no item of the bank names it; the bank has S1',
        'enemy set "e": item "i101" is not in the bank (did you mean "i11"?)',
        'enemy set of S1, S9: no item names the set "S9"; the bank has S1',
        'no item has level "aply" (did you mean "apply"?)',
        'item set "S1" travels together but holds the enemies i3 and i5; it could never be given',
    ):
        assert words in said


def test_enemy_sets_join_the_banks_pairs_and_need_no_programme():
    exam = exam_of(enemy_sets=[{"items": ["i0", "i2", "i4"]}, {"attribute": "words", "value": [11, 12]}])
    bank = bank_of(i6={"enemies": ("i8",)})
    assert programme_of(exam, bank) is None
    enemies = content_of(exam, bank).enemies
    assert (enemies[0], enemies[1], enemies[2], enemies[6]) == ((2, 4), (2,), (0, 1, 4), (8,))
    assert plan_exam(exam, bank).pool.foe.tolist() == [j for foes in enemies for j in foes]


def test_sets_that_exclude_each_other_are_enemies_item_by_item():
    sets = {"i1": {"item_set": "S1"}, "i3": {"item_set": "S1"}, "i5": {"item_set": "S2"}, "i7": {"item_set": "S2"}}
    loose = [{"id": "S1", "travel": False}, {"id": "S2", "travel": False}]
    content = content_of(exam_of(sets=loose, enemy_sets=[{"sets": ["S1", "S2"]}]), bank_of(**sets))
    assert (content.enemies[1], content.enemies[5], content.sets) == ((5, 7), (1, 3), ())


@pytest.mark.parametrize(
    ("rows", "programme"),
    [
        ([], False),
        ([{"id": "r", "attribute": "domain", "value": "D0", "minimum": 4, "maximum": 4}], False),
        ([{"id": "r", "attribute": "domain", "value": ["D0", "D1"], "maximum": 8}], False),
        ([row(maximum=4)], False),  # four items have key A
        ([row(maximum=3)], True),
        ([row(maximum=3, active=False)], False),
        ([{"id": "r", "attribute": "words", "measure": "sum", "maximum": 204}], False),  # the eight longest
        ([{"id": "r", "attribute": "words", "measure": "sum", "maximum": 203}], True),
    ],
)
def test_rows_that_the_quotas_imply_keep_the_fast_path(rows, programme):
    assert (programme_of(exam_of(rows), bank_of()) is not None) == programme


def test_a_row_of_one_candidate_limits_items_seen_before():
    """At most two of the ten most valuable items; ids of another bank count nothing."""
    exam, bank = exam_of(), bank_of()
    value = np.array([1.0] * 10 + [0.5] * 10)
    seen = Row(id="seen", attribute="id", value=[f"i{k}" for k in range(10)] + ["gone"], maximum=2)
    programme, plan = programme_of(exam, bank, (seen,)), plan_exam(exam, bank)
    state = new_state(plan.pool, plan.windows.quota, plan.grid.prior)
    given = []
    while (item := programme.choose(plan, state, len(given), ranked(plan.pool, value.copy()), 0.0)) >= 0:
        give(plan.pool, state, len(given), item, 1)
        given.append(item)
    assert len(given) == 8
    assert sum(item < 10 for item in given) == 2
    with pytest.raises(BlueprintInfeasible, match='lower the minimum of row "seen"'):
        programme_of(exam, bank, (seen.model_copy(update={"maximum": None, "minimum": 9}),))


def test_what_is_blocked_stays_out_and_a_test_that_cannot_be_filled_gives_nothing():
    exam, bank = exam_of([row(minimum=3)]), bank_of()
    programme, plan = programme_of(exam, bank), plan_exam(exam, bank)
    state = new_state(plan.pool, plan.windows.quota, plan.grid.prior)
    worth = ranked(plan.pool, np.linspace(1, 2, 20))
    state.blocked[0] = 1 << 30
    given = []
    while (item := programme.choose(plan, state, len(given), worth, 0.0)) >= 0:
        give(plan.pool, state, len(given), item, 1)
        given.append(item)
    assert len(given) == 8
    assert 0 not in given
    fresh = new_state(plan.pool, plan.windows.quota, plan.grid.prior)
    fresh.blocked[[0, 5]] = 1
    assert programme.choose(plan, fresh, 0, worth, 0.0) == -1


# ---- infeasible


def refusal(rows, bank=None, **changes):
    with pytest.raises(BlueprintInfeasible) as error:
        plan_exam(exam_of(rows, **changes), bank or bank_of())
    assert error.value.exit_code == 4
    return str(error.value)


def test_a_row_that_asks_for_more_than_there_is_stands_alone():
    said = refusal([row(minimum=5), {"id": "w", "attribute": "words", "measure": "sum", "maximum": 150}])
    assert "One demand cannot be met" in said
    assert 'row "r" asks for at least 5 items with key A; 4 of 20 items qualify' in said
    assert 'lower the minimum of row "r" by 1 to 4' in said
    assert '"w"' not in said


def test_rows_that_conflict_only_together_are_told_together_with_the_least_change():
    """Eight items of key B or level recall at most 3 each, and so on: the length and both maxima."""
    rows = [
        {"id": "B", "attribute": "key", "value": "B", "maximum": 4},
        {"id": "A", "attribute": "key", "value": "A", "maximum": 3},
        {"id": "other", "attribute": "level", "value": "apply", "minimum": 1},
    ]
    said = refusal(rows)
    assert "3 demands conflict" in said
    assert "the test has 8 items" in said
    assert 'row "other"' not in said
    assert 'raise the maximum of row "B" by 1 to 5' in said or 'raise the maximum of row "A" by 1 to 4' in said


def test_a_bound_on_a_sum_is_mended_by_the_number_that_is_missing():
    said = refusal([{"id": "w", "attribute": "words", "measure": "sum", "maximum": 100}])
    assert 'raise the maximum of row "w" by 8 to 108' in said  # 10 + … + 17


def test_sets_that_never_fit_a_quota_ask_for_single_items():
    """Pairs only, and three of each domain are wanted."""
    sets = {f"i{k}": {"item_set": f"S{k % 2}{k // 4}"} for k in range(20)}
    said = refusal([], bank_of(**sets), minimum=6, maximum=6)
    assert "item sets are given whole or not at all; there are 10, of 20 items" in said
    assert 'add 1 single items without enemies to domain "D0"' in said


def test_the_smallest_conflict_and_the_least_relief_are_those_of_enumeration():
    """Random small systems: no smaller set of demands conflicts, and no cheaper move of the bounds mends it."""
    rng = np.random.default_rng(1)
    found = 0
    while found < 25:
        n, many = 6, int(rng.integers(3, 6))
        demands = [Demand("length", np.ones((1, n)), np.array([3.0]), np.array([3.0]))]
        for k in range(many):
            table = (rng.random((1, n)) < 0.5).astype(float)
            low, high = sorted(rng.integers(0, 4, 2))
            least, most = (low, np.inf) if rng.random() < 0.5 else (-np.inf, high)
            demands.append(Demand(f"row {k}", table, np.array([float(least)]), np.array([float(most)]), 1.0))
        tests = [
            np.isin(np.arange(n), c).astype(float) for r in range(n + 1) for c in itertools.combinations(range(n), r)
        ]

        def short(demand, test):
            total = float(demand.rows[0] @ test)
            return max(demand.least[0] - total, total - demand.most[0], 0.0)

        def conflicts(chosen, demands=demands, tests=tests):
            return not any(all(short(demands[k], t) == 0 for k in chosen) for t in tests)

        if not conflicts(range(len(demands))):
            continue
        found += 1
        conflict = smallest_conflict(System.of(demands))
        assert conflicts(conflict)
        smaller = itertools.chain.from_iterable(
            itertools.combinations(range(len(demands)), r) for r in range(len(conflict))
        )
        assert not any(conflicts(chosen) for chosen in smaller)
        relief = least_relief(System.of(demands), [], 0)
        least = min(sum(short(d, t) for d in demands[1:]) for t in tests if t.sum() == 3)
        assert sum(move.by for move in relief) == least
