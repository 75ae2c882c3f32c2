"""Clocks that jump an hour over the end of a month: the record's order is that of its numbers, nothing is lost, and it verifies."""

from __future__ import annotations

import pytest
from jumping_clock import write


@pytest.mark.parametrize("store", ["embedded", "postgresql"])
def test_the_order_of_the_record_is_of_its_numbers_whatever_the_clocks_say(tmp_path, request, store):
    address = request.getfixturevalue("postgres").make() if store == "postgresql" else ""
    folder = tmp_path / "card_default"
    folder.mkdir()
    found = write(folder, 1.0, address)
    assert found.broken == []
    assert found.backwards > 0
    assert found.entries > 50
