"""What is known of candidates beside their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

__all__ = ["About"]


class About(Protocol):
    """A response log or a store of one, as far as it tells of candidates."""

    @property
    def n_persons(self) -> int:
        """Number of candidates."""

    @property
    def candidates(self) -> Mapping[str, NDArray[Any]]:
        """Columns about them, each of shape ``(persons,)``."""
