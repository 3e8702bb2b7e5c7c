"""TestDesign 1.7.0 (lpSolve, Symphony and glpk alike): the maximum-information test of its science pool.

1,000 items (918 3PL, 82 generalised partial credit), 36 constraints: rows over level, standard, objective, depth of
knowledge and type, two enemies, two items that must come, 18 that may not, two that come together or not at all.
"""

import csv
import json
import re

import numpy as np
import pytest

from issmp_cat import Exam, Item, ItemBank
from issmp_cat.exam import plan_exam
from issmp_cat.exam.programmes import programme_of
from issmp_cat.irt import item_information
from issmp_cat.selection import ranked

LEAST_CORRELATION = 0.15
TOGETHER = ("SC00005", "SC00006")


def read(folder, name):
    with (folder / f"science_{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "reference" / "testdesign"


@pytest.fixture(scope="module")
def bank(folder):
    items = []
    for row, known in zip(read(folder, "itempool"), read(folder, "itemattrib"), strict=True):
        x = [float(row[f"X{k}"]) for k in (1, 2, 3, 4) if row[f"X{k}"] not in ("NA", "")]
        gpcm = row["model"] == "item_GPC"
        shape = {"model": "gpcm", "steps": x[1:]} if gpcm else {"model": "3pl", "b": x[1], "c": x[2]}
        attributes = {name: known[name] for name in ("STANDARD", "OBJECTIVE", "TYPE")}
        attributes["deep"] = f"{known['STANDARD']}-{'deep' if int(known['DOK']) >= 3 else known['DOK']}"
        attributes["weak"] = float(known["PTBIS"]) < LEAST_CORRELATION
        together = "pair" if row["ID"] in TOGETHER else None
        items.append(
            Item(id=row["ID"], domain=known["LEVEL"], a=x[0], attributes=attributes, item_set=together, **shape)
        )
    return ItemBank.from_items(items, id="science")


def rows_of(constraint):
    """A constraint of their file as a row of ours."""
    condition, low, high = constraint["CONDITION"], float(constraint["LB"]), float(constraint["UB"])
    values = re.findall(r'"+(\w+)"+|(?<![\w"])(\d+)', condition.split("&")[0])
    values = [quoted or plain for quoted, plain in values]
    row = {"id": constraint["CONSTRAINT_ID"], "attribute": condition.split()[0], "value": values}
    if depth := re.search(r"DOK >= (\d)", condition):
        depths = ["deep", *(str(k) for k in range(int(depth[1]), 3))]
        row |= {"attribute": "deep", "value": [f"{standard}-{d}" for standard in values for d in depths]}
    return row | {"minimum": low, "maximum": high}


@pytest.fixture(scope="module")
def exam(folder, bank):
    constraints = [c for c in read(folder, "constraints") if c["TYPE"] == "NUMBER"]
    levels = {c["CONDITION"].split()[-1]: int(c["LB"]) for c in constraints if c["CONDITION"].startswith("LEVEL")}
    assert levels == {"3": 10, "4": 10, "5": 10}
    rows = [rows_of(c) for c in constraints if not re.match("LEVEL|$", c["CONDITION"])]
    rows = [row for row in rows if _present(bank, row)]
    rows.append({"id": "C34", "attribute": "id", "value": ["SC00003", "SC00004"], "minimum": 2})
    rows.append({"id": "C35", "attribute": "weak", "value": True, "maximum": 0})
    base = Exam.load("issmp").model_dump()
    # Thirds are no decimals; largest remainders of these are 10, 10 and 10 of 30.
    domains = [{"id": level, "weight": w} for level, w in (("3", "0.34"), ("4", "0.33"), ("5", "0.33"))]
    return Exam.model_validate(
        {
            **base,
            "blueprint": {"domains": domains, "rows": rows, "enemy_sets": [{"items": ["SC00001", "SC00002"]}]},
            "length": {"minimum": 30, "maximum": 30},
            "selection": {"rule": "best"},
        }
    )


def _present(bank, row):
    """Leave out values that no item has, which their conditions may name."""
    held = {str(item.attributes[row["attribute"]]) for item in bank.items}
    row["value"] = [value for value in row["value"] if value in held]
    return bool(row["value"])


def test_our_rows_count_the_items_that_theirs_count(folder, exam, bank):
    counts = {c["CONSTRAINT_ID"]: int(c["COUNT"]) for c in read(folder, "constraints") if c["COUNT"] != "NA"}
    for row in exam.blueprint.rows[:-1]:
        if row.id in counts and row.id != "C34":
            found = sum(str(item.attributes[row.attribute]) in map(str, row.value) for item in bank.items)
            assert found == counts[row.id], row.id


def test_the_maximum_information_test_is_theirs(folder, exam, bank):
    """Objective 26.48995, the information at −1 and at 1 together; the same thirty items."""
    theirs = next(run for run in json.loads((folder / "static.json").read_text())["runs"] if run["method"] == "MAXINFO")
    info = item_information(np.array([-1.0, 1.0]), bank.parameters)
    plan, programme = plan_exam(exam, bank), programme_of(exam, bank)
    value = ranked(plan.pool, info.sum(axis=0)).value
    test = programme.whole_test(value)
    assert {bank.ids[i] for i in test} == set(theirs["selected_id"])
    np.testing.assert_allclose(info[:, test].sum(axis=1), theirs["info_at_targets"], rtol=1e-9)
    assert value[test].sum() == pytest.approx(theirs["obj_value"], abs=1e-8)
