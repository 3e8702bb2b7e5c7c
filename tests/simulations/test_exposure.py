"""Calibrated exposure tables: rates at their cap, content intact, and nothing that depends on threads or order.

Rates of n candidates scatter by √(r (1 − r) / n) around their expectation r. Bounds are that of the largest of all
items at once (Bonferroni), so that a sound table fails a test once in a thousand runs; seeds are fixed besides.
"""

import dataclasses
import json
import math
from statistics import NormalDist

import numpy as np
import pytest
from typer.testing import CliRunner

from issmp_cat.errors import BlueprintInfeasible, InputRejected, UsageError
from issmp_cat.exposure import ExposureTable
from issmp_cat.random import ORDER, uniform
from issmp_cat.selection.admission import lots
from issmp_simulations import Population, simulate
from issmp_simulations.commands.exposure import app
from issmp_simulations.exposure import assess, calibrate_exposure, run_online
from issmp_simulations.exposure.prices import even_weight, shadow_prices, where_exams_end
from issmp_simulations.exposure.tally import tally
from issmp_simulations.run import Design, run_design

CAP = 0.4
BANDS = (-0.6, 0.4)
N = 6_000
METHODS = {
    "sympson_hetter": {},
    "conditional_sympson_hetter": {"bands": BANDS},
    "eligibility": {},
    "prices": {"floor": 0.01},
}


def noise(rate, n, items):
    """By how much the largest of ``items`` rates exceeds its expectation in one of a thousand runs."""
    return NormalDist().inv_cdf(1 - 0.001 / items) * math.sqrt(rate * (1 - rate) / n)


@pytest.fixture(scope="module")
def exam(variant):
    """40 of 218 items: a mean rate of 0.18, and 1 for the best item of those who start."""

    def asked(control, **more):
        return variant(
            length={"minimum": 40, "maximum": 40},
            stopping={"rule": "fixed_length"},
            exposure={"control": control, "cap": CAP, **more},
        )

    return asked


@pytest.fixture(scope="module")
def tables(exam, small_bank):
    return {
        name: calibrate_exposure(exam(name, **more), small_bank, seed=3, candidates=2_000, checked=N)
        for name, more in METHODS.items()
    }


def design_of(exam, bank, table, seed):
    return Design(exam, bank, bank, Population.of_bank(bank), seed, table)


@pytest.fixture(scope="module")
def fresh(exam, small_bank, tables):
    """Candidates whom no calibration saw."""
    made = {}
    for name, more in METHODS.items():
        design = design_of(exam(name, **more), small_bank, tables[name], 77)
        made[name] = design, run_design(design, N, keep_items=True)
    return made


@pytest.mark.parametrize("name", METHODS)
def test_rates_of_fresh_candidates_rest_at_the_target(name, tables, fresh):
    design, exams = fresh[name]
    target = tables[name].method.target
    assert tables[name].evidence.converged
    rates = exams.exposure / N
    assert rates.max() <= target + 0.005 + noise(target, N, len(rates))
    # Without control the best items are seen by most.
    alone = run_design(dataclasses.replace(design, exposure=None), 1000)
    assert (alone.exposure / 1000).max() > 0.7


@pytest.mark.parametrize("name", METHODS)
def test_content_and_enemies_hold_under_control(name, fresh):
    assert fresh[name][1].compliance.violations == 0
    assert fresh[name][1].compliance.cut_short == 0


def test_a_fixpoint_of_sympson_and_hetter(tables, fresh):
    """Each share is 1 where P(S) ≤ r, else r / P(S); P(S) by fresh candidates, 5 standard errors and 0.02 apart."""
    design, exams = fresh["sympson_hetter"]
    table = tables["sympson_hetter"]
    counts = tally(design.plan(), exams, design.seed, 0)
    selected = counts.given[0] / np.maximum(counts.eligible[0], 1)
    error = 5 * np.sqrt(selected * (1 - selected) / np.maximum(counts.eligible[0], 1)) + 0.02
    share, r = table.admit[0], table.method.target
    held = share < 1
    assert held.sum() > 20
    assert (np.abs(selected - r / share)[held] <= error[held]).all()
    assert (selected <= r + error)[~held].all()


