"""An exposure table in words: how it was found, what it keeps, and what that costs."""

from __future__ import annotations

from issmp_cat.exposure import Evidence, ExposureTable

__all__ = ["report"]

BAR = 40


def report(table: ExposureTable) -> str:
    """Some twenty lines; rates are those of fresh candidates, whom the calibration never saw."""
    method = table.method
    bands = f", by θ̂ between {', '.join(f'{edge:g}' for edge in method.bands)}" if method.bands else ""
    held = int((table.admit < 1.0).any(axis=0).sum())
    lines = [
        f'exposure table {table.version}: "{method.control}", cap {method.cap:g}, aimed at {method.target:g}{bands}',
        f"  exam {table.exam} {table.exam_version}, bank {table.bank} {table.bank_version}, {len(table.items):,} items",
        f"  {held:,} items are held back from some candidates, from {1 - table.admit.min():.1%} of them at most",
    ]
    if len(table.price):
        dear, cheap = int((table.price > 0).sum()), int((table.price < 0).sum())
        lines.append(f"  {dear:,} items cost a price, {cheap:,} are cheaper so that they are seen at all")
    if table.evidence is None:
        return "\n".join([*lines, "  no evidence: learnt or edited since it was calibrated"])
    return "\n".join([*lines, "", *_evidence(table.evidence)])


def _evidence(e: Evidence) -> list[str]:
    settled = "settled" if e.converged else "NOT SETTLED"
    lines = [
        f"  {settled} after {e.iterations} rounds of {e.candidates:,} candidates, {e.population}, seed {e.seed}",
        f"  largest rate by round: {_path(e.path)}; largest change of a share in the last: {e.movement:.4f}",
        "",
        f"  {e.checked:,} fresh candidates          with control   without",
        f"    largest rate               {e.largest_rate:>10.4f}",
    ]
    if e.largest_conditional:
        shown = ", ".join(f"{rate:.3f}" for rate in e.largest_conditional)
        lines.append(f"    largest rate by band       {shown}")
    cost = e.rmse / e.rmse_without - 1.0 if e.rmse_without > 0 else 0.0
    lines += [
        f"    items never used           {e.never_used:>10.1%}",
        f"    overlap of two tests       {e.overlap:>10.1%}",
        f"    RMSE of θ, logits          {e.rmse:>10.4f} {e.rmse_without:>11.4f}   ({cost:+.1%})",
        f"    right decisions            {e.accuracy:>10.2%} {e.accuracy_without:>11.2%}",
        f"    mean length                {e.length:>10.2f} {e.length_without:>11.2f}",
        f"    items released             {e.relaxed:>10,}",
        "",
        "  items by rate",
    ]
    most = max(e.histogram)
    last = max(k for k, count in enumerate(e.histogram) if count)
    for k, count in enumerate(e.histogram[: last + 1]):
        bar = "█" * round(BAR * count / most)
        lines.append(f"    {k / 20:.2f}–{(k + 1) / 20:.2f} {count:>6,} {bar}")
    return lines


def _path(path: tuple[float, ...]) -> str:
    shown = [f"{rate:.3f}" for rate in path]
    return " ".join(shown if len(shown) <= 8 else [*shown[:4], "…", *shown[-3:]])
