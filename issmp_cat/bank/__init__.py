"""The item bank: items with parameters on one θ metric, and everything selection must know about them."""

from issmp_cat.bank.item import Content, Covariance, Item, Metric
from issmp_cat.bank.item_bank import ItemBank

__all__ = ["Content", "Covariance", "Item", "ItemBank", "Metric"]
