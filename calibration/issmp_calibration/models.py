"""Which model each item of a run has, and what is believed of its parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from issmp_calibration.constraints import Constraints
from issmp_calibration.learning import LearnedPriors
from issmp_calibration.log import ItemKey
from issmp_calibration.log.faults import counted, some
from issmp_calibration.mml.design import Design
from issmp_calibration.mml.models.named import MODELS, ModelName, named
from issmp_calibration.mml.priors import Priors
from issmp_cat.errors import UsageError

__all__ = ["ANY_SCORE", "Asked", "chosen_models", "described_priors", "item_priors"]

DEFAULT = "2pl"
ANY_SCORE = 127  # scores are kept in one signed byte
AS_THE_FILE_SAYS = "key"
SCALES = {"log slope": "ln a", "logit guessing": "logit c", "logit slipping": "logit (1 − d)"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of the items.

    Attributes:
        otherwise: model of the items that nothing is said about; empty where every item must be named.
        by_item: models by item.
        constraints: of the call and of the item file.
    """

    otherwise: str
    by_item: Mapping[str, str]
    constraints: Constraints

    @classmethod
    def of(cls, model: str | Mapping[str, str] | None, key: ItemKey | None, constraints: Constraints | None) -> Asked:
        """From the arguments of a call; held items of a bank keep their models.

        Raises:
            UsageError: unknown models, or "key" without an item file that names any.
        """
        both = (Constraints() if key is None else Constraints.from_key(key)).with_more(constraints or Constraints())
        said = dict(both.models)
        if model == AS_THE_FILE_SAYS:
            if not said:
                raise UsageError('model "key" needs an item file with a column "model"')
            return cls("", _known(said), both)
        if isinstance(model, Mapping):
            return cls(DEFAULT, _known(said | dict(model)), both)
        if model is None:
            return cls(DEFAULT, _known(said), both)
        own = {} if constraints is None else dict(constraints.models)
        return cls(named(model).name, _known(own), both)

    @property
    def polytomous(self) -> bool:
        """Whether any item may have scores above 1."""
        return any(MODELS[name].polytomous for name in (*self.by_item.values(), self.otherwise) if name)

    def model_of(self, item: str) -> str:
        """The name of an item's model; empty where none is named."""
        return self.by_item.get(item, self.otherwise)

    def describe(self) -> str | dict[str, str]:
        """For the provenance: one name, or names by item."""
        return {**self.by_item, "otherwise": self.otherwise} if self.by_item else self.otherwise


def _known(models: Mapping[str, str]) -> dict[str, str]:
    return {item: named(model).name for item, model in models.items()}


def chosen_models(asked: Asked, items: Sequence[str]) -> list[ModelName]:
    """The model of each item.

    Raises:
        UsageError: items without one where all must be named, or names of which no item is in the log.
    """
    if not asked.otherwise and (without := [item for item in items if item not in asked.by_item]):
        raise UsageError(f"the item file names no model for {some(without)}")
    return [MODELS[asked.by_item.get(item, asked.otherwise)] for item in items]


def item_priors(
    priors: Priors | LearnedPriors | Mapping[str, Priors] | None,
    items: Sequence[str],
    models: Sequence[ModelName],
    domains: Sequence[str],
) -> list[Priors]:
    """What is believed of each item: said of it, of its model or domain, or by default.

    Raises:
        UsageError: a name that is neither a model nor an item.
    """
    if isinstance(priors, Priors):
        return [priors] * len(models)
    if isinstance(priors, LearnedPriors):
        return priors.for_items(domains, models)
    given = dict(priors or {})
    if unknown := [name for name in given if name not in MODELS and name not in items]:
        raise UsageError(f"priors for what is neither a model nor an item in the fit: {some(unknown)}")
    return [
        given.get(item) or given.get(model.name) or Priors.default(model.name)
        for item, model in zip(items, models, strict=True)
    ]


def described_priors(design: Design, priors: Sequence[Priors], domains: Sequence[str] | None = None) -> dict[str, str]:
    """All that are used, in words; with models and numbers of items where they differ, by domain if learned.

    Args:
        design: the items in the fit.
        priors: one for each.
        domains: of each, if what is believed depends on them.
    """
    if domains is not None:
        return _by_domain(design, priors, domains)
    used = dict[tuple[str, Priors], int]()
    for model, prior in zip(design.models, priors, strict=True):
        used[model, prior] = used.get((model, prior), 0) + 1
    told = dict[str, str]()
    several = Counter(model for model, _ in used)
    number = Counter[str]()
    for (model, prior), n in used.items():
        number[model] += 1
        for name, words in prior.describe().items():
            label = name if len(used) == 1 else f"{model} {name}"
            if several[model] > 1:
                label += f", set {number[model]} ({counted(n, 'item')})"
            told[label] = words
    return told


def _by_domain(design: Design, priors: Sequence[Priors], domains: Sequence[str]) -> dict[str, str]:
    """All beliefs about a domain's items in one entry; models apart only where a domain has several."""
    used = Counter(zip(domains, design.models, priors, strict=True))
    kinds = Counter(domain for domain, _, _ in used)
    return {
        f"{domain or 'no domain'}{f' {model}' if kinds[domain] > 1 else ''} ({counted(n, 'item')})": ", ".join(
            f"{SCALES.get(name, name)} ~ N({density.mean:.4g}, {density.sd:.4g})"
            for name, density in prior.by_name().items()
        )
        or "none"
        for (domain, model, prior), n in used.items()
    }
