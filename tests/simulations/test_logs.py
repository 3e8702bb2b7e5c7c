"""Logs of simulated candidates: the design that was asked for, answers by the model, files that read back."""

import gzip

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from issmp_cat import Item, ItemBank
from issmp_cat.errors import UsageError
from issmp_cat.irt import probability
from issmp_simulations import Clock, Population, logs
from issmp_simulations.keys import item_keys, save_key
from issmp_simulations.log_files import write_log
from issmp_simulations.logs import sample_log

QUOTAS_60 = (13, 12, 11, 10, 7, 7)


def test_a_random_form_holds_the_blueprint_and_no_item_twice(bank):
    log = sample_log(bank, 500, 60, seed=1)
    forms = log.item.reshape(500, 60)
    domain = np.array([int(item.domain[1]) - 1 for item in bank.items])
    assert all(len(set(form)) == 60 for form in forms)
    counts = np.array([np.bincount(domain[form], minlength=6) for form in forms])
    assert (counts == QUOTAS_60).all()


def test_random_forms_use_items_and_places_evenly(small_bank):
    """Two chi-square tests at 1e-4: a false alarm for one seed in 5,000; the seed is fixed."""
    log = sample_log(small_bank, 4000, 30, seed=1)
    first_domain = log.item[log.item < 48]
    assert stats.chisquare(np.bincount(first_domain, minlength=48)).pvalue > 1e-4
    place = log.position[log.item == 5]
    assert stats.chisquare(np.bincount(place, minlength=30)).pvalue > 1e-4


def test_answers_follow_the_model(small_bank):
    """Each item's surprise, summed over persons, is a z: 218 of them below 4.5 fails once in 700 seeds; it is fixed."""
    log = sample_log(small_bank, 5000, 60, seed=2, true_theta=True)
    theta = log.candidates["cov_true_theta"]
    bank = small_bank
    p = probability(theta, bank.a, bank.b, bank.c, bank.d)[log.person, log.item]
    surprise = np.bincount(log.item, log.score - p) / np.sqrt(np.bincount(log.item, p * (1 - p)))
    assert np.abs(surprise).max() < 4.5
    assert surprise.std() == pytest.approx(1.0, abs=0.2)


def test_a_fixed_form_is_the_same_for_all(bank):
    log = sample_log(bank, 50, 100, seed=1, design="fixed")
    assert (log.item.reshape(50, 100) == log.item[:100]).all()


def test_adaptive_items_follow_the_answers(bank):
    """Weak candidates meet easier items than strong ones, and no pair of enemies."""
    log = sample_log(bank, 200, 40, seed=1, design="adaptive", population=Population.from_thetas([-2, 2] * 100))
    difficulty = bank.b[log.item].reshape(200, 40).mean(axis=1)
    assert difficulty[1::2].min() > difficulty[::2].max()
    for form in log.item.reshape(200, 40):
        assert not any(foe in form for item in form for foe in bank.enemies[item])


def test_logs_do_not_depend_on_the_chunks(bank, monkeypatch):
    clock = Population(clock=Clock())
    for design in ("random", "fixed", "adaptive"):
        whole = sample_log(bank, 90, 20, seed=1, design=design, population=clock, options=True)
        monkeypatch.setattr(logs, "CHUNK", 17)
        parts = sample_log(bank, 90, 20, seed=1, design=design, population=clock, options=True)
        monkeypatch.undo()
        for name in ("item", "score", "option", "seconds"):
            np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_seconds_are_lognormal_with_slow_and_fast_candidates(small_bank):
    """Variance of log times: 0.5² within, 0.3² between persons; 2,000 persons know it to 3 % and 4 %."""
    log = sample_log(small_bank, 2000, 50, seed=1, population=Population(clock=Clock(median_seconds=60)))
    times = np.log(log.seconds.reshape(2000, 50).astype(float))
    assert np.exp(np.median(times)) == pytest.approx(60, rel=0.03)
    assert times.std(axis=1, ddof=1).mean() == pytest.approx(0.5, rel=0.03)
    assert times.mean(axis=1).std() == pytest.approx(np.hypot(0.3, 0.5 / np.sqrt(50)), rel=0.1)


