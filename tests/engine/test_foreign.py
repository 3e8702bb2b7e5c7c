"""Item parameters of other programs: there and back, against mirt's own numbers, and every fault with its line."""

import contextlib
import csv
import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from issmp_cat import Item, ItemBank
from issmp_cat.bank import Covariance
from issmp_cat.bank.foreign import (
    BILOG,
    FLEXMIRT,
    MIRT,
    MIRT_SLOPE,
    PRINTED,
    QTI,
    WINSTEPS,
    WINSTEPS_STEPS,
    Wishes,
    read_foreign,
    structure_of,
    write_foreign,
)
from issmp_cat.bank.foreign.conversion import difficulties, errors_of, intercepts, slope_intercept_errors
from issmp_cat.bank.foreign.nominal import identity, to_deviations, to_scoring, trend
from issmp_cat.bank.item import Metric
from issmp_cat.errors import BankError

ALL = (MIRT, MIRT_SLOPE, BILOG, WINSTEPS, FLEXMIRT, PRINTED, QTI)


# ---- banks to try

slopes = st.floats(0.2, 4.0)
places = st.floats(-6.0, 6.0)
errors = st.floats(0.001, 2.0)


def covariance(draw, names):
    """A diagonal one, or with correlations, or none."""
    kind = draw(st.sampled_from(["none", "diagonal", "full"]))
    if kind == "none":
        return None
    spread = np.array([draw(errors) for _ in names])
    rho = draw(st.floats(-0.4, 0.9)) if kind == "full" and len(names) > 1 else 0.0
    rho = max(rho, -0.9 / max(len(names) - 1, 1))
    shape = np.full((len(names), len(names)), rho)
    np.fill_diagonal(shape, 1.0)
    return Covariance(names=names, values=tuple(map(tuple, (np.outer(spread, spread) * shape).tolist())))


@st.composite
def items(draw, models, number):
    model = draw(st.sampled_from(models))
    a = 1.0 if model in ("rasch", "pcm") else draw(slopes.filter(lambda x: x != 1.0))
    fields = {"id": f"I{number:03d}", "domain": "all", "model": model, "a": a}
    if model == "nrm":
        n = draw(st.integers(2, 4))
        values = [draw(st.lists(st.floats(-3, 3), min_size=n, max_size=n)) for _ in range(2)]
        last = draw(st.floats(0.2, 3)) * draw(st.sampled_from([-1, 1]))
        # Slopes that rise evenly are partial credit, and are read so.
        assume(abs(values[0][0] - last / n) > 1e-3)
        names = [f"{letter}{k + 1}" for letter in "ac" for k in range(n)]
        return Item(
            **{key: fields[key] for key in ("id", "domain", "model")}, slopes=[*values[0][:-1], last],
            intercepts=values[1], covariance=covariance(draw, tuple(names)),
        )  # fmt: skip
    if model in ("grm", "gpcm", "pcm"):
        gaps = draw(st.lists(st.floats(0.1, 2.0), min_size=2, max_size=5))
        steps = list(np.cumsum([draw(st.floats(-4, 1)), *gaps])) if model == "grm" else [-1.5, *gaps]
        names = (*(() if model == "pcm" else ("a",)), *(f"b{k + 1}" for k in range(len(steps))))
        fields["steps"] = tuple(map(float, steps))
    else:
        names = {"rasch": ("b",), "2pl": ("a", "b"), "3pl": ("a", "b", "c"), "4pl": ("a", "b", "c", "d")}[model]
        fields["b"] = draw(places)
        fields["c"] = draw(st.floats(0.01, 0.4)) if model in ("3pl", "4pl") else 0.0
        fields["d"] = draw(st.floats(0.7, 0.99)) if model == "4pl" else 1.0
    return Item(**fields, covariance=covariance(draw, names))


@st.composite
def banks(draw, *models):
    n = draw(st.integers(1, 4))
    metric = Metric(latent_mean=draw(st.floats(-2, 2)), latent_sd=draw(st.floats(0.3, 3)))
    return ItemBank.from_items([draw(items(models, k)) for k in range(n)], metric=metric)


def again(bank, form, tmp_path_factory, metric=None, wishes=None):
    """Written and read: the bank, and the file's text."""
    path = tmp_path_factory.mktemp("foreign") / "items.txt"
    write_foreign(bank, path, form, metric)
    return read_foreign(path, form, wishes), path.read_text(encoding="utf-8")


def assert_same_curves(before, after, **tolerance):
    assert before.ids == after.ids
    assert [len(item.steps) for item in before.items] == [len(item.steps) for item in after.items]
    for name in ("a", "b", "c", "d"):
        assert_allclose(getattr(after, name), getattr(before, name), **tolerance)
    for old, new in zip(before.items, after.items, strict=True):
        assert_allclose(new.steps, old.steps, **tolerance)
        assert_allclose(new.slopes, old.slopes, **tolerance)
        assert_allclose(new.intercepts, old.intercepts, **tolerance)


def assert_same_errors(before, after, **tolerance):
    for old, new in zip(before.items, after.items, strict=True):
        theirs, ours = errors_of(new), errors_of(old)
        assert theirs.keys() == ours.keys()
        assert_allclose([theirs[k] for k in ours], [ours[k] for k in ours], **tolerance)


