"""Answers in a store as a fit takes them: on disk, one shard in memory at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from issmp_calibration.log.store import LogStore, stored
from issmp_calibration.mml.codes import Codes, refuse_scores, usable
from issmp_calibration.mml.sources.cluster import Cluster
from issmp_calibration.mml.sources.folder import Folder
from issmp_calibration.mml.sources.memory import InMemory
from issmp_calibration.mml.sources.source import Answers, Source, recoded
from issmp_cat.arrays import Bools, Floats, Ints, read_only
from issmp_cat.errors import UsageError
from issmp_cat.responses import ResponseLog

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["StoredCodes", "encode_store", "source_of", "store_of"]


@dataclass(frozen=True, slots=True)
class StoredCodes(Codes):
    """What is known of the answers of a store; ``start`` and ``code`` are empty.

    Attributes:
        stored_answers: to items in the fit.
        rows: code in the fit of each stored one, −1 where its item is not in it; None where they are the same. Shape
            ``(codes of the store,)``.
    """

    stored_answers: int
    rows: Ints | None

    @property
    def n_answers(self) -> int:
        """Answers in the fit."""
        return self.stored_answers


def source_of(
    codes: Codes,
    log: ResponseLog | LogStore,
    covariates: Floats | None,
    n_groups: int,
    cluster: Client | None = None,
) -> Source:
    """The answers as a fit asks for them.

    Args:
        codes: those in the fit.
        log: the store they are in, if they are in one.
        covariates: of the persons in the fit, for a latent regression. Shape ``(persons, covariates)``.
        n_groups: populations.
        cluster: of workers that read the store's shards themselves.

    Raises:
        UsageError: a cluster, and answers that are in memory here.
    """
    if isinstance(codes, StoredCodes) and isinstance(log, LogStore):
        if cluster is not None:
            return Cluster.of(cluster, log.answers, codes.rows, plain=True)
        return Folder(log.answers, codes.rows, plain=True)
    if cluster is not None:
        raise UsageError(
            "a cluster (--cluster, cluster=) works on the shards of a store (issmp-cat store) without groups, "
            "covariates and nominal items: these answers were read into memory here; leave the cluster away"
        )
    centred = None if covariates is None else covariates - covariates.mean(axis=0)
    return InMemory(Answers.of(codes.start, codes.code, codes.pattern, centred), codes.first, n_groups)


def store_of(log: Any) -> LogStore | None:
    """The store, if that is what a log is."""
    if isinstance(log, LogStore):
        return log
    folder = stored(log) if isinstance(log, str | Path | list | tuple) else None
    return None if folder is None else LogStore.open(folder)


def encode_store(store: LogStore, polytomous: Bools, known: Ints, fewest: int = 0) -> StoredCodes:
    """The items and persons of a store that enter a fit; see ``encode``.

    Args:
        store: the answers.
        polytomous: which items may have scores above 1. Shape ``(items,)``.
        known: highest score of items with known parameters, −1 for the others. Shape ``(items,)``.
        fewest: answers that an item needs to be estimated.

    Raises:
        ResponseLogError: a score above 1 where there should be none, or nothing left to fit.
    """
    highest = (np.arange(store.counts.shape[1]) * (store.counts > 0)).max(axis=1)
    steps = np.where(known >= 0, known, np.where(polytomous, np.maximum(highest, 1), 1))
    refuse_scores(store.items, highest > steps, steps)
    counts = np.zeros((store.n_items, int(steps.max()) + 1), np.int64)
    width = min(counts.shape[1], store.counts.shape[1])
    counts[:, :width] = store.counts[:, :width]
    apart, items, first = usable(counts, steps, known, fewest)
    rows = np.full(int(store.first[-1]), -1, np.int64)
    for place, item in enumerate(items):
        begin, end = store.first[item], store.first[item + 1]
        n = min(int(end - begin), int(steps[item]) + 1)
        rows[begin : begin + n] = first[place] + np.arange(n)
    same = np.array_equal(rows, np.arange(len(rows))) and first[-1] == len(rows)
    persons = _answering(store, None if same else rows)
    return StoredCodes(
        start=np.zeros(1, np.int64),
        code=np.zeros(0, np.uint16),
        persons=read_only(persons),
        items=read_only(items),
        counts=read_only(counts),
        apart=apart,
        first=read_only(first),
        pattern=read_only(np.zeros(len(persons), np.uint16)),
        stored_answers=int(counts[items].sum()),
        rows=None if same else read_only(rows),
    )


def _answering(store: LogStore, rows: Ints | None) -> Ints:
    """Persons with answers to items in the fit."""
    found, before = [], 0
    for number, shard in enumerate(store.answers.shards):
        answers = recoded(store.answers.load(number), rows)
        found.append(before + np.flatnonzero(np.diff(answers.start)))
        before += shard.persons
    return np.concatenate([np.zeros(0, np.int64), *found])