def test_options_scored_by_the_key_give_the_scores(small_bank):
    log = sample_log(small_bank, 300, 50, seed=1, options=True)
    keys = np.array([log.options.index(key) for key in item_keys(small_bank).values()])
    np.testing.assert_array_equal(log.option == keys[log.item], log.score == 1)
    wrong = (log.option.astype(int) - keys[log.item])[log.score == 0] % 4
    assert stats.chisquare(np.bincount(wrong, minlength=4)[1:]).pvalue > 1e-4


def test_a_bank_without_the_issmps_domains_is_shared_out():
    bank = ItemBank.from_items([Item(id=f"i{k}", domain="XY"[k % 4 == 0], b=0.0) for k in range(40)])
    log = sample_log(bank, 10, 20, seed=1)
    assert all(np.sum(form % 4 == 0) == 5 for form in log.item.reshape(10, 20))
    with pytest.raises(UsageError, match="an adaptive log needs an exam"):
        sample_log(bank, 10, 20, seed=1, design="adaptive")


def test_impossible_logs_are_refused(small_bank):
    for call, message in (
        ({"persons": 0}, "persons is 0"),
        ({"answers": 219}, "answers is 219; the bank has 218"),
        ({"design": "spiral"}, "random, fixed, adaptive"),
        ({"population": Population.from_thetas([0])}, "lists 1 abilities"),
    ):
        with pytest.raises(UsageError, match=message):
            sample_log(small_bank, **{"persons": 5, "answers": 10, "seed": 1, **call})


@pytest.fixture(scope="module")
def written(small_bank):
    return sample_log(small_bank, 60, 40, seed=1, population=Population(clock=Clock()), options=True, true_theta=True)


def read(path):
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
@pytest.mark.parametrize("cells", [700, 10**6])
def test_long_files_hold_every_answer_in_order(written, tmp_path, monkeypatch, suffix, cells):
    import duckdb

    monkeypatch.setattr("issmp_simulations.log_files.CELLS", cells)
    path = tmp_path / f"it's a log{suffix}"
    write_log(written, path)
    rows = duckdb.sql(f"FROM '{str(path).replace(chr(39), chr(39) * 2)}'").df()
    assert rows["candidate"].tolist() == list(np.repeat(written.persons, 40))
    assert rows["item"].tolist() == list(written.items[written.item])
    assert rows["option"].tolist() == [written.options[k] for k in written.option]
    assert rows["position"].tolist() == list(range(40)) * 60
    np.testing.assert_allclose(rows["seconds"], written.seconds, atol=0.051)
    np.testing.assert_array_equal(rows["cov_true_theta"][::40], written.candidates["cov_true_theta"])
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_wide_files_hold_the_score_matrix(small_bank, tmp_path, suffix):
    import duckdb

    log = sample_log(small_bank, 30, 25, seed=1)
    path = tmp_path / f"log{suffix}"
    write_log(log, path, wide=True)
    frame = duckdb.sql(f"FROM '{path}'").df().set_index("candidate")
    np.testing.assert_array_equal(frame[list(small_bank.ids)].to_numpy(dtype=float), log.wide())


def test_wide_files_hold_options_too(written, tmp_path):
    write_log(written, tmp_path / "log.csv", wide=True)
    frame = pd.read_csv(tmp_path / "log.csv", index_col="candidate")
    person, item = written.person, written.items[written.item]
    told = [frame.loc[written.persons[p], i] for p, i in zip(person[:200], item[:200], strict=True)]
    assert told == [written.options[k] for k in written.option[:200]]
    assert frame[list(written.items)].notna().to_numpy().sum() == written.n_answers


def test_equal_logs_are_equal_files(written, tmp_path):
    for suffix in (".csv.gz", ".parquet"):
        one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
        write_log(written, one)
        write_log(written, other)
        assert one.read_bytes() == other.read_bytes()
    assert gzip.decompress((tmp_path / "one.csv.gz").read_bytes()).startswith(b"candidate,item,option")


def test_other_suffixes_are_refused_and_nothing_is_left(written, tmp_path):
    with pytest.raises(UsageError, match=r"\.csv, \.csv\.gz, \.parquet"):
        write_log(written, tmp_path / "log.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_the_calibration_reads_log_and_key_as_they_are(written, small_bank, tmp_path):
    """The hand-over between the two packages, through files alone."""
    from issmp_calibration.log import read_log

    write_log(written, tmp_path / "log.parquet")
    save_key(small_bank, tmp_path / "key.csv")
    log = read_log(tmp_path / "log.parquet", key=tmp_path / "key.csv")
    assert log.n_answers == written.n_answers
    assert log.score.sum() == written.score.sum()
