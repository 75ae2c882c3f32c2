"""What can go wrong, named, and how a command says it: one line, exit code 1.

TallyError
├── ContractError     a portfolio file contradicts itself
├── DataError         a raw file is missing, unreadable or breaks its contract
├── ParamsError       params.yaml is not what a stage expects
├── ReleaseError      a release is incomplete, altered or not for this interface
├── FeatureError      stored features cannot be read or joined
├── LedgerError       the record cannot be written or does not verify
└── ServiceError      a server or port is not available
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path


class TallyError(Exception):
    """Base of every error we raise on purpose: what was wrong, what was allowed, what to do."""


class ContractError(TallyError):
    """A portfolio file contradicts itself."""


class DataError(TallyError):
    """A raw file is missing, unreadable or breaks its contract."""


class ParamsError(TallyError):
    """params.yaml is not what a stage expects."""


class ReleaseError(TallyError):
    """A release is incomplete, altered or not for this interface."""


class FeatureError(TallyError):
    """Stored features cannot be read or joined."""


class LedgerError(TallyError):
    """The record cannot be written or does not verify."""


class ServiceError(TallyError):
    """A server or port is not available."""


def run_stage(main: Callable[..., None]) -> None:
    """Call a stage with its command line: portfolio name, then paths. One line on failure, no traceback.

    `TALLY_DEBUG=1` shows the traceback.
    """
    portfolio, *paths = sys.argv[1:]
    try:
        main(portfolio, *map(Path, paths))
    except (TallyError, FileNotFoundError) as caught:
        error = caught if isinstance(caught, TallyError) else DataError(f"{caught.filename} is not there; run: dvc repro")
        if os.environ.get("TALLY_DEBUG"):
            raise
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        raise SystemExit(1) from None
