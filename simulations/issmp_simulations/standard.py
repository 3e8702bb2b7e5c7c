"""The standard banks: made from fixed seeds, so that figures taken on them can be compared.

Drawn in a stated order from ``Generator(Philox(20250601 + items))``: discriminations, difficulties, which items can
be guessed, lower asymptotes, enemy pairs. These are simulated items; nobody ever answered them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from issmp_cat import Exam, Item, ItemBank
from issmp_cat.arrays import Floats, Ints
from issmp_cat.blueprint import largest_remainder
from issmp_cat.errors import UsageError

__all__ = ["STANDARD_BANKS", "BankModel", "BankName", "standard_bank"]

BankName: TypeAlias = Literal["218", "1500", "10000", "1500-unequal"]
BankModel: TypeAlias = Literal["3pl", "2pl"]

SEED = 20250601
GUESSABLE = 0.6  # share of items with a lower asymptote, under the 3PL
INSIDE = 0.7  # share of enemy pairs that lie inside one domain
STEEPER = (0.8, 0.9, 1.0, 1.0, 1.1, 1.2)  # slopes of the unequal bank, by domain
HARDER = (-0.5, -0.3, -0.1, 0.1, 0.3, 0.5)  # its shifts of difficulty, logits


@dataclass(frozen=True, slots=True)
class Recipe:
    """Size of a standard bank, its enemy pairs, and whether its domains differ."""

    items: int
    pairs: int
    unequal: bool = False


STANDARD_BANKS: dict[str, Recipe] = {
    "218": Recipe(218, 30),
    "1500": Recipe(1500, 300),
    "10000": Recipe(10_000, 2_000),
    "1500-unequal": Recipe(1500, 300, unequal=True),
}


def standard_bank(name: BankName, *, model: BankModel = "3pl") -> ItemBank:
    """One of the standard banks.

    Args:
        name: ``"218"``, ``"1500"``, ``"10000"``, or ``"1500-unequal"`` whose domains differ in slope and difficulty.
        model: ``"2pl"`` takes the same draws with guessing set to 0.

    Raises:
        UsageError: no such bank or model.

    >>> bank = standard_bank("218")
    >>> len(bank), bank.items[0].id, bank.items[-1].domain
    (218, 'D1-0001', 'D6')
    """
    if name not in STANDARD_BANKS:
        raise UsageError(f'no standard bank "{name}"; there are {", ".join(STANDARD_BANKS)}')
    if model not in get_args(BankModel):
        raise UsageError(f'the standard banks are 3pl or 2pl, not "{model}"')
    recipe = STANDARD_BANKS[name]
    blueprint = Exam.load("issmp").blueprint
    sizes = largest_remainder(blueprint.weights, recipe.items)
    domain = np.repeat(np.arange(len(sizes)), sizes)
    random = np.random.Generator(np.random.Philox(SEED + recipe.items))
    a, b, c = _parameters(random, recipe.items)
    enemies = _enemies(random, domain, recipe.pairs)
    if recipe.unequal:
        a, b = a * np.array(STEEPER)[domain], b + np.array(HARDER)[domain]
    if model == "2pl":
        c = np.zeros_like(c)
    ids = [f"{blueprint.ids[d]}-{k + 1:04d}" for d, size in enumerate(sizes) for k in range(size)]
    items = [
        Item(
            id=ids[i],
            domain=blueprint.ids[domain[i]],
            model=model,
            a=float(a[i]),
            b=float(b[i]),
            c=float(c[i]),
            enemies=tuple(ids[foe] for foe in sorted(enemies[i])),
        )
        for i in range(recipe.items)
    ]
    guessing = " Same draws as the 3PL bank of this size, guessing set to 0." if model == "2pl" else ""
    return ItemBank.from_items(
        items,
        id=f"standard-{name}-{model}",
        title=f"Standard bank of {recipe.items:,} simulated items ({model.upper()})",
        note=f"Simulated parameters for demonstrations and comparisons; no real items.{guessing}",
        provenance={"source": "issmp_simulations.standard_bank", "name": name, "model": model, "seed": SEED},
    )


def _parameters(random: np.random.Generator, n: int) -> tuple[Floats, Floats, Floats]:
    """Discrimination, difficulty and lower asymptote, in this order of drawing. Each of shape ``(items,)``."""
    a = np.clip(np.exp(random.normal(0.0, 0.3, n)), 0.4, 2.5)
    b = random.normal(-0.2, 1.0, n)
    c = np.where(random.permutation(n) < GUESSABLE * n, random.beta(8, 32, n), 0.0)
    return a, b, c


def _enemies(random: np.random.Generator, domain: Ints, pairs: int) -> list[set[int]]:
    """Enemies of each item; pairs are drawn until there are enough different ones."""
    n = len(domain)
    found: list[set[int]] = [set() for _ in range(n)]
    missing = pairs
    while missing:
        i = int(random.integers(n))
        inside = random.random() < INSIDE
        j = int(random.choice(np.flatnonzero((domain == domain[i]) == inside)))
        if i != j and j not in found[i]:
            found[i].add(j)
            found[j].add(i)
            missing -= 1
    return found