# ---- there and back


@given(bank=banks("rasch", "2pl", "3pl", "4pl", "grm"))
def test_mirts_irt_form_keeps_every_digit_of_parameters_and_errors(bank, tmp_path_factory):
    after, _ = again(bank, MIRT, tmp_path_factory, wishes=Wishes(stepped="grm"))
    assert_same_curves(bank, after, rtol=1e-15)
    assert_same_errors(bank, after, rtol=1e-12)
    assert [item.model for item in after.items] == [item.model for item in bank.items]
    assert_allclose(
        [after.metric.latent_mean, after.metric.latent_sd], [bank.metric.latent_mean, bank.metric.latent_sd]
    )


@given(bank=banks("rasch", "2pl", "3pl", "4pl", "grm", "gpcm", "pcm"))
def test_mirts_slopes_and_intercepts_come_back_with_their_errors(bank, tmp_path_factory):
    after, text = again(bank, MIRT_SLOPE, tmp_path_factory)
    assert_same_curves(bank, after, rtol=1e-12, atol=1e-12)
    assert [item.model for item in after.items] == [item.model for item in bank.items]
    for old, new in zip(bank.items, after.items, strict=True):
        (slope, locations), (slope_after, locations_after) = slope_intercept_errors(old), slope_intercept_errors(new)
        assert (slope is None) == (slope_after is None)
        known = [
            (x, y) for x, y in zip([slope, *locations], [slope_after, *locations_after], strict=True) if x is not None
        ]
        # Differences of large terms: intercepts are found again to a share of the slope's own part.
        assert_allclose([y for _, y in known], [x for x, _ in known], rtol=1e-6, atol=1e-7)
    assert text.startswith(",par,SE\n")


@pytest.mark.parametrize("form", [MIRT, MIRT_SLOPE], ids=["irt", "slope"])
@given(bank=banks("nrm", "2pl"))
def test_mirts_nominal_items_come_back_with_the_errors_of_what_the_file_holds(form, bank, tmp_path_factory):
    after, text = again(bank, form, tmp_path_factory)
    assert_same_curves(bank, after, rtol=1e-9, atol=1e-9)
    assert [item.model for item in after.items] == [item.model for item in bank.items]
    for old, new in zip(bank.items, after.items, strict=True):
        assert (old.covariance is None) == (new.covariance is None)
    # What is written of what was read has the same errors, where they do not depend on covariances.
    _, second = again(after, MIRT_SLOPE, tmp_path_factory)
    if form is MIRT_SLOPE:
        for row, other in zip(csv.reader(text.splitlines()), csv.reader(second.splitlines()), strict=True):
            assert row[0] == other[0]
            if row[2] not in ("SE", "NA"):
                assert float(other[2]) == pytest.approx(float(row[2]), rel=1e-5, abs=1e-7)


def test_mirts_two_forms_of_nominal_items_have_the_errors_that_draws_have():
    """Against 400,000 draws of slopes and intercepts, turned into both forms as mirt's manual writes them."""
    rng = np.random.default_rng(3)
    root = rng.normal(0, 0.05, (6, 6))
    names = [f"{letter}{k}" for letter in "ac" for k in (1, 2, 3)]
    item = Item(
        id="i", domain="D", model="nrm", slopes=(0.8, -0.3, 1.6), intercepts=(0.2, 1.0, -0.7),
        covariance={"names": names, "values": (root @ root.T).tolist()},
    )  # fmt: skip
    draws = rng.multivariate_normal([*item.slopes, *item.intercepts], root @ root.T, 400_000)
    slopes, places = draws[:, :3], draws[:, 3:]
    a1 = slopes[:, 2] / 3
    expected = [a1.std(), (slopes[:, 0] / a1).std(), (slopes[:, 1] / a1).std(), *places.std(axis=0)]
    assert_allclose(to_scoring(item)[2], expected, rtol=0.03)
    centred = [np.c_[np.zeros(len(x)), x] - x.sum(axis=1, keepdims=True) / 4 for x in (slopes, places)]
    assert_allclose(to_deviations(item)[2], np.concatenate([x.std(axis=0) for x in centred]), rtol=0.01)


def test_mirts_nominal_items_are_those_of_its_manual(tmp_path):
    """coef(): ak_k (a1 θ) + d_k with ak0 = 0, ak_m = m, d0 = 0; IRT form: deviations from the mean."""
    slopes = '"","par","SE"\n"I.a1",0.5,0.1\n"I.ak0",0,NA\n"I.ak1",3,0.4\n"I.ak2",2,NA\n'
    slopes += '"I.d0",0,NA\n"I.d1",0.7,0.2\n"I.d2",-0.4,0.3\n'
    (item,) = read(slopes, MIRT_SLOPE, tmp_path).items
    assert (item.model, item.slopes, item.intercepts) == ("nrm", (1.5, 1.0), (0.7, -0.4))
    # s_1 = a1 ak_1, s_2 = 2 a1, errors of a1 and ak_1 uncorrelated.
    assert errors_of(item) == pytest.approx(
        {"a1": math.hypot(3 * 0.1, 0.5 * 0.4), "a2": 0.2, "c1": 0.2, "c2": 0.3}, rel=1e-12
    )
    deviations = '"","a1","a2","a3","c1","c2","c3"\n"I",-0.5,0.8,-0.3,0.1,-0.4,0.3\n'
    (item,) = read(deviations, MIRT, tmp_path).items
    assert item.slopes == pytest.approx((1.3, 0.2))
    assert item.intercepts == pytest.approx((-0.5, 0.2))
    assert "what each earns is not in the file" in read(deviations, MIRT, tmp_path).provenance["parameterisation"]


