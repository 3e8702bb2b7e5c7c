"""The options of ``issmp-cat calibrate`` that change what is estimated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from distributed import Client

    from issmp_calibration.learning import LearnedPriors
    from issmp_calibration.log import ItemKey
    from issmp_calibration.mml.priors import Priors
    from issmp_calibration.options import CalibrationOptions
    from issmp_calibration.populations import PopulationModel

__all__ = ["ErrorMethod", "FitOptions"]

FITTING, CANDIDATES = "Fitting", "Candidates and scale"


class ErrorMethod(StrEnum):
    """How standard errors are computed."""

    observed = "observed"
    crossproduct = "crossproduct"
    sandwich = "sandwich"
    none = "none"


class Density(StrEnum):
    """The shape of the population."""

    normal = "normal"
    histogram = "histogram"


class MissingGroup(StrEnum):
    """What becomes of candidates without a group."""

    error = "error"
    drop = "drop"
    own = "own"


ModelOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="rasch, 1pl, 2pl, 3pl, 4pl; with scores above 1 grm, pcm, gpcm, nrm. Without it each item's own from the "
        "item file's column model, else 2pl; key insists on that column.",
    ),
]
GroupsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column about candidates that tells groups; each gets a mean and an SD.",
        rich_help_panel=CANDIDATES,
    ),
]
MissingGroupOption: TypeAlias = Annotated[
    MissingGroup,
    typer.Option(
        "--missing-group",
        help="Candidates without a group: refuse them, leave them out, or make them a group of their own.",
        rich_help_panel=CANDIDATES,
    ),
]
ReferenceOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="GROUP", help="The group with mean 0 and SD 1; else the first.", rich_help_panel=CANDIDATES),
]
AnchorsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ITEM",
        help="An item that is the same in all groups; the others get parameters in each. All are, without it. "
        "Repeatable.",
        rich_help_panel=CANDIDATES,
    ),
]
CovariatesOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN",
        help="Column about candidates on which ability is regressed. Repeatable.",
        rich_help_panel=CANDIDATES,
    ),
]
DensityOption: TypeAlias = Annotated[
    Density, typer.Option(help="Shape of the population; histogram estimates it.", rich_help_panel=CANDIDATES)
]
FixedOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="BANK",
        help="Hold its operational items where they stand; new items come onto its scale.",
        rich_help_panel=CANDIDATES,
    ),
]
PriorsOption: TypeAlias = Annotated[
    bool,
    typer.Option("--priors/--no-priors", help="Priors where the model has any by default.", rich_help_panel=FITTING),
]
LearnOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--priors-from",
        metavar="BANK",
        help="Learn priors from its items, by domain: for a few hundred candidates.",
        rich_help_panel=FITTING,
    ),
]
StartOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="BANK", help="Begin from its parameters: new answers, few passes.", rich_help_panel=FITTING),
]
WantedOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--wanted-error",
        metavar="LOGITS",
        help="Say how many answers each item still needs for this standard error of b.",
        rich_help_panel=FITTING,
    ),
]
ErrorsOption: TypeAlias = Annotated[ErrorMethod, typer.Option(help="Standard errors.", rich_help_panel=FITTING)]
MinAnswersOption: TypeAlias = Annotated[
    int | None,
    typer.Option(min=0, help="Hold items with fewer answers; by itself 100 to 400 by model.", rich_help_panel=FITTING),
]
MinToFitOption: TypeAlias = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Leave items with fewer answers out of the fit, on hold: for logs of adaptive exams, 30.",
        rich_help_panel=FITTING,
    ),
]
NodesOption: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Nodes of the ability grid; by itself as many as the answers need.", rich_help_panel=FITTING),
]
ToleranceOption: TypeAlias = Annotated[
    float, typer.Option(help="Settled within this many standard errors of the solution.", rich_help_panel=FITTING)
]
PassesOption: TypeAlias = Annotated[
    int, typer.Option(help="Passes over the answers after which to give up.", rich_help_panel=FITTING)
]


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What is estimated and how, as typed."""

    model: ModelOption = None
    groups: GroupsOption = None
    missing_group: MissingGroupOption = MissingGroup.error
    reference: ReferenceOption = None
    anchors: AnchorsOption = None
    covariates: CovariatesOption = None
    density: DensityOption = Density.normal
    fixed: FixedOption = None
    priors: PriorsOption = True
    priors_from: LearnOption = None
    start: StartOption = None
    wanted_error: WantedOption = None
    errors: ErrorsOption = ErrorMethod.observed
    min_answers: MinAnswersOption = None
    min_to_fit: MinToFitOption = 0
    nodes: NodesOption = None
    tolerance: ToleranceOption = 1e-3
    max_passes: PassesOption = 200

    @property
    def with_errors(self) -> bool:
        """Whether there will be standard errors."""
        return self.errors is not ErrorMethod.none

    def highest(self, key: ItemKey | None) -> int:
        """The most that an item may be scored.

        Raises:
            UsageError: no such model, or "key" without an item file that names any.
        """
        from issmp_calibration.models import ANY_SCORE, Asked

        return ANY_SCORE if Asked.of(self.model, key, None).polytomous else 1

    def settings(self, threads: int | None, cluster: Client | None = None) -> dict[str, Any]:
        """The keywords of ``calibrate``."""
        from issmp_calibration.constraints import Constraints
        from issmp_cat.bank import ItemBank

        return {
            "model": self.model,
            "priors": self._priors(),
            "population": self._population(),
            "constraints": None if self.fixed is None else Constraints.from_bank(ItemBank.load(self.fixed)),
            "standard_errors": self.errors.value if self.with_errors else None,
            "options": self._options(threads, cluster),
        }

    def _priors(self) -> Priors | LearnedPriors | None:
        """None for the models' own.

        Raises:
            UsageError: priors wanted and not wanted.
        """
        from issmp_calibration.learning import learn_priors
        from issmp_calibration.mml.priors import Priors
        from issmp_cat.bank import ItemBank
        from issmp_cat.errors import UsageError

        if self.priors_from is None:
            return None if self.priors else Priors()
        if not self.priors:
            raise UsageError("--priors-from and --no-priors contradict each other; leave one away")
        return learn_priors(ItemBank.load(self.priors_from))

    def _options(self, threads: int | None, cluster: Client | None) -> CalibrationOptions:
        from issmp_calibration.options import CalibrationOptions
        from issmp_calibration.verdict_rules import VerdictRules
        from issmp_cat.bank import ItemBank

        return CalibrationOptions(
            nodes=self.nodes,
            tolerance=self.tolerance,
            max_passes=self.max_passes,
            verdicts=VerdictRules(min_answers=self.min_answers),
            start=None if self.start is None else ItemBank.load(self.start),
            wanted_error=self.wanted_error,
            min_to_fit=self.min_to_fit,
            threads=threads,
            cluster=cluster,
        )

    def _population(self) -> PopulationModel | None:
        """What is asked of the population; None for one normal population."""
        from issmp_calibration.populations import PopulationModel

        found = PopulationModel(
            groups=self.groups,
            missing_group=self.missing_group.value,
            reference=self.reference,
            anchors=self.anchors or None,
            density=self.density.value,
            covariates=tuple(self.covariates or ()),
        )
        return None if found == PopulationModel() else found
