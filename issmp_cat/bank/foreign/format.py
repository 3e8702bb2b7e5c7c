"""What every file format of another program offers, and what reading one brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from issmp_cat.bank.item_bank import ItemBank

__all__ = ["Format", "Reading", "Wishes"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a file cannot say of itself, or should not decide.

    Attributes:
        metric: D of the slopes in the file, which stand for exp(−D a (θ − b)); None for what the file says, else what
            its program does.
        stepped: the model of items with several scores, where the file does not tell graded from partial credit.
        structure: the text of the file that holds the steps, where the program writes two (Winsteps: SFILE).
    """

    metric: float | None = None
    stepped: Literal["grm", "gpcm"] | None = None
    structure: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as read: the items, not yet validated, and what the file says about their scale.

    Attributes:
        rows: where each item stands ("line 7"), and its fields as a bank file would hold them, metric D = 1.
        problems: every fault found so far, with its line.
        refused: ids of the items that have one.
        notes: metric, parameterisation, scale and standard errors in words; they go into the bank's provenance.
        population: latent mean and SD, if the file holds them.
        left_out: items that the file names without a usable parameter, with the reason.
    """

    rows: list[tuple[str, dict[str, Any]]]
    problems: list[str]
    notes: Mapping[str, str]
    refused: list[str] = field(default_factory=list)
    population: tuple[float, float] | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)


class Format(Protocol):
    """One format: text in, items out, and back; the metric is the only choice a caller has."""

    @property
    def name(self) -> str:
        """What the command line calls it."""

    @property
    def program(self) -> str:
        """Whose files these are."""

    @property
    def free_metric(self) -> bool:
        """Whether the slopes may be for another D than 1."""

    @property
    def usual_metric(self) -> float:
        """D when nobody says."""

    def recognises(self, text: str) -> bool:
        """Whether a file can be nothing else; False in doubt."""

    def read(self, text: str, wishes: Wishes) -> Reading:
        """The items of a file, with all its faults."""

    def misfits(self, bank: ItemBank) -> list[str]:
        """Why the format cannot hold this bank; empty when it can."""

    def lost(self, bank: ItemBank) -> list[str]:
        """What the format leaves out of this bank, in words."""

    def write(self, bank: ItemBank, metric: float) -> str:
        """The file's text, for a bank without misfits."""
