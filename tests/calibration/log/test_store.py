"""Stores on disk: the same log, whatever happens while they are written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from issmp_calibration.log import LogStore, Room, Rules, read_key, read_log, storing, write_store
from issmp_calibration.log import plan as planning
from issmp_calibration.statistics import classical
from issmp_cat.errors import InputRejected, ResponseLogError, UsageError

KEY = pd.DataFrame({"item": [f"Q{k}" for k in range(30)], "key": list("ABC") * 10, "status": ["operational"] * 30})
KEY.loc[28:, "status"] = "pretest"
SMALL = Room(answers=400)  # five shards or so


def frame(seed=5):
    draws = np.random.default_rng(seed)
    long = pd.DataFrame({"candidate": np.repeat([f"C{k:03d}" for k in range(100)], 30), "item": [*KEY["item"]] * 100})
    long["option"] = draws.choice([*"ABCD", None], len(long), p=[0.3, 0.3, 0.2, 0.1, 0.1])
    long["group"] = np.where(long.candidate.str[-1] < "4", "low", "high")
    long["cov_age"] = long.candidate.str[1:].astype(int) % 7
    return long[draws.random(len(long)) < 0.6].sample(frac=1, random_state=seed)


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "log.parquet"
    duckdb.from_df(frame()).write_parquet(str(path))
    return path


def assert_same_answers(store, log):
    """What a store holds is what the reader reads, but for answers without a score."""
    kept = log.score >= 0
    whole = store.log()
    assert whole.persons.tolist() == log.persons.tolist()
    assert whole.items.tolist() == log.items.tolist()
    assert whole.options == log.options
    np.testing.assert_array_equal(whole.person, log.person[kept])
    np.testing.assert_array_equal(whole.item, log.item[kept])
    np.testing.assert_array_equal(whole.score, log.score[kept])
    if log.option is not None:
        np.testing.assert_array_equal(whole.option, log.option[kept])


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_store_holds_what_the_reader_reads(tmp_path, suffix):
    path = tmp_path / f"log.{suffix}"
    rows = duckdb.from_df(frame())
    rows.write_parquet(str(path)) if suffix == "parquet" else rows.write_csv(str(path))
    store, log = write_store(path, tmp_path / "store", key=KEY, room=SMALL), read_log(path, key=KEY)
    assert len(store.answers.shards) > 3
    assert max(shard.answers for shard in store.answers.shards) <= 430  # whole candidates
    assert_same_answers(store, log)
    assert store.note == log.note
    assert store.report == log.report
    assert not store.answers.damaged()
    assert sorted(tmp_path.iterdir()) == sorted([path, tmp_path / "store"])


def test_what_is_counted_is_right(tmp_path, parquet):
    store, log = write_store(parquet, tmp_path / "store", key=KEY, room=SMALL), read_log(parquet, key=KEY)
    seen = pd.DataFrame({"item": log.item, "score": log.score, "blank": log.option == 255})
    for item, rows in seen.groupby("item"):
        assert store.presented[item] == len(rows)
        assert store.omitted[item] == rows.blank.sum()
        assert store.counts[item].tolist() == [(rows.score == 0).sum(), (rows.score == 1).sum()]
    assert store.n_answers == store.counts.sum() == (log.score >= 0).sum()


def test_groups_and_covariates_go_with_the_shards(tmp_path, parquet):
    store, log = write_store(parquet, tmp_path / "store", key=KEY, room=SMALL), read_log(parquet, key=KEY)
    assert store.candidates["group"].tolist() == log.candidates["group"].tolist()
    assert store.answers.groups == ("high", "low")
    parts = [store.answers.load(k) for k in range(len(store.answers.shards))]
    groups = np.array(store.answers.groups)[np.concatenate([part.groups() for part in parts])]
    assert groups.tolist() == log.candidates["group"].tolist()
    age = log.candidates["cov_age"]
    np.testing.assert_allclose(np.concatenate([part.covariates for part in parts])[:, 0], age - age.mean())


def test_scores_above_one_have_codes_of_their_own(tmp_path):
    rows = frame().assign(score=lambda x: x.candidate.str[-1].astype(int) % 4)[["candidate", "item", "score"]]
    rules = Rules(max_score=3)
    store, log = write_store(rows, tmp_path / "store", rules=rules, room=SMALL), read_log(rows, rules=rules)
    assert store.answers.categories == (4,) * 30
    assert_same_answers(store, log)


def test_candidates_without_a_score_are_kept(tmp_path):
    rows = pd.DataFrame({"candidate": ["a", "b", "c"], "item": "x", "score": [1, None, 0]})
    store = write_store(rows, tmp_path / "store", omitted="missing", room=Room(answers=1))
    assert store.persons.tolist() == ["a", "b", "c"]
    assert store.presented.tolist() == [3]
    assert store.log().start.tolist() == [0, 1, 1, 2]


def test_duplicates_are_refused_or_settled(tmp_path, parquet):
    twice = tmp_path / "twice.parquet"
    other = frame().iloc[[100]].assign(option="D")
    duckdb.from_df(pd.concat([frame(), frame().iloc[:50], other])).write_parquet(str(twice))
    with pytest.raises(ResponseLogError, match="1 candidate answered an item twice"):
        write_store(twice, tmp_path / "store", key=KEY, room=SMALL)
    assert sorted(tmp_path.iterdir()) == sorted([parquet, twice])
    store = write_store(twice, tmp_path / "store", key=KEY, duplicates="first", room=SMALL)
    log = read_log(twice, key=KEY, duplicates="first")
    assert_same_answers(store, log)
    assert store.note == log.note
    assert_same_answers(store, read_log(parquet, key=KEY))


def test_the_same_faults_are_told_as_by_the_reader(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("candidate,item,score\na,x,1\n,x,0\nb,x,7\n")
    with pytest.raises(ResponseLogError) as read:
        read_log(path)
    with pytest.raises(ResponseLogError) as stored:
        write_store(path, tmp_path / "store")
    assert stored.value.problems == read.value.problems
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_store_is_taken_up_where_it_stopped(tmp_path, parquet, monkeypatch):
    def until(stage, reached):
        def progress(doing, done, _):
            if doing == stage and done >= reached:
                raise KeyboardInterrupt

        return progress

    work = tmp_path / "store.partial"
    with pytest.raises(KeyboardInterrupt):
        write_store(parquet, tmp_path / "store", key=KEY, room=SMALL, progress=until("reading", 0))
    assert not work.exists()  # reading is begun again
    with pytest.raises(KeyboardInterrupt):
        write_store(parquet, tmp_path / "store", key=KEY, room=SMALL, progress=until("sorting", 2))
    assert not (tmp_path / "store").exists()
    written = (work / "shard-0001.codes").stat().st_mtime_ns
    monkeypatch.setattr(storing, "judge", None)  # nothing is read again
    store = write_store(parquet, tmp_path / "store", key=KEY, room=SMALL)
    assert (tmp_path / "store" / "shard-0001.codes").stat().st_mtime_ns == written
    assert not work.exists()
    assert_same_answers(store, read_log(parquet, key=KEY))


KILLED = """
import os, signal, sys
from issmp_calibration.log import Room, write_store
def die(doing, done, _):
    if doing == sys.argv[3] and done >= int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
