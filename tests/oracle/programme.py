"""The shadow-test programme of an exam, as a textbook writes it, solved to the end by HiGHS.

It is built from the exam and the bank alone. It knows nothing of ranked lists, exchange arguments, enemy sets,
tables of live states or branch and bound: one variable an item, one row a domain, one row an enemy pair, and the
blueprint's own rows. Item sets are not in it; tests/engine/test_programme.py enumerates them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array

from issmp_cat import Exam, ItemBank

# HiGHS ends within 1e-6 of the optimum whatever the relative gap. Values times 2¹⁶ make that 2e-11, and are exact.
SCALE = 2.0**16
NONE = -1.0


@dataclass(frozen=True)
class Row:
    """``lower ≤ Σ coefficient × item ≤ upper`` over whole tests."""

    items: np.ndarray
    coefficients: np.ndarray
    lower: float
    upper: float


class FullProgramme:
    """All whole tests of an exam on a bank: as many items as its maximum length, every constraint kept."""

    def __init__(self, exam: Exam, bank: ItemBank) -> None:
        self.exam = exam
        self.items = [item for item in bank.items if item.status == "operational"]
        self.solved = 0
        self.all = np.arange(len(self.items))
        ids = exam.blueprint.ids
        self.domains = [ids.index(item.domain if item.domain in ids else "*") for item in self.items]
        apart = exam.blueprint.enemies == "apart"
        self.enemies = [set(item.enemies) if apart else set() for item in self.items]
        for together in exam.blueprint.enemy_sets:
            for item, foes in zip(self.items, self.enemies, strict=True):
                foes.update(set(together.items) - {item.id} if item.id in together.items else ())

    @cached_property
    def rows(self) -> list[Row]:
        """One row a domain, one an enemy pair, and the blueprint's own."""
        place = {item.id: k for k, item in enumerate(self.items)}
        rows = []
        for number, quota in enumerate(self.exam.blueprint.quotas(self.exam.length.maximum)):
            members = np.array([k for k, domain in enumerate(self.domains) if domain == number], dtype=int)
            rows.append(Row(members, np.ones(len(members)), quota, quota))
        pairs = {tuple(sorted((k, place[foe]))) for k, foes in enumerate(self.enemies) for foe in foes}
        rows += [Row(np.array(pair), np.ones(2), -np.inf, 1) for pair in sorted(pairs)]
        return rows + self._further_rows()

    def _further_rows(self) -> list[Row]:
        """The rows of the blueprint over other attributes, and its enemy sets: at most one of each."""
        rows = []
        for row in self.exam.blueprint.rows:
            found = [item.attributes[row.attribute] for item in self.items]
            if row.measure == "count":
                found = [float(str(value) in map(str, row.value)) for value in found]
            low = -np.inf if row.minimum is None else row.minimum
            rows.append(
                Row(self.all, np.array(found, dtype=float), low, np.inf if row.maximum is None else row.maximum)
            )
        for enemies in self.exam.blueprint.enemy_sets:
            members = np.array([k for k, item in enumerate(self.items) if item.id in enemies.items])
            rows.append(Row(members, np.ones(len(members)), -np.inf, 1))
        return rows

    @cached_property
    def constraint(self) -> LinearConstraint:
        """The rows as HiGHS takes them."""
        begin = np.concatenate([[0], np.cumsum([len(row.items) for row in self.rows])])
        number = np.repeat(np.arange(len(self.rows)), np.diff(begin))
        items = np.concatenate([row.items for row in self.rows])
        coefficients = np.concatenate([row.coefficients for row in self.rows])
        matrix = csc_array((coefficients, (number, items)), shape=(len(self.rows), len(self.items)))
        return LinearConstraint(matrix, [row.lower for row in self.rows], [row.upper for row in self.rows])

    def best(self, value: np.ndarray, fixed: Iterable[int]) -> tuple[float, np.ndarray]:
        """The best whole test that holds some items.

        Args:
            value: of each item, on a quantum that makes sums exact. Shape ``(items,)``.
            fixed: positions of the items that the test must hold.

        Returns:
            Its value, added up exactly over the rounded solution, and its items; −1 and none when there is none.
        """
        low = np.zeros(len(self.items))
        low[np.asarray(list(fixed), dtype=int)] = 1.0
        self.solved += 1
        solution = milp(
            -value * SCALE,
            integrality=np.ones(len(low)),
            bounds=Bounds(low, 1.0),
            constraints=self.constraint,
            options={"mip_rel_gap": 0.0},
        )
        if solution.status not in {0, 2}:
            raise RuntimeError(f"HiGHS gave up: {solution.message}")
        if solution.x is None:
            return NONE, np.array([], dtype=int)
        test = np.flatnonzero(solution.x > 0.5)
        assert self.is_legal(test), "HiGHS broke a row of its own programme"
        return float(value[test].sum()), test

    def exists(self, fixed: Iterable[int]) -> bool:
        """Whether any whole test holds these items."""
        return self.best(np.zeros(len(self.items)), fixed)[0] != NONE

    def is_legal(self, test: np.ndarray) -> bool:
        """Whether a whole test keeps every row, item by item."""
        held = np.zeros(len(self.items))
        held[test] = 1.0
        return all(row.lower <= row.coefficients @ held[row.items] <= row.upper for row in self.rows)


class Balance:
    """Which domains may come next, by enumerating every way to stay balanced, in exact fractions."""

    def __init__(self, exam: Exam) -> None:
        weights = [Fraction(weight) for weight in exam.blueprint.weights]
        self.minimum, self.maximum = exam.length.minimum, exam.length.maximum
        self.live = {self.maximum: {exam.blueprint.quotas(self.maximum)}}
        for n in range(self.maximum - 1, self.minimum - 1, -1):
            before = {(*c[:k], c[k] - 1, *c[k + 1 :]) for c in self.live[n + 1] for k in range(len(c))}
            self.live[n] = {c for c in before if all(abs(have - n * w) < 1 for have, w in zip(c, weights, strict=True))}

    def open_domains(self, counts: Iterable[int]) -> list[int]:
        """Domains of which one more item leaves a balanced way to the end."""
        have = tuple(int(count) for count in counts)
        n = sum(have) + 1
        if n > self.maximum:
            return []
        after = [(*have[:k], have[k] + 1, *have[k + 1 :]) for k in range(len(have))]
        if n >= self.minimum:
            return [k for k, c in enumerate(after) if c in self.live[n]]
        # Before the minimum the order is free: some balanced state there must still hold all that was given.
        ends = np.array(sorted(self.live[self.minimum]))
        return [k for k, c in enumerate(after) if (ends >= np.array(c)).all(axis=1).any()]