@given(bank=banks("rasch", "2pl", "3pl", "4pl", "grm", "gpcm", "pcm", "nrm"))
def test_flexmirt_keeps_every_digit_of_the_parameters(bank, tmp_path_factory):
    flat = ItemBank.from_items([i for i in bank.items if i.d == 1.0] or [Item(id="i", domain="all", b=0.0)])
    after, _ = again(flat, FLEXMIRT, tmp_path_factory)
    assert_same_curves(flat, after, rtol=1e-10, atol=1e-10)
    assert all(item.covariance is None for item in after.items)


@given(bank=banks("rasch", "2pl", "3pl"), metric=st.sampled_from([None, 1.0, 1.7, 1.702]))
def test_bilog_keeps_five_decimals_in_any_metric(bank, metric, tmp_path_factory):
    after, text = again(bank, BILOG, tmp_path_factory, metric)
    assert_same_curves(bank, after, rtol=0, atol=1e-5)
    assert_same_errors(bank, after, rtol=0, atol=1e-5)
    assert [item.model for item in after.items] == [item.model for item in bank.items]
    assert f"D = {metric or 1.7:g}" in text
    # Written once more, nothing moves by more than the last digit; intercepts and dispersions follow from the others.
    _, second = again(after, BILOG, tmp_path_factory, metric)
    for old, new in zip(text.splitlines()[4:], second.splitlines()[4:], strict=True):
        for start in (36, 46, 56, 66, 96, 106):
            assert float(new[start : start + 10]) == pytest.approx(float(old[start : start + 10]), abs=1.1e-5)


@given(bank=banks("rasch"), counts=st.integers(1, 5000), right=st.floats(0, 1))
def test_winsteps_keeps_four_decimals_and_the_counts(bank, counts, right, tmp_path_factory):
    known = [item.model_copy(update={"answers": counts, "statistics": {"p": right}}) for item in bank.items]
    bank = ItemBank.from_items(known)
    after, _ = again(bank, WINSTEPS, tmp_path_factory)
    assert_same_curves(bank, after, rtol=0, atol=5.1e-5)
    assert_same_errors(bank, after, rtol=0, atol=5.1e-5)
    assert [item.answers for item in after.items] == [counts] * len(bank)
    # A score has one decimal.
    assert_allclose([item.statistics["p"] for item in after.items], right, atol=0.0501 / counts + 1e-9)


@given(bank=banks("pcm", "rasch"))
def test_winsteps_keeps_steps_in_its_second_file(bank, tmp_path_factory):
    path = tmp_path_factory.mktemp("foreign") / "items.txt"
    write_foreign(bank, path, WINSTEPS_STEPS)
    after = read_foreign(path, WINSTEPS, Wishes(structure=structure_of(bank.items)))
    assert_same_curves(bank, after, rtol=0, atol=5.2e-5)
    assert [item.model for item in after.items] == [item.model for item in bank.items]
    for old, new in zip(bank.items, after.items, strict=True):
        n = max(len(old.steps), 1)
        spread = 0.0 if old.covariance is None else math.sqrt(max(np.array(old.covariance.values).sum(), 0.0)) / n
        assert errors_of(new).get("b", 0.0) == pytest.approx(spread, abs=5.1e-5)


STEPPED = """\
; ITEM demo
;ENTRY MEASURE ST COUNT SCORE MODLSE NAME
     1    0.50  1   35.0    60.0   0.20 rated
     2   -1.00  1   35.0    30.0   0.55 plain
"""
STRUCTURE = """\
; STRUCTURE MEASURE FILE
; ITEM CATEGORY MEASURE
     1   0     0.00
     1   1    -0.75
     1   2     0.75
     2   0     0.00
     2   1     0.00
"""


def test_winsteps_thresholds_are_relative_to_the_difficulty(tmp_path):
    bank = read(STEPPED, WINSTEPS, tmp_path, structure=STRUCTURE)
    assert [(item.id, item.model) for item in bank.items] == [("rated", "pcm"), ("plain", "rasch")]
    assert bank.items[0].steps == (-0.25, 1.25)
    assert bank.items[0].b == 0.5
    assert bank.items[0].statistics == {"mean_score": 60 / 35}
    shared_scale = "; CATEGORY MEASURE\n 1 0.00\n 2 -0.50\n 3 0.50\n"
    both = read(STEPPED, WINSTEPS, tmp_path, structure=shared_scale)
    assert both.items[1].steps == (-1.5, -0.5)


