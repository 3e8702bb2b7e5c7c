"""Where the candidates of a log stand, against a bank whose parameters are known."""

from issmp_calibration.scoring.bank_populations import bank_prior
from issmp_calibration.scoring.fitted import fitted_prior
from issmp_calibration.scoring.priors import GroupPrior, HistogramPrior, RegressionPrior
from issmp_calibration.scoring.result import Scores
from issmp_calibration.scoring.score import score

__all__ = ["GroupPrior", "HistogramPrior", "RegressionPrior", "Scores", "bank_prior", "fitted_prior", "score"]
