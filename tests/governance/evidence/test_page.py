"""Guarantees of the page: it fetches nothing, every value is escaped, what was decided and why can be read, and it fits a narrow screen."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile

import pytest

from governance.evidence import page


def html(data: bytes) -> str:
    return zipfile.ZipFile(io.BytesIO(data)).read("index.html").decode()


@pytest.mark.parametrize("about", ["decision", "release"])
def test_it_fetches_nothing_and_runs_nothing(packed, about):
    text = html(packed[about])
    assert "default-src 'none'" in text
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import", text)


def test_reasons_are_those_of_the_record_in_their_order(packed, recorded):
    content = recorded.questions.decision(recorded.decided[recorded.a.id][10]).content
    text = html(packed["decision"])
    places = [text.index(reason["text"]) for reason in content["reasons"]]
    assert places == sorted(places) != []
    assert "Declined" in text or "Referred" in text


def test_who_asked_who_agreed_and_what_the_gates_found_can_be_read(packed):
    text = re.sub(r"<[^>]*>", "", html(packed["release"]))
    assert re.search(r"Asked for by\s*olga, 10 March 2024", text)
    assert re.search(r"Approved by\s*anna", text)
    assert re.search(r"gini\s*passed\s*0.55\s*at least 0.40", text)


def test_values_are_escaped():
    assert "&lt;script&gt;" in page.PAGES.from_string("{{ value | amount }}").render(value="<script>")


@pytest.mark.parametrize(("value", "told"), [(None, "\u2013"), (-3.5, "\u22123.5"), (8_612_970.4, "8,612,970.40"), (250_000.0, "250,000"),
                                             ("rye", "rye"), (0.1 + 0.2, "0.3")])
def test_values_are_written_as_people_write_them(value, told):
    assert page.amount(value) == told


def chromium(*options: str) -> str:
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("about", ["decision", "release"])
def test_nothing_is_wider_than_a_narrow_screen_and_it_prints(packed, about, tmp_path):
    asking = "<script>document.title = document.documentElement.scrollWidth + ' ' + innerWidth</script></body>"
    shown = html(packed[about]).replace("default-src 'none'", "default-src 'unsafe-inline'").replace("</body>", asking)
    (tmp_path / "page.html").write_text(shown)
    address, printed = (tmp_path / "page.html").as_uri(), tmp_path / "page.pdf"
    wide, window = map(int, re.search(r"<title>(\d+) (\d+)", chromium("--window-size=500,900", "--dump-dom", address)).groups())
    assert wide <= window
    chromium(f"--print-to-pdf={printed}", address)
    assert printed.read_bytes().startswith(b"%PDF")