@pytest.mark.parametrize(
    ("structure", "words"),
    [
        ("", "its steps stand in another file (SFILE); --structure names it"),
        (STRUCTURE.replace("     2   0     0.00\n     2   1     0.00\n", ""), "no steps of plain"),
        (STRUCTURE.replace("   1    -0.75", "   5    -0.75"), "expected no gaps"),
        (STRUCTURE.replace("-0.75", "x"), "structure, line 4"),
        (STRUCTURE.replace("     1   2 ", "     1   1 "), "category 1 of item 1 stands twice"),
    ],
)
def test_faults_of_a_structure_file_are_named(structure, words, tmp_path):
    with pytest.raises(BankError) as refused:
        read(STEPPED, WINSTEPS, tmp_path, structure=structure)
    assert words in str(refused.value)


@given(bank=banks("rasch", "2pl", "3pl"), metric=st.sampled_from([None, 1.7]), p=st.floats(0, 1))
def test_qti_keeps_every_digit_of_parameters_errors_and_p(bank, metric, p, tmp_path_factory):
    bank = ItemBank.from_items([i.model_copy(update={"answers": 7, "statistics": {"p": p}}) for i in bank.items])
    after, _ = again(bank, QTI, tmp_path_factory, metric)
    assert_same_curves(bank, after, rtol=1e-14)
    assert_same_errors(bank, after, rtol=1e-12)
    assert [(i.answers, i.statistics) for i in after.items] == [(7, {"p": p})] * len(bank)


@given(bank=banks("grm", "gpcm", "pcm", "2pl"))
def test_intercepts_undo_difficulties(bank):
    for item in bank.items:
        assert_allclose(difficulties(item.model, item.a, intercepts(item)), item.steps or [item.b], atol=1e-12)


def test_the_delta_method_is_what_simulation_gives():
    """Independent of our algebra: 400,000 draws of (a, b), their intercepts' spread; 4 Monte-Carlo errors."""
    values = ((0.0004, 0.0003), (0.0003, 0.0009))
    item = Item(id="i", domain="D", a=1.5, b=-0.8, covariance=Covariance(names=("a", "b"), values=values))
    a, b = np.random.default_rng(1).multivariate_normal([1.5, -0.8], values, 400_000).T
    _, (se,) = slope_intercept_errors(item)
    assert se == pytest.approx((-a * b).std(), rel=4 / math.sqrt(800_000) + 1e-3)


def test_flexmirts_contrasts_score_categories_linearly_first():
    assert_allclose(trend(4)[:, 0], [0, 1, 2, 3])
    assert_allclose(trend(4)[[0, 3], 1:], 0.0, atol=1e-15)


def test_flexmirts_contrasts_are_those_of_its_own_code(tmp_path):
    """rpf's Tnom.trend and Tnom.id, "copied from flexmirt.R", for four categories."""
    sines = [math.sin(math.pi * j * k / 3) for k in (1, 2) for j in (1, 2)]
    assert_allclose(trend(4), [[0, 0, 0], [1, *sines[:2]], [2, *sines[2:]], [3, 0, 0]], atol=1e-15)
    assert_allclose(identity(4), [[0, 0, 0], [0, 1, 0], [0, 0, 1], [3, 0, 0]])
    matrix = "\t".join(map(str, [0, 0, 0, 0, 1, 0, 1, 0, 0]))
    line = f"1\tv\t1\t1\t3\t3\t2\t{matrix.rsplit(chr(9), 3)[0]}\t0.5\t2\t0.8\t1\t0.6\t-0.3\n"
    (item,) = read(line, FLEXMIRT, tmp_path).items
    # Scoring by the matrix ((0, 0), (0, 0), (1, 0)): 0, 0.5; intercepts by identity: −0.3, 2 × 0.6.
    assert item.model == "nrm"
    assert item.slopes == pytest.approx((0.0, 0.4))
    assert item.intercepts == pytest.approx((-0.3, 1.2))


def test_a_covariance_of_steps_that_are_not_there_is_refused():
    with pytest.raises(ValueError, match="covariance of b3, but 2 steps"):
        Item(id="i", domain="D", model="grm", steps=(0, 1), covariance={"names": ("b3",), "values": ((0.1,),)})


# ---- mirt's own numbers


@pytest.fixture(
    params=["lsat7_2PL", "lsat7_1PL", "lsat7_Rasch", "sat12_key3_3PL_normprior", "science_GRM", "science_GPCM"]
)
def reference(request, shared):
    name = request.param
    return name, json.loads((shared / "reference" / "mirt" / f"{name}.json").read_text(encoding="utf-8"))


def as_export(theirs, form):
    """What write.csv(coef(…, printSE = TRUE, as.data.frame = TRUE)) gives, R's way with names included."""
    lines = ['"","par","SE"']
    for item, known in theirs[form].items():
        for name, value in known["par"].items():
            se = known["se"].get(name)
            row = f"{item}.{name}".replace("(", ".").replace(")", ".")
            lines.append(f'"{row}",{value!r},{"NA" if se is None else repr(se)}')
    return "\n".join([*lines, ""])