def test_conditional_control_caps_each_band(tables, fresh):
    """Items chosen before θ̂ found its band escape that band's share: 0.03 above the target is allowed for them."""
    design, exams = fresh["conditional_sympson_hetter"]
    counts = tally(design.plan(), exams, design.seed, 0)
    target = tables["conditional_sympson_hetter"].method.target
    for band in range(len(BANDS) + 1):
        limit = target + 0.03 + noise(target, counts.candidates[band], exams.exposure.size)
        assert counts.rates[band].max() <= limit
    overall = fresh["sympson_hetter"][1]
    edges = np.searchsorted(BANDS, overall.theta, side="right")
    held = np.array([np.bincount(overall.items[edges == g].ravel(), minlength=218).max() for g in range(3)])
    assert (held / np.bincount(edges) > target + 0.1).any(), "a cap over all is none within a band"


def test_prices_spread_use_over_the_bank(fresh):
    """Nearly every item is seen, and precision is lost less than by lots alone."""
    used = {name: np.mean(exams.exposure > 0) for name, (_, exams) in fresh.items()}
    assert used["prices"] > 0.9 > used["sympson_hetter"]
    rmse = {name: np.sqrt(np.mean((exams.theta - exams.ability) ** 2)) for name, (_, exams) in fresh.items()}
    assert rmse["prices"] < rmse["sympson_hetter"]


