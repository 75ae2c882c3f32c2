"""Fixtures every test may use: the real data files, and one closing line where they are not there."""

from __future__ import annotations

import contextlib
import os

os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)  # a test process of several has it from the first, which imported BentoML
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy: models here have the bytes of a stage's (training/__init__.py)
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import prometheus_client  # noqa: F401 - before BentoML, whose import would make every test count in files of all workers
import pytest
from hypothesis import settings

from feature_repo.interface import describe
from feature_repo.portfolios import load
from governance import release
from governance.release import Release
from serving.scoring import decision
from serving.scoring.parts import Band, Calibrator, Policy, Texts
from serving.scoring.scorecard import Scorecard
from serving.scoring.support import Support

sys.path.insert(0, str(Path(__file__).parent))
from borrowers import borrow, make_model, mill, mill_model  # noqa: F401
from evidenced import evidence, validation
from invented import brought_harbour, harbour, invent, toy  # noqa: F401
from postgres_server import postgres  # noqa: F401
from projects import make_project, small_project  # noqa: F401
from redis_server import redis_server  # noqa: F401
from served import make_home, service, start  # noqa: F401

DATA_DIR = os.environ.get("TALLY_DATA_DIR")

settings.register_profile("shared machine", deadline=None)  # a first call loads compiled kernels; time is held in tests/performance
settings.load_profile("shared machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests on real files out where no TALLY_DATA_DIR is set; in CI that is an error, not an omission."""
    if DATA_DIR:
        return
    if os.environ.get("CI"):
        raise pytest.UsageError("TALLY_DATA_DIR must be set in CI: tests on real files may not be left out")
    real = [item for item in items if "data_dir" in getattr(item, "fixturenames", ())]
    config.stash[LEFT_OUT] = len(real)
    config.hook.pytest_deselected(items=real)
    items[:] = [item for item in items if item not in real]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out and what to set."""
    if config.stash.get(LEFT_OUT, 0):
        left = config.stash[LEFT_OUT]
        terminalreporter.write_line(f"{left} tests on real files left out: set TALLY_DATA_DIR to the folder that holds taiwan_default/")


LEFT_OUT = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data files."""
    return Path(os.environ["TALLY_DATA_DIR"]).resolve()


def scorecard_release(path: Path, portfolio_name: str = "card_default", *, intercept: float = -1.0, failing: str = "",
                      support: Support | None = None) -> Release:
    """A small, real release: a hand-made scorecard over every input, sealed. Equal arguments give an equal release id.

    It has evidence that every gate lets through, but the one named by `failing`. support: what development had; by default it says nothing.
    """
    portfolio = load(portfolio_name)
    contract, inputs = describe(portfolio), len(portfolio.inputs)
    points = np.tile([-0.1, 0.1], inputs)
    kernel = Scorecard(starts=np.arange(inputs + 1), edges=np.zeros(inputs), points=points, missing=np.zeros(inputs),
                       special_starts=np.zeros(inputs + 1, dtype=np.int64), specials=np.zeros(0), special_points=np.zeros(0),
                       intercept=np.array([intercept]))
    encoding = {column.name: {level: float(i) for i, level in enumerate(column.level_names)}
                for column in portfolio.raw_inputs if column.is_level}
    policy = Policy(0.15, 0.4, (Band("A", 0.1), Band("B", 0.3), Band("C", 1.0)), 600, 50, 20)
    scorer = decision.Scorer(portfolio, Texts(tuple(contract["inputs"]), tuple(contract["rules"])), encoding, kernel,
                             Calibrator("platt"), policy, np.full(inputs, -0.1), support=support or {})
    path.mkdir(parents=True)
    decision.save(scorer, path)
    values = [{column.name: column.level_names[0] if column.is_level else share * (column.high or 1) for column in portfolio.raw_inputs}
              for share in (0.2, 0.5, 0.9)]
    golden = [{"values": each, "doubtful": [], "decision": msgspec.to_builtins(scorer.decide(each))} for each in values]
    (path / "golden.json").write_bytes(release.dump(golden))
    for name, said in evidence(portfolio, "scorecard", failing).items():
        (path / name).write_bytes(release.dump(said))
    return release.seal(path, portfolio, model="scorecard", validation=validation(failing), lineage={})


@pytest.fixture(scope="session")
def make_release() -> Callable[..., Release]:
    """Builds a small sealed release in a folder."""
    return scorecard_release


@pytest.fixture(scope="session")
def free_ports() -> Callable[[int], list[int]]:
    """Ports nobody listens on, all different."""

    def find(count: int) -> list[int]:
        with contextlib.ExitStack() as held:
            probes = [held.enter_context(socket.socket()) for _ in range(count)]
            for probe in probes:
                probe.bind(("127.0.0.1", 0))
            return [int(probe.getsockname()[1]) for probe in probes]

    return find


@pytest.fixture
def free_port(free_ports: Callable[[int], list[int]]) -> int:
    """A port nobody listens on."""
    return free_ports(1)[0]