def test_mirts_difficulties_follow_from_its_slopes_and_intercepts(reference, tmp_path):
    name, theirs = reference
    stepped = "gpcm" if "GPCM" in name else "grm"
    for form in ("irt", "slope_intercept"):
        (tmp_path / f"{form}.csv").write_text(as_export(theirs, form), encoding="utf-8")
    plain = read_foreign(tmp_path / "irt.csv", MIRT, Wishes(stepped=stepped))
    sloped = read_foreign(tmp_path / "slope_intercept.csv", MIRT)
    assert_same_curves(plain, sloped, rtol=1e-9, atol=1e-9)
    assert [item.model for item in plain.items] == [item.model for item in sloped.items]
    known = next(iter(theirs["irt"].values()))
    assert plain.a[0] == known["par"]["a"]


def test_mirts_errors_follow_from_its_covariance_by_the_delta_method(shared):
    """mirt's SE of b by its own delta method; ours from the block of a1 and d in its covariance matrix."""
    theirs = json.loads((shared / "reference" / "mirt" / "lsat7_2PL.json").read_text(encoding="utf-8"))
    vcov = np.array(theirs["vcov"])
    for k, known in enumerate(v for n, v in theirs["irt"].items() if n != "GroupPars"):
        a, b = known["par"]["a"], known["par"]["b"]
        jacobian = np.linalg.inv([[1.0, 0.0], [-b, -a]])
        values = jacobian @ vcov[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] @ jacobian.T
        item = Item(id="i", domain="D", a=a, b=b, covariance={"names": ("a", "b"), "values": values.tolist()})
        assert errors_of(item)["b"] == pytest.approx(known["se"]["b"], rel=1e-6)
        slope, (location,) = slope_intercept_errors(item)
        assert slope == pytest.approx(math.sqrt(vcov[2 * k, 2 * k]), rel=1e-9)
        assert location == pytest.approx(math.sqrt(vcov[2 * k + 1, 2 * k + 1]), rel=1e-9)


def test_a_rasch_population_comes_with_the_file(shared, tmp_path):
    theirs = json.loads((shared / "reference" / "mirt" / "lsat7_Rasch.json").read_text(encoding="utf-8"))
    (tmp_path / "rasch.csv").write_text(as_export(theirs, "irt"), encoding="utf-8")
    bank = read_foreign(tmp_path / "rasch.csv", MIRT)
    assert {item.model for item in bank.items} == {"rasch"}
    group = theirs["irt"].get("GroupPars")
    if group:
        assert bank.metric.latent_sd**2 == pytest.approx(group["par"]["COV_11"])


# ---- files as the programs write them


def par_line(name, *numbers, end):
    return f"{name:<8}TEST0001{''.join(f'{x:10.5f}' for x in numbers)}{end}"


PAR = "\n".join(
    [
        " A TEST OF FIVE ITEMS",
        ">COMMENT",
        "",
        "    5    5",
        par_line(
            "ITEM0001", 1.0159, 0.0841, 0.4426, 0.0727, -2.2953, 0.3677, 2.2594, 0.3711, 0, 0, 0, 0, 0, end="   1A0"
        ),
        par_line(
            "ITEM0002", 0.4402, 0.055, 0.5864, 0.09, -0.7507, 0.122, 1.7053, 0.2617, 0.21, 0.05, 0, 0, 0, end="   2B0"
        ),
        "",
    ]
)
IFILE = """\
; ITEM demo   Nov 22 2026
;ENTRY MEASURE ST COUNT SCORE MODLSE IN.MSQ INZSTD OUTMSQ OUTZST DISPL PTMA WEIGHT OBSMA EXPMA PMA-E RMSR G M NAME
     1    0.72  1   35.0     9.0   0.42  0.73 -0.54 0.68 -0.56 0 0.41 1 66.7 66.6 0.5 0.4 0 R first item
     2   -1.72  1   35.0    30.0   0.55  1.09  0.35 1.05  0.27 0 0.33 1 66.7 66.6 0.5 0.4 0 R second
;    3   -4.10 -1   35.0    35.0   1.83  1.00  0.00 1.00  0.00 0 0.00 1 99.0 99.0 0.0 0.0 0 R easy
;    4    0.00 -3    0.0     0.0   0.00  1.00  0.00 1.00  0.00 0 0.00 1 99.0 99.0 0.0 0.0 0 R gone
"""
PRM = """\
1\tv1\t1\t1\t1\t2\t-1.3862944\t0.5\t1.25
1\tv2\t1\t1\t2\t2\t-0.6\t1.5
1\tv3\t1\t1\t2\t4\t3.0\t1.0\t-2.0\t2.0
1\tv4\t1\t1\t3\t3\t0\t1\t0\t1.2\t1\t0.6\t-0.3
0\tGroup1\t1\t1\t0\t0.1\t1.44
"""
TABLE = """\
flexMIRT output, much of it

2PL Items for Group 1: Grade4
  Item   Label   P#     a   s.e.   P#      c   s.e.       b   s.e.
     1      v1    2  1.05   0.15    1   2.68   0.16   -2.55   0.27
     2      v2       1.00   ----    3   0.40   0.10   -0.40   0.10

3PL Items for Group 1: Grade4
  Item   Label   P#     a   s.e.   P#      c   s.e.       b   s.e.   P# logit-g   s.e.      g   s.e.
     3      v3    6  1.50   0.25    5  -0.75   0.20    0.50   0.12    4   -1.39   0.31   0.20   0.05

Graded Items for Group 1: Grade4
  Item   Label   P#     a   s.e.     b 1   s.e.     b 2   s.e.
     4      v4    9  1.20   0.11   -1.50   0.20    0.80   0.13

Marginal fit and much more
     1   1.0   2.0
"""
XML = """\
<?xml version="1.0"?>
<usageData xmlns="http://www.imsglobal.org/xsd/imsqti_usagedata_v2p2">
  <ordinaryStatistic name="A-Param" context="http://example.org/run" stdError="0.1">
    <targetObject identifier="Q1"/><value baseType="float">0.8</value>
  </ordinaryStatistic>
  <ordinaryStatistic name="B-Param" context="http://example.org/run" stdError="0.2" caseCount="412">
    <targetObject identifier="Q1"/><value>-0.5</value>
  </ordinaryStatistic>
  <ordinaryStatistic name="P-value" context="http://example.org/run"><targetObject identifier="Q1"/><value>0.61</value>
  </ordinaryStatistic>
  <ordinaryStatistic name="P-value" context="http://example.org/run"><targetObject identifier="Q2"/><value>0.4</value>
  </ordinaryStatistic>
  <ordinaryStatistic name="Something" context="http://example.org/run"><targetObject identifier="Q1"/><value>x</value>
  </ordinaryStatistic>
</usageData>
"""
EXPORT = '"","par","SE"\n"I1.a",1.2,0.1\n"I1.b",-0.5,0.2\n"I1.g",0,NA\n"I1.u",1,NA\n'
SLOPES = '"","a1","d","g","u"\n"I1",1.2,0.6,0,1\n"I2",0.9,-0.3,0.2,1\n'
SAMPLES = {
    "bilog": PAR,
    "winsteps": IFILE,
    "flexmirt": PRM,
    "flexmirt-table": TABLE,
    "qti": XML,
    "mirt": EXPORT,
    "mirt-slope": SLOPES,
}


