"""Answers in memory, in files too large for it, and on other machines, all asked in the same way."""
