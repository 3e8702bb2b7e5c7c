"""The design of a log: do its items hang together, by how much, are there answers enough, and who chose the items."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from issmp_calibration.log.design import Forms, connected_groups, forms
from issmp_calibration.log.faults import counted, some
from issmp_calibration.log.links import Links, item_links
from issmp_calibration.log.routing import Routing, routing
from issmp_cat.responses import ResponseLog

__all__ = ["DesignAudit", "FormLink", "audit_design"]

FEW_ANSWERS = 100  # below, the SE of a difficulty exceeds 0.2 logits even under the Rasch model: 2 / √n at p = 0.5
FEW_LINKING = 100  # candidates
WIDE_ERROR = 0.10  # logits, of the difference between a block's difficulties and the rest
COMMON_SHARE, COMMON_ITEMS = 0.20, 20  # Kolen & Brennan (2014), Test Equating, ch. 8: of a form, or so many
MOST_FORMS = 12


@dataclass(frozen=True, slots=True)
class FormLink:
    """The weakest of the links that hold the forms together.

    Attributes:
        one, other: the forms' names.
        common: items that both hold.
        shorter: items of the shorter one.
        candidates: who took the one, and the other.
    """

    one: str
    other: str
    common: int
    shorter: int
    candidates: tuple[int, int]


@dataclass(frozen=True, slots=True)
class DesignAudit:
    """Whether a log can be put on one scale, and how firmly.

    Attributes:
        groups: items in each group that no candidate connects with the others; one group is as it should be.
        links: how firmly the items hang together.
        form_link: the weakest link between forms; None where there are no fixed forms, or just one.
        fewest: scored answers of the items that have fewest, by item.
        few: items with fewer than 100 scored answers.
        routing: what decided which items candidates saw.
    """

    groups: tuple[int, ...]
    links: Links
    form_link: FormLink | None
    fewest: dict[str, int]
    few: tuple[str, ...]
    routing: Routing

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; NaN becomes None."""
        remarks = [{"good": good, "words": words} for good, words in self.remarks()]
        return {name: _plain(part) for name, part in asdict(self).items()} | {"remarks": remarks}

    def remarks(self) -> list[tuple[bool, str]]:
        """What is to be said, each with whether it is good."""
        return [*self._connected(), *self._forms(), *self._answers(), _routed(self.routing)]

    def _connected(self) -> list[tuple[bool, str]]:
        block, strength = self.links.weakest, self.links.efficiency
        if len(self.groups) > 1:
            sizes = some(self.groups, 6)
            said = f"the items fall into {len(self.groups)} groups that no candidate connects ({sizes} items)"
            return [(False, f"{said}: each gets a scale of its own unless items are fixed (anchors)")]
        if block is None:
            return []
        said = f"links keep {strength:.0%} of the information about the worst contrast between items (100 %: complete)"
        if block.linking == block.candidates:
            return [(True, f"{said}; no block of items hangs by fewer candidates than saw it")]
        error = "" if np.isnan(block.se) else f", which place it within {block.se:.2f} logits (SE) of the others"
        good = block.linking >= FEW_LINKING and not block.se > WIDE_ERROR
        what = f"{counted(len(block.items), 'item')} ({some(block.items)}), seen by {block.candidates:,}"
        hangs = f"hangs by {counted(block.linking, 'candidate')} who saw other items too{error}"
        advice = "" if good else "; weak: more common candidates or items, or fixed items (anchors), would hold it"
        return [(True, said), (good, f"the weakest block, {what}, {hangs}{advice}")]

    def _forms(self) -> list[tuple[bool, str]]:
        link = self.form_link
        if link is None or not link.common:  # without any the groups tell
            return []
        good = link.common >= min(COMMON_ITEMS, COMMON_SHARE * link.shorter)
        pair = f"{link.one} ({counted(link.candidates[0], 'candidate')}) and {link.other} ({link.candidates[1]:,})"
        advice = "" if good else f"; 20 % of a form or {COMMON_ITEMS} items are advised"
        return [(good, f"the weakest link between forms: {counted(link.common, 'common item')} of {pair}{advice}")]

    def _answers(self) -> list[tuple[bool, str]]:
        if not self.fewest:
            return []
        least = ", ".join(f"{item} {n:,}" for item, n in list(self.fewest.items())[:5])
        if not self.few:
            return [(True, f"every item has {FEW_ANSWERS} answers or more; fewest: {least}")]
        said = f"{counted(len(self.few), 'item')} with fewer than {FEW_ANSWERS} answers (fewest: {least})"
        return [(False, f"{said}: standard errors of difficulty above 0.2 logits under any model")]


def audit_design(log: ResponseLog) -> DesignAudit:
    """Audit the design of a log."""
    scored = np.bincount(log.item[log.score >= 0], minlength=log.n_items)
    seen = np.flatnonzero(np.bincount(log.item, minlength=log.n_items) > 0)
    order = seen[np.argsort(scored[seen], kind="stable")]
    return DesignAudit(
        groups=tuple(len(group) for group in connected_groups(log)),
        links=item_links(log),
        form_link=_form_link(forms(log, np.ones(log.n_items, dtype=bool), MOST_FORMS)),
        fewest={str(log.items[k]): int(scored[k]) for k in order[:10]},
        few=tuple(str(log.items[k]) for k in order if scored[k] < FEW_ANSWERS),
        routing=routing(log),
    )


def _form_link(found: Forms) -> FormLink | None:
    """The weakest link of the spanning tree with the most common items (Prim, 1957)."""
    if not 1 < found.count <= len(found.largest):
        return None
    sets = [set(form.items) for form in found.largest]
    inside, weakest = {0}, None
    while len(inside) < len(sets):
        pairs = [(len(sets[one] & sets[other]), one, other) for one in inside for other in range(len(sets))]
        common, one, other = max(pair for pair in pairs if pair[2] not in inside)
        inside.add(other)
        if weakest is None or common < weakest.common:
            forms_of = found.largest[one], found.largest[other]
            weakest = FormLink(
                one=forms_of[0].name(),
                other=forms_of[1].name(),
                common=common,
                shorter=min(len(sets[one]), len(sets[other])),
                candidates=(forms_of[0].candidates, forms_of[1].candidates),
            )
    return weakest


def _routed(found: Routing) -> tuple[bool, str]:
    """What decided which items candidates saw, and what follows."""
    if found.verdict == "same_items":
        return True, "everyone saw the same items"
    if found.verdict == "by_chance":
        return True, "which items candidates saw has nothing to do with their ability: missing answers can be ignored"
    if found.verdict == "by_answers":
        return True, (
            "items were chosen by the answers before them "
            f"(r {found.by_answers:.2f} of difficulty with ability so far): "
            "missing answers can be ignored if whole response vectors are calibrated, as in adaptive tests"
        )
    if found.verdict == "outside":
        when = "from the first item on" if not found.place else f"after {counted(found.place, 'answer')}"
        return False, (
            f"items were chosen by something that is not in the log: {when} they go with ability that earlier answers "
            f"do not show (r {found.outside:.2f}); if levels, classes or groups decided, calibrate with them as groups"
        )
    if np.isnan(found.between):
        return False, "too few answers to tell what decided which items candidates saw"
    return False, (
        f"the items that candidates saw go with their ability (r {found.between:.2f}), and without a column position "
        "the log does not tell whether answers decided (then all is well) or levels, classes or groups (then calibrate "
        "with them as groups)"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and np.isnan(value) else value
