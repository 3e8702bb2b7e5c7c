"""What several tests of the calibration share."""

import pytest


@pytest.fixture(scope="module")
def client():
    """Of a Dask cluster of two workers, each a process; ports as they are free, for tests that run side by side."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
