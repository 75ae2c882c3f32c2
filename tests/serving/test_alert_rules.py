"""Dashboard, alert rules and their page name what a real service tells, all of it; the rules fire where they should, by promtool."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from governance.standing import Standing
from monitoring.alerts import textfile
from serving.beside_metrics import BesideMetrics
from tally.watched import Watched

ROOT = Path(__file__).parents[2]
PROMTOOL = shutil.which("promtool") or "promtool"
RULES, UNIT_TESTS = ROOT / "infra/prometheus/alerts.yaml", ROOT / "infra/prometheus/alerts_test.yaml"
PAGE = (ROOT / "docs/observability.md").read_text()
NAME = re.compile(r"\btally_\w+")
PART = re.compile(r"_(bucket|count|sum)$")
VARIABLES = {"$__rate_interval": "5m", "$__range": "6h", "$job": ".+"}


def promtool(*given: object) -> str:
    done = subprocess.run([PROMTOOL, *map(str, given)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def panels() -> list[dict[str, Any]]:
    return json.loads((ROOT / "infra/grafana/scoring.json").read_bytes())["panels"]


def queries() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", ())]


@pytest.fixture(scope="module")
def told(service) -> set[str]:
    """Every metric on the page of a service that had traffic."""
    for document in (service.request, {}):
        httpx.post(f"{service.url}/v1/decisions", json=document)
    return metrics_on(httpx.get(f"{service.url}/metrics").text)


def metrics_on(page: str) -> set[str]:
    told = {f"{family.name}_total" if family.type == "counter" else family.name for family in text_string_to_metric_families(page)}
    return {name for name in told if not name.endswith("_created")}  # told only where a process counts for itself


@pytest.fixture(scope="module")
def of_the_watch(tmp_path_factory) -> set[str]:
    path = tmp_path_factory.mktemp("watch") / "watch.prom"
    Watched(path).turned(Standing((), ()))
    return metrics_on(path.read_text())


@pytest.fixture(scope="module")
def of_monitoring(tmp_path_factory) -> set[str]:
    return metrics_on(textfile.write(tmp_path_factory.mktemp("reports"), "loans", (), {}).read_text())


def beside() -> set[str]:
    """What a service tells once a release is beside its champion."""
    registry = CollectorRegistry()
    BesideMetrics(registry)
    return metrics_on(generate_latest(registry).decode())


def test_rules_and_the_scrape_configuration_are_what_prometheus_reads():
    promtool("check", "rules", RULES)
    promtool("check", "config", ROOT / "infra/prometheus/prometheus.yml")


def test_every_alert_fires_where_it_should_and_not_where_it_should_not():
    cases = yaml.safe_load(UNIT_TESTS.read_text())["tests"]
    seen = {(one["alertname"], bool(one["exp_alerts"])) for case in cases for one in case["alert_rule_test"]}

    promtool("test", "rules", UNIT_TESTS)
    assert seen == {(rule["alert"], fires) for rule in alerts() for fires in (True, False)}


def test_every_alert_has_a_severity_an_owner_and_a_section_of_the_runbook():
    for rule in alerts():
        assert rule["labels"].keys() == {"severity", "owner"}
        assert rule["labels"]["severity"] in {"page", "ticket", "{{ $labels.severity }}"}
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert anchor in [heading.lower() for heading in re.findall(r"^### (\w+)$", (ROOT / page).read_text(), flags=re.MULTILINE)]


def test_the_dashboard_asks_what_prometheus_understands(tmp_path):
    path = tmp_path / "queries.yaml"
    asked = [{"record": f"panel:query:number{place}", "expr": with_values(query)} for place, query in enumerate(queries())]
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": asked}]}))

    promtool("check", "rules", "--lint=none", path)


def with_values(query: str) -> str:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def test_the_dashboard_can_be_imported_anywhere_and_has_its_rows():
    sources = {panel["datasource"]["uid"] for panel in panels() if panel["type"] != "row"}
    rows = [panel["title"] for panel in panels() if panel["type"] == "row"]
    ids = [panel["id"] for panel in panels()]

    assert sources == {"${datasource}"}
    assert rows == ["Traffic", "Latency", "Outcomes and degraded answers", "Errors and shed requests", "Stored features",
                    "Beside the champion", "Release and version"]
    assert len(set(ids)) == len(ids)


def test_what_dashboard_and_rules_name_is_told_by_a_service_its_watch_or_monitoring(told, of_the_watch, of_monitoring):
    named = {PART.sub("", name) for query in [*queries(), *(rule["expr"] for rule in rules())] for name in NAME.findall(query)}

    assert named - told - beside() - of_the_watch - of_monitoring == set()
    assert len(named) > 15


def test_every_metric_of_a_service_is_on_the_page_about_them(told):
    assert (told | beside()) - set(NAME.findall(PAGE)) == set()