def read(text, form, tmp_path, **wishes):
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8")
    return read_foreign(path, form, Wishes(**wishes))


def test_a_bilog_file_is_in_the_normal_metric_unless_told(tmp_path):
    bank = read(PAR, BILOG, tmp_path)
    assert_allclose(bank.a, [1.7 * 0.4426, 1.7 * 0.5864])
    assert_allclose(bank.c, [0, 0.21])
    assert [item.model for item in bank.items] == ["2pl", "3pl"]
    assert errors_of(bank.items[0])["a"] == pytest.approx(1.7 * 0.0727)
    assert "D = 1.7" in bank.provenance["metric"]
    assert_allclose(read(PAR, BILOG, tmp_path, metric=1.0).a, [0.4426, 0.5864])


def test_bilogs_intercept_error_gives_the_covariance_back(tmp_path):
    first = read(PAR, BILOG, tmp_path).items[0]
    assert first.covariance.values[0][1] > 0  # easy items: slope and threshold rise together
    assert slope_intercept_errors(first)[1][0] / 1.7 == pytest.approx(0.0841, abs=1e-6)


def test_a_winsteps_file_tells_extreme_and_deleted_items_apart(tmp_path):
    bank = read(IFILE, WINSTEPS, tmp_path)
    assert bank.ids == ("first item", "second", "easy")
    assert_allclose(bank.b, [0.72, -1.72, -4.1])
    assert errors_of(bank.items[0]) == {"b": pytest.approx(0.42)}
    assert bank.items[0].statistics == {
        "p": 9 / 35, "infit": 0.73, "outfit": 0.68, "point_measure": 0.41,
    }  # fmt: skip
    assert bank.items[2].verdict.startswith("everyone or no one")
    assert bank.provenance["left_out"] == {"gone": "deleted by the user"}


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_winsteps_file_may_be_separated_otherwise(delimiter, tmp_path):
    text = "\n".join(
        delimiter.join(row)
        for row in (["ENTRY", "MEASURE", "COUNT", "SCORE", "MODLSE", "ITEM"], ["1", "0.5", "20", "9", ".4", '"A 1"'])
    )
    assert read(text, WINSTEPS, tmp_path).ids == ("A 1",)


def test_a_flexmirt_file_holds_four_kinds_of_items_and_the_population(tmp_path):
    bank = read(PRM, FLEXMIRT, tmp_path)
    assert [item.model for item in bank.items] == ["3pl", "2pl", "grm", "gpcm"]
    assert_allclose(bank.c[0], 0.2, rtol=1e-7)
    assert_allclose(bank.b[:2], [-0.4, 0.4])
    assert_allclose(bank.items[2].steps, [-1.5, -0.5, 1.0])
    # Identity contrasts: the last intercept is twice the first factor.
    assert_allclose(bank.items[3].steps, [0.25, -1.25])
    assert (bank.metric.latent_mean, bank.metric.latent_sd) == (0.1, pytest.approx(1.2))


def test_qti_statistics_of_options_and_tests_are_not_the_items(tmp_path):
    more = """<ordinaryStatistic name="P-value" context="x"><targetObject identifier="Q1" partIdentifier="A"/>
    <value>0.2</value></ordinaryStatistic><ordinaryStatistic name="B-Param" context="x">
    <targetObject identifier="T1" objectType="test"/><value>0.3</value></ordinaryStatistic></usageData>"""
    bank = read(XML.replace("</usageData>", more), QTI, tmp_path)
    assert bank.ids == ("Q1",)
    assert bank.items[0].statistics == {"p": 0.61}