write_store(sys.argv[1], sys.argv[2], key=sys.argv[5], room=Room(answers=400), progress=die)
"""


@pytest.mark.parametrize("at", [("reading", "1"), ("sorting", "3")])
def test_a_killed_command_leaves_nothing_that_looks_whole(tmp_path, parquet, at):
    KEY.to_csv(tmp_path / "key.csv", index=False)
    folder, key = str(tmp_path / "store"), str(tmp_path / "key.csv")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(parquet), folder, *at, key], check=False)
    assert killed.returncode == -9
    assert not (tmp_path / "store").exists()
    store = write_store(parquet, folder, key=key, room=SMALL)
    assert_same_answers(store, read_log(parquet, key=key))
    assert {path.name.split("-")[0] for path in store.folder.iterdir()} == {
        "shard", "store.json", "persons.ids", "persons.start", "candidates",
    }  # fmt: skip


def test_what_was_begun_in_another_way_is_begun_anew(tmp_path, parquet):
    def stop(doing, *_):
        if doing == "sorting":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_store(parquet, tmp_path / "store", key=KEY, room=SMALL, progress=stop)
    os.utime(parquet, ns=(1, 1))
    store = write_store(parquet, tmp_path / "store", key=KEY, omitted="missing", room=SMALL)
    assert_same_answers(store, read_log(parquet, key=KEY, omitted="missing"))


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, suffix):
    path = tmp_path / f"log.{suffix}"
    rows = duckdb.from_df(frame())
    rows.write_parquet(str(path)) if suffix == "parquet" else rows.write_csv(str(path))

    def change(*_):
        path.write_bytes(path.read_bytes()[:-100] + b"?" * 200)

    with pytest.raises(ResponseLogError, match=f"log.{suffix} changed while it was read"):
        write_store(path, tmp_path / "store", key=KEY, room=SMALL, progress=change)
    assert list(tmp_path.iterdir()) == [path]


def test_damaged_parquet_is_refused(tmp_path, parquet):
    content = bytearray(parquet.read_bytes())
    content[200:1200] = os.urandom(1000)
    parquet.write_bytes(content)
    for read in (read_log, lambda path, **how: write_store(path, tmp_path / "store", **how)):
        with pytest.raises(ResponseLogError, match=r"^log.parquet: "):
            read(parquet, key=KEY)
    assert list(tmp_path.iterdir()) == [parquet]


LIMITED = """
import resource, signal, sys
from issmp_calibration.log import write_store, read_log, Room
from issmp_cat.errors import ResponseLogError
write_store(sys.argv[1], sys.argv[2] + "-warm")  # compiles and caches while files may be large
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    write_store(sys.argv[1], sys.argv[2])
except ResponseLogError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [100_000, 900_000])  # while rows are spilled, and while they are dealt
def test_a_disk_that_fills_up_is_told_and_leaves_no_store(tmp_path, limit):
    path = tmp_path / "log.parquet"
    query = "SELECT p AS candidate, i AS item, (p + i) % 2 AS score FROM range(2000) a(p), range(100) b(i)"
    duckdb.sql(query).write_parquet(str(path))
    run = [sys.executable, "-c", LIMITED, str(path), str(tmp_path / "store"), str(limit)]
    said = subprocess.run(run, capture_output=True, text=True, check=True)
    assert "the disk is full" in said.stdout, said
    assert not (tmp_path / "store").exists()
    assert write_store(path, tmp_path / "store").n_answers == 200_000


