"""A study in words: what a programme manager reads first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from issmp_simulations.estimates import Estimate
    from issmp_simulations.result import StudyResult

__all__ = ["summary"]


def summary(study: StudyResult) -> str:
    """Some twenty lines; brackets hold 95 % intervals of the simulation."""
    titles = study.provenance["titles"]
    lines = [
        f"{study.n:,} simulated exams: {titles['exam']}",
        f"  bank: {titles['bank']}, {study.provenance['operational_items']:,} operational items",
        f"  candidates: {titles['population']}; seed {study.provenance['seed']}; [95 % interval of the simulation]",
        "",
        *_decisions(study),
        "",
        *_measurement(study),
        "",
        *_tests(study),
        "",
        *_rules(study),
    ]
    notes = [study.provenance[name] for name in ("prior_note", "assumption") if study.provenance[name]]
    return "\n".join([*lines, *([""] if notes else []), *(f"  note: {note}" for note in notes)])


def _row(name: str, text: str) -> str:
    return f"  {name:<24} {text}"


def _share(name: str, value: Estimate | None, more: str = "") -> str:
    return _row(name, (value.show(2, percent=True) if value is not None else "nobody to count") + more)


def _decisions(study: StudyResult) -> list[str]:
    truly = (
        f"   truly at or above the cut: {study.true_pass_rate.show(2, percent=True)}" if study.true_pass_rate else ""
    )
    below = f"   of those truly below: {study.false_pass_rate.show(2, percent=True)}" if study.false_pass_rate else ""
    above = f"   of those truly above: {study.false_fail_rate.show(2, percent=True)}" if study.false_fail_rate else ""
    return [
        _share("pass rate", study.pass_rate, truly),
        _share("right decisions", study.accuracy),
        _share("false passes", study.false_pass, below),
        _share("false fails", study.false_fail, above),
    ]


def _measurement(study: StudyResult) -> list[str]:
    rows = [
        (f"θ bias ({study.provenance['estimator'].upper()})", study.bias),
        ("θ RMSE", study.rmse),
        ("mean standard error", study.mean_se),
    ]
    found = [_row(name, f"{value.show(4)} logits") for name, value in rows if value is not None]
    return [*found, _share("95 % interval covers θ", study.coverage)]


def _tests(study: StudyResult) -> list[str]:
    lengths, exposure = study.lengths, study.exposure
    ends = f"{lengths.values[0]} to {lengths.values[-1]}, median {lengths.quantile(0.5)}"
    lines = [_row("items given", f"{study.mean_length.show(1) if study.mean_length else '–'}   {ends}")]
    if study.mean_seconds is not None:
        minutes = study.mean_seconds
        lines.append(
            _row("minutes used", f"{minutes.value / 60:.1f} [{minutes.low / 60:.1f}, {minutes.high / 60:.1f}]")
        )
    lines += [
        _row("ended because", f"{100 * count / study.n:.2f} %  {reason}")
        for reason, count in study.reasons.items()
        if count
    ]
    lines.append(
        _row(
            "exposure of items",
            f"largest {exposure.maximum.value:.3f}, mean {exposure.mean:.3f}, never used "
            f"{100 * exposure.never_used:.1f} %, overlap of two tests {100 * exposure.overlap:.1f} %",
        )
    )
    if (pretest := study.pretest) is not None:
        tried = f"{pretest.slots} unscored questions, {100 * pretest.filled:.1f} % of them filled; answers an item"
        enough = f"all targets after some {pretest.candidates_needed:,.0f} candidates"
        told = f"{tried} {min(pretest.counts):,} to {max(pretest.counts):,}; {enough}"
        lines.append(_row("items tried out", told))
    if (control := study.provenance.get("exposure_control")) is not None:
        aim = f"cap {control['cap']:g}, aimed {control['margin']:g} below"
        lines.append(_row("exposure control", f"{control['control']}, {aim}; table {study.provenance['exposure']}"))
    return lines


def _rules(study: StudyResult) -> list[str]:
    broken = study.compliance
    lines = [
        _row(
            "rules broken",
            f"{broken.violations} exams: {broken.off_blueprint} off the blueprint, {broken.enemies} with enemies, "
            f"{broken.repeats} with an item twice, {broken.wrong_length} of wrong length, "
            f"{broken.rows} off a row, {broken.sets} with a broken item set",
        )
    ]
    if broken.cut_short:
        lines.append(
            _row(
                "cut short", f"{broken.cut_short:,} exams, {broken.cut_short_off_blueprint:,} of them off the blueprint"
            )
        )
    lines.append(_row("unproven decisions", f"{study.unproven:,}"))
    return lines
