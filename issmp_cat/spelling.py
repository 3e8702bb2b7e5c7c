"""Guessing which name was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``' (did you mean "…"?)'``, or nothing when no known name is close.

    >>> did_you_mean("D3-0412", ["D3-0421", "D1-0001"])
    ' (did you mean "D3-0421"?)'
    """
    close = get_close_matches(name, list(known), n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""
