"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the code: no test depends on a stopwatch.
settings.register_profile("issmp", deadline=None)
settings.load_profile("issmp")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with reference numbers and real data, which lies beside the checkout."""
    folder = Path(os.environ.get("ISSMP_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; set ISSMP_SHARED to the folder that holds reference/ and data/")
    return folder
