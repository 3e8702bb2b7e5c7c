"""``issmp-cat``: finds the commands, runs one, and turns whatever goes wrong into one message and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence

from issmp_cat.cli.extras import missing_extra
from issmp_cat.cli.registry import build_command
from issmp_cat.cli.talk import kept, say
from issmp_cat.errors import IssmpError

__all__ = ["main", "run"]

INTERRUPTED = 130
INPUT_REJECTED = 3
NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))  # disk, file size limit, quota


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; nothing escapes but an exit code.

    Args:
        arguments: the command and its options; ``--debug`` may stand anywhere among them.
    """
    debug = "--debug" in arguments
    code = 0
    try:
        build_command().main([a for a in arguments if a != "--debug"], prog_name="issmp-cat")
    except SystemExit as end:
        code = _finish(end.code)
    except KeyboardInterrupt:
        code = _finish(INTERRUPTED)
    except BrokenPipeError:
        code = _silence()
    except OSError as error:
        code = _no_room(error) if error.errno in NO_ROOM else _bug(error, debug)
    except IssmpError as error:
        code = _fail(str(error), error.exit_code, debug)
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        code = _fail(str(missing), missing.exit_code, debug) if missing else _bug(error, debug)
    except Exception as error:  # noqa: BLE001 - the edge of the program: whatever it is, people get one line
        code = _bug(error, debug)
    return code


def _finish(code: object) -> int:
    """The exit code; an interrupted command says what was kept, and a closed pipe is no error to shout about."""
    if code == INTERRUPTED:
        say(f"\ninterrupted: {kept()}")
    if type(sys.stdout).__name__ == "PacifyFlushWrapper":  # typer met the closed pipe first, and took it for a failure
        return _silence()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _silence()
    except OSError as error:
        return _no_room(error)
    return code if isinstance(code, int) else 0


def _no_room(error: OSError) -> int:
    """The output had nowhere to go."""
    _silence()
    say(f"error: the output could not be written: {error.strerror}; nothing else was lost")
    return INPUT_REJECTED


def _silence() -> int:
    """Whoever read our output has gone: write the rest to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return 0


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    say(f"error: {message}")
    return code


def _bug(error: Exception, debug: bool) -> int:
    hint = "" if debug else "; this is a bug: run again with --debug"
    return _fail(f"{type(error).__name__}: {error}{hint}", 1, debug)
