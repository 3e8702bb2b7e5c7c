"""The result of linking: two constants, how sure they are, and the items they rest on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from issmp_calibration.linking.transform import transform
from issmp_calibration.log.faults import some
from issmp_cat.arrays import Floats
from issmp_cat.bank import ItemBank
from issmp_cat.errors import InputRejected
from issmp_cat.files import read_json, write_json

if TYPE_CHECKING:
    import pandas as pd

    from issmp_cat.plot import Plot

__all__ = ["TITLES", "Anchor", "Link", "as_rows", "chain"]

FORMAT = "issmp-cat/link"
TITLES = {
    "mean_mean": "mean/mean",
    "mean_sigma": "mean/sigma",
    "haebara": "Haebara",
    "stocking_lord": "Stocking–Lord",
    "chain": "chain",
}


@dataclass(frozen=True, slots=True)
class Anchor:
    """A common item: what both banks say, and whether the link rests on it.

    Attributes:
        a_new: slope in the new bank, per logit of its own scale; ``b_new`` its difficulty. ``a_old``, ``b_old``: in the
            old bank. ``a_linked``, ``b_linked``: the new ones on the old scale.
        change_a: ``log(a_old / a_linked)``; ``change_b``: ``b_old − b_linked``, logits; for items with steps that of
            the step that moved farthest.
        z_a: robust z of ``change_a``; ``z_b``: of ``change_b``.
        rmsd: root mean squared difference of the expected scores, points.
        used: whether the link rests on it; ``reason``: why not.
        in_se_a: ``change_a`` over its own standard error, the link's included; ``in_se_b``: ``change_b``; None where
            the banks do not hold what that needs.
    """

    item: str
    model: str
    used: bool
    reason: str
    a_new: float
    b_new: float
    a_old: float
    b_old: float
    a_linked: float
    b_linked: float
    change_a: float
    change_b: float
    z_a: float
    z_b: float
    rmsd: float
    in_se_a: float | None = None
    in_se_b: float | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """``θ_old = A θ_new + B``.

    Attributes:
        A: slope; ``B``: shift, logits of the old scale.
        covariance: sampling covariance of A and B; None where the banks do not hold what it needs.
        method: mean_mean, mean_sigma, haebara, stocking_lord or chain.
        anchors: the items both banks have, used or dropped.
        criterion: least value of what was minimised, squared points; None for moments and chains.
        notes: what to know before using it, in words.
        provenance: names and versions of the banks, and the options.
    """

    A: float
    B: float
    covariance: tuple[tuple[float, float], tuple[float, float]] | None
    method: str
    anchors: tuple[Anchor, ...]
    criterion: float | None = None
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def se_slope(self) -> float | None:
        """Standard error of A; 0 where A is 1 by the model, None where it is not known."""
        return None if self.covariance is None else math.sqrt(self.covariance[0][0])

    @property
    def se_shift(self) -> float | None:
        """Standard error of B, logits; None where it is not known."""
        return None if self.covariance is None else math.sqrt(self.covariance[1][1])

    @property
    def used(self) -> tuple[str, ...]:
        """Ids of the anchors the link rests on."""
        return tuple(anchor.item for anchor in self.anchors if anchor.used)

    @property
    def dropped(self) -> Mapping[str, str]:
        """Ids of the anchors it does not rest on, and why."""
        return {anchor.item: anchor.reason for anchor in self.anchors if not anchor.used}

    def theta(self, theta: Floats) -> Floats:
        """Abilities of the new scale on the old one, logits. Shape as given."""
        return self.A * np.asarray(theta, dtype=np.float64) + self.B

    def standard_error(self, theta: Floats) -> Floats | None:
        """The link's own error at abilities of the new scale, logits: ``√(θ² var A + 2θ cov + var B)``."""
        if self.covariance is None:
            return None
        (aa, ab), (_, bb) = self.covariance
        theta = np.asarray(theta, dtype=np.float64)
        error: Floats = np.sqrt(theta * theta * aa + 2.0 * theta * ab + bb)
        return error

    def apply(self, bank: ItemBank) -> ItemBank:
        """A bank of the new scale on the old one: parameters, covariances, and the population's mean and SD.

        The link's own error is common to all items and not added to theirs; :meth:`standard_error` tells it.

        Raises:
            BankError: the bank cannot take the slope, or a parameter would leave what a bank may hold.
        """
        note = {"A": self.A, "B": self.B, "covariance": self.covariance, "method": self.method, "anchors": self.used}
        return transform(bank, self.A, self.B, {**note, **self.provenance})

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each common item."""
        import pandas as pd

        return pd.DataFrame([asdict(anchor) for anchor in self.anchors], columns=[f.name for f in fields(Anchor)])

    def summary(self) -> str:
        """The result in a few lines."""
        slope, shift = f"A = {self.A:.5f}", f"B = {self.B:+.5f}"
        if self.covariance is not None:
            slope, shift = f"{slope} (SE {self.se_slope:.5f})", f"{shift} (SE {self.se_shift:.5f})"
        how = TITLES.get(self.method, self.method)
        lines = [f"{how} link: θ_old = A θ_new + B, {slope}, {shift}"]
        if self.anchors:
            lines.append(f"{len(self.used):,} of {len(self.anchors):,} common items used as anchors")
        if self.dropped:
            lines += [f"dropped {item}: {reason}" for item, reason in list(self.dropped.items())[:10]]
            lines += [f"… and {len(self.dropped) - 10:,} more"] if len(self.dropped) > 10 else []
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        import html

        lines = "<br>".join(html.escape(line) for line in self.summary().splitlines())
        return f"<p>{lines}</p>{self.frame.round(3).to_html(max_rows=20, index=False, na_rep='')}"

    def plot(
        self, kind: Literal["difficulties", "slopes", "changes"] = "difficulties", *, items: Sequence[str] | None = None
    ) -> Plot:
        """A picture of the common items: old against linked difficulties or slopes, or both robust z.

        Args:
            kind: which of them.
            items: only these.
        """
        from issmp_calibration.linking.plots import draw

        limit = self.provenance.get("limit")
        return draw(self.anchors, kind, items, ("used", "dropped"), lambda anchor: anchor.used, limit)

    def content(self) -> dict[str, Any]:
        """Everything, as plain JSON values."""
        plain: dict[str, Any] = json.loads(json.dumps({**asdict(self), "used": self.used, "dropped": self.dropped}))
        return {"format": FORMAT, "format_version": 1, **plain, "se_A": self.se_slope, "se_B": self.se_shift}

    def to_json(self, path: str | Path | None = None) -> str:
        """Everything as JSON; written to a file too if a path is given."""
        if path is not None:
            write_json(path, self.content())
        return json.dumps(self.content(), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, source: str | Path) -> Link:
        """A link from its JSON text or file.

        Raises:
            InputRejected: not a link.
        """
        text = str(source)
        where = "link" if text.lstrip().startswith("{") else text
        try:
            content = json.loads(text) if where == "link" else read_json(source, InputRejected)
            if content.get("format") != FORMAT:
                raise InputRejected(where, [f'not a link: "format" must be "{FORMAT}"'])
            parts = {entry.name: content[entry.name] for entry in fields(cls)}
            known = parts["covariance"]
            parts["covariance"] = None if known is None else tuple(tuple(row) for row in known)
            parts["anchors"] = tuple(Anchor(**row) for row in parts["anchors"])
            return cls(**{**parts, "notes": tuple(parts["notes"])})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputRejected(where, [f"not a link, or a broken one: {error}"]) from error


def chain(first: Link, *further: Link) -> Link:
    """Links one after the other: ``θ → A₂ (A₁ θ + B₁) + B₂``, with the error of the whole.

    The links are taken to be independent. Two that share items of the bank between them are not quite: their errors
    then partly cancel, and what is stated is an upper figure as a rule (Battauz, 2013).

    >>> chain(Link(2.0, 1.0, None, "chain", ()), Link(0.5, 0.25, None, "chain", ())).B
    0.75
    """
    slope, shift, covariance = first.A, first.B, _matrix(first)
    for link in further:
        own = _matrix(link)
        if covariance is not None and own is not None:
            by_first = np.array([[link.A, 0.0], [0.0, link.A]])
            by_link = np.array([[slope, 0.0], [shift, 1.0]])
            covariance = by_first @ covariance @ by_first.T + by_link @ own @ by_link.T
        else:
            covariance = None
        slope, shift = link.A * slope, link.A * shift + link.B
    links = (first, *further)
    names = [f"{link.provenance.get('new', '?')} to {link.provenance.get('old', '?')}" for link in links]
    unknown = [name for name, link in zip(names, links, strict=True) if link.covariance is None]
    notes = [f"a chain of {len(links)} links: {'; '.join(names)}"]
    notes += [f"no standard errors: none are known for {some(unknown)}"] if unknown else []
    return Link(
        slope,
        shift,
        as_rows(covariance),
        "chain",
        (),
        notes=tuple(notes),
        provenance={
            "new": first.provenance.get("new"),
            "old": links[-1].provenance.get("old"),
            "links": [{"A": link.A, "B": link.B, "method": link.method, **link.provenance} for link in links],
        },
    )


def _matrix(link: Link) -> Floats | None:
    return None if link.covariance is None else np.array(link.covariance)


def as_rows(matrix: Floats | None) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """A 2 × 2 matrix as plain numbers."""
    if matrix is None:
        return None
    (aa, ab), (ba, bb) = matrix.tolist()
    return (aa, ab), (ba, bb)
