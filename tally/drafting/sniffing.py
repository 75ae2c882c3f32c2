"""How a file nobody described is written: compression, encoding, separator, lines above the header, header; and its columns as text.

Refuses what is no table: a workbook, a file of one column, rows of unequal length. Never repeats a value in a message.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.errors import DataError
from feature_repo.sources import BLANKS, Csv, Parquet
from training import delimited

GZIP, ZIP, PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
BLOCK = 1 << 22
LINES = 500
MOST_ABOVE = 30  # lines above the header that are looked past
SEPARATORS = ("\t", "|", ";", ",", BLANKS)
CONSISTENT = 0.98
FIGURE = re.compile(r"[+-]?[0-9][0-9.,' ]*%?|\?")


def read(path: Path) -> tuple[Csv | Parquet, pa.Table]:
    """The reader a contract would declare, and every column by its header or position: text as text, Parquet in its own types."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == ZIP:
        raise DataError(f"{path} is a workbook or a zip archive; save its one table as CSV or Parquet")
    if magic == PARQUET:
        return Parquet(), _once(pq.read_table(path), path)
    reader = sniff(path)
    try:
        table = delimited.read(reader, path)
    except (pa.ArrowException, OSError, UnicodeError):
        raise DataError(f"{path} could not be read as {reader}; is it cut off or damaged?") from None
    return reader, _once(_named(table, reader), path)


def sniff(path: Path) -> Csv:
    """How delimited text is written. Decimal and thousands are for who knows the columns."""
    head, encoding = _decoded(path)
    lines = [line for line in head.split("\n")[:LINES] if line.strip()]
    if not lines:
        raise DataError(f"{path} is empty")
    separator = max(SEPARATORS, key=lambda each: _consistency(lines, each))
    if not _consistency(lines, separator):
        raise DataError(f"{path}: no separator (tab, |, ;, comma, blanks) parts its first {len(lines)} lines into columns of one number; "
                        "is it a table of more than one column, each row on one line?")
    rows = [_fields(line, separator) for line in lines]
    skip = _above(rows)
    at = head.split("\n").index(lines[skip])
    return Csv(separator=separator, header=has_header(rows[skip:]), encoding=encoding, skip=at if skip else 0)


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: texts, none of which stands among the values below it."""
    first, below = [text.strip() for text in rows[0]], rows[1:]
    named = [text for text in first if text]
    if len(named) < len(first) - 1 or any(FIGURE.fullmatch(text) for text in named):
        return False
    seen = [{row[at].strip() for row in below if at < len(row)} for at in range(len(first))]
    return not any(text and text in values for text, values in zip(first, seen, strict=True))


def _decoded(path: Path) -> tuple[str, str]:
    """The first lines as text, and the encoding of the whole file."""
    with _unpacked(path) as file:
        head = file.read(BLOCK)
        encoding = _encoding(head, file)
    text = head.decode(encoding, "ignore").replace("\r\n", "\n").replace("\r", "\n")
    return (text if len(head) < BLOCK else text.rpartition("\n")[0]), encoding


def _encoding(head: bytes, rest: pa.NativeFile) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head[:1000]:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    decoder, block, western = codecs.getincrementaldecoder("utf-8")(), head, False
    try:
        while block:
            decoder.decode(block)
            block = rest.read(BLOCK)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        western = True
    if not western:
        return "utf-8-sig"
    return "cp1252" if re.search(rb"[\x80-\x9f]", head + block) else "latin-1"


def _unpacked(path: Path) -> pa.NativeFile:
    with path.open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
    return pa.input_stream(path, compression="gzip" if packed else "detect")


def _fields(line: str, separator: str) -> list[str]:
    if separator == BLANKS:
        return [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', line)]
    return next(csv.reader([line], delimiter=separator))


def _consistency(lines: list[str], separator: str) -> float:
    """Share of lines with the same number of fields, more than one; nought where, those above a header apart, it is not nearly all."""
    counts = Counter(len(_fields(line, separator)) for line in lines)
    width, often = max(counts.items(), key=lambda item: item[1])
    least = len(lines) - max(1, min(MOST_ABOVE, len(lines) // 4)) if len(lines) < LINES else CONSISTENT * len(lines)
    return often / len(lines) if width > 1 and often >= least else 0.0


def _above(rows: list[list[str]]) -> int:
    """How many lines stand above the header or the first row. A header may lack the empty field that ends every row."""
    width = Counter(map(len, rows)).most_common(1)[0][0]
    ends_empty = all(row[-1] == "" for row in rows if len(row) == width)
    return next(at for at, row in enumerate(rows) if len(row) == width or (ends_empty and len(row) == width - 1))


def _named(table: pa.Table, reader: Csv) -> pa.Table:
    names = [name.strip() for name in table.column_names] if reader.header else [str(at + 1) for at in range(table.num_columns)]
    named = table.rename_columns(names)
    last = named.column_names[-1]
    empty = last in {"", str(named.num_columns)} and not any(text.strip() for text in named[last].unique().to_pylist())
    return named.drop_columns([last]) if empty and named.num_columns > 1 else named


def _once(table: pa.Table, path: Path) -> pa.Table:
    twice = [at for at, name in enumerate(table.column_names, 1) if table.column_names.count(name) > 1]
    if twice:
        raise DataError(f"{path}: columns {twice} share a name; name each column once")
    if not table.num_rows:
        raise DataError(f"{path} has a header and no rows")
    return table
