"""Which items changed between two calibrations, once the scales are the same."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from issmp_calibration.linking.call import Method, change_errors, moved, rows, solved
from issmp_calibration.linking.changes import SURE, changes, rmsd, sure_of_all
from issmp_calibration.linking.curves import points
from issmp_calibration.linking.moments import Solution
from issmp_calibration.linking.pairs import Pairs, match
from issmp_calibration.linking.result import Anchor, Link
from issmp_calibration.log.faults import some
from issmp_cat.arrays import Bools, Floats
from issmp_cat.bank import ItemBank
from issmp_cat.errors import UsageError
from issmp_cat.files import write_json

if TYPE_CHECKING:
    import pandas as pd

    from issmp_cat.plot import Plot

__all__ = ["FIGURES", "Drift", "drift"]

# The names of ``Drift.figures``, needed before there is one.
FIGURES = ("common", "used", "flagged", "flagged_share", "worst_z", "worst_rmsd", "worst_change_b", "A", "B")


@dataclass(frozen=True, slots=True)
class Drift:
    """Every common item under one link.

    Attributes:
        link: the link, which rests on the items that did not drift.
        items: every common item; ``reason`` says what moved, and is empty for an item that stayed; ``used`` whether the
            link rests on it.
        limit: of the robust z; where standard errors are known, ``sure`` of these as well.
        sure: 2.58 standard errors, or as many as keep accidents to the share that was asked for.
    """

    link: Link
    items: tuple[Anchor, ...]
    limit: float
    sure: float = SURE

    @property
    def flagged(self) -> tuple[str, ...]:
        """Ids of the items that moved."""
        return tuple(item.item for item in self.items if item.reason)

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each common item, with a column ``flag``."""
        import pandas as pd

        return pd.DataFrame([{**asdict(item), "flag": bool(item.reason)} for item in self.items])

    @property
    def figures(self) -> dict[str, float]:
        """What a pipeline may set bounds to.

        ``worst_z`` is the largest |robust z|, ``worst_rmsd`` the largest root mean squared difference of expected
        scores (points), ``worst_change_b`` the largest |change of b| (logits), of all common items.
        """
        worst_z = max(max(abs(item.z_a), abs(item.z_b)) for item in self.items)
        values = (
            *(len(self.items), len(self.link.used), len(self.flagged), len(self.flagged) / len(self.items), worst_z),
            *(max(item.rmsd for item in self.items), max(abs(item.change_b) for item in self.items)),
            *(self.link.A, self.link.B),
        )
        return dict(zip(FIGURES, map(float, values), strict=True))

    def plot(
        self, kind: Literal["difficulties", "slopes", "changes"] = "changes", *, items: Sequence[str] | None = None
    ) -> Plot:
        """A picture of the common items, those that moved apart: both robust z, or old against linked parameters.

        Args:
            kind: which of them.
            items: only these.
        """
        from issmp_calibration.linking.plots import draw

        return draw(self.items, kind, items, ("stayed", "moved"), lambda item: not item.reason, self.limit, self.sure)

    def summary(self) -> str:
        """The result in a few lines."""
        unknown = [item.item for item in self.items if item.in_se_b is None]
        sure = f" and {self.sure:.2f} standard errors" if len(unknown) < len(self.items) else ""
        lines = [
            f"drift: {len(self.flagged):,} of {len(self.items):,} common items beyond |robust z| {self.limit:g}{sure}"
        ]
        if unknown:
            which = f"of {len(unknown):,} items ({some(unknown)})" if sure else "here"
            lines.append(f"standard errors are not known {which}: robust z alone judges, blind to how few answers tell")
        lines += [f"{item.item}: {item.reason}" for item in self.items if item.reason]
        return "\n".join([*lines, self.link.summary().splitlines()[0]])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        import html

        lines = "<br>".join(html.escape(line) for line in self.summary().splitlines())
        return f"<p>{lines}</p>{self.frame.round(3).to_html(max_rows=20, index=False, na_rep='')}"

    def content(self) -> dict[str, Any]:
        """Everything, as plain JSON values."""
        return {
            "format": "issmp-cat/drift",
            "format_version": 1,
            "limit": self.limit,
            "sure": self.sure,
            "flagged": list(self.flagged),
            "figures": self.figures,
            "items": [asdict(item) for item in self.items],
            "link": self.link.content(),
        }

    def to_json(self, path: str | Path | None = None) -> str:
        """Everything as JSON; written to a file too if a path is given."""
        if path is not None:
            write_json(path, self.content())
        return json.dumps(self.content(), ensure_ascii=False, allow_nan=False)


def drift(
    new_bank: ItemBank,
    old_bank: ItemBank,
    method: Method = "stocking_lord",
    anchors: Collection[str] | None = None,
    *,
    limit: float = 2.7,
    false_discoveries: float | None = None,
) -> Drift:
    """How far every common item moved between two calibrations, by the changes of log a and of b.

    An item moved when the robust z of a change is beyond the limit and, where both banks hold the item's covariance,
    the change also exceeds 2.58 of its own standard errors, which 1 % do by sampling alone. Items differ in how well
    they are known: without the second, those with few answers are flagged though they stayed.

    The link is purified step by step, so that items that moved do not shift the others.

    Args:
        new_bank: the later calibration; ``old_bank``: the earlier one, whose scale is kept.
        method: of the link.
        anchors: ids of the items the link may rest on; all common items when not given.
        limit: of the robust z.
        false_discoveries: expected share of accidents among the items found (Benjamini & Hochberg, 1995), such as 0.05:
            with many items it asks for more than 2.58 standard errors, up to 4 of 1,000. None keeps 2.58.

    Raises:
        BankError: nothing to link by; every fault is named.
        UsageError: a share of accidents that is not between 0 and 1.
    """
    if false_discoveries is not None and not 0.0 < false_discoveries < 1.0:
        raise UsageError(f"false_discoveries {false_discoveries:g}: expected a share between 0 and 1, such as 0.05")
    found, solution = solved(new_bank, old_bank, method, anchors, screen="iterative", limit=limit)
    pairs = match(new_bank, old_bank, None)
    used = set(found.used)
    among = np.array([item.id in used for item in pairs.new])
    errors = _errors(pairs, among, found, solution)
    if not among.any():  # the link rests on retired items alone
        among[:] = True
    gaps, sure = changes(pairs, found.A, found.B, among, limit, errors), SURE
    if false_discoveries is not None:
        sure = max(SURE, sure_of_all(np.concatenate([gaps.in_se_a, gaps.in_se_b]), false_discoveries))
        gaps = changes(pairs, found.A, found.B, among, limit, errors, sure)
    reasons = {k: reason for k in range(len(pairs)) if (reason := moved(gaps, k))}
    apart = rmsd(pairs, found.A, found.B, points(old_bank.metric, "normal"))
    items = rows(pairs, found.A, found.B, gaps, apart, reasons)
    return Drift(found, tuple(replace(item, used=item.item in used) for item in items), limit, sure)


def _errors(pairs: Pairs, among: Bools, found: Link, solution: Solution) -> tuple[Floats, Floats]:
    """Standard errors of the changes; without the link's own if it rests on items that are not judged here."""
    places = {id_: k for k, id_ in enumerate(found.used)}
    order = [places[item.id] for item in pairs.new if item.id in places]
    whole = len(order) == len(places)
    there = solution._replace(new=solution.new[:, order], old=solution.old[:, order])
    return change_errors(pairs, among, there, found.covariance if whole else None)
