"""From a response log to a calibrated item bank."""
