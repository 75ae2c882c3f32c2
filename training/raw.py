"""Raw files: where one is, whether it is the declared one, and its columns as they were written.

Responsible for: finding (TALLY_DATA_DIR, data/raw, the declared address), the SHA-256, and reading under the declared reader.
Refuses a missing, foreign or damaged file. Casts nothing, and never repeats what a file holds in a message.
"""

from __future__ import annotations

import hashlib
import os
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tqdm import tqdm

from feature_repo.contract import Ignored, Table
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from feature_repo.sources import ROW, Csv
from training import delimited
from training.origin import origin

RAW = Path("data/raw")
SEPARATORS = (",", ";", "\t", "|", ":", " ")


def find(portfolio: Portfolio, table: Table) -> Path:
    """The raw file of `table`, fetched where only an address is known, of a declared digest where any is declared.

    Raises DataError that names the choices there are.
    """
    own = (Path() if portfolio.simulator else origin()) / RAW / portfolio.name / table.file  # an experiment simulates its own
    folders = [] if portfolio.simulator else [origin() / folder for folder in (os.environ.get("TALLY_DATA_DIR"),) if folder]
    found = [path for path in (*(folder / table.file for folder in folders), own) if path.is_file()]
    if not found and table.address is None:
        raise DataError(f"{portfolio.name}.{table.name}: {table.file} was not found. Set TALLY_DATA_DIR to the folder that holds it, "
                        f"or put it at {own}, or declare its address in feature_repo/portfolios/{portfolio.name}.py")
    path = found[0] if found else own
    if not found:
        fetch(str(table.address), path, table)
    require_digest(table, path)
    return path


def digest(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_digest(table: Table, path: Path) -> None:
    """Raise DataError unless the file is one the contract declares; without a declared digest any file will do."""
    found = digest(path) if table.sha256 else None
    if found is not None and found not in table.sha256:
        raise DataError(f"{path} is not the declared file: its SHA-256 is {found}, table {table.name} declares {', '.join(table.sha256)}. "
                        "Fetch it again, or declare this digest once you have checked the file")


def fetch(address: str, path: Path, table: Table) -> None:
    """Download to `path`; nothing is visible there before it is complete and of a declared digest."""
    if not address.startswith(("https://", "http://")):
        raise DataError(f"table {table.name}: the address {address} is not http or https")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _download(address, draft)
        require_digest(table, draft)
        draft.replace(path)
    except (URLError, OSError) as error:
        raise DataError(f"{table.file} could not be fetched from {address} ({type(error).__name__}). "
                        f"Put it at {path}, or set TALLY_DATA_DIR to the folder that holds it") from None
    finally:
        draft.unlink(missing_ok=True)


def _download(address: str, path: Path) -> None:
    with urllib.request.urlopen(address, timeout=30) as answer, path.open("wb") as file:  # noqa: S310 - scheme checked by fetch
        size = int(answer.headers.get("Content-Length") or 0)
        with tqdm(total=size or None, unit="B", unit_scale=True, desc=path.name, disable=None) as bar:
            while block := answer.read(1 << 20):
                bar.update(file.write(block))
    if size and path.stat().st_size != size:
        raise OSError("the connection ended early")


def read(table: Table, path: Path) -> pa.Table:
    """Every column of a raw file: delimited text as text, Parquet in its own types.

    Raises DataError with the file and, for text, the row, where the file is cut off, damaged or not what its reader declares.
    """
    try:
        raw = delimited.read(table.reader, path) if isinstance(table.reader, Csv) else pq.read_table(path, memory_map=True)
    except (pa.ArrowException, OSError, UnicodeError, LookupError):
        raise DataError(f"{path} is cut off, damaged, or not what table {table.name} declares: {table.reader}. Fetch it again, or "
                        "correct the reader") from None
    return _named(raw, table, path)


def _named(raw: pa.Table, table: Table, path: Path) -> pa.Table:
    """Columns by header, or by position where there is none. A first line that is data is not repeated in a message."""
    headed = not isinstance(table.reader, Csv) or table.reader.header
    names = [name.strip() for name in raw.column_names] if headed else [str(position) for position in range(1, raw.num_columns + 1)]
    declared = {column.raw for column in table.columns} - {ROW}
    if not declared.intersection(names) if headed else len(names) == 1 < len(declared):
        raise DataError(f"{path}: {_lacking(names if headed else [], declared)} ({table.reader})")
    if len(set(names)) < len(names):
        twice = [position for position, name in enumerate(names, 1) if names.count(name) > 1]
        raise DataError(f"{path}: columns {twice} share a name; name each column once")
    raw = _without_trailing_separator(raw.rename_columns(names), declared)
    return raw.drop_columns([column.raw for column in table.select(Ignored) if column.raw in raw.column_names])


def _lacking(names: list[str], declared: set[str]) -> str:
    """What may be wrong with a reader under which a file has none, or one, of the declared columns."""
    if not names:
        return f"one column where {len(declared)} are declared; the reader's separator is not the file's"
    if any("\0" in name for name in names):
        return 'the first line is not text of this encoding; try encoding="utf-16"'
    for separator in SEPARATORS:
        if len(names) == 1 and declared.intersection(part.strip(' "') for part in names[0].split(separator)):
            return f"its first line is split by {separator!r}; declare that as the separator of the reader"
    return "none of the columns declared is in its header; is there one, and is the reader right?"


def _without_trailing_separator(raw: pa.Table, declared: set[str]) -> pa.Table:
    """Leaves out a last column nobody named that holds nothing: every row ends with a separator."""
    last = raw.column_names[-1]
    if last in declared or not (last == "" or last.isdigit()):
        return raw
    filled = pc.not_equal(pc.utf8_trim_whitespace(raw[last].cast(pa.string())), "")
    return raw if pc.any(filled).as_py() else raw.drop_columns([last])
