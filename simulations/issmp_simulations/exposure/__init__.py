"""Exposure tables, found by simulation through the exam's own decision code."""

from issmp_simulations.exposure.calibrate import calibrate_exposure
from issmp_simulations.exposure.evidence import assess
from issmp_simulations.exposure.online import run_online

__all__ = ["assess", "calibrate_exposure", "run_online"]
