"""Populations as typed on the command line: ``--prior`` and ``--prior-by``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from issmp_calibration.scoring.priors import PriorLike
    from issmp_cat.bank import ItemBank

__all__ = ["parse_prior"]


def parse_prior(words: Sequence[str], by: str | None, bank: ItemBank | None = None) -> PriorLike | None:
    """The prior that some words stand for.

    Args:
        words: ``MEAN,SD`` once, or ``GROUP=MEAN,SD`` for each group; logits.
        by: the column that makes the groups; those without words are as the bank remembers them.
        bank: to score against.

    Returns:
        None for none: the bank's own.

    Raises:
        UsageError: words that are no numbers, groups without a column or a column without groups.

    >>> parse_prior(["0.2,1.1"], None)
    (0.2, 1.1)
    """
    from issmp_calibration.scoring.bank_populations import bank_prior, remembered_groups
    from issmp_calibration.scoring.priors import GroupPrior
    from issmp_cat.errors import UsageError

    if by is None:
        if len(words) > 1 or any("=" in word for word in words):
            raise UsageError("--prior for several groups needs --prior-by COLUMN, which says who belongs to which")
        return _moments(words[0], words[0]) if words else None
    if not words and bank is not None and bank.provenance.get("groups"):
        return bank_prior(bank, by)
    named = [word.rpartition("=") for word in words]
    if not words or any(not equals for _, equals, _ in named):
        raise UsageError(f"--prior-by {by} needs --prior GROUP=MEAN,SD for each group{_no_groups(bank, words)}")
    groups = {group: _moments(numbers, word) for (group, _, numbers), word in zip(named, words, strict=True)}
    if len(groups) < len(words):
        raise UsageError("--prior names a group twice")
    return GroupPrior(by, ({} if bank is None else remembered_groups(bank, by)) | groups)


def _no_groups(bank: ItemBank | None, words: Sequence[str]) -> str:
    return "" if bank is None or words else f': bank "{bank.id}" was not calibrated with groups'


def _moments(text: str, word: str) -> tuple[float, float]:
    from issmp_cat.errors import UsageError

    try:
        mean, sd = (float(number) for number in text.split(","))
    except ValueError:
        raise UsageError(f"--prior {word}: expected MEAN,SD in logits, such as 0,1") from None
    return mean, sd
