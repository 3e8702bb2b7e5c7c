"""Exam files: the packaged ones state the published facts, broken ones say what is wrong; and the plan on a bank."""

import datetime as dt
import itertools
from decimal import Decimal
from importlib import resources

import numpy as np
import pytest

from issmp_cat import Exam, Item, ItemBank
from issmp_cat.bank import Metric
from issmp_cat.errors import BlueprintInfeasible, ExamError
from issmp_cat.exam.definition import packaged_exams
from issmp_cat.exam.plan import plan_exam
from issmp_cat.exam.supply import most_compatible

TEXT = (resources.files("issmp_cat") / "data" / "issmp.toml").read_text(encoding="utf-8")
DOMAINS = {
    "Leadership and Business Management": "0.22",
    "Systems Lifecycle Management": "0.19",
    "Risk Management": "0.18",
    "Threat Intelligence and Incident Management": "0.17",
    "Contingency Management": "0.12",
    "Law, Ethics and Security Compliance Management": "0.12",
}


def changed(*swaps):
    text = TEXT
    for old, new in swaps:
        assert text.count(old) >= 1, f"the packaged exam no longer holds {old!r}"
        text = text.replace(old, new, 1)
    return text


def problems(text):
    with pytest.raises(ExamError) as error:
        Exam.parse(text, where="x.toml")
    assert error.value.exit_code == 3
    assert str(error.value).startswith("x.toml: ")
    return list(error.value.problems)


# ---- the facts


def test_the_packaged_exams_are_the_three_that_the_program_speaks_of():
    assert packaged_exams() == ("issmp", "issmp-linear", "practice")


@pytest.mark.parametrize(("name", "minimum", "maximum"), [("issmp", 75, 125), ("issmp-linear", 125, 125)])
def test_the_issmp_states_its_published_facts(name, minimum, maximum):
    exam = Exam.load(name)
    assert {domain.name: str(domain.weight) for domain in exam.blueprint.domains} == DOMAINS
    assert (exam.length.minimum, exam.length.maximum) == (minimum, maximum)
    assert exam.time_limit_seconds == 180 * 60
    assert (exam.scale.pass_mark, exam.scale.highest) == (700, 1000)
    assert exam.retakes.waiting_days == (30, 90, 180)
    assert exam.blueprint.quotas(125) == (28, 24, 22, 21, 15, 15)
    assert isinstance(exam.date, dt.date)
    assert exam.source


def test_the_adaptive_variant_is_called_a_design_and_the_linear_one_today():
    assert "design" in Exam.load("issmp").title
    assert "not the sponsor's" in Exam.load("issmp").note
    assert Exam.load("issmp").stopping.rule == "confidence_interval"
    assert Exam.load("issmp-linear").stopping.rule == "fixed_length"


def test_the_practice_quiz_has_twenty_questions_and_fits_its_bank():
    exam = Exam.load("practice")
    assert (exam.length.minimum, exam.length.maximum) == (20, 20)
    plan = plan_exam(exam, ItemBank.load_packaged("practice-bank"))
    assert plan.windows.quota.sum() == 20


def test_a_path_is_read_like_a_name(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT, encoding="utf-8")
    assert Exam.load(path) == Exam.load("issmp")
    assert Exam.load(str(path)).version == Exam.load("issmp").version


# ---- versions


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("weight = 0.22", "weight = 0.23\n#"),
        ("minimum = 75", "minimum = 76"),
        ("among = 5", "among = 6"),
        ("nodes = 41", "nodes = 43"),
        ('estimator = "eap"', 'estimator = "map"'),
        ("level = 0.95", "level = 0.94"),
        ("theta_cut = -0.3", "theta_cut = -0.2"),
        ("time_limit_minutes = 180", "time_limit_minutes = 181"),
        ("nodes = 41", "nodes = 41\nprior_mean = 0.5"),
    ],
)
def test_the_version_changes_with_every_decision(old, new):
    swaps = [(old, new)] + ([("weight = 0.19", "weight = 0.18")] if "weight" in old else [])
    assert Exam.parse(changed(*swaps)).version != Exam.load("issmp").version


def test_the_version_does_not_change_with_words():
    text = changed(('title = "', 'title = "New '), ('note = "', 'note = "New '), ('source = "', 'source = "New '))
    assert Exam.parse(text).version == Exam.load("issmp").version