def test_qti_targets_are_items_in_the_words_of_the_schema(tmp_path_factory):
    _, text = again(ItemBank.from_items([Item(id="i", domain="D", a=1.2, b=0.5)]), QTI, tmp_path_factory)
    assert text.count('<targetObject identifier="i" objectType="item"/>') == 2


def test_printed_tables_hold_parameters_and_errors(tmp_path):
    bank = read(TABLE, PRINTED, tmp_path)
    assert [(item.id, item.model) for item in bank.items] == [
        ("v1", "2pl"), ("v2", "rasch"), ("v3", "3pl"), ("v4", "grm"),
    ]  # fmt: skip
    assert errors_of(bank.items[0]) == pytest.approx({"a": 0.15, "b": 0.27})
    assert errors_of(bank.items[1]) == pytest.approx({"b": 0.10})
    assert errors_of(bank.items[2]) == pytest.approx({"a": 0.25, "b": 0.12, "c": 0.05})
    assert (bank.c[2], bank.items[3].steps) == (0.2, (-1.5, 0.8))
    assert errors_of(bank.items[3]) == pytest.approx({"a": 0.11, "b1": 0.20, "b2": 0.13})


@given(bank=banks("rasch", "2pl", "3pl", "grm"))
def test_printed_tables_keep_six_decimals_of_parameters_and_errors(bank, tmp_path_factory):
    after, _ = again(bank, PRINTED, tmp_path_factory)
    # Tables stand one after the other: items come back model by model.
    order = [after.index[id_] for id_ in bank.ids]
    after = ItemBank.from_items([after.items[k] for k in order])
    assert_same_curves(bank, after, rtol=0, atol=6e-7)
    assert_same_errors(bank, after, rtol=0, atol=6e-7)
    assert [item.model for item in after.items] == [item.model for item in bank.items]


def test_qti_statistics_make_an_item_where_a_difficulty_is_given(tmp_path):
    bank = read(XML, QTI, tmp_path)
    (item,) = bank.items
    assert (item.id, item.a, item.b, item.answers, item.statistics) == ("Q1", 0.8, -0.5, 412, {"p": 0.61})
    assert bank.provenance["left_out"] == {"Q2": "no B-Param (difficulty)"}
    assert "assumed" in bank.provenance["metric"]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_file_is_recognised_by_one_format_only(name):
    assert [form.name for form in ALL if form.recognises(SAMPLES[name])] == [name]


def test_no_format_takes_a_bank_of_ours_for_its_own(tmp_path):
    bank = ItemBank.load_packaged("practice-bank")
    for suffix in (".csv", ".tsv", ".json"):
        bank.save(tmp_path / f"bank{suffix}")
        text = (tmp_path / f"bank{suffix}").read_text(encoding="utf-8")
        assert [form.name for form in ALL if form.recognises(text)] == []


@given(text=st.text(max_size=300))
def test_nonsense_is_refused_and_never_crashes(text, tmp_path_factory):
    path = tmp_path_factory.mktemp("foreign") / "file.txt"
    path.write_text(text, encoding="utf-8", errors="replace")
    for form in ALL:
        form.recognises(text)
        with pytest.raises(BankError):
            read_foreign(path, form)


@given(data=st.data())
def test_a_damaged_file_is_refused_or_read_and_never_crashes(data, tmp_path_factory):
    name = data.draw(st.sampled_from(sorted(SAMPLES)))
    text = SAMPLES[name]
    at = data.draw(st.integers(0, len(text)))
    damaged = text[:at] + data.draw(st.text(max_size=5)) + text[at + data.draw(st.integers(0, 30)) :]
    path = tmp_path_factory.mktemp("foreign") / "file.txt"
    path.write_text(damaged, encoding="utf-8", errors="replace")
    form = next(form for form in ALL if form.name == name)
    with contextlib.suppress(BankError):
        assert len(read_foreign(path, form, Wishes(stepped="grm"))) > 0


# ---- faults, all at once, with their lines

