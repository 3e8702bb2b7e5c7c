"""QTI usage data: item statistics in XML, written as QTI 3.0, read as 2.0 to 3.0.

Layout: 1EdTech, "QTI Usage Data & Item Statistics 3.0" (2022) and 2.2 (2015): usageData holds ordinaryStatistic with
the attributes name, context, caseCount, stdError, and within it targetObject (identifier; partIdentifier for an option
or an interaction; in 3.0 objectType: test, testpart, section, item, outcome, interaction, choice) and value. Statistics
of parts and of other objects than items are passed over. Names come from
the item statistics glossary 1.0 (2013, 2021): A-Param, B-Param and C-Param are IRT's a, b, c, AIS the average item
score (P-value for right-or-wrong items); D-Param is the dispersion, not an upper asymptote, and is not read. The
glossary does not define the metric: D is written into the context as ``D=1.7`` and read from there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from issmp_cat.bank.foreign.conversion import diagonal, errors_of
from issmp_cat.bank.foreign.format import Reading, Wishes
from issmp_cat.bank.foreign.numbers import binary_model, finite, metric_note, shortest
from issmp_cat.bank.item_bank import ItemBank

__all__ = ["QTI", "Qti"]

NAMESPACE = "http://www.imsglobal.org/xsd/imsqti_usagedata_v3p0"
GLOSSARY = "http://www.imsglobal.org/qti/qtiv3p0/imsqti_usagedatav3p0_itemstatisticsglossary_v1p0"
TERMS = {"A-Param": "a", "B-Param": "b", "C-Param": "c", "AIS": "p", "P-value": "p"}
# Of a targetObject: what makes it something else than an item.
ITEM = ("", "item", "assessmentItem")
_METRIC = re.compile(r"\bD=(\d+(?:\.\d+)?)")


@dataclass(slots=True)
class _Statistic:
    line: int
    attributes: dict[str, str]
    targets: list[str] = field(default_factory=list)
    value: str = ""
    of_item: bool = True


class _Refused(Exception):
    """Something no usage data has."""


@dataclass(frozen=True, slots=True)
class Qti:
    """QTI usage data."""

    name: str = "qti"
    program: str = "QTI usage data"
    free_metric: bool = True
    usual_metric: float = 1.0

    def recognises(self, text: str) -> bool:
        """XML with a usageData element."""
        return text.lstrip().startswith("<") and re.search(r"<([\w-]+:)?usageData\b", text) is not None

    def read(self, text: str, wishes: Wishes) -> Reading:
        """Items by their statistics; those without a B-Param cannot stand in a bank and are left out."""
        try:
            statistics = _statistics(text)
        except expat.ExpatError as error:
            return Reading([], [f"line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}"], {})
        except _Refused as error:
            return Reading([], [str(error)], {})
        stated = {m[1] for s in statistics for m in [_METRIC.search(s.attributes.get("context", ""))] if m}
        problems = [f"contexts state different metrics: D = {', '.join(sorted(stated))}"] if len(stated) > 1 else []
        metric = wishes.metric or (float(min(stated)) if stated else self.usual_metric)
        found: dict[str, dict[str, tuple[_Statistic, float]]] = {}
        refused: list[str] = []
        for statistic in statistics:
            faults, entry = _understood(statistic, found)
            problems += faults
            refused += [entry] if faults and entry else []
        rows, left_out = [], {}
        for name, known in found.items():
            if name in refused:
                continue
            if "b" in known:
                rows.append((f"line {known['b'][0].line}", _item(name, known, metric)))
            else:
                left_out[name] = "no B-Param (difficulty)"
        if not rows and not problems:
            problems.append("no item has a B-Param (IRT difficulty); without one there is no bank")
        source = (
            "as asked for" if wishes.metric else "as the contexts say" if stated else "assumed: QTI defines no metric"
        )
        notes = {
            "metric": f"{metric_note(metric)} ({source})",
            "parameterisation": "A-Param, B-Param, C-Param: a, b, c",
            "scale": "logits; population not in the file: mean 0, SD 1",
            "standard_errors": "stdError as in the file; covariances are not in it and stand as 0",
        }
        return Reading(rows, problems, notes, refused, left_out=left_out)

    def misfits(self, bank: ItemBank) -> list[str]:
        """The glossary has no word for steps, nor for an upper asymptote."""
        return [
            f'item "{item.id}" is a {item.model} item; the QTI glossary has words for a, b and c only'
            for item in bank.items
            if item.steps or item.slopes or item.d < 1
        ]

    def lost(self, bank: ItemBank) -> list[str]:
        """Everything but a, b, c, their errors, average score and number of answers."""
        population = bank.metric.latent_mean != 0.0 or bank.metric.latent_sd != 1.0
        return ["covariances between parameters", "domains, statuses, enemies and all other fields"] + (
            [f"the population (mean {bank.metric.latent_mean:g}, SD {bank.metric.latent_sd:g})"] if population else []
        )

    def write(self, bank: ItemBank, metric: float) -> str:
        """QTI 3.0, all digits."""
        context = quoteattr(f"urn:issmp-cat:bank:{bank.version}?D={metric:g}")
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<usageData xmlns="{NAMESPACE}" glossary="{GLOSSARY}">',
        ]
        for item in bank.items:
            errors, p = errors_of(item), item.statistics.get("p")
            entries = [("A-Param", item.a / metric, errors["a"] / metric if "a" in errors else None)]
            entries.append(("B-Param", item.b, errors.get("b")))
            entries += [("C-Param", item.c, errors.get("c"))] if item.model == "3pl" else []
            entries += [("AIS", p, None)] if p is not None else []
            for name, value, se in entries:
                extra = f' caseCount="{item.answers}"' if item.answers is not None else ""
                extra += f' stdError="{shortest(se)}"' if se is not None else ""
                lines += [
                    f'  <ordinaryStatistic name="{name}" context={context}{extra}>',
                    f'    <targetObject identifier={quoteattr(item.id)} objectType="item"/>',
                    f"    <value>{shortest(value)}</value>",
                    "  </ordinaryStatistic>",
                ]
        return "\n".join([*lines, "</usageData>", ""])


def _statistics(text: str) -> list[_Statistic]:
    """Every ordinaryStatistic with its line; raises on broken XML, another root, and entities."""
    parser = expat.ParserCreate("utf-8", " ")  # the text is decoded: what it declares no longer holds
    parser.buffer_text = True
    found: list[_Statistic] = []
    path: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        name = tag.rsplit(" ", 1)[-1]
        if not path and name != "usageData":
            msg = f'line {parser.CurrentLineNumber}: the root is "{name}"; expected usageData'
            raise _Refused(msg)
        path.append(name)
        if name == "ordinaryStatistic":
            found.append(_Statistic(parser.CurrentLineNumber, attributes))
        elif path[-2:] == ["ordinaryStatistic", "targetObject"]:
            found[-1].targets.append(attributes.get("identifier", ""))
            whole = attributes.get("objectType", "") in ITEM and not attributes.get("partIdentifier")
            found[-1].of_item = found[-1].of_item and whole

    def end(_: str) -> None:
        path.pop()

    def letters(piece: str) -> None:
        if path[-2:] == ["ordinaryStatistic", "value"]:
            found[-1].value += piece

    def entity(*_: object) -> None:
        msg = f"line {parser.CurrentLineNumber}: declares entities; usage data has none"
        raise _Refused(msg)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = letters, entity
    parser.Parse(text.encode(), True)  # noqa: FBT003 — expat's own signature
    return found


def _understood(statistic: _Statistic, found: dict[str, dict[str, tuple[_Statistic, float]]]) -> tuple[list[str], str]:
    """Put a statistic with its item; its faults, and the item's id. Terms of no interest here are passed over."""
    name = statistic.attributes.get("name", "")
    term = TERMS.get(name)
    place = f"line {statistic.line}: {name or 'a statistic without a name'}"
    if not statistic.of_item:
        return [], ""
    if term is None:
        return ([] if name else [place]), ""
    if len(statistic.targets) != 1 or not statistic.targets[0]:
        return [f"{place}: names {len(statistic.targets)} items; expected one targetObject with an identifier"], ""
    item = statistic.targets[0]
    known = found.setdefault(item, {})
    value = finite(statistic.value.strip())
    faults = []
    if value is None:
        faults.append(f'{place} of item "{item}" is "{statistic.value.strip()}"; expected a number')
    if term in known and name == known[term][0].attributes["name"]:
        faults.append(f'{place} of item "{item}" stands twice, before in line {known[term][0].line}; keep one context')
    for attribute, least in (("stdError", 0.0), ("caseCount", 0.0)):
        text = statistic.attributes.get(attribute)
        if text is not None and (finite(text) is None or float(text) < least):
            faults.append(f'{place} of item "{item}": {attribute} is "{text}"; expected a number of at least 0')
    if value is not None:
        known.setdefault(term, (statistic, value))
    return faults, item


def _item(name: str, known: dict[str, tuple[_Statistic, float]], metric: float) -> dict[str, Any]:
    errors = {term: finite(s.attributes.get("stdError", "")) for term, (s, _) in known.items()}
    values = {term: value for term, (_, value) in known.items()}
    a = values["a"] * metric if "a" in values else 1.0
    se_a = errors["a"] * metric if errors.get("a") is not None else None  # type: ignore[operator]
    c = values.get("c", 0.0)
    model = binary_model(a, c, 1.0, slope_free=se_a is not None, guess_free="c" in values)
    counts = [finite(s.attributes.get("caseCount", "")) for s, _ in known.values()]
    answers = max((round(count) for count in counts if count is not None), default=None)
    covariance = diagonal({"a": se_a, "b": errors.get("b"), "c": errors.get("c")})
    statistics = {"p": values["p"]} if "p" in values else {}
    return {
        "id": name, "domain": "all", "model": model, "a": a, "b": values["b"], "c": c,
        "covariance": covariance, "answers": answers, "statistics": statistics,
    }  # fmt: skip


QTI = Qti()