def test_prices_solve_the_linear_programme(exam, small_bank):
    """Against HiGHS on the whole programme: shares of items by point, quotas, caps and floors; within 0.5 %."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    design = design_of(exam("prices"), small_bank, None, 1)
    plan = design.plan()
    ends, length = where_exams_end(run_design(design, 2000), 40)
    some = np.zeros(161)
    some[::12] = ends[::12] / ends[::12].sum()
    price, _ = shadow_prices(plan, some, length, even_weight(), cap=0.4, floor=0.01)
    points, info = np.flatnonzero(some), plan.pool.information
    weight, quota, items = some[points], plan.windows.quota, len(price)
    need = np.rint(length[points, None] * quota / quota.sum())
    gain = (weight[:, None] * info[points]).ravel()
    column = np.arange(len(gain))
    fill = coo_array((np.ones(len(gain)), (column // items * len(quota) + plan.pool.domain[column % items], column)))
    rate = coo_array((np.repeat(weight, items), (column % items, column)))
    both = coo_array((np.concatenate([rate.data, -rate.data]), (np.concatenate([rate.row, items + rate.row]),
                      np.concatenate([rate.col, rate.col]))))  # fmt: skip
    limits = np.repeat([0.4, -0.01], items)
    solved = linprog(-gain, A_ub=both, b_ub=limits, A_eq=fill, b_eq=need.ravel(), bounds=(0, 1))
    # Weak duality: any prices give an upper bound, and the best prices give the optimum.
    worth = weight[:, None] * info[points] - weight[:, None] * price
    best = sum(
        np.sort(worth[p, plan.pool.domain == d])[::-1][: int(need[p, d])].sum()
        for p in range(len(points))
        for d in range(len(quota))
    )
    bound = best + 0.4 * price[price > 0].sum() + 0.01 * price[price < 0].sum()
    assert -solved.fun <= bound * (1 + 1e-9)
    assert bound <= -solved.fun * 1.005


def test_the_order_of_arrival_changes_nothing(tables, fresh):
    """Lots belong to a person's number: whoever comes when, the same person is admitted to the same items."""
    design, exams = fresh["sympson_hetter"]
    table = tables["sympson_hetter"]
    admitted = lots(218, design.seed, np.arange(N)) <= table.admit[0]
    given = np.zeros((N, 218), dtype=bool)
    given[np.arange(N)[:, None], exams.items] = True
    assert not (given & ~admitted).any()
    order = np.argsort([uniform(1, ORDER, person, 0) for person in range(N)])
    early, late = given[order[: N // 2]].mean(axis=0), given[order[N // 2 :]].mean(axis=0)
    # Two halves in random order differ by chance alone: 4.6 standard errors, 1 false alarm in 1,000 over 218 items.
    spread = np.sqrt(2 * exams.exposure / N * (1 - exams.exposure / N) / (N / 2))
    assert (np.abs(early - late) <= 4.6 * spread + 1e-12).all()


def test_anyone_may_come_alone(fresh):
    """Candidate 4,321 alone sits the exam that she sat among six thousand."""
    design, exams = fresh["prices"]
    alone = run_design(design, 1, first=4321, keep_items=True)
    assert alone.items[0].tolist() == exams.items[4321].tolist()


def test_a_calibration_does_not_depend_on_threads_or_interruption(exam, small_bank, tmp_path):
    asked = exam("prices", floor=0.01)
    names = {"seed": 5, "candidates": 400, "rounds": 20, "checked": 500}
    one = calibrate_exposure(asked, small_bank, threads=1, **names)

    def stop(done, _):
        if done >= 4000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate_exposure(asked, small_bank, threads=2, checkpoint=tmp_path / "parts", progress=stop, **names)
    kept = len(list((tmp_path / "parts").glob("exams-*")))
    assert kept >= 5
    resumed = calibrate_exposure(asked, small_bank, threads=2, checkpoint=tmp_path / "parts", **names)
    assert resumed.version == one.version
    assert resumed.evidence == one.evidence
    with pytest.raises(InputRejected, match="another study"):
        calibrate_exposure(asked, small_bank, checkpoint=tmp_path / "parts", **{**names, "seed": 6})


def test_online_learning_keeps_the_cap_from_a_calibrated_start(exam, small_bank, tables):
    design = design_of(exam("eligibility"), small_bank, tables["eligibility"], 8)
    exams, table = run_online(design, 4_000, epoch=500)
    target = table.method.target
    assert (exams.exposure / 4_000).max() <= target + 0.01 + noise(target, 4_000, 218)
    assert exams.compliance.violations == 0


def test_online_learning_from_nothing_finds_the_cap(exam, small_bank):
    """The first epoch is uncontrolled; once the table has learnt, rates of an epoch scatter around the target."""
    exams, _ = run_online(design_of(exam("eligibility"), small_bank, None, 9), 8_000, epoch=250)
    given = exams.items[4_000:]
    rates = np.bincount(given.ravel(), minlength=218) / len(given)
    assert (exams.items[:250] >= 0).all()
    assert np.bincount(exams.items[:250].ravel(), minlength=218).max() / 250 > 0.7
    assert rates.max() <= CAP - 0.01 + 0.03 + noise(CAP, 4_000, 218)


def test_online_learning_does_not_depend_on_threads_or_on_splitting(exam, small_bank):
    design = design_of(exam("eligibility", bands=BANDS), small_bank, None, 10)
    whole, last = run_online(design, 1_500, epoch=250, threads=1)
    first, middle = run_online(design, 750, epoch=250, threads=2)
    rest, end = run_online(dataclasses.replace(design, exposure=middle), 750, epoch=250, first=750, threads=2)
    np.testing.assert_array_equal(whole.items, np.concatenate([first.items, rest.items]))
    assert last.version == end.version
    with pytest.raises(UsageError, match="do not begin at candidate 100"):
        run_online(design, 500, epoch=250, first=100)


def test_online_is_for_eligibility(exam, small_bank):
    with pytest.raises(UsageError, match='online it must be "eligibility"'):
        run_online(design_of(exam("sympson_hetter"), small_bank, None, 1), 100)


def test_a_study_calibrates_what_it_lacks_and_keeps_it(exam, small_bank, tables):
    asked = exam("sympson_hetter")
    given = simulate(asked, small_bank, n=500, seed=4, exposure=tables["sympson_hetter"])
    assert given.exposure_table.version == tables["sympson_hetter"].version == given.provenance["exposure"]
    assert "exposure control" in given.summary()
    assert "exposure_table" not in given.as_dict()
    itself = simulate(asked, small_bank, n=500, seed=4)
    assert itself.exposure_table.evidence.converged
    with pytest.raises(Exception, match="drop one of the two"):
        simulate("issmp", small_bank, n=10, seed=1, exposure=tables["sympson_hetter"])


def test_evidence_is_that_of_fresh_candidates(exam, small_bank, tables):
    """The figures in a table are those of a study of its own seed, with and without control."""
    table = tables["sympson_hetter"]
    design = design_of(exam("sympson_hetter"), small_bank, table, 3)
    without = run_design(dataclasses.replace(design, exposure=None), N)
    _, found = assess(design, without)
    assert table.evidence.model_dump() == {**table.evidence.model_dump(), **found}
    assert sum(table.evidence.histogram) == 218


def test_an_impossible_cap_is_refused_before_any_simulation(variant, small_bank):
    fixed = {"length": {"minimum": 125, "maximum": 125}, "stopping": {"rule": "fixed_length"}}
    with pytest.raises(BlueprintInfeasible, match=r'domain "D1" gives 28 of its 48 items .* mean rate of 0\.583'):
        calibrate_exposure(variant(**fixed, exposure={"control": "prices", "cap": 0.25}), small_bank)
    with pytest.raises(BlueprintInfeasible, match="at length 75"):
        calibrate_exposure(variant(exposure={"control": "prices", "cap": 0.25}), small_bank)


def test_no_control_is_nothing_to_calibrate(small_bank):
    with pytest.raises(UsageError, match=r"asks for no exposure control"):
        calibrate_exposure("issmp", small_bank)


# ---- the command line


@pytest.fixture(scope="module")
def files(tmp_path_factory, small_bank):
    """An exam file with control, a bank, and the table that the command made of them."""
    folder = tmp_path_factory.mktemp("exposure")
    practice = ExposureTableFiles(folder)
    small_bank.save(practice.bank)
    practice.write()
    return practice


class ExposureTableFiles:
    def __init__(self, folder):
        self.exam, self.bank, self.table = (folder / name for name in ("exam.toml", "bank.json", "table.json"))

    def write(self):
        from importlib import resources

        text = (resources.files("issmp_cat") / "data" / "issmp.toml").read_text("utf-8")
        head, tail = text.split("[stopping]")
        tail = "[scale]" + tail.split("[scale]")[1]
        fixed = head.replace("minimum = 75", "minimum = 40").replace("maximum = 125", "maximum = 40")
        control = '[exposure]\ncontrol = "eligibility"\ncap = 0.4\n\n'
        self.exam.write_text(fixed + control + '[stopping]\nrule = "fixed_length"\n\n' + tail, "utf-8")


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_calibrate_check_and_update_from_the_command_line(files):
    made = run(
        "calibrate", files.exam, "-b", files.bank, "-o", files.table, "--seed", 2, "--candidates", 1000, "--check", 1000
    )
    assert made.exit_code == 0, made.output
    for part in ('"eligibility", cap 0.4', "settled after", "items by rate", "RMSE of θ"):
        assert part in made.output
    shown = run("check", files.table, "--json", "-q")
    assert json.loads(shown.stdout)["version"] == ExposureTable.load(files.table).version
    again = run("check", files.table, "-e", files.exam, "-b", files.bank, "-n", 1000, "--seed", 5)
    assert again.exit_code == 0, again.output
    assert "1,000 fresh candidates" in again.output


def test_update_learns_from_session_files(files, small_bank, tmp_path):
    from issmp_cat import Exam

    table = ExposureTable.load(files.table)
    exam = Exam.load(files.exam)
    for seed in range(3):
        session = exam.start(small_bank, seed=seed, exposure=table)
        while not session.finished:
            session = session.answer(session.next_item, 1)
        session.save(tmp_path / f"{seed}.json")
    done = sorted(tmp_path.glob("*.json"))
    told = run("update", files.table, *done, "-e", files.exam, "-b", files.bank, "-o", tmp_path / "next.json")
    assert told.exit_code == 0, told.output
    following = ExposureTable.load(tmp_path / "next.json")
    assert following.counts.candidates.sum() == pytest.approx(table.counts.candidates.sum() + 3)
    assert following.version != table.version


def test_a_table_that_has_not_settled_is_written_and_says_so(files, tmp_path):
    out = run(
        "calibrate",
        files.exam,
        "-b",
        files.bank,
        "-o",
        tmp_path / "t.json",
        "--rounds",
        2,
        "--candidates",
        500,
        "--check",
        500,
        "--seed",
        1,
    )
    assert type(out.exception).__name__ == "NotConverged"
    assert "NOT SETTLED" in out.output
    assert not ExposureTable.load(tmp_path / "t.json").evidence.converged


def test_a_rate_above_the_cap_fails_the_check(files, tmp_path):
    table = ExposureTable.load(files.table)
    dataclasses.replace(table, admit=np.ones_like(table.admit)).save(tmp_path / "open.json")
    out = run("check", tmp_path / "open.json", "-e", files.exam, "-b", files.bank, "-n", 1000, "--seed", 5)
    assert type(out.exception).__name__ == "GateFailed"
    assert "Calibrate again" in str(out.exception)
