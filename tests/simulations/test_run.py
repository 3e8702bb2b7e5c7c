"""However a study is cut, threaded or interrupted, its result is the same."""

import dataclasses
import json

import numpy as np
import pytest

from issmp_cat import Item, ItemBank
from issmp_cat.errors import BankError, InputRejected, UsageError
from issmp_simulations import Clock, Population, simulate
from issmp_simulations.run import Design, run_design

TIMED = Population(clock=Clock(median_seconds=90))


@pytest.fixture(scope="module")
def design(small_bank, variant):
    return Design(variant(), small_bank, small_bank, TIMED, seed=3)


def assert_same(one, other):
    for field in dataclasses.fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        assert np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs, field.name


@pytest.fixture(scope="module")
def whole(design):
    return run_design(design, 900, threads=1, chunk=900, keep_items=True)


@pytest.mark.parametrize(("threads", "chunk"), [(1, 100), (2, 100), (2, 77), (3, 450)])
def test_threads_and_chunks_leave_no_trace(design, whole, threads, chunk):
    assert_same(run_design(design, 900, threads=threads, chunk=chunk, keep_items=True), whole)


def test_fewer_candidates_are_the_first_ones(design, whole):
    some = run_design(design, 250, chunk=100)
    np.testing.assert_array_equal(some.theta, whole.theta[:250])


def test_another_seed_gives_other_exams(design, whole):
    other = run_design(dataclasses.replace(design, seed=4), 900)
    assert (other.theta != whole.theta).mean() > 0.99


def test_progress_is_told_after_each_chunk(design):
    told = []
    run_design(design, 250, threads=1, chunk=100, progress=lambda done, wanted: told.append((done, wanted)))
    assert [wanted for _, wanted in told] == [250, 250, 250]
    assert max(done for done, _ in told) == 250


def test_an_interrupted_study_goes_on_where_it_stopped(design, whole, tmp_path):
    def stop(done, _):
        if done >= 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"interrupted after \d+ of 900 exams; kept in"):
        run_design(design, 900, threads=1, chunk=100, progress=stop, checkpoint=tmp_path, keep_items=True)
    kept = len(list(tmp_path.glob("exams-*.npz")))
    assert 3 <= kept < 9
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    assert_same(run_design(design, 900, chunk=100, checkpoint=tmp_path, keep_items=True), whole)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())


def test_a_damaged_part_is_simulated_again(design, whole, tmp_path):
    run_design(design, 900, chunk=100, checkpoint=tmp_path, keep_items=True)
    part = sorted(tmp_path.glob("*.npz"))[2]
    part.write_bytes(part.read_bytes()[:500])
    assert_same(run_design(design, 900, chunk=100, checkpoint=tmp_path, keep_items=True), whole)


def test_the_checkpoint_of_another_study_is_refused(design, tmp_path):
    run_design(design, 100, checkpoint=tmp_path)
    with pytest.raises(InputRejected, match="seed was 3 and is now 4"):
        run_design(dataclasses.replace(design, seed=4), 100, checkpoint=tmp_path)


def test_given_abilities_are_taken_in_order(small_bank):
    thetas = [-2.0, 0.0, 1.5]
    study = simulate("issmp", small_bank, Population.from_thetas(thetas), seed=1)
    assert study.n == 3
    assert study.exams.ability.tolist() == thetas


def test_impossible_calls_are_refused(small_bank):
    with pytest.raises(UsageError, match="n is 0"):
        simulate("issmp", small_bank, n=0)
    with pytest.raises(UsageError, match="the population lists 2 abilities"):
        simulate("issmp", small_bank, Population.from_thetas([0, 1]), n=3)
    with pytest.raises(UsageError, match="seed is -1"):
        simulate("issmp", small_bank, n=1, seed=-1)
    with pytest.raises(UsageError, match="SD of at least 0"):
        Population(sd=-1)
    with pytest.raises(UsageError, match="median_seconds is 0"):
        Clock(median_seconds=0)


def test_a_truth_without_the_banks_items_is_refused(small_bank):
    with pytest.raises(BankError, match="218 items of bank standard-218-3pl are not in it"):
        simulate("issmp", small_bank, n=1, truth=ItemBank.from_items([Item(id="x", domain="D1", b=0.0)]))


def test_a_seed_is_drawn_and_told(small_bank):
    study = simulate("issmp", small_bank, n=10)
    again = simulate("issmp", small_bank, n=10, seed=study.provenance["seed"])
    assert again.to_json() == study.to_json()
    json.loads(study.to_json())


def test_without_a_blueprint_and_with_enemies_ignored_everybody_gets_the_whole_bank(small_bank, variant):
    whole = variant(
        blueprint={"domains": [{"id": "*", "weight": "1"}], "enemies": "ignore"},
        length={"minimum": 218, "maximum": 218},
        stopping={"rule": "fixed_length"},
    )
    study = simulate(whole, small_bank, n=20, seed=1)
    assert set(study.exposure.counts) == {20}
    assert study.compliance.violations == 0