# ---- refusals


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("weight = 0.22", "weight = 0.23", "weights sum to 1.01, not to 1"),
        ("weight = 0.22", "weight = 0.23", "change them by -0.01"),
        ("weight = 0.22", "weight = -0.22", "greater than 0 (found -0.22)"),
        ("weight = 0.22", 'weight = "much"', "valid decimal"),
        ("weight = 0.22", "weight = nan", "finite"),
        ('id = "D2"', 'id = "D1"', "used twice: D1"),
        ("minimum = 75", "minimum = 126", "minimum 126 is above maximum 125"),
        ("minimum = 75", "minimum = 0", "length.minimum"),
        ("minimum = 75", "minimum = 75.5", "length.minimum"),
        ("maximum = 125", "maximum = 1_000_000", "length.maximum"),
        ("among = 5", "among = 1", "selection.among"),
        ("among = 5", "amongst = 5", "selection.amongst: unknown field"),
        ('criterion = "fisher_information"', 'criterion = "kullback"', "selection.criterion"),
        ('estimator = "eap"', 'estimator = "guess"', "scoring.estimator"),
        ("nodes = 41", "nodes = 14", "scoring.nodes"),
        ("limit = 4.0", "limit = nan", "scoring.limit"),
        ("nodes = 41", "nodes = 41\nprior_mean = nan", "scoring.prior_mean"),
        ("nodes = 41", "nodes = 41\nprior_mean = 1e300", "scoring.prior_mean"),
        ("nodes = 41", "nodes = 41\nprior_sd = inf", "scoring.prior_sd"),
        ("nodes = 41", "nodes = 41\nprior_sd = 0", "scoring.prior_sd"),
        ('rule = "confidence_interval"', 'rule = "guess"', "stopping: rule must be one of fixed_length, "),
        ("level = 0.95", "level = 95", "less than 1 (found 95)"),
        ('sides = "two"', 'sides = "three"', "sides"),
        ("theta_cut = -0.3", "theta_cut = 3.5", "theta_cut 3.5 < theta_max 3 must hold"),
        ("theta_cut = -0.3", "theta_cut = nan", "scale.theta_cut"),
        ("pass_mark = 700", "pass_mark = 1000", "pass_mark 1000 < highest 1000 must hold"),
        ("time_limit_minutes = 180", "time_limit_minutes = 0", "time_limit_minutes"),
        ("[30, 90, 180]", "[30, -90]", "retakes.waiting_days.1"),
        ("minimum_items = 5", "minimum_items = 0", "report.minimum_items"),
        ('id = "issmp"', 'id = ""', "id"),
        ('title = "', 'titel = "', "title: Field required"),
        ("[length]", "[length", "not TOML"),
        ("among = 5", "among = 5\namong = 5", "not TOML"),
        ("date = 2026-11-22", "date = 2026-13-22", "not TOML"),
        ("among = 5", "among = " + "9" * 5000, "4300 digits"),
        ("[30, 90, 180]", "[" * 5000, "nested too deeply"),
    ],
)
def test_a_fault_is_named_with_its_place_and_what_was_found(old, new, words):
    assert any(words in line for line in problems(changed((old, new))))


def test_several_faults_are_told_at_once():
    text = changed(
        ("minimum = 75", "minimum = 0"), ("among = 5", "among = 1"), ("level = 0.95", "level = 2"),
        ("[report]", "colour = 1\n[report]"),
    )  # fmt: skip
    assert len(problems(text)) == 4


def test_a_fixed_length_with_two_lengths_says_how_to_repair_it():
    (line,) = problems(changed(('rule = "confidence_interval"\nlevel = 0.95\nsides = "two"', 'rule = "fixed_length"')))
    assert "75 to 125" in line
    assert "confidence_interval" in line


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_file_is_called_empty(text):
    assert problems(text) == ["the file is empty"]


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(ExamError, match=r"known: issmp, issmp-linear, practice"):
        Exam.load("nonesuch")
    with pytest.raises(ExamError, match="no such file"):
        Exam.load(tmp_path / "none.toml")
    with pytest.raises(ExamError, match="folder"):
        Exam.load(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExamError, match="not a UTF-8"):
        Exam.load(tmp_path / "binary.toml")


# ---- the plan


def small_exam(maximum=4, weights=("0.5", "0.5"), **scoring):
    return Exam.model_validate({
        "id": "small",
        "title": "Small",
        "blueprint": {"domains": [{"id": f"D{k + 1}", "weight": Decimal(w)} for k, w in enumerate(weights)]},
        "length": {"minimum": maximum, "maximum": maximum},
        "scale": {"theta_cut": 0.0},
        "scoring": scoring,
    })  # fmt: skip


def bank(domains, pairs=(), metric=None, statuses=None):
    ids = [f"i{k}" for k in range(len(domains))]
    return ItemBank.from_items(
        [
            Item(
                id=ids[k],
                domain=domain,
                b=k / 10,
                enemies=tuple(ids[j] for i, j in pairs if i == k),
                status=(statuses or {}).get(k, "operational"),
            )
            for k, domain in enumerate(domains)
        ],
        metric=metric,
    )


