"""A fit of a store, one shard in memory at a time, is the fit of the log it holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from issmp_calibration import CalibrationOptions, PopulationModel, calibrate
from issmp_calibration.log import LogStore, Room, write_store
from issmp_calibration.mml.sources import folder
from issmp_calibration.mml.sources.cluster import Cluster
from issmp_calibration.mml.sources.folder import Folder
from issmp_cat.bank import ItemBank
from issmp_cat.cli.main import run
from issmp_cat.errors import ResponseLogError, UsageError

ITEMS, PERSONS = 25, 600
OPTIONS = CalibrationOptions(tolerance=1e-6)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Items that everyone got right, a candidate who answered nothing else, and a column of groups."""
    rng = np.random.default_rng(1)
    z = rng.normal(size=(PERSONS, 1)) - rng.normal(size=ITEMS)
    long = pd.DataFrame(
        {
            "candidate": np.repeat([f"C{k:04d}" for k in range(PERSONS)], ITEMS),
            "item": [f"I{k:02d}" for k in range(ITEMS)] * PERSONS,
            "score": (rng.random(z.shape) < 1 / (1 + np.exp(-1.2 * z))).astype(int).ravel(),
        }
    )
    long["group"] = np.where(long.candidate.str[-1] < "5", "a", "b")
    long.loc[long.item == "I07", "score"] = 1
    kept = (rng.random(len(long)) < 0.7) & ((long.candidate != "C0100") | (long.item == "I07"))
    kept |= (long.candidate == "C0100") & (long.item == "I07")
    made = write_store(long[kept], tmp_path_factory.mktemp("fit") / "store", room=Room(answers=2_000))
    assert len(made.answers.shards) > 3
    return made


@pytest.mark.parametrize("model", ["2pl", "rasch"])
@pytest.mark.parametrize("errors", ["observed", "crossproduct"])
def test_a_store_gives_what_its_log_gives(store, model, errors, monkeypatch):
    expected = calibrate(store.log(), model=model, standard_errors=errors, options=OPTIONS)
    monkeypatch.setattr(LogStore, "log", lambda _: pytest.fail("the whole log was read into memory"))
    found = calibrate(store.folder, model=model, standard_errors=errors, options=OPTIONS)
    assert_allclose(found.log_likelihood, expected.log_likelihood, rtol=1e-10)
    pd.testing.assert_frame_equal(found.frame, expected.frame, rtol=1e-5, atol=1e-5, check_exact=False)
    assert found.items.verdict == expected.items.verdict
    assert (found.n_persons, found.n_answers) == (expected.n_persons, expected.n_answers)
    assert found.persons_apart == expected.persons_apart == ("C0100",)
    assert found.test == pytest.approx(expected.test)


def test_groups_of_a_store_are_fitted_in_memory(store):
    population = PopulationModel(groups="group")
    found = calibrate(store, population=population, standard_errors=None)
    expected = calibrate(store.log(), population=population, standard_errors=None)
    assert_allclose([group.mean for group in found.groups], [group.mean for group in expected.groups], rtol=1e-9)


def test_one_shard_is_in_memory_at_a_time(store, monkeypatch):
    seen = []
    plain = folder.look_at

    def watched(answers, *rest, **named):
        seen.append(answers.n_answers)
        return plain(answers, *rest, **named)

    monkeypatch.setattr(folder, "look_at", watched)
    calibrate(store, standard_errors=None)
    assert max(seen) <= 2_000 + ITEMS
    assert len(seen) % len(store.answers.shards) == 0


def test_scores_that_the_model_does_not_take_are_named(tmp_path):
    rng = np.random.default_rng(2)
    long = pd.DataFrame({"candidate": np.repeat(np.arange(60), 4), "item": ["A", "B", "C", "D"] * 60})
    long["score"] = rng.integers(0, 3, 240)
    from issmp_calibration.log import Rules

    made = write_store(long, tmp_path / "store", rules=Rules(max_score=2))
    with pytest.raises(ResponseLogError, match='item "A" has scores above 1'):
        calibrate(made)
    graded = calibrate(made, model="grm", standard_errors=None)
    whole = calibrate(made.log(), model="grm", standard_errors=None)
    assert_allclose(graded.log_likelihood, whole.log_likelihood, rtol=1e-9)


def test_a_cluster_gives_the_bits_of_one_process(store, client, monkeypatch):
    expected = calibrate(store.folder)
    monkeypatch.setattr(Folder, "expect", lambda *_: pytest.fail("a pass was done here"))
    found = calibrate(store.folder, options=CalibrationOptions(cluster=client))
    pd.testing.assert_frame_equal(found.frame, expected.frame, check_exact=True)
    assert found.log_likelihood == expected.log_likelihood
    assert found.provenance == expected.provenance


def test_a_cluster_wants_a_store_that_its_workers_can_read(store, client, tmp_path):
    options = CalibrationOptions(cluster=client)
    with pytest.raises(UsageError, match="works on the shards of a store"):
        calibrate(store.log(), options=options)
    with pytest.raises(UsageError, match="works on the shards of a store"):
        calibrate(store, population=PopulationModel(groups="group"), options=options)
    elsewhere = replace(LogStore.open(store.folder).answers, folder=tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"a worker of the cluster cannot read its shard: .*nowhere"):
        Cluster.of(client, elsewhere)


def test_the_command_asks_a_cluster(store, client, capsys, tmp_path):
    bank, other = (tmp_path / name / "bank.json" for name in ("here", "there"))
    command = ["calibrate", str(store.folder), "--quiet"]
    for path in (bank, other):
        path.parent.mkdir()
    assert run([*command, "-o", str(bank)]) == 0
    address = client.scheduler.address
    assert run([*command, "-o", str(other), "--cluster", address]) == 0
    assert ItemBank.load(bank).version == ItemBank.load(other).version
    assert run([*command, "--cluster", "tcp://127.0.0.1:1"]) == 2
    assert "--cluster tcp://127.0.0.1:1: no scheduler answers there" in capsys.readouterr().err