def test_too_small_a_disk_is_refused_before_the_work(tmp_path, parquet, monkeypatch):
    usage = type(storing.shutil.disk_usage(tmp_path))(10**6, 10**6, 0)
    monkeypatch.setattr(storing.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ResponseLogError, match="GiB of disk are needed while"):
        write_store(parquet, tmp_path / "store", key=KEY)


def test_a_store_is_never_written_over_anything(tmp_path, parquet, monkeypatch):
    with pytest.raises(UsageError, match="exists already"):
        write_store(parquet, parquet, key=KEY)
    with pytest.raises(UsageError, match="there is no folder"):
        write_store(parquet, tmp_path / "nowhere" / "store", key=KEY)
    monkeypatch.setattr(storing.os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="cannot be written to"):
        write_store(parquet, tmp_path / "store", key=KEY)
    with pytest.raises(UsageError, match="256 MiB or more"):
        Room(memory=1000)


def test_what_is_no_store_or_a_damaged_one_is_refused(tmp_path, parquet):
    store = write_store(parquet, tmp_path / "store", key=KEY, room=SMALL)
    with pytest.raises(InputRejected):
        LogStore.open(tmp_path)
    codes = store.folder / "shard-0001.codes"
    content = codes.read_bytes()
    codes.write_bytes(content[:-2])
    with pytest.raises(InputRejected, match=r"shard-0001\.codes has"):
        LogStore.open(store.folder)
    codes.write_bytes(content[::-1])
    assert LogStore.open(store.folder).answers.damaged() == [
        "shard-0001.codes: contents have changed since it was written"
    ]
    (store.folder / "persons.ids").unlink()
    with pytest.raises(ResponseLogError, match=r"it lacks persons\.ids"):
        LogStore.open(store.folder)


def test_the_index_says_what_the_store_was_made_of(tmp_path, parquet):
    write_store(parquet, tmp_path / "store", key=KEY, room=SMALL)
    told = json.loads((tmp_path / "store" / "store.json").read_text())
    assert told["format"] == planning.FORMAT
    assert {"items", "categories", "counts", "shards", "note", "report"} <= told.keys()


def test_a_store_is_read_as_a_log(tmp_path, parquet):
    store = write_store(parquet, tmp_path / "store", key=KEY, room=SMALL)
    assert_same_answers(store, read_log(tmp_path / "store"))
    assert read_log([tmp_path / "store"]).report == store.report


@pytest.mark.usefixtures("parquet")
def test_the_command_says_what_it_did(tmp_path):
    KEY.to_csv(tmp_path / "key.csv", index=False)
    run = [str(Path(sys.executable).with_name("issmp-cat")), "store", "log.parquet", "--key", "key.csv", "-o", "store"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("store: 1,")
    assert done.stderr.endswith("next: issmp-cat calibrate store -o bank.json\n")
    again = subprocess.run([*run, "--memory", "much"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (again.returncode, again.stderr) == (2, 'error: --memory "much": expected a size such as 512M or 4G\n')


def test_classical_statistics_of_a_store_are_those_of_its_log(tmp_path):
    """The key of Q0 is wrong: who knows the others says A."""
    draws, rows = np.random.default_rng(2), frame()
    able = 0.4 + rows.candidate.str[1:].astype(int) / 170
    rows["option"] = np.where(draws.random(len(rows)) < able, rows.item.map(KEY.set_index("item").key), "D")
    key = read_key(KEY.assign(key=["B", *KEY.key[1:]]))
    operational = np.array([status == "operational" for status in KEY["status"]])
    store, log = write_store(rows, tmp_path / "store", key=key, room=SMALL), read_log(rows, key=key)
    mine, theirs = (classical(source, operational, key=key) for source in (store, log))
    assert mine.test == theirs.test
    np.testing.assert_array_equal(mine.item_rest, theirs.item_rest)
    np.testing.assert_array_equal(mine.presented, theirs.presented)
    assert mine.key == theirs.key
    assert mine.key[0].option == "A"
