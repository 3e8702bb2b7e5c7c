"""The exam loop, compiled: the engine's own functions, called in the order in which a session calls them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from issmp_cat.arrays import Bools, Floats, Ints32
from issmp_cat.compiled import compile_kernels, jit
from issmp_cat.exam import Plan, Programme, choose, estimated, may_stop, provisional, record, standing
from issmp_cat.exam.kernels import CALLED, kernels
from issmp_cat.exam.pretest import choose_pretest, give_pretest, is_due, place_slots
from issmp_cat.exam.start import set_prior
from issmp_cat.irt import Parameters, draw_score
from issmp_cat.random import ABILITY, PREDICTOR, PRETEST_RESPONSE, PRETEST_TIME, RESPONSE, SPEED, TIME, normal, uniform
from issmp_cat.selection import Criterion, State
from issmp_cat.selection.state import reset
from issmp_cat.stopping import NO_ITEM, TIME_OUT, count_run, decision, is_late
from issmp_simulations.tryout import Tryout, no_tryout

__all__ = ["Pace", "Records", "draw_abilities", "draw_predictors", "new_records", "run_exams"]

compile_kernels(*kernels(), called=CALLED)

NO_ANSWER = -1


class Pace(NamedTuple):
    """How long answers take: log of the median seconds, SD of log times, SD of log pace; not timed, no seconds."""

    timed: bool
    log_median: float
    log_sd: float
    speed_sd: float


class Records(NamedTuple):
    """What is kept of each simulated exam.

    Attributes:
        length: items answered. Shape ``(persons,)``, as the next eight.
        passed: what was decided, by the rule that decided.
        theta: final estimate, logits; ``se``: its standard error.
        reason: why the exam ended, by the engine's numbers.
        seconds: test time used, 0 when nobody keeps time.
        unproven: decisions that the search had to leave without a proof.
        relaxed: how often items held back for their exposure had to be released to fill a quota.
        items: positions of the items given, −1 beyond the end. Shape ``(persons, maximum length)``.
        scores: from 0 on, −1 beyond the end. Same shape.
        times: seconds on each item; of no columns when they are not kept.
    """

    length: Ints32
    passed: Bools
    theta: Floats
    se: Floats
    reason: NDArray[np.int8]
    seconds: Floats
    unproven: Ints32
    relaxed: Ints32
    items: Ints32
    scores: NDArray[np.int8]
    times: NDArray[np.float32]


def new_records(persons: int, maximum: int, *, times: bool = False) -> Records:
    """Room for the exams of ``persons`` candidates of at most ``maximum`` items."""
    return Records(
        length=np.zeros(persons, dtype=np.int32),
        passed=np.zeros(persons, dtype=np.bool_),
        theta=np.zeros(persons),
        se=np.zeros(persons),
        reason=np.zeros(persons, dtype=np.int8),
        seconds=np.zeros(persons),
        unproven=np.zeros(persons, dtype=np.int32),
        relaxed=np.zeros(persons, dtype=np.int32),
        items=np.full((persons, maximum), NO_ANSWER, dtype=np.int32),
        scores=np.full((persons, maximum), NO_ANSWER, dtype=np.int8),
        times=np.full((persons, maximum if times else 0), np.nan, dtype=np.float32),
    )


@jit()
def draw_abilities(thetas: Floats, seed: int, first: int, mean: float, sd: float) -> None:
    """Fill ``thetas`` with the abilities of the candidates from number ``first`` on."""
    for p in range(len(thetas)):
        thetas[p] = mean + sd * normal(seed, ABILITY, first + p, 0)


@jit()
def draw_predictors(predictors: Floats, z: Floats, seed: int, first: int, correlation: float) -> None:
    """Fill ``predictors`` with standard normal numbers of this correlation with ``z``, the standardised abilities."""
    for p in range(len(z)):
        rest = math.sqrt(1.0 - correlation * correlation) * normal(seed, PREDICTOR, first + p, 0)
        predictors[p] = correlation * z[p] + rest


def give_unscored(
    plan: Plan,
    programme: Programme | None,
    tryout: Tryout,
    state: State,
    theta: float,
    n: int,
    p: int,
    person: int,
    seed: int,
    pace: Pace,
    tempo: float,
    seconds: float,
) -> float:
    """Give the unscored questions that are due before scored answer number ``n``; the test time used after them."""
    slots, trial = tryout.plan, tryout.trial
    while is_due(slots, trial, n) and may_stop(programme, state, n):
        slot = int(trial.used[0])
        item = choose_pretest(plan, slots, trial, state, n, seed, person)
        if item >= 0:
            if pace.timed:
                taken = math.exp(tempo + pace.log_sd * normal(seed, PRETEST_TIME, person, slot))
                seconds += taken
                if is_late(plan.rule, seconds):
                    break
                tryout.times[p, slot] = taken
            tryout.items[p, slot] = item
            tryout.after[p, slot] = n
            tryout.scores[p, slot] = draw_score(
                tryout.truth, item, theta, uniform(seed, PRETEST_RESPONSE, person, slot)
            )
        give_pretest(plan, slots, trial, state, n, item)
    return seconds


def _open(plan: Plan, tryout: Tryout, state: State, prior_means: Floats, p: int, person: int, seed: int) -> None:
    """A new exam, from the candidate's own prior if there is one, its unscored slots placed."""
    reset(state, plan.grid.prior)
    if len(prior_means) > 0:
        set_prior(plan.grid.nodes, state, prior_means[p], plan.start.background_sd)
    if tryout.plan.slots > 0:
        place_slots(tryout.plan, tryout.trial, seed, person)


