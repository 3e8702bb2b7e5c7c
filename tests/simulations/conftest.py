"""Banks and studies that several tests look at; made once."""

import pytest

from issmp_cat import Exam
from issmp_simulations import simulate, standard_bank


@pytest.fixture(scope="session")
def small_bank():
    return standard_bank("218")


@pytest.fixture(scope="session")
def bank():
    return standard_bank("1500")


@pytest.fixture(scope="session")
def variant():
    def change(**changes):
        return Exam.model_validate({**Exam.load("issmp").model_dump(), **changes})

    return change


@pytest.fixture(scope="session")
def study(bank):
    return simulate("issmp", bank, n=4000, seed=11, keep_items=True)
