"""Raw files are found in order, are the declared ones, and are read whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from feature_repo.contract import Applicant, Ignored, Outcome, Request, Table, days
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from feature_repo.sources import Csv, Parquet
from training import raw

TABLE = Table("people", file="people.csv",
              columns=(Applicant(raw="id"), Request("x", raw="value", low=0, reason="x is high"), Ignored(raw="note", because="noise")))
TEXT = b"id,value,note\n1,5,a\n2,,b\n"
SECRET = "Jane-Canary-1971"


def portfolio(table=TABLE):
    return Portfolio(name="shop", title="A shop", tables=(table,),
                     outcome=Outcome(raw="bad", bad=("1",), good=("0",), matures_after=days(1)))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TALLY_DATA_DIR", raising=False)
    return tmp_path


def place(path, content=TEXT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_data_folder_comes_before_the_tree(folder, monkeypatch):
    place(folder / raw.RAW / "shop" / "people.csv")
    assert raw.find(portfolio(), TABLE) == raw.RAW / "shop" / "people.csv"

    monkeypatch.setenv("TALLY_DATA_DIR", str(folder / "far"))
    assert raw.find(portfolio(), TABLE) == raw.RAW / "shop" / "people.csv"

    far = place(folder / "far" / "people.csv")
    assert raw.find(portfolio(), TABLE) == far


def test_a_missing_file_is_one_line_with_the_three_choices():
    with pytest.raises(DataError) as error:
        raw.find(portfolio(), TABLE)

    message = str(error.value)
    assert "\n" not in message
    for choice in ("TALLY_DATA_DIR", "data/raw/shop/people.csv", "feature_repo/portfolios/shop.py"):
        assert choice in message


def test_another_file_under_the_declared_name_is_refused():
    declared = replace(TABLE, sha256=("0" * 64, hashlib.sha256(TEXT).hexdigest()))
    path = place(raw.RAW / "shop" / "people.csv")
    assert raw.find(portfolio(declared), declared) == path

    place(path, TEXT + b"3,4,c\n")
    with pytest.raises(DataError, match="not the declared file"):
        raw.find(portfolio(declared), declared)


@pytest.fixture
def server(tmp_path):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Say nothing."""

    place(tmp_path / "site" / "people.csv")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "site")) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_declared_address_is_fetched_once_and_checked_before_it_is_there(server):
    right = replace(TABLE, address=f"{server}/people.csv", sha256=(hashlib.sha256(TEXT).hexdigest(),))
    assert raw.find(portfolio(right), right).read_bytes() == TEXT
    assert raw.find(portfolio(right), replace(right, address="http://127.0.0.1:1/gone")).read_bytes() == TEXT

    wrong = replace(right, file="other.csv", sha256=("0" * 64,))
    with pytest.raises(DataError, match="not the declared file"):
        raw.find(portfolio(wrong), wrong)
    assert [path.name for path in (raw.RAW / "shop").iterdir()] == ["people.csv"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/people.csv", "file:///etc/passwd"])
def test_an_address_that_gives_nothing_says_what_to_do(address):
    with pytest.raises(DataError, match=r"could not be fetched|not http"):
        raw.find(portfolio(replace(TABLE, address=address)), replace(TABLE, address=address))


def test_text_is_read_as_text_and_ignored_columns_are_dropped(folder):
    read = raw.read(TABLE, place(folder / "people.csv", b'id,value,note\n007,"5,5",a\n2,,b\n'))

    assert read.to_pydict() == {"id": ["007", "2"], "value": ["5,5", ""]}


READERS = [Csv(), Csv(separator=";"), Csv(separator=" ", header=False), Csv(separator="\t", encoding="utf-16"), Parquet()]


@pytest.mark.parametrize("reader", READERS, ids=str)
@pytest.mark.parametrize("packed", [False, True])
def test_every_declared_reader_reads_the_same_values(folder, reader, packed):
    values = pd.DataFrame({"id": ["a", "b"], "value": ["1", "é"]})
    path = folder / "people.csv"
    if isinstance(reader, Parquet):
        values.to_parquet(path)
    else:
        text = values.to_csv(sep=reader.separator, header=reader.header, index=False).encode(reader.encoding)
        path = place(folder / ("people.csv.gz" if packed else "people.csv"), gzip.compress(text) if packed else text)

    read = raw.read(replace(TABLE, reader=reader), path).to_pandas()

    expected = values if getattr(reader, "header", True) else values.set_axis(["1", "2"], axis=1)
    pd.testing.assert_frame_equal(read, expected)


def test_a_row_with_too_few_fields_is_named_by_its_number(folder):
    with pytest.raises(DataError, match=r"people.csv, row 4: 2 fields where 3 were expected") as error:
        raw.read(TABLE, place(folder / "people.csv", TEXT + f"3,{SECRET}".encode()))
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("damage", [
    pytest.param(lambda text: gzip.compress(text * 5000)[:-200], id="gzip cut off"),
    pytest.param(lambda _: b"", id="empty"),
])
def test_a_damaged_text_file_is_one_line(folder, damage):
    path = folder / ("people.csv.gz" if damage(TEXT)[:2] == b"\x1f\x8b" else "people.csv")
    with pytest.raises(DataError, match="cut off, damaged") as error:
        raw.read(TABLE, place(path, damage(TEXT)))
    assert "\n" not in str(error.value)


def test_a_parquet_file_without_its_end_is_one_line(folder):
    pd.DataFrame({"id": range(1000)}).to_parquet(folder / "people.parquet")
    content = (folder / "people.parquet").read_bytes()
    with pytest.raises(DataError, match="cut off, damaged"):
        raw.read(replace(TABLE, reader=Parquet()), place(folder / "people.parquet", content[: len(content) // 2]))


def test_a_first_line_of_data_is_not_taken_for_a_header_nor_repeated(folder):
    with pytest.raises(DataError, match="none of the columns declared") as error:
        raw.read(TABLE, place(folder / "people.csv", f"{SECRET},5,a\n2,6,b\n".encode()))
    assert SECRET not in str(error.value)


def test_two_columns_of_one_name_are_refused(folder):
    with pytest.raises(DataError, match=r"columns \[2, 3\] share a name"):
        raw.read(TABLE, place(folder / "people.csv", b"id,value,value\n1,2,3\n"))
