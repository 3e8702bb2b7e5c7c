"""Whatever goes wrong: one message, the right exit code, nothing half-written."""

import os
import signal
import subprocess
import sys
import time

import pytest

from issmp_cat.cli import registry
from issmp_cat.cli.extras import missing_extra
from issmp_cat.cli.main import run


def issmp(*arguments, **options):
    """The command line in a process of its own."""
    command = [sys.executable, "-c", "from issmp_cat.cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


class FoundCommand:
    """An entry point whose command does as it is told."""

    name = "act"

    def __init__(self, action):
        self._action = action

    def load(self):
        def command() -> None:
            """Act."""
            self._action()

        return command


@pytest.fixture
def act(monkeypatch):
    """Replace the commands by one that does something."""

    def register(action):
        monkeypatch.setattr(registry, "entry_points", lambda **_: [FoundCommand(action)])

    return register


def raising(error):
    def action():
        raise error

    return action


def test_version_goes_to_stdout(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("issmp-cat ")


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(capsys):
    assert run(["exma"]) == 2
    assert "exam" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error(capsys):
    assert run(["bank", "show", "practice-bank", "--sorted", "b"]) == 2
    assert "--sort" in capsys.readouterr().err


def test_rejected_input_exits_3_with_every_fault_and_no_traceback(tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text("id,b\ni1,0.5\ni1,abc\ni2,99\n")
    done = issmp("bank", "check", str(path))
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {path}: 3 problems\n")
    assert [word in done.stderr for word in ("line 3", "line 4", "i1")] == [True] * 3
    assert "Traceback" not in done.stderr


def test_an_infeasible_blueprint_exits_4_and_says_what_lacks(capsys):
    assert run(["exam", "check", "issmp", "--bank", "practice-bank"]) == 4
    error = capsys.readouterr().err
    assert error.startswith("error: 6 domains fall short:")
    assert 'domain "D5" needs 15 items at length 125; the bank has 10 operational ones. Add 5' in error


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_is_one_line_and_a_traceback_only_on_request(act, capsys, debug):
    act(raising(ZeroDivisionError("by zero")))
    assert run(["act", "--debug"] if debug else ["act"]) == 1
    error = capsys.readouterr().err
    assert "error: ZeroDivisionError: by zero" in error
    assert ("Traceback" in error) == debug
    assert ("this is a bug: run again with --debug" in error) != debug


def test_a_library_that_is_not_installed_gives_the_pip_command(act, capsys):
    act(raising(ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib.figure")))
    assert run(["act"]) == 2
    assert 'pip install "issmp-cat[plot]"' in capsys.readouterr().err


def test_a_module_of_our_own_that_is_missing_is_a_bug_not_an_extra():
    assert missing_extra(ModuleNotFoundError("no", name="issmp_cat.nothing")) is None


def test_a_command_that_cannot_be_loaded_still_shows_in_the_help(monkeypatch, capsys):
    class Broken:
        name = "simulate"

        def load(self):
            raise ModuleNotFoundError("No module named 'numba'", name="numba")

    monkeypatch.setattr(registry, "entry_points", lambda **_: [Broken()])
    assert run(["--help"]) == 0
    assert "simulate" in capsys.readouterr().out
    assert run(["simulate", "-n", "5", "--bank", "x"]) == 2
    assert 'pip install "issmp-cat[' in capsys.readouterr().err


def test_an_interrupt_exits_130_and_says_what_was_kept(act, capsys):
    act(raising(KeyboardInterrupt()))
    assert run(["act"]) == 130
    assert "interrupted: " in capsys.readouterr().err


def test_ctrl_c_during_an_exam_keeps_the_answers(tmp_path):
    command = [sys.executable, "-c", "from issmp_cat.cli.main import main; main()", "take", "--seed", "1"]
    # A shell starts programs in the background deaf to Ctrl-C; this one shall hear it.
    exam = subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads here
    )  # fmt: skip
    exam.stdin.write("A\n")
    exam.stdin.flush()
    shown = ""
    while "Question 2" not in shown:
        shown += exam.stderr.readline()
    time.sleep(0.2)
    exam.send_signal(signal.SIGINT)
    _, rest = exam.communicate(timeout=20)
    assert exam.returncode == 130
    assert "1 answer kept in session-practice-1.json" in rest
    assert "Traceback" not in rest


def test_a_closed_pipe_is_silent():
    line = f'{sys.executable} -c "from issmp_cat.cli.main import main; main()" bank show practice-bank | head -1'
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""


def test_no_colour_codes_leave_a_pipe():
    done = issmp("bank", "check", "practice-bank", env={**os.environ, "FORCE_COLOR": "", "NO_COLOR": "1"})
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
