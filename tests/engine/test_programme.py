"""Rows that cross and item sets, against enumeration of every whole test and every order of giving it."""

import itertools
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from issmp_cat import Exam, Item, ItemBank
from issmp_cat.blueprint import open_domains
from issmp_cat.errors import BlueprintInfeasible
from issmp_cat.exam import begin, plan_exam
from issmp_cat.exam.programmes import build_programme, programme_of
from issmp_cat.selection import give, ranked

WEIGHTS = (("0.5", "0.5"), ("0.6", "0.4"), ("0.7", "0.3"), ("0.4", "0.3", "0.3"))


def exam_of(weights, minimum, maximum, rows=(), best=1, **blueprint):
    base = Exam.load("issmp").model_dump()
    domains = [{"id": f"D{k}", "weight": w} for k, w in enumerate(weights)]
    return Exam.model_validate(
        {
            **base,
            "blueprint": {"domains": domains, "rows": list(rows), **blueprint},
            "length": {"minimum": minimum, "maximum": maximum},
            "selection": {"rule": "best"} if best == 1 else {"rule": "randomesque", "among": best},
        }
    )


class Case:
    """A small exam under way, with the slow truth beside it: items, attributes and windows looked up directly."""

    def __init__(self, exam, bank, value):
        self.exam, self.bank = exam, bank
        self.plan, self.programme = plan_exam(exam, bank), programme_of(exam, bank)
        self.state = begin(self.plan)
        self.preference = ranked(self.plan.pool, np.array(value, dtype=float))
        self.given = []
        members = {}
        for i, item in enumerate(bank.items):
            members.setdefault(item.item_set or f"item {i}", []).append(i)
        self.units = [tuple(each) for each in members.values()]
        self.wider = max(map(len, self.units)) - 1

    def domain(self, item):
        return self.exam.blueprint.ids.index(self.bank.items[item].domain)

    def choose(self, draw=0.0):
        return self.programme.choose(self.plan, self.state, len(self.given), self.preference, draw)

    def give(self, item):
        give(self.plan.pool, self.state, len(self.given), item, 1)
        self.given.append(item)

    def keeps_the_rows(self, test):
        for row in self.exam.blueprint.rows:
            found = [self.bank.items[i].attributes.get(row.attribute) for i in test]
            total = sum(found) if row.measure == "sum" else sum(str(x) in map(str, row.value) for x in found)
            if not (row.minimum or 0) - 1e-9 <= total <= (np.inf if row.maximum is None else row.maximum) + 1e-9:
                return False
        return True

    def whole_tests(self):
        """Every union of units that fills the quotas, keeps the rows and holds no two enemies."""
        quota = self.exam.blueprint.quotas(self.exam.length.maximum)
        ids = self.bank.ids
        foes = [set() for _ in ids]
        for i, item in enumerate(self.bank.items):
            for foe in item.enemies:
                foes[i].add(ids.index(foe))
                foes[ids.index(foe)].add(i)

        def grow(k, test, counts):
            if counts == quota:
                if self.keeps_the_rows(test) and not any(foes[i] & test for i in test):
                    yield frozenset(test)
                return
            for j in range(k, len(self.units)):
                after = list(counts)
                for i in self.units[j]:
                    after[self.domain(i)] += 1
                if all(a <= q for a, q in zip(after, quota, strict=True)):
                    yield from grow(j + 1, test | set(self.units[j]), tuple(after))

        return [t for t in grow(0, set(), (0,) * len(quota)) if t.issuperset(self.given)]

    def balanced(self, counts):
        n = sum(counts)
        if n < self.exam.length.minimum:
            shares = [Fraction(w) * self.exam.length.minimum for w in self.exam.blueprint.weights]
            return all(c <= -(-s // 1) + self.wider for s, c in zip(shares, counts, strict=True))
        if n == self.exam.length.maximum:
            return counts == self.exam.blueprint.quotas(n)
        shares = [Fraction(w) * n for w in self.exam.blueprint.weights]
        return all(s // 1 - self.wider <= c <= -(-s // 1) + self.wider for s, c in zip(shares, counts, strict=True))

    def openers(self, test):
        """Units that may come next so that the rest of the test can follow, balanced between units."""
        rest = frozenset(unit for unit in self.units if set(unit) <= test - set(self.given))

        @cache
        def can_finish(left, counts):
            if not self.balanced(counts):
                return False
            return not left or any(can_finish(left - {u}, self.after(counts, u)) for u in left)

        counts = self.after((0,) * len(self.exam.blueprint.domains), self.given)
        return {u for u in rest if can_finish(rest - {u}, self.after(counts, u))}

    def after(self, counts, unit):
        grown = list(counts)
        for i in unit:
            grown[self.domain(i)] += 1
        return tuple(grown)

    def rank(self, unit):
        """The stated order: value per item, then place in the bank."""
        value = self.preference.value
        return (-Fraction(sum(map(Fraction, value[list(unit)]))) / len(unit), unit[0])

    def best_units(self):
        """The best opener of every optimal whole test that can be given in order."""
        worth = {test: sum(self.preference.value[list(test)]) for test in self.whole_tests() if self.openers(test)}
        return {min(self.openers(test), key=self.rank) for test, value in worth.items() if value == max(worth.values())}

    def first_of_all(self):
        heads = self.best_units()
        return min(heads, key=self.rank)[0] if heads else -1


def random_rows(rng, bank, test):
    """Bounds around what some whole test has, so that there is one."""
    rows = []
    for name in rng.permutation(["key", "level", "words"])[: rng.integers(1, 4)]:
        found = [bank.items[i].attributes[name] for i in test]
        if name == "words":
            most = sum(found) + int(rng.integers(4))
            rows.append({"id": "words", "attribute": "words", "measure": "sum", "maximum": most})
            if rng.random() < 0.3:
                rows[-1]["minimum"] = rows[-1]["maximum"] - 9
            continue
        for value in sorted(set(found)):
            many = found.count(value)
            low, high = max(0, many - int(rng.integers(2))), many + int(rng.integers(2))
            rows.append({"id": f"{name} {value}", "attribute": name, "value": value, "minimum": low, "maximum": high})
    return rows


def random_case(rng, *, best=1, sets=False, ties=0.4):
    while True:
        weights = WEIGHTS[rng.integers(len(WEIGHTS))]
        maximum = int(rng.integers(3, 7))
        minimum = int(rng.integers(1, maximum + 1))
        n = int(rng.integers(maximum + 2, 12))
        domain = np.sort(np.concatenate([np.arange(len(weights)), rng.integers(0, len(weights), n - len(weights))]))
        set_of = [None] * n
        if sets:
            for k in range(int(rng.integers(1, 4))):
                home = np.flatnonzero(domain == rng.integers(len(weights))) if rng.random() < 0.8 else np.arange(n)
                free = [i for i in home if set_of[i] is None]
                for i in rng.permutation(free)[: rng.integers(2, 4)]:
                    set_of[int(i)] = f"S{k}"
        pairs = [p for p in itertools.combinations(range(n), 2) if rng.random() < 0.06]
        pairs = [(i, j) for i, j in pairs if set_of[i] is None or set_of[i] != set_of[j]]
        items = [
            Item(
                id=f"i{i}", domain=f"D{domain[i]}", b=0.0, item_set=set_of[i],
                enemies=tuple(f"i{j}" for k, j in pairs if k == i),
                attributes={
                    "key": "ABC"[rng.integers(3)], "level": int(rng.integers(2)), "words": int(rng.integers(3, 9)),
                },
            )
            for i in range(n)
        ]  # fmt: skip
        bank = ItemBank.from_items(items)
        value = rng.choice([0.25, 0.5, 0.75], n) if rng.random() < ties else rng.uniform(0, 1, n)
        try:
            free = Case(exam_of(weights, minimum, maximum), bank, value)
            tests = [t for t in free.whole_tests() if free.openers(t)]
            if not tests:
                continue
            rows = random_rows(rng, bank, tests[rng.integers(len(tests))])
            case = Case(exam_of(weights, minimum, maximum, rows, best=best), bank, value)
        except BlueprintInfeasible:
            continue
        if case.programme is not None and (not sets or case.programme.order is not None):
            return case


@pytest.mark.parametrize("seed", range(6))
def test_with_rows_that_cross_the_choice_is_the_first_item_in_the_stated_order_that_is_in_an_optimal_test(seed):
    """Exact ties in every second bank: the rule decides, not the solver."""
    rng = np.random.default_rng(seed)
    for _ in range(12):
        case = random_case(rng)
        while len(case.given) < case.exam.length.maximum:
            mask = open_domains(case.plan.windows, case.state.counts, len(case.given))
            tests = case.whole_tests()
            worth = [sum(case.preference.value[list(test)]) for test in tests]
            best = [t for t, v in zip(tests, worth, strict=True) if v == max(worth)]
            open_items = {i for t in best for i in t - set(case.given) if mask >> case.domain(i) & 1}
            picked = case.choose()
            assert picked == min(open_items, key=lambda i: case.rank((i,)))
            if rng.random() < 0.3:  # stray from the best path, so that odd states are met too
                others = {i for t in tests for i in t - set(case.given) if mask >> case.domain(i) & 1}
                picked = int(rng.choice(sorted(others)))
            case.give(picked)
            case.preference = ranked(case.plan.pool, rng.permutation(case.preference.value))
        assert case.keeps_the_rows(case.given)
        assert case.choose() == -1


@pytest.mark.parametrize("seed", range(6))
def test_with_item_sets_the_choice_opens_the_best_test_that_can_be_given_in_order(seed):
    """Every order of units is tried by the slow truth; sets are given whole, and no stop falls inside one."""
    rng = np.random.default_rng(100 + seed)
    for _ in range(12):
        case = random_case(rng, sets=True, ties=0.0)
        while len(case.given) < case.exam.length.maximum:
            n = len(case.given)
            inside = case.programme.next_of_set(case.state, n)
            assert case.programme.may_stop(case.state, n) == (inside == -1)
            picked = case.choose()
            if inside >= 0:
                assert picked == inside
                case.give(picked)
                continue
            assert picked == case.first_of_all()
            counts = case.after((0,) * len(case.exam.blueprint.domains), case.given)
            assert case.balanced(counts)
            if rng.random() < 0.3:
                others = {unit for test in case.whole_tests() for unit in case.openers(test)}
                picked = sorted(others)[rng.integers(len(others))][0]
            case.give(picked)
        assert case.keeps_the_rows(case.given)
        for unit in case.units:
            held = [case.given.index(i) for i in unit if i in case.given]
            assert len(held) in (0, len(unit))
            assert held == list(range(held[0], held[0] + len(held))) if held else True


@pytest.mark.parametrize("sets", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_drawing_is_even_among_the_best_that_leave_a_whole_test(seed, sets):
    rng = np.random.default_rng(200 + seed)
    for _ in range(8):
        case = random_case(rng, best=3, sets=sets)
        while len(case.given) < case.exam.length.maximum:
            n = len(case.given)
            if case.programme.next_of_set(case.state, n) >= 0:
                case.give(case.choose())
                continue
            if sets:
                may = {unit for test in case.whole_tests() for unit in case.openers(test)}
            else:
                mask = open_domains(case.plan.windows, case.state.counts, n)
                may = {(i,) for t in case.whole_tests() for i in t - set(case.given) if mask >> case.domain(i) & 1}
            wanted = [unit[0] for unit in sorted(may, key=case.rank)[:3]]
            drawn = [case.choose((k + 0.5) / 6) for k in range(6)]
            assert [drawn.count(i) * len(wanted) for i in wanted] == [6] * len(wanted)
            case.give(drawn[rng.integers(6)])
        assert case.keeps_the_rows(case.given)


def set_bank(rng, singles=40, sets=((0, 3), (1, 4), (2, 2), (1, 3), (0, 2))):
    """Three domains of single items, and sets of given domain and size."""
    items = [Item(id=f"i{k}", domain=f"D{k % 3}", b=float(rng.normal())) for k in range(singles)]
    for number, (domain, size) in enumerate(sets):
        items += [
            Item(id=f"s{number}-{k}", domain=f"D{domain}", a=2.0, b=0.0, item_set=f"S{number}") for k in range(size)
        ]
    return ItemBank.from_items(items)


def test_a_session_gives_sets_whole_stops_between_them_and_is_rebuilt_from_its_answers():
    exam = exam_of(("0.4", "0.3", "0.3"), 8, 20)
    bank = set_bank(np.random.default_rng(5))
    seen = 0
    for seed in range(6):
        session = exam.start(bank, seed=seed)
        rng = np.random.default_rng(seed)
        while not session.finished:
            again = type(session).replay(exam, bank, session.answers, seed=seed)
            assert again.next_item.id == session.next_item.id
            session = session.answer(session.next_item, int(rng.integers(2)))
        given = [bank.items[bank.index[answer.item]] for answer in session.answers]
        for name in {item.item_set for item in given} - {None}:
            places = [k for k, item in enumerate(given) if item.item_set == name]
            assert len(places) == sum(item.item_set == name for item in bank.items)
            assert places == list(range(places[0], places[0] + len(places)))
            seen += 1
    assert seen > 0, "no set was given: the test would say nothing about them"


@pytest.mark.parametrize("sets", [False, True])
def test_alike_items_are_taken_in_bank_order_whatever_was_remembered(sets):
    """A Rasch bank of few difficulties is full of exact ties; a programme that remembers nothing chooses alike."""
    rng = np.random.default_rng(3)
    items = [
        Item(
            id=f"i{k}", domain=f"D{k % 3}", b=float(k % 4) / 2, model="rasch",
            item_set=f"S{k // 6}" if sets and k < 18 and k % 3 == 0 else None,
            attributes={"key": "AB"[k % 2], "words": 10 + k % 5},
        )
        for k in range(60)
    ]  # fmt: skip
    rows = [{"id": "A", "attribute": "key", "value": "A", "maximum": 7}]
    bank, exam = ItemBank.from_items(items), exam_of(("0.4", "0.3", "0.3"), 8, 15, rows)
    case = Case(exam, bank, rng.choice([0.25, 0.5], 60))
    while len(case.given) < 15:
        fresh = build_programme(exam, bank, case.plan.pool)
        picked = case.choose()
        assert fresh.choose(case.plan, case.state, len(case.given), case.preference, 0.0) == picked
        case.give(picked)
    assert case.keeps_the_rows(case.given)
