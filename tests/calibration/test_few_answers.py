"""A few hundred candidates, and a bank that grows: priors learned from it, answers still needed, a warm start."""

import numpy as np
import pytest
from scipy.special import expit

from issmp_calibration import CalibrationOptions, calibrate, learn_priors
from issmp_calibration.log import ItemKey, read_key
from issmp_cat import ItemBank, ResponseLog
from issmp_cat.bank import Item

DOMAINS = {"easy": 1.5, "hard": -1.5}


def world(seed: int, items: int) -> tuple[list[str], np.ndarray, np.ndarray, list[str]]:
    """Items of two domains: names, slopes, intercepts, domains."""
    stream = np.random.Generator(np.random.Philox(seed))
    domains = [list(DOMAINS)[k % 2] for k in range(items)]
    a = np.exp(stream.normal(0.2, 0.25, items))
    d = np.array([stream.normal(DOMAINS[domain], 0.5) for domain in domains])
    return [f"S{seed}-{k:03d}" for k in range(items)], a, d, domains


def log_of(a, d, names, persons, seed) -> ResponseLog:
    stream = np.random.Generator(np.random.Philox(seed))
    theta = stream.normal(size=(persons, 1))
    return ResponseLog.from_wide((stream.random((persons, len(a))) < expit(a * theta + d)).astype(float), items=names)


OLD = world(1, 80)
BANK = ItemBank(
    id="old",
    items=[Item(id=n, domain=dom, a=a, b=-d / a) for n, a, d, dom in zip(OLD[0], OLD[1], OLD[2], OLD[3], strict=True)],
)
NAMES, A, D, DOMAIN = world(2, 40)


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> ItemKey:
    path = tmp_path_factory.mktemp("key") / "key.csv"
    rows = [f"{name},{domain}" for name, domain in zip(NAMES, DOMAIN, strict=True)]
    path.write_text("\n".join(["item,domain", *rows]))
    return read_key(path)


@pytest.fixture(scope="module")
def log() -> ResponseLog:
    return log_of(A, D, NAMES, 150, 3)


@pytest.fixture(scope="module")
def learned(log, key):
    return calibrate(log, key=key, priors=learn_priors(BANK), options=CalibrationOptions(wanted_error=0.2))


def test_priors_learned_by_domain_bring_curves_nearer(log, key, learned):
    """150 candidates: curves where candidates are, and slopes, come nearer to the truth."""
    plain = calibrate(log, key=key)
    theta = np.linspace(-2.5, 2.5, 101)[:, None]
    true = expit(A * theta + D)
    weight = np.exp(-0.5 * theta**2)
    off = [
        float(np.average(np.square(expit(found.items.slope * theta + found.items.intercept) - true).mean(axis=1),
                         weights=weight.ravel()))
        for found in (plain, learned)
    ]  # fmt: skip
    assert off[1] < 0.85 * off[0]
    apart = [float(np.sqrt(np.mean(np.square(found.items.slope - A)))) for found in (plain, learned)]
    assert apart[1] < 0.8 * apart[0]


def test_their_intervals_still_cover(learned):
    """80 intervals of which the truth follows the beliefs: 88 % at least (false alarm below 1 in 100)."""
    inside = [
        np.abs(learned.items.values(name) - true) < 1.96 * learned.items.errors(name)
        for name, true in (("a", A), ("b", -D / A))
    ]
    assert np.mean(inside) > 0.88


def test_every_prior_is_listed(learned):
    line = next(line for line in learned.summary().splitlines() if line.startswith("priors: "))
    for domain in DOMAINS:
        prior = learn_priors(BANK).of(domain).intercept
        said = next(words for name, words in learned.priors.items() if name.startswith(f"{domain} ("))
        assert f"intercept ~ N({prior.mean:.4g}, {prior.sd:.4g})" in said
        assert line.count(said) == 1
    assert "for SE 0.2 of b, " in learned.summary()


def test_shrinkage_is_told(learned):
    """With these few answers beliefs tell a good part of a slope, less of a difficulty, and never all."""
    shares = learned.frame[["shrinkage_a", "shrinkage_b"]].to_numpy(float)
    assert ((shares > 0.0) & (shares < 1.0)).all()
    assert np.median(shares[:, 0]) > np.median(shares[:, 1])


def test_the_answers_needed_are_enough(key, learned):
    """Calibrated from as many answers as the median item was said to need, the median error is as wanted."""
    needed = 150 + int(np.median(learned.items.answers_needed))
    again = calibrate(log_of(A, D, NAMES, needed, 4), key=key, priors=learn_priors(BANK))
    assert np.median(again.items.errors("b")) == pytest.approx(0.2, rel=0.12)


def test_a_start_at_the_bank_saves_passes_and_changes_nothing_else():
    """New answers to the same items."""
    first = log_of(A, D, NAMES, 3000, 5)
    bank = calibrate(first).to_bank(id="first")
    more = log_of(A, D, NAMES, 3500, 6)
    cold = calibrate(more)
    warm = calibrate(more, options=CalibrationOptions(start=bank))
    assert len(warm.passes) <= len(cold.passes)
    apart = np.abs(warm.items.values("b") - cold.items.values("b")) / cold.items.errors("b")
    assert apart.max() < 3e-3
    assert warm.provenance["options"]["start"] == bank.version
