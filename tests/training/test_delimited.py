"""What lenders export is read as it was written, and what is not as declared is said in one line with its row."""

from __future__ import annotations

import gzip
import threading
from dataclasses import replace

import pandas as pd
import pytest

from feature_repo.contract import Applicant, Request, Table
from feature_repo.errors import DataError
from feature_repo.sources import BLANKS, ROW, Csv
from training import delimited, raw

TABLE = Table("people", file="people.csv", columns=(Applicant(raw="id"), Request("x", raw="value", low=0, reason="x is high")))
VALUES = {"id": ["a", "b", "c"], "value": ["1", "", "ü€"]}
SECRET = "Jane-Canary-1971"


def place(folder, content, name="people.csv"):
    path = folder / name
    path.write_bytes(content)
    return path


def read(folder, content, reader=None, **changes):
    table = replace(TABLE, reader=reader or Csv(), **changes)
    return raw.read(table, place(folder, content)).to_pydict()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_separator_encoding_line_end_and_packing_gives_the_same_values(tmp_path, encoding, separator, end, packed):
    text = pd.DataFrame(VALUES).to_csv(sep=separator, index=False, lineterminator=end).encode(encoding)

    assert read(tmp_path, gzip.compress(text) if packed else text, Csv(separator=separator, encoding=encoding)) == VALUES


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("reader", [Csv(header=False), Csv(header=False, separator=BLANKS)], ids=["comma", "blanks"])
def test_a_byte_order_mark_is_no_part_of_the_first_value(tmp_path, encoding, reader):
    text = "a,1\nb,2\n".replace(",", " " if reader.separator == BLANKS else ",").encode("utf-8-sig")

    assert read(tmp_path, text, replace(reader, encoding=encoding)) == {"1": ["a", "b"], "2": ["1", "2"]}


