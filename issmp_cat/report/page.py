"""Pages that need nothing but themselves: Jinja2 templates of the package, everything escaped."""

from __future__ import annotations

from typing import Any

from issmp_cat.errors import MissingExtra

__all__ = ["render"]


def render(template: str, **values: Any) -> str:
    """Fill a template of ``issmp_cat/data``.

    Args:
        template: its file name.
        **values: what it shows; strings are escaped unless they are ``markupsafe.Markup``.

    Raises:
        MissingExtra: Jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise MissingExtra("HTML reports (Jinja2)", "report") from None
    from issmp_cat.report import words

    environment = Environment(
        loader=PackageLoader("issmp_cat", "data"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(facts=words.facts, caveats=words.caveats)
    environment.filters["minus"] = words.minus
    return environment.get_template(template).render(**values)
