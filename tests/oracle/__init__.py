"""The proof of selection: every decision against the whole integer programme. Run it with ``make proof``."""
