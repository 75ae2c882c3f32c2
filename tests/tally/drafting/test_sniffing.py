"""How a file is written is found out: separator, header, encoding, compression, lines above; and what is no table is refused."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from feature_repo.errors import DataError
from feature_repo.sources import BLANKS, Csv, Parquet
from tally.drafting import sniffing

ROWS = [["name", "amount", "rate"], *([f"n{at}", str(100 + at), f"{at},5"] for at in range(40))]


def text(separator: str, rows=ROWS) -> str:
    return "".join(separator.join(row) + "\n" for row in rows)


@pytest.mark.parametrize(("separator", "declared"), [("\t", "\t"), (";", ";"), ("|", "|"), ("  ", BLANKS)])
def test_the_separator_is_the_one_under_which_every_line_has_as_many_fields(tmp_path, separator, declared):
    path = tmp_path / "file.txt"
    path.write_text(text(separator))

    reader, table = sniffing.read(path)

    assert reader == Csv(separator=declared)
    assert table.column_names == ROWS[0]
    assert table.num_rows == 40


def test_commas_within_quotes_do_not_part(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("a,b\n" + '"x, y","1,5"\n' * 30)

    assert sniffing.read(path)[1].to_pydict() == {"a": ["x, y"] * 30, "b": ["1,5"] * 30}


def test_a_first_line_that_is_data_is_no_header(tmp_path):
    path = tmp_path / "file.dat"
    path.write_text("b 30.83 ? u +\na 58.67 4.46 u -\n" * 20)

    reader, table = sniffing.read(path)

    assert reader == Csv(separator=BLANKS, header=False)
    assert table.column_names == ["1", "2", "3", "4", "5"]
    assert table.num_rows == 40


@pytest.mark.parametrize(("first", "rest", "headed"), [
    (["colour", "size"], [["red", "big"], ["blue", "big"]], True),
    (["red", "big"], [["red", "big"], ["blue", "small"]], False),
    (["a", "a"], [["1", "2"]], True), (["", "b"], [["1", "2"]], True), (["x", "12"], [["y", "13"]], False),
])
def test_a_header_is_texts_none_of_which_stands_below(first, rest, headed):
    assert sniffing.has_header([first, *rest]) is headed


@pytest.mark.parametrize(("encoding", "found"), [("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("latin-1", "latin-1"),
                                                 ("cp1252", "cp1252"), ("utf-16", "utf-16")])
def test_the_encoding_is_the_one_the_whole_file_is_written_in(tmp_path, encoding, found):
    path = tmp_path / "file.csv"
    word = "20 €" if encoding == "cp1252" else "Müller"
    path.write_bytes(("city;sum\n" + "Ulm;1\n" * 400_000 + f"{word};2\n").encode(encoding))

    reader, table = sniffing.read(path)

    assert reader.encoding == found
    assert table["city"][-1].as_py() == word


def test_compressed_text_and_parquet_are_read_as_they_are(tmp_path):
    packed, parquet = tmp_path / "file.csv.gz", tmp_path / "file.parquet"
    packed.write_bytes(gzip.compress(text(",", [["a", "b"], *[["1", "2"]] * 9]).encode()))
    pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}).to_parquet(parquet)

    assert sniffing.read(packed)[0] == Csv()
    assert sniffing.read(parquet)[0] == Parquet()


def test_lines_above_the_header_and_a_separator_after_every_row_are_looked_past(tmp_path):
    above, after = tmp_path / "above.csv", tmp_path / "after.csv"
    above.write_text("Export of the night\n\n" + text(";"))
    after.write_text("a;b\n" + "1;2;\n" * 30)

    assert sniffing.read(above)[0] == Csv(separator=";", skip=2)
    assert sniffing.read(above)[1].column_names == ROWS[0]
    assert sniffing.read(after)[1].column_names == ["a", "b"]


@pytest.mark.parametrize(("content", "said"), [
    (b"PK\x03\x04 something", "workbook"), (b"", "empty"), (b"one\ntwo\nthree\nfour\nfive\n", "no separator"),
    (b"a,a\n1,2\n3,4\n", "share a name"), (b"a,b\n", "no rows"),
])
def test_what_is_no_table_is_refused_without_repeating_it(tmp_path, content, said):
    path = tmp_path / "file.csv"
    path.write_bytes(content)

    with pytest.raises(DataError, match=said) as refused:
        sniffing.read(path)
    assert "three" not in str(refused.value)
