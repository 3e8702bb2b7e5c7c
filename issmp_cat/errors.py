"""Everything that can go wrong, and the exit code each one means.

IssmpError                  1   a bug, if it is nothing more precise
├── UsageError              2   the call itself is wrong
├── InputRejected           3   a file or value was read and refused, every fault named at once
│   ├── BankError
│   ├── ResponseLogError
│   ├── BlueprintError
│   ├── ExamError
│   └── SessionError
├── BlueprintInfeasible     4   the bank cannot fill the blueprint
├── NotConverged            4   an iteration ended before its answer settled
├── GateFailed              5   a threshold given with --gate was missed
└── MissingExtra            2   an optional part is not installed; says the pip command
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "BankError",
    "BlueprintError",
    "BlueprintInfeasible",
    "ExamError",
    "GateFailed",
    "InputRejected",
    "IssmpError",
    "MissingExtra",
    "NotConverged",
    "ResponseLogError",
    "SessionError",
    "UsageError",
]


class IssmpError(Exception):
    """Root of the tree; ``exit_code`` is what the command line ends with."""

    exit_code = 1


class UsageError(IssmpError):
    """The call is wrong: an unknown option, a missing argument, a contradiction."""

    exit_code = 2


class MissingExtra(UsageError):
    """An optional part is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs an optional part: pip install "issmp-cat[{extra}]"')


class InputRejected(IssmpError):
    """A file or value was refused; all its faults are listed.

    >>> print(BankError("bank.csv", ["line 3: a is -1; expected a number above 0", "line 9: no id"]))
    bank.csv: 2 problems
      line 3: a is -1; expected a number above 0
      line 9: no id
    >>> print(BankError("bank.csv", ["no items"]))
    bank.csv: no items
    """

    exit_code = 3

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        self.where = where
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            super().__init__(f"{where}: {self.problems[0]}")
        else:
            super().__init__("\n  ".join([f"{where}: {len(self.problems)} problems", *self.problems]))


class BankError(InputRejected):
    """An item bank was refused."""


class ResponseLogError(InputRejected):
    """A response log was refused."""


class BlueprintError(InputRejected):
    """A blueprint contradicts itself."""


class ExamError(InputRejected):
    """An exam definition was refused."""


class SessionError(InputRejected):
    """A session file or an answer was refused; the session is as it was."""


class BlueprintInfeasible(IssmpError):
    """The bank cannot fill the blueprint."""

    exit_code = 4


class NotConverged(IssmpError):
    """An iteration ended before its answer settled."""

    exit_code = 4


class GateFailed(IssmpError):
    """A threshold given with ``--gate`` was missed."""

    exit_code = 5
