"""What a fit estimates: which parameter of which item is free, which are one, what is believed beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.models.family import GRADED, NOMINAL, Family
from issmp_calibration.mml.models.named import FAMILIES, MODELS
from issmp_cat.arrays import Bools, Floats, Ints

__all__ = ["Design"]

ASYMPTOTIC = {model.name for model in MODELS.values() if model.guessing or model.slipping}


@dataclass(frozen=True, slots=True)
class Design:
    """The items of a fit; a cell is one working parameter of one item.

    Attributes:
        models: name of each item's model. Length items.
        kind: family of each item. Shape ``(items,)``.
        first: row of each item's score 0 in every table by code; the number of rows comes last. Shape ``(items + 1,)``.
        n_parameters: cells of each item, held ones too. Shape ``(items,)``.
        index: place of each cell in the vector of free values; −1 where it is held or not there. Equal cells share a
            place. Places of one cell alone come first, item by item. Shape ``(items, width)``, as all below.
        n_own: how many places belong to one cell alone.
        held: values of the cells that are held; NaN where free, 0 where there is none.
        lower: bounds; ``upper`` alike.
        slope: whether the cell multiplies θ.
        shift_cell: cell of the slope that is added to this one when the population's mean is taken out, −1 for none;
            ``shift_times``: how often.
        prior_mean: of the prior; ``prior_precision``: 0 for no prior.
        on_log: whether the prior is on the logarithm of the cell.
        spread_is_slope: whether the one slope of all items stands for the population's SD (Rasch): the model has
            slopes of 1 and a free SD, and is fitted with a free slope and an SD of 1.
    """

    models: tuple[str, ...]
    kind: Ints
    first: Ints
    n_parameters: Ints
    index: Ints
    n_own: int
    held: Floats
    lower: Floats
    upper: Floats
    slope: Bools
    shift_cell: Ints
    shift_times: Floats
    prior_mean: Floats
    prior_precision: Floats
    on_log: Bools
    spread_is_slope: bool

    @property
    def n_items(self) -> int:
        """Items in the fit."""
        return len(self.kind)

    @property
    def n_codes(self) -> int:
        """Rows of a table by code."""
        return int(self.first[-1])

    @property
    def n_free(self) -> int:
        """Length of the vector of free values."""
        return int(self.index.max(initial=-1)) + 1

    @property
    def owner(self) -> NDArray[np.unsignedinteger[Any]]:
        """The item that each code belongs to. Shape ``(codes,)``."""
        kind = np.uint16 if self.n_items <= np.iinfo(np.uint16).max else np.uint32
        return np.repeat(np.arange(self.n_items, dtype=kind), np.diff(self.first))

    @property
    def concave(self) -> bool:
        """Whether the log likelihood of every answer is concave in θ: that of an item with an asymptote is not.

        Only then does a posterior fall off about as fast as a normal one outside a few of its SDs. Where right answers
        may be guesses it has tails that slopes and asymptotes depend on.
        """
        return not ASYMPTOTIC.intersection(self.models)

    @property
    def free(self) -> Bools:
        """Which cells are estimated. Shape ``(items, width)``."""
        return self.index >= 0

    @property
    def used(self) -> Ints:
        """Columns in which any item has a free cell."""
        return np.flatnonzero(self.free.any(axis=0))

    def family(self, item: int) -> Family:
        """The family of an item."""
        return FAMILIES[self.kind[item]]

    def steps(self, item: int) -> int:
        """The highest score of an item."""
        return int(self.first[item + 1] - self.first[item] - 1)

    def cell_name(self, item: int, cell: int) -> str:
        """What a cell is called in messages."""
        return self.family(item).cells(self.steps(item))[cell]

    def start(self, counts: Ints) -> Floats:
        """Where to begin, from answers by score.

        Args:
            counts: shape ``(items, scores)``.
        """
        start = np.where(np.isnan(self.held), 0.0, self.held)
        sizes = np.diff(self.first)
        for kind, size in {(int(k), int(n)) for k, n in zip(self.kind, sizes, strict=True)}:
            items = np.flatnonzero((self.kind == kind) & (sizes == size))
            guess = FAMILIES[kind].start(counts[items, :size].astype(np.float64))
            rows = np.ix_(items, np.arange(guess.shape[1]))
            start[rows] = np.where(self.free[rows], guess, start[rows])
        return self.unpack(self.pack(start), start)

    def pack(self, parameters: Floats) -> Floats:
        """All that is free as one vector. ``parameters`` (items, width)."""
        vector = np.empty(self.n_free)
        free = self.free
        vector[self.index[free]] = parameters[free]
        return vector

    def unpack(self, vector: Floats, like: Floats) -> Floats:
        """Parameters from a packed vector, moved inside their bounds; what is not in it as in ``like``.

        Graded items whose intercepts would be out of order stay as in ``like``, all of them if any value is shared.
        """
        parameters, free = like.copy(), self.free
        parameters[free] = vector[self.index[free]]
        parameters = self.bounded(parameters)
        if (self.kind == GRADED).any() and (wrong := self._out_of_order(parameters)).any():
            if self.n_free > self.n_own:
                return like.copy()
            parameters[wrong] = like[wrong]
        return parameters

    def bounded(self, parameters: Floats) -> Floats:
        """Parameters inside their bounds; an item too steep for them keeps its places on the scale."""
        inside, free = parameters.copy(), self.free
        steep = free[:, 0] & (self.kind != NOMINAL) & (np.abs(inside[:, 0]) > self.upper[:, 0])
        if steep.any():
            own = (self.index[steep] >= 0) & (self.index[steep] < self.n_own) & (self.shift_cell[steep] >= 0)
            inside[steep] *= np.where(own, (self.upper[steep, 0] / np.abs(inside[steep, 0]))[:, None], 1.0)
        return np.where(free, np.clip(inside, self.lower, self.upper), inside)

    def _out_of_order(self, parameters: Floats) -> Bools:
        """Graded items whose intercepts do not fall. Shape ``(items,)``."""
        rises = parameters[:, 2:] >= parameters[:, 1:-1]
        inside = np.arange(2, parameters.shape[1]) < self.n_parameters[:, None]
        wrong: Bools = (self.kind == GRADED) & (rises & inside).any(axis=1)
        return wrong

    def log_prior(self, parameters: Floats) -> float:
        """Log density of the parameters under their priors; −∞ where a logarithm does not exist."""
        used = self.prior_precision > 0.0
        if not used.any():
            return 0.0
        mean, precision = self.prior_mean[used], self.prior_precision[used]
        value, on_log = parameters[used], self.on_log[used]
        if (value[on_log] <= 0.0).any():
            return -np.inf
        value[on_log] = np.log(value[on_log])
        peak = 0.5 * np.log(precision / (2.0 * np.pi)).sum()
        return float(peak - 0.5 * (precision * np.square(value - mean)).sum())

    def weights(self, information: Floats) -> Floats:
        """Information about each place of a packed vector. ``information`` has shape ``(items, width, width)``."""
        diagonal, free = np.abs(np.diagonal(information, axis1=1, axis2=2)), self.free
        return np.bincount(self.index[free], weights=diagonal[free], minlength=self.n_free).astype(np.float64)

    def changes(self, before: Floats, after: Floats, information: Floats) -> Floats:
        """How far each item moved, in complete-data standard errors. Shape ``(items,)``."""
        moved = np.where(self.free, after, 0.0) - np.where(self.free, before, 0.0)
        squared: Floats = np.einsum("ij,ijk,ik->i", moved, information, moved)
        return np.sqrt(np.maximum(squared, 0.0))

    @property
    def scalable(self) -> bool:
        """Whether the population's SD can be taken out of the slopes: none is held, and no prior is in the way."""
        return not (self.slope & (~self.free | ((self.prior_precision > 0.0) & ~self.on_log))).any()

    @property
    def holds_scale(self) -> bool:
        """Whether a slope is held, so that the population's SD can be told."""
        return bool((self.slope & ~self.free & (self.held != 0.0)).any())

    @property
    def holds_place(self) -> bool:
        """Whether an intercept is held, so that the population's mean can be told."""
        return bool(((self.shift_cell >= 0) & ~self.free).any())

    @property
    def believes_slopes(self) -> bool:
        """Whether a slope has a prior on its logarithm."""
        return bool((self.on_log & (self.prior_precision > 0.0)).any())

    @property
    def movable(self) -> bool:
        """Whether the population's mean can be taken out of the intercepts.

        It cannot if one is held, has a prior, or shares its value with one that would move otherwise.
        """
        moves = self.shift_cell >= 0
        if (moves & (~self.free | (self.prior_precision > 0.0))).any():
            return False
        item, cell = np.nonzero(moves)
        place = self.index[item, cell]
        slope = self.index[item, self.shift_cell[item, cell]]
        # A held slope has no place: its value tells whether two cells move alike.
        alike = np.stack([slope, self.held[item, self.shift_cell[item, cell]], self.shift_times[item, cell]])
        alike[1][slope >= 0] = 0.0
        for shared in np.unique(place[place >= self.n_own]):
            own = alike[:, place == shared]
            if (own != own[:, :1]).any():
                return False
        return True
