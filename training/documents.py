"""Pages for people: one HTML file each, from a template of this package, with its style inside; it fetches nothing and prints.

Responsible for escaping every value and for refusing one the template asks for and was not given. Computes no figure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

NOTHING = "\N{EN DASH}"


def share(value: float | None, digits: int = 1) -> str:
    """A share as a percentage; a missing one is a dash, and what would round to nothing says that it is not.

    >>> share(0.125), share(0.0001), share(0)
    ('12.5%', '<0.1%', '0.0%')
    """
    if value is None:
        return NOTHING
    least = 10 ** -(digits + 2)
    return f"<{least:.{digits}%}" if 0 < value < least / 2 else f"{value:.{digits}%}"


def figure(value: float | None, digits: int = 2) -> str:
    """A number with fixed digits; a missing one is a dash."""
    return NOTHING if value is None else f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def amount(value: float | None) -> str:
    """A value of a column, to six digits, thousands apart."""
    return NOTHING if value is None else f"{value:,.6g}".replace("-", "\N{MINUS SIGN}")


def write(template: str, path: Path, **content: Any) -> None:
    """Fill `templates/<template>` and write it; the same content gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PAGES.get_template(template).render(content), encoding="utf-8")


PAGES = Environment(loader=PackageLoader(__package__, "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                    lstrip_blocks=True)
PAGES.filters |= {"share": share, "figure": figure, "amount": amount}
