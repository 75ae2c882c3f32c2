"""The portfolios: one file each, and nothing else names their columns."""

from __future__ import annotations

import importlib
import pkgutil

from feature_repo.errors import ContractError
from feature_repo.portfolio import Portfolio


def names() -> list[str]:
    """The portfolios there are: modules here that are not simulators."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if not name.endswith("_simulator"))


def load(name: str) -> Portfolio:
    """The portfolio declared in `portfolios/<name>.py`.

    Raises ContractError for an unknown name or a file that declares another one.
    """
    if name not in names():
        raise ContractError(f"no portfolio {name!r}; there are {names()}. A new one is a file feature_repo/portfolios/{name}.py")
    portfolio: Portfolio = importlib.import_module(f"{__name__}.{name}").PORTFOLIO
    if portfolio.name != name:
        raise ContractError(f"feature_repo/portfolios/{name}.py declares the portfolio {portfolio.name!r}; the two names must be equal")
    return portfolio
