"""Answers on several machines: each shard is looked at where it is, and only sums travel.

Dask's scheduler keeps who holds what. A shard is loaded by a task of its own, a pass over it is a pure function of the
shard, the request and the moments of the pass before: when a worker dies, its shards are loaded elsewhere and only
their passes are done again, with the same bits. Sums are added up here in the order of the shards: the result is that
of :class:`~issmp_calibration.mml.sources.folder.Folder` on the same shards, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issmp_calibration.mml.sources.folder import Sharded, load_plain, look_at
from issmp_calibration.mml.sources.memory import added, summed
from issmp_calibration.mml.sources.source import (
    Answers,
    Expectation,
    Population,
    Request,
    Result,
    Task,
    evenly,
    joined,
    recoded,
)
from issmp_calibration.mml.sources.store import Store
from issmp_cat.arrays import Ints
from issmp_cat.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Cluster"]

RETRIES = 3  # of a task that fails although its worker lives; a dead worker's tasks move by themselves


class Cluster:
    """A source whose shards are held by the workers of a Dask cluster.

    Args:
        client: of the cluster.
        load: gives the answers of shard 0, 1, … on whichever worker it is called; they stay there.
        n_shards: how many there are.
        first: row of score 0 of each item in a table by stored code, and the number of codes. Shape ``(items + 1,)``.
        n_groups: populations.
        rows: row of each stored code in the tables of a request, −1 where its item is not in the fit; as stored when
            not given. Shape ``(codes,)``.

    Raises:
        MissingExtra: dask.distributed is not installed.
        UsageError: a worker cannot read its shard.
    """

    def __init__(
        self,
        client: Client,
        load: Callable[[int], Answers],
        n_shards: int,
        first: Ints,
        n_groups: int = 1,
        rows: Ints | None = None,
    ) -> None:
        try:
            import distributed  # noqa: F401 - a clear word now is better than a strange one later
        except ImportError:
            raise MissingExtra("a fit on a cluster (dask.distributed)", "cluster") from None
        self._client: Any = client  # distributed is not typed
        self.n_groups = n_groups
        self._shards = self._map(load, range(n_shards))
        try:
            lengths = self._gather(self._map(_lengths, self._shards))
        except OSError as fault:
            msg = f"a worker of the cluster cannot read its shard: {fault}; all must find the store under the same path"
            raise UsageError(msg) from fault
        self.n_answers = sum(answers for _, answers in lengths)
        self._sharded = Sharded.of(first, (persons for persons, _ in lengths), rows)

    @classmethod
    def of(cls, client: Client, store: Store, rows: Ints | None = None, *, plain: bool = False) -> Cluster:
        """A folder of shards that every worker can read under the same name; ``plain`` as for a ``Folder``."""
        load, n_groups = (partial(load_plain, store), 1) if plain else (store.load, max(len(store.groups), 1))
        return cls(client, load, len(store.shards), store.first, n_groups, rows)

    @property
    def n_persons(self) -> int:
        """Persons in the fit."""
        return sum(self._sharded.sizes)

    def expect(self, request: Request, executor: Executor | None = None) -> Expectation:
        """One pass, every worker on the shards it holds."""
        del executor  # the workers are the threads
        asked = self._client.submit(_held, self._sharded.stored(request), pure=False, retries=RETRIES)
        passes = self._map(_look, self._shards, self._sharded.moments, request=asked, first=self._sharded.first)
        return self._sharded.total(request, (future.result() for future in passes))

    def sample(self, persons: int) -> Answers:
        """So many persons, evenly spread, or all if there are no more."""
        wanted = evenly(persons, self.n_persons)
        bounds = np.concatenate([[0], np.cumsum(self._sharded.sizes)])
        cuts = np.searchsorted(wanted, bounds)
        mine = [wanted[a:b] - before for a, b, before in zip(cuts[:-1], cuts[1:], bounds[:-1], strict=True)]
        some = self._gather(self._map(_some, self._shards, mine))
        return joined([recoded(part, self._sharded.rows) for part in some])

    def population(self) -> Population:
        """Persons and covariates of each group, summed."""
        parts = self._gather(self._map(summed, self._shards, n_groups=self.n_groups))
        return added(parts)

    def each(self, work: Task[Result], executor: Executor | None) -> Iterator[Result]:
        """What the work makes of each shard and the posteriors of the last pass, done by the worker that holds it."""
        del executor
        asked = self._client.submit(_held, work, pure=False, retries=RETRIES)
        parts = self._map(_done, self._shards, self._sharded.moments, task=asked, rows=self._sharded.rows)
        for future in parts:
            yield future.result()

    def _gather(self, futures: list[Any]) -> list[Any]:
        results: list[Any] = self._client.gather(futures)
        return results

    def _map(self, work: Callable[..., Any], *each: Sequence[Any], **same: Any) -> list[Any]:
        futures: list[Any] = self._client.map(work, *each, **same, pure=False, retries=RETRIES)
        return futures


def _held(what: Result) -> Result:
    return what


def _done(
    answers: Answers,
    moments: NDArray[Any],
    *,
    task: Task[Result],
    rows: Ints | None,
) -> Result:
    return task(recoded(answers, rows), moments, None)


def _look(answers: Answers, moments: NDArray[Any], *, request: Request, first: Ints) -> Expectation:
    return look_at(answers, request, moments, first=first)


def _lengths(answers: Answers) -> tuple[int, int]:
    return answers.n_persons, answers.n_answers


def _some(answers: Answers, persons: Ints) -> Answers:
    return answers.some(persons)
