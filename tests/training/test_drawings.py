"""The same table gives the same drawing, and two drawings on one page do not share an id."""

from __future__ import annotations

import re

from training import drawings


def test_a_table_gives_the_same_bytes_again_and_ids_of_its_own(mill_model):
    plots = mill_model.evaluate / "plots"
    first, again = drawings.draw(plots), drawings.draw(plots)
    ids = [found for svg in first.values() for found in re.findall(r'\bid="([^"]*)"', svg)]

    assert first == again
    assert {"roc", "calibration", "vintages"} <= set(first)
    assert len(ids) == len(set(ids))
    assert all(svg.startswith("<svg") and "<style" not in svg for svg in first.values())
    for name, svg in first.items():
        assert set(re.findall(r'href="#([^"]*)"', svg)) | set(re.findall(r"url\(#([^)]*)\)", svg)) <= set(ids), name


def test_text_stays_text(mill_model):
    assert "false positive rate" in drawings.draw(mill_model.evaluate / "plots")["roc"]
