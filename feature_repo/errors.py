"""What can go wrong, named, and how a command says it: one line, exit code 1.

TallyError
├── ContractError     a portfolio file contradicts itself
├── DataError         a raw file is missing, unreadable or breaks its contract
├── ParamsError       params.yaml is not what a stage expects
├── ReleaseError      a release is incomplete, altered or not for this interface
├── FeatureError      stored features cannot be read or joined
├── LedgerError       the record cannot be written or does not verify
├── IdentityError     who acts is not known, may not act now, or has no usable key
├── PromotionError    the rules of promotion do not allow what somebody wants
├── ServiceError      a server or port is not available
├── MachineError      disk, rights, memory or file handles do not suffice
└── UnforeseenError   a bug, or data that no check foresaw: its traceback is in a file
"""

from __future__ import annotations

import atexit
import inspect
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from feature_repo import faults

SAFE = "Nothing is registered by halves, and what earlier stages wrote is kept"
INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


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


class IdentityError(TallyError):
    """Who acts is not known, may not act now, or has no usable key."""


class PromotionError(TallyError):
    """The rules of promotion do not allow what somebody wants."""


class ServiceError(TallyError):
    """A server or port is not available."""


class MachineError(TallyError):
    """Disk, rights, memory or file handles of this machine do not suffice."""


class UnforeseenError(TallyError):
    """A bug, or data that no check foresaw."""


def run_stage(main: Callable[..., None]) -> None:
    """Call a stage with its command line: portfolio name, then paths. One line on failure, no traceback.

    `TALLY_DEBUG=1` shows the traceback. Without it, that of an error nobody foresaw is kept in a file.
    """
    portfolio, *paths = _arguments(main)
    try:
        main(portfolio, *map(Path, paths))
    except KeyboardInterrupt:
        _stop(f"interrupted: {_stage(main)} did not finish. {SAFE}; run: dvc repro", INTERRUPTED)
    except Exception as caught:
        if os.environ.get("TALLY_DEBUG"):
            raise
        error = said(caught, _stage(main), Path(paths[-1]) if paths else None)
        _stop(f"{type(error).__name__}: {error}", 1)
    if main.__module__ == "__main__":
        _leave()


def _leave() -> None:
    """End as Python does, but do not take libraries down: Arrow's threads abort a process now and then that does (apache/arrow#34314).

    A stage that had done everything would have failed.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - what Python does first at its end
    atexit._run_exitfuncs()  # noqa: SLF001 - and this second
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def say_interrupted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """As sys.excepthook: Ctrl-C while a stage still imports its libraries, which takes seconds, is one line as well."""
    if issubclass(kind, KeyboardInterrupt) and not os.environ.get("TALLY_DEBUG"):
        sys.stderr.write(f"interrupted: {Path(sys.argv[0]).stem} had not begun. {SAFE}; run: dvc repro\n")
    else:
        sys.__excepthook__(kind, error, trace)


def said(caught: Exception, stage: str, folder: Path | None) -> TallyError:
    """What a stage says of an error: our own words, what the machine lacks, or where a bug is."""
    lacking = faults.explain(caught, folder)
    if lacking:
        return MachineError(f"stage {stage}: {lacking}. {SAFE}; then run: dvc repro")
    if isinstance(caught, TallyError):
        return caught
    if isinstance(caught, FileNotFoundError):
        return DataError(f"{caught.filename or caught} is not there; run: dvc repro")
    kept = faults.keep(caught, stage)
    shown = f"is in {kept}" if kept else "shows with TALLY_DEBUG=1"
    return UnforeseenError(f"stage {stage}: {type(caught).__name__} at {faults.where(caught)}. This is a bug, or data that no check "
                           f"foresaw. The traceback, which may quote data, {shown}. {SAFE}")


def _arguments(main: Callable[..., None]) -> list[str]:
    """The command line, which names one thing for each of the stage's own, and any number for one that takes `*more`."""
    wanted, given = inspect.signature(main).parameters, sys.argv[1:]
    more = [each.name for each in wanted.values() if each.kind is each.VAR_POSITIONAL]
    least = len(wanted) - len(more)
    if len(given) < least or (len(given) > least and not more):
        _stop(f"stage {_stage(main)} takes {least} arguments{' or more' if more else ''}, {' '.join(wanted).upper()}, not {len(given)}; "
              "see its cmd in dvc.yaml, or run: dvc repro", 1)
    return given


def _stage(main: Callable[..., None]) -> str:
    return Path(inspect.getfile(main)).stem


def _stop(line: str, code: int) -> None:
    """One line: a message of a library may have several."""
    sys.stderr.write(" ".join(line.split()) + "\n")
    raise SystemExit(code) from None