WRITTEN = {
    "quoted separators, quotes and line breaks": (
        Csv(), b'id,value\n"a,b","say ""x""\nthen y"\n', {"id": ["a,b"], "value": ['say "x"\nthen y']}),
    "a separator at the end of every row": (Csv(), b"id,value,\na,1,\nb,2,\n", {"id": ["a", "b"], "value": ["1", "2"]}),
    "a separator at the end of every row but the header": (Csv(), b"id,value\na,1,\nb,2,\n", {"id": ["a", "b"], "value": ["1", "2"]}),
    "a separator at the end of rows without a header": (Csv(header=False), b"a,1,\nb,2,\n", {"1": ["a", "b"], "2": ["1", "2"]}),
    "blank lines at the end": (Csv(), b"id,value\na,1\n\n\r\n\n", {"id": ["a"], "value": ["1"]}),
    "headers with blanks around": (Csv(), b" id ,\tvalue\na,1\n", {"id": ["a"], "value": ["1"]}),
    "lines above the header": (Csv(skip=2), b"Report of 2020\nfor, the, board\nid,value\na,1\n", {"id": ["a"], "value": ["1"]}),
    "lines above the first row": (Csv(skip=1, header=False), b"Report\na,1\n", {"1": ["a"], "2": ["1"]}),
    "no line end at the end": (Csv(), b"id,value\na,1", {"id": ["a"], "value": ["1"]}),
    "blanks": (Csv(separator=BLANKS), b"  id   value\n  a      1 \r\n  b\t22\n\n", {"id": ["a", "b"], "value": ["1", "22"]}),
    "blanks and quotes": (Csv(separator=BLANKS), b'"id" "value"\n"a b"  "x ""y"""', {"id": ["a b"], "value": ['x "y"']}),
    "a byte order mark before blanks and quotes": (
        Csv(separator=BLANKS, header=False), b'\xef\xbb\xbf  "a b" 1\n', {"1": ["a b"], "2": ["1"]}),
    "blanks and a quote within": (Csv(separator=BLANKS), b'id value\na 5"x\nb 6"\n', {"id": ["a", "b"], "value": ['5"x', '6"']}),
    "a separator of more than a character": (Csv(separator=r"\|\|"), b"id||value\na||1\nb||\n", {"id": ["a", "b"], "value": ["1", ""]}),
    "a regular expression": (Csv(separator=" *[;,] *"), b"id ; value\na, 1\n", {"id": ["a"], "value": ["1"]}),
    "one row only": (Csv(header=False), b"a,1\n", {"1": ["a"], "2": ["1"]}),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_what_lenders_export_is_read_as_it_was_meant(tmp_path, case):
    reader, text, values = WRITTEN[case]

    assert read(tmp_path, text, reader) == values


def test_a_separator_of_more_than_a_character_is_found_across_blocks(tmp_path):
    rows = 300_000
    text = b"id   value\n" + b"".join(b"%d  %d\n" % (row, row % 7) for row in range(rows))

    found = read(tmp_path, gzip.compress(text, 1), Csv(separator=BLANKS))

    assert found["id"] == [str(row) for row in range(rows)]
    assert found["value"][-1] == str((rows - 1) % 7)


def test_latin_1_and_windows_1252_differ_where_they_do(tmp_path):
    assert read(tmp_path, b"id,value\na,\x80\n", Csv(encoding="cp1252"))["value"] == ["€"]
    assert read(tmp_path, b"id,value\na,\xe9\n", Csv(encoding="latin-1"))["value"] == ["é"]


SHORT = f"b{SECRET}".encode()


@pytest.mark.parametrize(("reader", "text", "said"), [
    (Csv(), b"id,value\na,1\n" + SHORT + b"\n", "row 3: 1 fields where 2"),
    (Csv(), b"id,value\na,1\nb,2,3\n", "row 3: 3 fields where 2"),
    (Csv(), b"id,value\na,1,\nb,2,3,\n", "row 2: 3 fields where 2"),
    (Csv(header=False), b"a,1\n" + SHORT, "row 2: 1 fields where 2"),
    (Csv(skip=2), b"x\ny\nid,value\na,1\n" + SHORT, "row 5: 1 fields where 2"),
    (Csv(separator=BLANKS), b"id  value\na   1\n" + SHORT, "row 3: 1 fields where 2"),
    (Csv(separator=BLANKS), b'id  value\na "one\ntwo"\n', "row 2: a quoted value does not end on its line"),
], ids=str)
def test_a_row_of_another_length_is_named_by_its_number_and_never_quoted(tmp_path, reader, text, said):
    with pytest.raises(DataError, match=said) as error:
        read(tmp_path, text, reader)

    assert "\n" not in str(error.value)
    assert SECRET not in str(error.value)


LATIN = "id,value\n" + "a,1\n" * 5 + f"{SECRET},é\n"


@pytest.mark.parametrize(("reader", "text", "row"), [
    (Csv(), LATIN.encode("latin-1"), 7), (Csv(encoding="utf-8"), LATIN.encode("utf-16"), 1),
    (Csv(encoding="cp1252"), b"id,value\na,\x81\n", 2),
    (Csv(separator=BLANKS), LATIN.replace(",", " ").encode("latin-1"), 7), (Csv(encoding="ascii"), LATIN.encode("utf-8"), 7),
], ids=str)
@pytest.mark.parametrize("packed", [False, True])
def test_another_encoding_is_one_line_with_the_row_and_what_to_declare(tmp_path, reader, text, row, packed):
    with pytest.raises(DataError, match=rf"row {row}: this is not written in {reader.encoding}.*latin-1") as error:
        read(tmp_path, gzip.compress(text) if packed else text, reader)

    assert "\n" not in str(error.value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(("reader", "text", "said"), [
    (Csv(), b"id;value\na;1\n", "split by ';'"),
    (Csv(separator=";"), b'"id","value"\na,1\n', "split by ','"),
    (Csv(separator="\t"), b"id  value\na  1\n", "split by ' '"),
    (Csv(), b"who;what\na;1\n", "none of the columns declared"),
    (Csv(), b"a,1\nb,2\n", "none of the columns declared"),
    (Csv(encoding="utf-8"), "id,value\na,1\n".encode("utf-16-le"), "utf-16"),
], ids=str)
def test_another_separator_is_one_line_that_says_which(tmp_path, reader, text, said):
    with pytest.raises(DataError, match=said) as error:
        read(tmp_path, text, reader)

    assert "\n" not in str(error.value)


def test_without_a_header_one_column_where_more_are_declared_is_another_separator(tmp_path):
    columns = (Applicant(raw=ROW), Request("x", raw="1", low=0, reason="x"), Request("y", raw="2", low=0, reason="y"))
    with pytest.raises(DataError, match="one column where 2 are declared"):
        read(tmp_path, b"1;2\n3;4\n", Csv(header=False), columns=columns)


def test_headers_that_differ_only_in_blanks_are_one_name_twice(tmp_path):
    with pytest.raises(DataError, match=r"columns \[2, 3\] share a name"):
        read(tmp_path, b"id,value, value\na,1,2\n")


def test_the_header_alone_can_be_asked_for(tmp_path):
    path = place(tmp_path, b"Report\n id ;value \na;1\n")

    assert delimited.header(Csv(separator=";", skip=1), path) == ["id", "value"]


def test_python_reads_on_its_own_thread_lest_one_of_arrows_outlive_it(tmp_path, monkeypatch):
    """Such a thread aborted one run in forty when the interpreter ended, after all work was done."""
    monkeypatch.setattr(delimited, "BLOCK", 65)  # odd: a block ends within a character
    threads, split = set[str](), delimited._Splitter._split

    def watched(splitter, line):
        threads.add(threading.current_thread().name)
        return split(splitter, line)

    monkeypatch.setattr(delimited._Splitter, "_split", watched)
    text = "id  value\n" + 'a  1\nb  "2  ü"\n' * 40 + "c  €"

    found = read(tmp_path, text.encode("utf-16"), Csv(separator=BLANKS, encoding="utf-16"))

    assert found == {"id": ["a", "b"] * 40 + ["c"], "value": ["1", "2  ü"] * 40 + ["€"]}
    assert threads == {threading.current_thread().name}
