"""The tree of errors, its exit codes and its sentences."""

import pytest

from issmp_cat import errors

CODES = {
    "IssmpError": 1, "UsageError": 2, "MissingExtra": 2, "InputRejected": 3, "BankError": 3, "ResponseLogError": 3,
    "BlueprintError": 3, "ExamError": 3, "SessionError": 3, "BlueprintInfeasible": 4, "NotConverged": 4,
    "GateFailed": 5,
}  # fmt: skip


def test_every_error_has_the_exit_code_that_the_conventions_give_it():
    assert {name: getattr(errors, name).exit_code for name in errors.__all__} == CODES


def test_every_error_is_one_of_ours_and_stands_in_the_drawing():
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.IssmpError)
        assert name in errors.__doc__


def test_one_fault_is_one_line_and_several_are_counted_and_indented():
    assert str(errors.BankError("x.csv", ["bad"])) == "x.csv: bad"
    assert str(errors.BankError("x.csv", ["bad", "worse"])) == "x.csv: 2 problems\n  bad\n  worse"


def test_a_missing_part_says_the_command_that_installs_it():
    assert str(errors.MissingExtra("plots", "plot")) == 'plots needs an optional part: pip install "issmp-cat[plot]"'


@pytest.mark.parametrize("name", ["BankError", "ResponseLogError", "ExamError", "SessionError", "BlueprintError"])
def test_refusals_can_be_caught_as_one(name):
    with pytest.raises(errors.InputRejected) as error:
        raise getattr(errors, name)("where", ["what"])
    assert (error.value.where, error.value.problems) == ("where", ("what",))
