"""Exposure control: what an exam file asks for, the table a calibration found, and the counts it learns from."""

from issmp_cat.exposure.counts import Counts, next_admission
from issmp_cat.exposure.section import ExposureControl
from issmp_cat.exposure.table import Evidence, ExposureTable

__all__ = ["Counts", "Evidence", "ExposureControl", "ExposureTable", "next_admission"]
