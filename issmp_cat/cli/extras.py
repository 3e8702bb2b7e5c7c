"""Which pip command brings a library that is not installed."""

from __future__ import annotations

from types import TracebackType

from issmp_cat.errors import MissingExtra

__all__ = ["missing_extra"]

# Which optional part brings a library; the package that asked decides for the others.
EXTRAS = {"duckdb": "calibration", "girth": "calibration", "matplotlib": "plot", "jinja2": "report"}


def missing_extra(error: ModuleNotFoundError) -> MissingExtra | None:
    """The pip command that brings a library which is not installed, if it is one of ours."""
    library = (error.name or "").partition(".")[0]
    if library not in {*EXTRAS, "numba", "pandas"}:
        return None
    return MissingExtra(f"this command ({library})", EXTRAS.get(library) or _asking_extra(error.__traceback__))


def _asking_extra(trace: TracebackType | None) -> str:
    """The optional part whose package is the first to appear in a traceback."""
    while trace is not None:
        package = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in ("issmp_calibration", "issmp_simulations"):
            return package.removeprefix("issmp_")
        trace = trace.tb_next
    return "all"
