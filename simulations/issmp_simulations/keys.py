"""The answer key of a simulated log, and the item file that carries it to calibration."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from issmp_cat import ItemBank
from issmp_cat.files import atomic_write
from issmp_cat.random import ORDER, uniform

__all__ = ["OPTIONS", "item_keys", "key_numbers", "save_key"]

OPTIONS = ("A", "B", "C", "D")
SEED = 20250601


def key_numbers(bank: ItemBank) -> NDArray[np.uint8]:
    """Number of each item's right option: the item's own key if it has one among A to D, else a draw by its id."""
    return np.array([OPTIONS.index(key) for key in item_keys(bank).values()], dtype=np.uint8)


def item_keys(bank: ItemBank) -> dict[str, str]:
    """The right option of each item, by id; it does not depend on the items around it.

    >>> from issmp_simulations import standard_bank
    >>> item_keys(standard_bank("218"))["D1-0001"]
    'C'
    """
    return {
        item.id: item.content.key if item.content is not None and item.content.key in OPTIONS else _drawn(item.id)
        for item in bank.items
    }


def _drawn(id_: str) -> str:
    number = int.from_bytes(id_.encode()[-7:], "big")
    return OPTIONS[int(uniform(SEED, ORDER, number, number >> 32) * len(OPTIONS))]


def save_key(bank: ItemBank, path: str | Path) -> None:
    """Write the item file that ``calibrate --key`` reads: item, key, status, domain, enemies; whole or not at all."""
    keys = item_keys(bank)
    with atomic_write(path) as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["item", "key", "status", "domain", "enemies"])
        writer.writerows(
            [item.id, keys[item.id], item.status, item.domain, " ".join(item.enemies)] for item in bank.items
        )
