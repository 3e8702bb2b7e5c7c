"""One calibration put onto the scale of another, by the items they share."""

from issmp_calibration.linking.call import link
from issmp_calibration.linking.drifting import Drift, drift
from issmp_calibration.linking.result import Anchor, Link, chain

__all__ = ["Anchor", "Drift", "Link", "chain", "drift", "link"]
