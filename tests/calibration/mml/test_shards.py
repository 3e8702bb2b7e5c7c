"""Answers on disk and on a cluster against the same answers in memory."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from issmp_calibration.mml.codes import encode
from issmp_calibration.mml.em import Settings, fit_source
from issmp_calibration.mml.grid import Grid
from issmp_calibration.mml.information import source_errors
from issmp_calibration.mml.layout import lay_out
from issmp_calibration.mml.sources.cluster import Cluster
from issmp_calibration.mml.sources.folder import Folder
from issmp_calibration.mml.sources.memory import InMemory
from issmp_calibration.mml.sources.source import Answers, Regression, Request
from issmp_calibration.mml.sources.store import Store, cut, write_shards
from issmp_cat.errors import InputRejected
from issmp_cat.responses import ResponseLog

GRID = Grid.spaced(6.0, 61)
PERSONS, ITEMS = 1_000, 90
FIRST = 2 * np.arange(ITEMS + 1)
FIELDS = ("counts", "population", "by_covariate", "mean", "sd", "log_likelihood")


def logistic_table(seed=1):
    rng = np.random.default_rng(seed)
    z = np.exp(rng.normal(0, 0.3, ITEMS))[:, None] * (GRID.nodes - rng.normal(0, 1, ITEMS)[:, None])
    table = -np.logaddexp(0.0, np.stack([z, -z], axis=1))
    table[:, :, GRID.live :] = 0.0
    return table.reshape(2 * ITEMS, -1)


@pytest.fixture(scope="module")
def answers():
    """Two populations, two covariates, a third of the items each."""
    rng = np.random.default_rng(3)
    given = rng.random((PERSONS, ITEMS)) < 1 / 3
    given[:, 0] = True
    code = (FIRST[:-1] + rng.integers(0, 2, (PERSONS, ITEMS)))[given].astype(np.uint16)
    start = np.concatenate([[0], np.cumsum(given.sum(axis=1))])
    return Answers.of(start, code, rng.integers(0, 2, PERSONS), rng.normal(size=(PERSONS, 2)))


@pytest.fixture(scope="module")
def store(answers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    return write_shards(cut(answers, 300), folder, [2] * ITEMS, groups=("north", "south"), covariates=("x", "y"))


def requests():
    density = np.stack([GRID.log_density, GRID.log_density])
    regression = Regression(np.array([0.2, -0.3]), np.zeros(2), np.ones(2))
    first = Request(logistic_table().astype(np.float32), GRID, density, regression)
    return first, Request(logistic_table(2), GRID, density, regression, windowed=True)


def passes(source, executor=None):
    return [source.expect(request, executor) for request in requests()]


def test_a_folder_of_shards_gives_what_memory_gives(answers, store):
    assert [shard.persons for shard in store.shards] == [300, 300, 300, 100]
    folder, memory = Folder(store), InMemory(answers, FIRST, 2)
    assert (folder.n_persons, folder.n_answers) == (memory.n_persons, memory.n_answers)
    for found, expected in zip(passes(folder), passes(memory), strict=True):
        for field in FIELDS:
            assert_allclose(getattr(found, field), getattr(expected, field), rtol=1e-6, atol=1e-5)
    exact = requests()[1]._replace(windowed=False)
    for field in FIELDS[:3]:
        assert_allclose(getattr(folder.expect(exact), field), getattr(memory.expect(exact), field), atol=1e-10)
    for one, two in zip(folder.population(), memory.population(), strict=True):
        assert_allclose(one, two)


def test_threads_do_not_change_a_bit_of_a_folder(store, monkeypatch):
    monkeypatch.setattr("issmp_calibration.mml.windows.CHUNK_ANSWERS", 1_000)
    alone = passes(Folder(store))
    with ThreadPoolExecutor(3) as executor:
        together = passes(Folder(store), executor)
    for one, two in zip(alone, together, strict=True):
        for field in FIELDS:
            assert_array_equal(getattr(one, field), getattr(two, field))


def test_a_sample_of_shards_is_that_of_memory(answers, store):
    for persons in (1, 7, 5_000):
        found, expected = Folder(store).sample(persons), InMemory(answers, FIRST, 2).sample(persons)
        for field in ("start", "code", "pattern", "covariates"):
            assert_array_equal(getattr(found, field), getattr(expected, field))


def test_items_that_are_not_in_the_fit_say_nothing(answers, store):
    kept = np.arange(ITEMS) % 3 > 0
    rows = np.full(2 * ITEMS, -1)
    rows[np.repeat(kept, 2)] = np.arange(2 * kept.sum())
    owner = np.repeat(np.arange(PERSONS), np.diff(answers.start))
    there = np.repeat(kept, 2)[answers.code]
    start = np.concatenate([[0], np.cumsum(np.bincount(owner[there], minlength=PERSONS))])
    fewer = Answers.of(start, rows[answers.code[there]].astype(np.uint16), answers.pattern, answers.covariates)
    request = requests()[1]._replace(windowed=False)
    request = request._replace(table=request.table[np.repeat(kept, 2)])
    found = Folder(store, rows).expect(request)
    expected = InMemory(fewer, 2 * np.arange(kept.sum() + 1), 2).expect(request)
    for field in ("counts", "population", "by_covariate", "log_likelihood"):
        assert_allclose(getattr(found, field), getattr(expected, field), atol=1e-9)


def test_damage_is_noticed(answers, tmp_path):
    store = write_shards(cut(answers, 600), tmp_path, [2] * ITEMS)
    assert store.damaged() == []
    codes = tmp_path / "shard-0001.codes"
    whole = codes.read_bytes()
    codes.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    assert store.damaged() == ["shard-0001.codes: contents have changed since it was written"]
    codes.write_bytes(codes.read_bytes()[:-2])
    (tmp_path / "shard-0000.start").unlink()
    with pytest.raises(InputRejected, match=r"shard-0000\.start is missing\n.*shard-0001\.codes has .* bytes"):
        Store.open(tmp_path)
    (tmp_path / "store.json").write_text('{"format": "issmp-cat store 1"}')
    with pytest.raises(InputRejected, match="not as it was written: 'items'"):
        Store.open(tmp_path)


def test_a_cluster_gives_the_bits_of_a_folder_also_when_a_worker_is_killed(client, store):
    one = Cluster.of(client, store)
    assert (one.n_persons, one.n_answers) == (PERSONS, Folder(store).n_answers)
    for found, expected in zip(passes(one), passes(Folder(store)), strict=True):
        for field in FIELDS:
            assert_array_equal(getattr(found, field), getattr(expected, field))
    first, second = requests()
    hurt = Cluster.of(client, store)
    hurt.expect(first)
    before = client.run(os.getpid)
    os.kill(next(iter(before.values())), signal.SIGKILL)
    found = hurt.expect(second)
    assert set(client.run(os.getpid).values()) != set(before.values())
    expected = passes(Folder(store))[1]
    for field in FIELDS:
        assert_array_equal(getattr(found, field), getattr(expected, field))
    assert hurt.sample(20).n_persons == 20
    for sums, known in zip(hurt.population(), Folder(store).population(), strict=True):
        assert_array_equal(sums, known)


def test_standard_errors_are_summed_where_the_shards_are(client, tmp_path):
    """Items 4 and 5 are in the store and not in the fit; the answers in memory never had them."""
    rng = np.random.default_rng(5)
    scores = (rng.random((1_500, 6)) < 1 / (1 + np.exp(-rng.normal(size=(1_500, 1)) - np.linspace(-1, 1, 6)))) * 1.0
    whole = encode(ResponseLog.from_wide(scores))
    four = encode(ResponseLog.from_wide(scores[:, :4]))
    design, counts = lay_out(four, "2pl"), four.counts[four.items]
    there = write_shards(cut(Answers.of(whole.start, whole.code), 600), tmp_path, [2] * 6)
    rows = np.where(np.arange(12) < 8, np.arange(12), -1)
    memory = InMemory(Answers.of(four.start, four.code), four.first)
    found = []
    for source in (memory, Folder(there, rows), Cluster.of(client, there, rows)):
        fitted = fit_source(source, design, counts, Settings(refine=False))
        found.append(source_errors(source, design, fitted))
    assert_array_equal(found[1].covariance, found[2].covariance)
    assert_allclose(found[1].deviations[:, :2], found[0].deviations[:, :2], rtol=1e-6)
