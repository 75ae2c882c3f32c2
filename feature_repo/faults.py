"""What a machine, and not the data, does to a stage: no space, no rights, no memory, no file handles. Said in one line.

Looks through an error's causes, since libraries wrap what the operating system said, some keeping only its words. Refuses to guess: an
error it does not know is None here, and stays what it is.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
import traceback
from collections.abc import Iterator
from pathlib import Path

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_RIGHTS = (errno.EACCES, errno.EPERM)
NO_HANDLES = (errno.EMFILE, errno.ENFILE)
NO_FOLDER = (errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
BROKEN = (errno.EIO,)
KNOWN = (*NO_SPACE, errno.EROFS, *NO_RIGHTS, *NO_HANDLES, *NO_FOLDER, *BROKEN, errno.ENOMEM)
SPOKEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENOMEM)
ARROW_FILE = re.compile(r"local file '([^']+)'")
SQLITE = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_READONLY: errno.EROFS, sqlite3.SQLITE_IOERR: errno.EIO}
WANTED = {
    errno.ENOSPC: "the disk is full ({free}): free some space (du -sh .dvc/cache var; dvc gc --workspace)",
    errno.EDQUOT: "your quota of the disk is used up: free some space (du -sh .dvc/cache var), or have the quota raised",
    errno.EFBIG: "a file may not grow that large: raise the limit (ulimit -f; a quota), or use another file system",
    errno.EROFS: "it cannot be written, it is read-only: mount it writable, or work in a checkout that is",
    errno.EACCES: "this account may not use it: change its owner or mode (ls -ld), or run as its owner",
    errno.EPERM: "this account may not use it: change its owner or mode (ls -ld; lsattr), or run as its owner",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n 4096)",
    errno.ENFILE: "too many files are open on this machine: end what holds them (lsof)",
    errno.ENOTDIR: "a file is where a folder is needed: move it away",
    errno.EISDIR: "a folder is where a file is needed: move it away",
    errno.EEXIST: "a file is where a folder is needed: move it away",
    errno.EIO: "the disk refuses or does not answer (input/output error): look at dmesg, df and ulimit -f",
    errno.ENOMEM: "memory does not suffice: close what else runs, use a larger machine, or fewer rows (params.yaml)",
}


def explain(error: BaseException, folder: Path | None) -> str | None:
    """What the machine lacks, where, and what to do; None where the error is of another kind. folder: where the stage writes."""
    for cause in _causes(error):
        number, where = _number(cause), _place(cause)
        if number is None or (number in NO_RIGHTS and where is None):  # a firewall refuses a connection with the same numbers
            continue
        about = where or (folder if number in (*NO_SPACE, *BROKEN) else None)
        return (f"{_short(about)}: " if about else "") + WANTED[number].format(free=_free(about))
    return None


def where(error: BaseException) -> str:
    """The last line of ours that an error passed through, as file:line, and the function."""
    frames = traceback.extract_tb(error.__traceback__)
    root = Path(__file__).parents[1]
    ours = [frame for frame in frames if root in Path(frame.filename).parents and "site-packages" not in frame.filename]
    frame = (ours or frames)[-1]
    return f"{_short(Path(frame.filename), root)}:{frame.lineno}, in {frame.name}"


def keep(error: BaseException, stage: str) -> Path | None:
    """The file that now holds the whole traceback, readable by its owner alone since it may quote data. None where none can be written."""
    path = _home() / "failed" / f"{stage}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(traceback.format_exception(error))
    except OSError:
        return None
    return path


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, `from None` included: an error of ours may stand for one of the machine's."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _number(error: BaseException) -> int | None:
    """The operating system's number for it, where it is one we can explain."""
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if isinstance(error, sqlite3.Error):
        return SQLITE.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
    if isinstance(error, OSError) and error.errno in KNOWN:
        return error.errno
    text = str(error)
    return next((number for number in SPOKEN if os.strerror(number) in text), None)


def _place(error: BaseException) -> Path | None:
    if isinstance(error, sqlite3.Error):
        return _home()  # all our databases are there; SQLite does not say which
    name = getattr(error, "filename", None)
    if isinstance(name, str | bytes | os.PathLike):
        return Path(os.fsdecode(name))
    spoken = ARROW_FILE.search(str(error))
    return Path(spoken[1]) if spoken else None


def _home() -> Path:
    return Path(os.environ.get("TALLY_HOME", "var"))


def _free(path: Path | None) -> str:
    there = next((each for each in ((path or Path()).absolute(), *(path or Path()).absolute().parents) if each.exists()), Path("/"))
    return f"{shutil.disk_usage(there).free / 1e6:,.0f} MB are free"


def _short(path: Path | None, root: Path | None = None) -> str:
    """As it stands in the checkout, where it does."""
    home = root or Path.cwd()
    return str(path.relative_to(home)) if path and path.is_relative_to(home) else str(path)
