"""Gauges of what was published: on the service's own page, of the newest publish, and no error where there is none."""

from __future__ import annotations

import msgspec
from asking import NOW, ask
from prometheus_client.parser import text_string_to_metric_families

from feature_repo.statistics import FILE, OfColumn, OfView, Statistics
from serving.statistics import Published

AS_OF = {"0.05": NOW.timestamp() - 90, "0.95": NOW.timestamp()}
KNOWN = Statistics({"debt": OfColumn(0.25, {"0.5": 7.0})}, {"moorings": OfView(100, AS_OF)})


def told(published: Published) -> dict[tuple[str, ...], float]:
    return {(sample.name, *sample.labels.values()): sample.value for family in published.collect() for sample in family.samples}


def test_the_newest_file_counts_and_a_torn_one_says_nothing(tmp_path):
    published, path = Published(tmp_path / FILE, NOW), tmp_path / FILE
    assert told(published) == {}

    path.write_bytes(msgspec.json.encode(KNOWN))
    ages = {("tally_feature_age_seconds", "moorings", "0.95"): 90.0, ("tally_feature_age_seconds", "moorings", "0.05"): 0.0}
    assert told(published) == {("tally_feature_missing_share", "debt"): 0.25, ("tally_feature_quantile", "debt", "0.5"): 7.0, **ages}

    path.write_bytes(b"{")
    assert told(published) == {}
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(KNOWN, views={})))
    assert len(told(published)) == 2


def test_the_page_of_a_service_has_them(api, brought):
    page = ask(api, "GET", "/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(page)}

    columns = {sample.labels["column"] for sample in families["tally_feature_missing_share"].samples}
    assert columns == {column.name for column in brought.stored}
