"""Delimited text as Arrow reads it: every column as text, under the separator, encoding and header its reader declares.

Responsible for what lies between a lender's export and Arrow: compression, encodings, lines above the header, separators longer than a
character, a separator at the end of every row. Refuses rows of unequal length, and text of another encoding, by row number.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from feature_repo.errors import DataError
from feature_repo.sources import Csv

BLOCK = 16 << 20
GZIP = b"\x1f\x8b"
UNIT = "\x1f"  # ASCII's own separator of fields, which stands in for a longer one
UTF8 = {"utf-8", "utf-8-sig"}


def read(reader: Csv, path: Path) -> pa.Table:
    """Every column by its header or, without one, its position. Raises DataError naming the row, and Arrow's errors for a damaged file."""
    try:
        return _read(reader, path)
    except (pa.ArrowInvalid, UnicodeError, DataError):
        row = _undecodable(reader, path)
        if row is None:
            raise
    raise DataError(f'{path}, row {row}: this is not written in {reader.encoding}. Declare its encoding in the reader, such as "utf-8", '
                    '"latin-1", "cp1252" or "utf-16", or fetch the file again if it is damaged') from None


def header(reader: Csv, path: Path) -> list[str]:
    """The names of the columns, without blanks around them."""
    with _open(reader, path) as text:
        names: list[str] = csv.open_csv(text, **_options(reader, threads=False, refuse=lambda _: "skip")).schema.names
        return [name.strip() for name in names]


def _read(reader: Csv, path: Path) -> pa.Table:
    wrong: list[csv.InvalidRow] = []

    def refuse(row: csv.InvalidRow) -> str:
        wrong.append(row)
        return "error"

    def parse(*, threads: bool, names: list[str] | None = None) -> pa.Table | None:
        with _open(reader, path) as text:
            try:
                return csv.read_csv(text, **_options(reader, threads=threads, names=names, refuse=refuse))
            except pa.ArrowInvalid:
                if not wrong:
                    raise
        return None

    read = parse(threads=True)
    if read is None and reader.header and wrong[0].actual_columns == wrong[0].expected_columns + 1:
        read = parse(threads=True, names=[*header(reader, path), ""])  # all rows but the header end with a separator
    if read is not None:
        return read
    wrong.clear()
    parse(threads=False)  # rows are numbered only on one thread
    row = wrong[0]
    raise DataError(f"{path}, row {row.number}: {row.actual_columns} fields where {row.expected_columns} were expected; the file is cut "
                    "off or damaged, fetch it again, or has a line of notes or totals there, take it out, or its reader declares another "
                    "separator or skip than it has")


def _options(reader: Csv, *, threads: bool, names: list[str] | None = None, refuse: object = None) -> dict[str, object]:
    """Arrow's words for a reader. names: instead of a header, which is then skipped."""
    return {
        "read_options": csv.ReadOptions(use_threads=threads, block_size=BLOCK, skip_rows=reader.skip + (names is not None),
                                        column_names=names, autogenerate_column_names=not reader.header),
        "parse_options": csv.ParseOptions(delimiter=reader.separator if len(reader.separator) == 1 else UNIT,
                                          newlines_in_values=len(reader.separator) == 1, invalid_row_handler=refuse),
        "convert_options": csv.ConvertOptions(default_column_type=pa.string(), strings_can_be_null=False),
    }


def _open(reader: Csv, path: Path) -> pa.NativeFile:
    """The file as UTF-8 text, fields apart by one character."""
    text = _unpacked(path)
    if codecs.lookup(reader.encoding).name in UTF8 and len(reader.separator) == 1:
        return text
    with text:
        return pa.BufferReader(_rewritten(text, reader, path))


def _rewritten(text: pa.NativeFile, reader: Csv, path: Path) -> pa.Buffer:
    """The whole text, on this thread: a function of Python's on one of Arrow's may outlive Python, which then aborts after all is done."""
    decoder, split, sink = codecs.getincrementaldecoder(reader.encoding)(), _Splitter(reader.separator, path), pa.BufferOutputStream()
    while block := text.read(BLOCK):
        decoded = decoder.decode(block).encode()
        sink.write(split(decoded) if decoded and len(reader.separator) > 1 else decoded)
    decoder.decode(b"", final=True)  # refuses a character cut off
    if len(reader.separator) > 1:
        sink.write(split(b""))
    return sink.getvalue()


def _unpacked(path: Path) -> pa.NativeFile:
    with path.open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
    return pa.input_stream(path, compression="gzip" if packed else "detect")


class _Splitter:
    """Turns a regular expression between fields into one character, a line at a time; what is quoted stays as it is."""

    def __init__(self, separator: str, path: Path) -> None:
        self._start = re.compile(rf'(?P<start>^|{separator})(?P<quoted>"(?:[^"]|"")*")?')
        self._open = re.compile(rf'(?:^|{UNIT})"(?:[^"]|"")*$')
        self._around = " \t\r" if re.fullmatch(separator, " ") else "\r"
        self._path, self._row, self._rest = path, 0, b""

    def __call__(self, block: bytes) -> bytes:
        *lines, rest = (self._rest + bytes(block)).split(b"\n")
        if not block and rest:  # the end of the file, which Arrow asks for more than once
            lines, rest = [rest], b""
        self._rest = rest
        return "".join(self._split(line) + "\n" for line in lines).encode()

    def _split(self, line: bytes) -> str:
        self._row += 1
        bare = line.removeprefix(codecs.BOM_UTF8).decode().strip(self._around)
        split = self._start.sub(lambda at: (UNIT if at["start"] else "") + (at["quoted"] or ""), bare)
        if self._open.search(split):
            raise DataError(f"{self._path}, row {self._row}: a quoted value does not end on its line; only a separator of one "
                            "character allows that")
        return split


def _undecodable(reader: Csv, path: Path) -> int | None:
    """The first row that is not of the declared encoding, counted from 1 as lines are. Text of another width shows as zero characters."""
    decoder, before = codecs.getincrementaldecoder(reader.encoding)(), 0
    with _unpacked(path) as file:
        try:
            while block := file.read(BLOCK):
                text = decoder.decode(block)
                if "\0" in text:
                    return before + text[:text.index("\0")].count("\n") + 1
                before += text.count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            return before + error.object[:error.start].decode(reader.encoding, "ignore").count("\n") + 1
        except OSError:
            return None
    return None