def _close(plan: Plan, state: State, out: Records, p: int, n: int, run: int, reason: int, seconds: float) -> None:
    """Record how an exam ended."""
    theta, se = estimated(plan, state, n)
    out.length[p] = n
    out.passed[p] = decision(plan.rule, state, n, theta, count_run(plan.rule, run, theta), reason)
    out.theta[p] = theta
    out.se[p] = se
    out.reason[p] = reason
    out.seconds[p] = seconds
    out.unproven[p] = state.unproven[0]
    out.relaxed[p] = state.relaxed[0]


compile_kernels(give_unscored, _open, _close)


def give_exams(
    plan: Plan,
    criterion: Criterion | None,
    programme: Programme | None,
    truth: Parameters,
    state: State,
    thetas: Floats,
    first: int,
    seed: int,
    pace: Pace,
    out: Records,
    prior_means: Floats,
    tryout: Tryout,
) -> None:
    """The loop of :func:`run_exams`, as it is compiled and as it runs plain."""
    for p in range(len(thetas)):
        person = first + p
        _open(plan, tryout, state, prior_means, p, person, seed)
        tempo = pace.log_median + pace.speed_sd * normal(seed, SPEED, person, 0) if pace.timed else 0.0
        seconds = 0.0
        n = 0
        reason = 0
        run = 0
        while True:
            seconds = give_unscored(plan, programme, tryout, state, thetas[p], n, p, person, seed, pace, tempo, seconds)
            if is_late(plan.rule, seconds):
                reason = TIME_OUT
                break
            if n < plan.rule.minimum:
                theta = provisional(plan, state, n)
            else:
                now = standing(plan, state, n)
                theta, reason = now.theta, now.reason
                if reason != 0 and may_stop(programme, state, n):
                    break
            item = choose(plan, criterion, programme, state, n, theta, seed, person)
            if item < 0:
                reason = NO_ITEM
                break
            if pace.timed:
                taken = math.exp(tempo + pace.log_sd * normal(seed, TIME, person, n))
                seconds += taken
                if is_late(plan.rule, seconds):
                    reason = TIME_OUT
                    break
                if out.times.shape[1] > 0:
                    out.times[p, n] = taken
            score = draw_score(truth, item, thetas[p], uniform(seed, RESPONSE, person, n))
            record(plan, state, n, item, score)
            out.items[p, n] = item
            out.scores[p, n] = score
            run = count_run(plan.rule, run, theta)
            n += 1
        _close(plan, state, out, p, n, run, reason, seconds)


compile_kernels(give_exams)


@jit(allocates=False)
def _run_compiled(
    plan: Plan,
    truth: Parameters,
    state: State,
    thetas: Floats,
    first: int,
    seed: int,
    pace: Pace,
    out: Records,
    prior_means: Floats,
    tryout: Tryout,
) -> None:
    # Compiled once for exams that look rows up (no criterion) and once for those that score every item.
    give_exams(plan, plan.criterion, None, truth, state, thetas, first, seed, pace, out, prior_means, tryout)


def run_exams(
    plan: Plan,
    programme: Programme | None,
    truth: Parameters,
    state: State,
    thetas: Floats,
    first: int,
    seed: int,
    pace: Pace,
    out: Records,
    prior_means: Floats | None = None,
    tryout: Tryout | None = None,
) -> None:
    """Give the exam to the candidates from number ``first`` on.

    Compiled, unless an integer programme chooses: the same function then runs as plain Python.

    Args:
        plan: the exam on the bank that the program knows.
        programme: solves for the next item where rows cross; None elsewhere.
        truth: the parameters by which candidates really answer.
        state: scratch for one exam.
        thetas: true abilities, logits. Shape ``(persons,)``.
        first: number of the first candidate: the draws depend on it, not on the chunk.
        seed: the study's seed.
        pace: how long answers take.
        out: filled.
        prior_means: mean of each candidate's own prior, logits, shape ``(persons,)``; the population's when None.
        tryout: the exam's unscored slots, and room for their records; nothing is tried out when None.
    """
    tried = no_tryout() if tryout is None else tryout
    means = np.zeros(0) if prior_means is None else prior_means
    if programme is not None:
        give_exams(plan, plan.criterion, programme, truth, state, thetas, first, seed, pace, out, means, tried)
    else:
        _run_compiled(plan, truth, state, thetas, first, seed, pace, out, means, tried)
