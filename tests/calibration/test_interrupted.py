"""A calibration that is interrupted leaves the old bank as it was, to the byte."""

import errno
import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from issmp_calibration.mml.climb import Climb
from issmp_cat.bank import ItemBank
from issmp_cat.cli.main import run


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    rng = np.random.default_rng(2)
    theta, b = rng.normal(size=300), rng.normal(0, 1, 8)
    scores = (rng.random((300, 8)) < 1 / (1 + np.exp(-1.2 * (theta[:, None] - b)))).astype(int)
    path = tmp_path_factory.mktemp("log") / "wide.csv"
    pd.DataFrame(scores, columns=[f"q{k}" for k in range(8)]).rename_axis("candidate").to_csv(path)
    return path


@pytest.fixture(scope="module")
def written(log, tmp_path_factory):
    path = tmp_path_factory.mktemp("bank") / "bank.json"
    assert run(["calibrate", str(log), "--model", "rasch", "-o", str(path), "--quiet"]) == 0
    return path.read_bytes()


@pytest.fixture
def bank(written, tmp_path):
    path = tmp_path / "bank.json"
    path.write_bytes(written)
    return path


def words(log, bank):
    return ["calibrate", str(log), "-o", str(bank), "--quiet"]


def fail_with(fault):
    def stop(*_):
        raise fault

    return stop


def test_undisturbed_the_bank_would_be_another(log, bank, written):
    assert run(words(log, bank)) == 0
    assert bank.read_bytes() != written


def test_an_interruption_while_fitting(log, bank, written, monkeypatch):
    monkeypatch.setattr(Climb, "advance", fail_with(KeyboardInterrupt()))
    assert run(words(log, bank)) == 130
    assert bank.read_bytes() == written
    assert list(bank.parent.iterdir()) == [bank]


def test_an_interruption_while_writing(log, bank, written, monkeypatch):
    """When all bytes are written and the name is not yet given."""
    monkeypatch.setattr(os, "fsync", fail_with(KeyboardInterrupt()))
    assert run(words(log, bank)) == 130
    assert bank.read_bytes() == written
    assert list(bank.parent.iterdir()) == [bank]


def test_a_full_disk(log, bank, written, monkeypatch, capsys):
    """Many file systems tell so only when what was written is made safe."""
    monkeypatch.setattr(os, "fsync", fail_with(OSError(errno.ENOSPC, "No space left on device")))
    assert run(words(log, bank)) == 3
    assert "could not be written: No space left on device" in capsys.readouterr().err
    assert bank.read_bytes() == written
    assert list(bank.parent.iterdir()) == [bank]


def run_apart(log, bank, before):
    """The command in a process of its own, after some lines of Python."""
    code = f"{before}\nfrom issmp_cat.cli.main import run\nraise SystemExit(run({words(log, bank)!r}))"
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_kill_between_writing_and_renaming(log, bank, written):
    """Nothing can tidy up after SIGKILL: a file under a temporary name stays, and the next run does not mind."""
    done = run_apart(log, bank, "import os, pathlib\npathlib.Path.replace = lambda *_: os.kill(os.getpid(), 9)")
    assert done.returncode == -signal.SIGKILL
    assert bank.read_bytes() == written
    assert sorted(path.name[:9] for path in bank.parent.iterdir()) == [".writing-", "bank.json"]
    assert run(words(log, bank)) == 0
    assert len(ItemBank.load(bank)) == 8


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
def test_no_room_for_another_byte(log, bank, written):
    """The kernel itself refuses: once the fit is done, files may not grow beyond 1 KB."""
    limit = (
        "import resource\n"
        "from issmp_calibration.result import Calibration\n"
        "make = Calibration.to_bank\n"
        "def tight(*given, **named):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))\n"
        "    return make(*given, **named)\n"
        "Calibration.to_bank = tight"
    )
    assert len(written) > 1024
    done = run_apart(log, bank, limit)
    assert done.returncode == 3
    assert "could not be written: File too large" in done.stderr
    assert bank.read_bytes() == written
    assert list(bank.parent.iterdir()) == [bank]
