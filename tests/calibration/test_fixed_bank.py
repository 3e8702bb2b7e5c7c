"""Items held at a bank's parameters: they stay as they are, and they must be able to hold something."""

import numpy as np
import pandas as pd
import pytest

from issmp_calibration import Calibration, Constraints, calibrate, read_key
from issmp_cat.bank import Covariance, Item, ItemBank
from issmp_cat.errors import ResponseLogError, UsageError
from issmp_cat.responses import ResponseLog

KNOWN = Covariance(names=("a", "b"), values=((0.01, 0.001), (0.001, 0.02)))


def bank(n=12, **more):
    places = np.linspace(-1.5, 1.5, n)
    facts = {"covariance": KNOWN, "answers": 900, "statistics": {"p": 0.5}, "verdict": "watched", **more}
    items = [Item(id=f"q{k}", domain="old", a=1.0, b=b, enemies=("q0",) * (k == 1), **facts)
             for k, b in enumerate(places)]  # fmt: skip
    return ItemBank.from_items([*items, Item(id="p0", domain="old", b=3.0, a=0.7, status="pretest", item_set="s")])


def answers(names, persons=500, seed=3):
    rng = np.random.default_rng(seed)
    z = rng.normal(0.4, 1, (persons, 1)) - np.linspace(-1, 1, len(names))
    return ResponseLog.from_wide((rng.logistic(size=z.shape) < z).astype(int), items=names)


@pytest.fixture(scope="module")
def old():
    return bank()


@pytest.fixture(scope="module")
def found(old):
    log = answers(["new1", "q8", "q3", "q5", "new2", "p0"])
    return calibrate(log, constraints=Constraints.from_bank(old), standard_errors="observed")


def test_the_new_bank_keeps_the_old_items_as_they_were(old, found):
    new = found.to_bank()
    assert [item.id for item in new.items] == [*(item.id for item in old.items), "new1", "new2"]
    assert new.items[:12] == old.items[:12]
    again, before = new.items[12], old.items[12]
    assert again.b != before.b
    assert (again.status, again.domain, again.item_set) == ("pretest", "old", "s")
    assert again.answers == 500
    assert new.items[13].covariance is not None
    assert new.provenance["as_in_the_old_bank"] == [f"q{k}" for k in range(12)]
    assert new.provenance["left_out"] == {}
    assert new.metric == old.metric
    assert new.metric.latent_mean != found.latent.mean
    assert "9 held items without answers to fit had no part in it: q0, q1, q2, …" in found.reason
    known = Constraints.from_bank(new).covariances["q3"]
    assert known == tuple(KNOWN.model_dump().values())


def test_items_of_the_old_bank_nobody_saw_stay(old):
    log = answers(["new1", "q8", "q3", "q5"])
    key = read_key(pd.DataFrame({"item": ["q3", "q0", "new1"], "domain": ["x", "x", "x"]}))
    new = calibrate(log, key=key, constraints=Constraints.from_bank(old), standard_errors=None).to_bank()
    assert new.items[:13] == old.items
    assert new.items[13].domain == "x"


def test_held_items_nobody_saw_are_to_be_used_and_do_not_count_against_conditions():
    whole = bank(verdict=None)
    seen = answers(["new1", "q8", "q3", "q5", "new2"])
    unseen = ["q0", "q1", "p0", "new3"]
    log = ResponseLog.from_wide(np.hstack([seen.wide(), np.full((500, 4), np.nan)]), items=[*seen.items, *unseen])
    found = calibrate(log, constraints=Constraints.from_bank(whole), standard_errors=None)
    said = dict(zip(found.items.item.tolist(), found.items.verdicts, strict=True))
    for item in ("q0", "q1", "p0"):
        assert (said[item].action, said[item].codes, said[item].words) == ("use", ("stands_in_bank",), "ok")
    assert said["new3"].codes == ("nobody_saw_it",)
    assert found.figures["hold"] == 1 / len(found.items)
    assert found.figures["stands_in_bank"] == 3
    assert found.figures["min_answers"] == 0  # of new3, which the bank does not have
    again = Calibration.from_json(found.to_json())
    assert again.items.verdicts == found.items.verdicts


def test_a_stored_result_makes_the_same_bank(found):
    again = Calibration.from_json(found.to_json()).to_bank()
    assert (again.items, again.metric) == (found.to_bank().items, found.to_bank().metric)


def test_held_items_that_hold_nothing_are_refused(old):
    with pytest.raises(UsageError, match=r"none of the 12 items with fixed parameters .* among the 4 items .*check"):
        calibrate(answers(["n1", "n2", "n3", "n4"]), constraints=Constraints.from_bank(old))
    log = answers(["n1", "n2", "n3", "n4"])
    with pytest.raises(UsageError, match=r"none of the 1 item with fixed parameters \(n9\)"):
        calibrate(log, constraints=Constraints(fixed={"n9": {"a": 1.0, "b": 0.0}}))
    both = Constraints(fixed={"n9": {"a": 1.0, "b": 0.0}, "n1": {"a": 1.0, "b": -1.0}})
    assert calibrate(log, constraints=both, standard_errors=None).reason.endswith("1 held item without answers to fit "
                                                                                "had no part in it: n9")  # fmt: skip


def test_impossible_values_are_refused_all_at_once():
    wrong = {"q1": {"a": 0.0, "b": 900.0}, "q2": {"a": -1.0, "c": 1.7}, "q3": {"c": 0.5, "d": 0.5}, "q4": {"c": -0.2}}
    with pytest.raises(UsageError) as told:
        Constraints(fixed=wrong)
    for words in (
        '"q1": a is 0: expected above 0, up to 20',
        '"q1": b is 900: expected from -50 to 50',
        '"q2": a is -1',
        '"q2": c is 1.7: expected 0 or more, below 1',
        '"q3": d is 0.5: expected above c',
        '"q4": c is -0.2',
    ):
        assert words in str(told.value)
    Constraints(fixed={"nominal": {"a1": -1.0, "c1": 3.0}})
    file = pd.DataFrame({"item": ["q1", "q2"], "fix_c": ["1.7", "0.3"], "fix_a": ["-1", "1"], "fix_d": ["", "0.2"]})
    with pytest.raises(ResponseLogError) as refused:
        read_key(file)
    for words in ("line 1: fix_c is 1.7", "line 1: fix_a is -1", "line 2: fix_d is 0.2"):
        assert words in str(refused.value)
