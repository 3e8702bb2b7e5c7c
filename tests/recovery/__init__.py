"""Recovery: what a calibration makes of answers whose truth is known. Run the long form with ``make recovery``."""