def test_a_domain_without_enough_items_is_named_with_its_numbers():
    with pytest.raises(BlueprintInfeasible) as error:
        plan_exam(small_exam(), bank(["D1"] * 3 + ["D2"]))
    assert str(error.value) == (
        'domain "D2" needs 2 items at length 4; the bank has 1 operational ones. Add 1, or lower the weight.'
    )
    assert error.value.exit_code == 4


def test_pretest_and_retired_items_do_not_fill_a_blueprint():
    with pytest.raises(BlueprintInfeasible, match='"D2" needs 2 items at length 4; the bank has 1 operational'):
        plan_exam(small_exam(), bank(["D1"] * 3 + ["D2"] * 3, statuses={4: "pretest", 5: "retired"}))


def test_a_bank_without_operational_items_falls_short_everywhere():
    with pytest.raises(BlueprintInfeasible, match="2 domains fall short"):
        plan_exam(small_exam(), bank(["D1", "D2"], statuses={0: "pretest", 1: "retired"}))


def test_enemies_that_leave_too_few_items_together_are_counted():
    with pytest.raises(BlueprintInfeasible, match=r'"D1" needs 2 items .* has 1 operational ones that are not enemies'):
        plan_exam(small_exam(), bank(["D1"] * 3 + ["D2"] * 2, pairs=[(0, 1), (0, 2), (1, 2)]))


def test_enemies_across_domains_that_leave_no_whole_test_are_blamed():
    crossing = list(itertools.product(range(2), range(2, 4)))
    with pytest.raises(BlueprintInfeasible, match="enemies across domains"):
        plan_exam(small_exam(), bank(["D1"] * 2 + ["D2"] * 2, pairs=crossing))


def test_a_domain_too_light_for_an_item_may_be_empty_even_when_enemies_make_trouble():
    exam = small_exam(weights=("0.95", "0.05"))
    assert exam.blueprint.quotas(4) == (4, 0)
    with pytest.raises(BlueprintInfeasible, match='"D1" needs 4'):
        plan_exam(exam, bank(["D1"] * 5, pairs=[(0, 1), (2, 3)]))
    assert plan_exam(exam, bank(["D1"] * 5)).windows.quota.tolist() == [4, 0]


def test_items_of_a_domain_that_the_exam_does_not_know_are_refused():
    with pytest.raises(ExamError, match='2 items of domain "D9", which the exam does not know; it has D1, D2'):
        plan_exam(small_exam(), bank(["D1"] * 3 + ["D2"] * 3 + ["D9"] * 2))


@pytest.mark.parametrize("seed", range(10))
def test_the_largest_compatible_set_is_the_one_enumeration_finds(seed):
    rng = np.random.default_rng(seed)
    n = 10
    foes = [set() for _ in range(n)]
    for i, j in itertools.combinations(range(n), 2):
        if rng.random() < 0.3:
            foes[i].add(j)
            foes[j].add(i)
    members = np.flatnonzero(rng.random(n) < 0.8)
    largest = max(
        size
        for size in range(len(members) + 1)
        for chosen in itertools.combinations(members.tolist(), size)
        if not any(foes[i].intersection(chosen) for i in chosen)
    )
    assert most_compatible(members, tuple(tuple(sorted(f)) for f in foes)) == largest


def test_the_banks_population_is_the_prior_unless_the_exam_gives_one():
    pool = bank(["D1"] * 2 + ["D2"] * 2, metric=Metric(latent_mean=0.4, latent_sd=1.5))
    plan = plan_exam(small_exam(), pool)
    assert plan.prior == (0.4, 1.5)
    assert plan.grid.nodes[[0, -1]].tolist() == pytest.approx([0.4 - 6, 0.4 + 6])
    own = plan_exam(small_exam(prior_mean=Decimal("-0.2"), prior_sd=Decimal("0.5")), pool)
    assert own.prior == (-0.2, 0.5)
    assert own.grid.nodes[[0, -1]].tolist() == pytest.approx([-2.2, 1.8])


def loose(**blueprint):
    exam = small_exam().model_dump()
    return Exam.model_validate({**exam, "blueprint": {"domains": [{"id": "*", "weight": "1"}], **blueprint}})


def test_a_blueprint_of_a_star_takes_items_of_every_domain():
    plan = plan_exam(loose(), bank(["D1", "D2", "D9", "D9"], pairs=[]))
    assert plan.windows.quota.tolist() == [4]
    assert plan.pool.domain.tolist() == [0] * 4


def test_enemies_may_be_ignored_by_name_only():
    mutual = bank(["D1"] * 4, pairs=[(0, 1)])
    with pytest.raises(BlueprintInfeasible, match="not enemies of each other"):
        plan_exam(loose(), mutual)
    assert len(plan_exam(loose(enemies="ignore"), mutual).pool.foe) == 0
