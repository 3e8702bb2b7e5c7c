"""The bank behind the border: items as arrays that cannot be written to."""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from issmp_cat.arrays import Floats, Ints, read_only
from issmp_cat.bank.item import NOMINAL_FIELDS, Item, Metric
from issmp_cat.errors import BankError
from issmp_cat.irt import DICHOTOMOUS, GRADED, NOMINAL, PARTIAL, Parameters, build_parameters
from issmp_cat.spelling import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ItemBank", "contradictions"]

# What is known about an item without changing how it is chosen or scored.
_NO_DECISION = {"answers", "provisional", "statistics", "verdict"}
_KINDS = {"grm": GRADED, "gpcm": PARTIAL, "pcm": PARTIAL, "nrm": NOMINAL}


@dataclass(frozen=True, eq=False)
class ItemBank:
    """Items on one θ metric.

    Build one with :meth:`from_items` or :meth:`load`; both refuse contradictions, listing all of them.

    Attributes:
        items: the items as their file holds them.
        id: name of the bank.
        metric: D and the population the θ scale stands on.
        provenance: where the parameters come from, free form.

    >>> bank = ItemBank.from_items([Item(id="i1", domain="D1", b=0.5), Item(id="i2", domain="D1", b=-0.5)])
    >>> bank.b
    array([ 0.5, -0.5])
    """

    items: tuple[Item, ...]
    id: str = "bank"
    title: str = ""
    note: str = ""
    metric: Metric = field(default_factory=Metric)
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def from_items(
        cls,
        items: Iterable[Item],
        *,
        where: str = "bank",
        metric: Metric | None = None,
        provenance: Mapping[str, Any] | None = None,
        **names: str,
    ) -> ItemBank:
        """A bank from items.

        Args:
            items: at least one; ids unique, enemies known.
            where: what to call the source in an error.
            metric: the population's latent mean and SD; standard normal when not given.
            provenance: free notes about where the parameters come from.
            **names: ``id``, ``title``, ``note``.

        Raises:
            BankError: no items, an id used twice, an enemy that is not in the bank.
        """
        items = tuple(items)
        if problems := contradictions(items):
            raise BankError(where, problems)
        return cls(items=items, metric=metric or Metric(), provenance=MappingProxyType(dict(provenance or {})), **names)

    @classmethod
    def load(cls, path: str | Path) -> ItemBank:
        """Read a bank from JSON or CSV.

        Raises:
            BankError: listing every fault of the file.
        """
        from issmp_cat.bank.bank_file import load_bank

        return load_bank(path)

    @classmethod
    def load_packaged(cls, name: str = "practice-bank") -> ItemBank:
        """A bank that ships with the package.

        >>> len(ItemBank.load_packaged("practice-bank"))
        60
        """
        from importlib import resources

        with resources.as_file(resources.files("issmp_cat") / "data" / f"{name}.json") as path:
            return cls.load(path)

    def save(self, path: str | Path) -> None:
        """Write the bank as JSON (canonical) or CSV (parameters only), chosen by the suffix; whole or not at all."""
        from issmp_cat.bank.bank_file import save_bank

        save_bank(self, path)

    def __len__(self) -> int:
        return len(self.items)

    @functools.cached_property
    def ids(self) -> tuple[str, ...]:
        """Item ids, in bank order."""
        return tuple(item.id for item in self.items)

    @functools.cached_property
    def index(self) -> Mapping[str, int]:
        """Position of each item id."""
        return MappingProxyType({id_: i for i, id_ in enumerate(self.ids)})

    @functools.cached_property
    def domains(self) -> tuple[str, ...]:
        """Domain labels, in order of first appearance."""
        return tuple(dict.fromkeys(item.domain for item in self.items))

    @functools.cached_property
    def domain(self) -> Ints:
        """Index into ``domains`` of each item. Shape ``(items,)``."""
        place = {label: k for k, label in enumerate(self.domains)}
        return read_only(np.array([place[item.domain] for item in self.items], dtype=np.int64))

    def _parameter(self, name: str) -> Floats:
        return read_only(np.array([getattr(item, name) for item in self.items], dtype=np.float64))

    @functools.cached_property
    def a(self) -> Floats:
        """Discriminations per logit. Shape ``(items,)``."""
        return self._parameter("a")

    @functools.cached_property
    def b(self) -> Floats:
        """Difficulties in logits; the mean of the steps, unless given, for items with steps. Shape ``(items,)``."""
        return self._parameter("b")

    @functools.cached_property
    def c(self) -> Floats:
        """Lower asymptotes. Shape ``(items,)``."""
        return self._parameter("c")

    @functools.cached_property
    def d(self) -> Floats:
        """Upper asymptotes. Shape ``(items,)``."""
        return self._parameter("d")

    @functools.cached_property
    def parameters(self) -> Parameters:
        """All parameters, as the kernels take them."""
        kind = np.array([_KINDS.get(item.model, DICHOTOMOUS) for item in self.items])
        steps = [np.array(item.steps or item.intercepts or (item.b,)) for item in self.items]
        slopes = [np.array(item.slopes or (0.0,) * item.highest) for item in self.items]
        return build_parameters(self.a, self.b, self.c, self.d, kind, steps, slopes)

    @functools.cached_property
    def points(self) -> Ints:
        """What each score earns, points; one row a score, as in ``parameters``. Shape ``(rows,)``."""
        return read_only(np.array([earned for item in self.items for earned in item.earned], dtype=np.int64))

    @functools.cached_property
    def enemies(self) -> tuple[tuple[int, ...], ...]:
        """For each item the positions of its enemies, ascending; enmity is mutual even if a file names it once."""
        pairs: list[set[int]] = [set() for _ in self.items]
        for i, item in enumerate(self.items):
            for enemy in item.enemies:
                pairs[i].add(self.index[enemy])
                pairs[self.index[enemy]].add(i)
        return tuple(tuple(sorted(foes)) for foes in pairs)

    @functools.cached_property
    def version(self) -> str:
        """Twelve hex digits of a hash over everything that can change a decision or a score."""
        # Items keep the hash they had before there were other models.
        core = [item.model_dump(mode="json", exclude=_NO_DECISION | _absent(item)) for item in self.items]
        text = json.dumps([self.metric.model_dump(), core], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def provisional(self) -> bool:
        """Whether any item's parameters are judgements, not measurements."""
        return any(item.provisional for item in self.items)

    def where(self, **wanted: str) -> ItemBank:
        """The items whose fields have these values, as a bank: ``bank.where(status="operational")``.

        Enemies that are left out are forgotten.
        """
        kept = [item for item in self.items if all(getattr(item, k) == v for k, v in wanted.items())]
        ids = {item.id for item in kept}
        return ItemBank(
            items=tuple(
                item.model_copy(update={"enemies": tuple(e for e in item.enemies if e in ids)}) for item in kept
            ),
            id=self.id,
            title=self.title,
            note=self.note,
            metric=self.metric,
            provenance=self.provenance,
        )

    @property
    def frame(self) -> pd.DataFrame:
        """One row an item, as a table for reading and plotting."""
        import pandas as pd

        from issmp_cat.bank.bank_file import item_rows

        return pd.DataFrame(item_rows(self.items))

    def __repr__(self) -> str:
        sizes = Counter(item.domain for item in self.items)
        parts = ", ".join(f"{label} {n}" for label, n in sizes.items())
        return f"<ItemBank {self.id!r} version {self.version}: {len(self)} items ({parts})>"


def _absent(item: Item) -> set[str]:
    """Fields that only items of other models have."""
    return set(NOMINAL_FIELDS if item.steps else ("steps", *NOMINAL_FIELDS) if not item.slopes else ())


def contradictions(items: Sequence[Item], refused: Iterable[str] = ()) -> list[str]:
    """What is wrong between items: none at all, ids used twice, enemies nobody knows.

    Args:
        items: the items that are sound by themselves.
        refused: ids of those that are not, so that they are not reported missing too.
    """
    refused = list(refused)
    if not items and not refused:
        return ["no items"]
    counts = Counter([*(item.id for item in items), *filter(None, refused)])
    problems = [f'item "{id_}" stands {n} times; ids must be unique' for id_, n in counts.items() if n > 1]
    problems += [
        f'item "{item.id}" names the enemy "{enemy}", which is not in the bank{did_you_mean(enemy, list(counts))}'
        for item in items
        for enemy in item.enemies
        if enemy not in counts
    ]
    return problems
