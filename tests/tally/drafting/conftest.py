"""Fixtures: a checkout to draft in, and strangers' files drafted there."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import strangers

from feature_repo import portfolios
from feature_repo.portfolio import Portfolio
from tally.drafting import checking
from tally.drafting.draft import Asked
from tally.drafting.new import FOLDER, new

ROOT = Path(__file__).parents[3]
WIDE = (8_000, 48)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout as working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TALLY_DATA_DIR", raising=False)
    FOLDER.mkdir(parents=True)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def drafted(checkout: Path) -> Callable[..., SimpleNamespace]:
    """Drafts files: `drafted("name", path, ...)` gives what was said and the contract's text; what is asked goes by name."""

    def draft(name: str, *files: Path, force: bool = False, **asked: object) -> SimpleNamespace:
        said = new(name, files, Asked(**asked), force=force)
        return SimpleNamespace(said=said, path=checkout / FOLDER / f"{name}.py", text=(checkout / FOLDER / f"{name}.py").read_text())

    return draft


@pytest.fixture
def check(checkout, monkeypatch):
    """Checks a contract of the checkout, which portfolios are loaded from."""
    monkeypatch.setattr(portfolios, "__path__", [str(checkout / FOLDER), *portfolios.__path__])
    return checking.check


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """What strangers bring."""
    folder = tmp_path_factory.mktemp("strangers")
    return SimpleNamespace(instalment=strangers.instalment(folder / "instalment.csv"), cards=strangers.cards(folder / "cards.dat"),
                           overdraft=strangers.overdraft(folder), wide=strangers.wide(folder / "wide.csv", *WIDE))


def loaded(path: Path) -> Portfolio:
    """The portfolio a file declares, as Python reads it now."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    portfolio: Portfolio = module.PORTFOLIO
    return portfolio


@pytest.fixture
def load() -> Callable[[Path], Portfolio]:
    """Reads a contract from its file."""
    return loaded
