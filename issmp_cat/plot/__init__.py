"""Plots that are data first: tidy columns, drawn only when somebody asks for a picture."""

from issmp_cat.plot.plot import Layer, Plot

__all__ = ["Layer", "Plot"]