FAULTS = [
    (
        BILOG,
        PAR.replace("0.44260", "  abcde").replace("0.05000", "-.05000"),
        ("line 5", "slope", "line 6", "SE of asymptote"),
    ),
    (BILOG, PAR.replace("ITEM0002TEST0001", "ITEM0002TEST0002"), ("2 subtests", "convert one at a time")),
    (BILOG, PAR.replace("ITEM0002", "ITEM0001"), ("stands 2 times",)),
    (WINSTEPS, IFILE.replace("0.72  1", "x.72  1").replace("30.0", "70.0"), ("line 3", "MEASURE", "line 4", "SFILE")),
    (WINSTEPS, IFILE.replace(" MODLSE", " WHAT"), ("line 2", "no column ERROR")),
    (WINSTEPS, IFILE.replace(";ENTRY", ";"), ("HLINES=Y",)),
    (
        FLEXMIRT,
        PRM.replace("v3\t1\t1\t2\t4", "v3\t1\t2\t2\t4").replace("\t0.6\t-0.3", "\t0.6"),
        ("line 3", "2 dimensions", "line 4"),
    ),
    (FLEXMIRT, PRM.replace("3\t3\t0\t1", "3\t3\t7\t1"), ("line 4", "contrasts under code 7")),
    (FLEXMIRT, PRM.replace("v2", "v1"), ("line 2", "twice")),
    (
        PRINTED,
        TABLE.replace("2.68", "2.18").replace("0.25    5", "x.25    5"),
        ("line 5", "−a b", "line 10", "s.e. of a"),
    ),
    (PRINTED, TABLE.replace("Graded", "GPC"), ("line 14", "a table of GPC items")),
    (PRINTED, TABLE.replace("   0.80   0.13", ""), ("line 14", "columns expected")),
    (QTI, XML.replace(">-0.5<", ">easy<").replace('"0.1"', '"-1"'), ("line 3", "stdError", "line 6", "easy")),
    (QTI, XML.replace("usageData", "itemBody"), ("the root is",)),
    (QTI, XML.replace("</usageData>", ""), ("line",)),
    (QTI, '<!DOCTYPE x [<!ENTITY a "b">]><usageData/>', ("entities",)),
    (MIRT, EXPORT.replace("1.2,0.1", "x,0.1").replace("-0.5,0.2", "-0.5,-0.2"), ("line 2", "a is", "SE of b")),
    (MIRT, EXPORT.replace("I1.b", "I1.b1"), ("--stepped",)),
    (MIRT, SLOPES.replace("0.6,0,1", "0.6,0"), ("line 2", "fields")),
    (MIRT, '"","par","SE"\n"I1.a1",1,NA\n"I1.a2",1,NA\n"I1.d",1,NA\n', ("several dimensions",)),
    (MIRT, '"","par"\n"I1.a1",1\n"I1.ak0",0\n"I1.ak1",2\n"I1.d0",0\n', ("as many d0, d1, … (nominal)",)),
    (MIRT, '"","par"\n"I1.a1",1\n"I1.a2",0\n"I1.c1",2\n', ("as many c1, c2, … (nominal)",)),
]


@pytest.mark.parametrize(("form", "text", "words"), FAULTS, ids=[f"{f.name}-{k}" for k, (f, _, _) in enumerate(FAULTS)])
def test_faults_are_named_with_their_lines(form, text, words, tmp_path):
    with pytest.raises(BankError) as refused:
        read(text, form, tmp_path)
    for word in words:
        assert word in str(refused.value)


def test_what_a_format_cannot_hold_is_refused_item_by_item(tmp_path):
    bank = ItemBank.from_items(
        [
            Item(id="a-name-of-many-letters", domain="D", b=0.0, a=1.3),
            Item(id="upper", domain="D", model="4pl", b=0.0, d=0.9),
            Item(id="graded", domain="D", model="grm", a=1.1, steps=(-1, 1)),
            Item(id="credit", domain="D", model="gpcm", a=1.1, steps=(-1, 1)),
        ]
    )
    nominal = Item(id="nominal", domain="D", model="nrm", slopes=(1.0, 0.0), intercepts=(0.0, 0.0))
    bank = ItemBank.from_items([*bank.items, nominal])
    expected = {MIRT: 1, MIRT_SLOPE: 1, BILOG: 5, WINSTEPS: 5, FLEXMIRT: 2, PRINTED: 3, QTI: 4}
    for form, number in expected.items():
        assert len(form.misfits(bank)) == number, form.name
        if number:
            with pytest.raises(BankError):
                write_foreign(bank, tmp_path / "x", form)
            assert not (tmp_path / "x").exists()


def test_names_and_errors_that_would_break_the_columns_are_refused():
    for name in ("tab\there", "two\nl", "two\u2028l"):
        bank = ItemBank.from_items([Item(id=name, domain="D", model="rasch", b=0.0)])
        assert [form.name for form in ALL if form.misfits(bank)] == ["bilog", "winsteps", "flexmirt", "flexmirt-table"]
    wild = Item(id="wild", domain="D", a=1.3, b=0.0, covariance={"names": ("a",), "values": ((1e6,),)})
    assert "ten columns" in BILOG.misfits(ItemBank.from_items([wild]))[0]


def test_a_name_with_a_line_end_survives_where_cells_are_quoted(tmp_path_factory):
    bank = ItemBank.from_items([Item(id='a "b", c\nd.e', domain="D", a=1.2, b=0.5)])
    for form in (MIRT, MIRT_SLOPE, QTI):
        after, _ = again(bank, form, tmp_path_factory)
        # A line end inside an attribute is a blank to XML.
        assert after.ids[0].replace("\n", " ") == bank.ids[0].replace("\n", " ")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_bank_states_metric_parameterisation_scale_and_errors(name, tmp_path):
    bank = read(SAMPLES[name], next(form for form in ALL if form.name == name), tmp_path)
    for part in ("program", "metric", "parameterisation", "scale", "standard_errors"):
        assert bank.provenance[part]
    bank.save(tmp_path / "bank.json")
    assert ItemBank.load(tmp_path / "bank.json").provenance == bank.provenance
