"""Guarantees of the process: light, offline, several workers one ledger and one page of metrics, swapped without a gap, ended cleanly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
from ledgers import decisions
from served import promote

from feature_repo.portfolios import load, names
from governance.release import point

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "architecture"))
import closures

HEAVY = ("pandas", "feast", "mlflow", "xgboost", "evidently", "great_expectations", "dvc", "sklearn", "optbinning", "training",
         "monitoring")
WORKER = """
import asyncio, gc, sys
import httpx
from serving.service import CreditScoring, Front
from serving.openapi import example

async def main():
    service = CreditScoring.inner()
    await service.watch()
    looked_at = len(gc.get_objects())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Front.api), base_url="http://service") as client:
        answer = await client.post("/v1/decisions", json=example(service._decisions.portfolio))
    await service.close()
    kept = "kept" if gc.get_freeze_count() > 20 * looked_at else "looked-at"
    print(answer.status_code, kept, *sorted({name.split(".")[0] for name in sys.modules}))

asyncio.run(main())
"""
ASKING = """
from bentoml._internal.utils.analytics.usage_stats import do_not_track
print(do_not_track())
import serving.service
print(do_not_track())
"""
SUPERVISING = """
import bentoml_cli.serve
import serving.service
from bentoml._internal.utils import circus
print(circus.Arbiter.__name__)
"""


def decide(service) -> httpx.Response:
    return httpx.post(f"{service.url}/v1/decisions", json=service.request)


def wait_for(condition, seconds: float = 15.0):
    for _ in range(int(seconds * 20)):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} seconds")


def test_a_decision_needs_none_of_the_heavy_libraries_and_no_mlflow_and_no_collection_looks_at_what_was_loaded(make_home):
    environment = {**os.environ, "TALLY_PORTFOLIO": "card_default", "TALLY_HOME": str(make_home()), "BENTOML_DO_NOT_TRACK": "True",
                   "MLFLOW_TRACKING_URI": "http://127.0.0.1:1"}
    worker = subprocess.run([sys.executable, "-c", WORKER], env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    said = worker.stdout.split()
    assert said[:2] == ["200", "kept"]
    assert set(HEAVY) & set(said) == set()


def test_two_workers_share_one_ledger_and_one_page_of_metrics(make_home, start):
    with start(make_home(), TALLY_WORKERS="2") as service:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: decide(service), range(200)))
        assert {answer.status_code for answer in answers} == {200}
        page = httpx.get(f"{service.url}/metrics").text
        workers = [child for child in psutil.Process(service.pid).children(recursive=True) if "worker" in " ".join(child.cmdline())]
    assert len(workers) == 2
    assert 'tally_requests_total{route="/v1/decisions",status="200"} 200.0' in page
    assert len(decisions(service.folder)) == len({answer.json()["decision_id"] for answer in answers}) == 200


def test_a_new_champion_is_swapped_in_and_a_bad_one_is_refused_while_the_old_one_serves(make_home, start, make_release, tmp_path):
    home, portfolio = make_home(), load("card_default")
    with start(home, TALLY_WATCH_EVERY="0.1") as service:
        first = decide(service).json()["release_id"]
        promote(home, portfolio, make_release(tmp_path / "second", intercept=-3.0), "2")
        second = wait_for(lambda: (now := decide(service).json())["release_id"] != first and now)
        assert second["model_version"] == "2"
        third = make_release(tmp_path / "third", intercept=-2.5)
        placed = service.folder / "releases" / third.id
        shutil.copytree(third.path, placed)
        (placed / "policy.json").write_bytes((placed / "policy.json").read_bytes().replace(b"0.4", b"0.5"))
        point(service.folder / "champion.json", third, model_version="3")
        wait_for(lambda: "tally_releases_refused_total 0.0" not in httpx.get(f"{service.url}/metrics").text)
        assert decide(service).json()["release_id"] == second["release_id"]


def test_a_service_without_a_release_lives_is_not_ready_and_becomes_ready_by_itself(make_home, start):
    home = make_home()
    releases = home / "card_default" / "releases"
    releases.rename(home / "kept")
    with start(home, TALLY_WATCH_EVERY="0.1") as service:
        answers = [decide(service), httpx.get(f"{service.url}/readyz"), httpx.get(f"{service.url}/v1/release")]
        assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "5")] * 3
        (home / "kept").rename(releases)
        wait_for(lambda: httpx.get(f"{service.url}/readyz").is_success)
        assert decide(service).status_code == 200


def test_a_wrong_setting_ends_the_worker_with_its_name(make_home):
    environment = {**os.environ, "TALLY_PORTFOLIO": "no_such_portfolio", "TALLY_HOME": str(make_home())}
    ended = subprocess.run([sys.executable, "-c", WORKER], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "no_such_portfolio" in ended.stderr


def test_what_bentoml_asks_about_tracking_is_answered_no_unless_the_caller_says_otherwise():
    """`bentoml serve` asks once before it loads the service and keeps the answer, so the test does too."""
    untold = {name: value for name, value in os.environ.items() if name != "BENTOML_DO_NOT_TRACK"}
    for said, off in (({}, "True"), ({"BENTOML_DO_NOT_TRACK": "False"}, "False")):
        asked = subprocess.run([sys.executable, "-c", ASKING], env={**untold, **said}, cwd=ROOT, capture_output=True, text=True, check=True)
        assert asked.stdout.split() == ["False", off]


def test_bentoml_s_supervisor_looks_every_second_though_it_is_imported_after_the_service():
    """In the order of `bentoml serve`: its command, the service, the supervisor. By itself it looks every ten seconds."""
    environment = {**os.environ, "TALLY_PORTFOLIO": "card_default"}
    asked = subprocess.run([sys.executable, "-c", SUPERVISING], env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert asked.stdout.split() == ["Attentive"]


def test_a_bento_holds_what_serving_imports_and_nothing_else(tmp_path):
    environment = {**os.environ, "BENTOML_HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "True"}
    command = [sys.executable, "-m", "bentoml", "build", "--output", "tag"]
    subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True)
    (source,) = tmp_path.glob("bentos/*/*/src")
    packed = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    imports, started = closures.graph(), ("serving.service", *(f"feature_repo.portfolios.{name}" for name in names()))
    needed = {path for module in started for path in closures.closure(imports, module)} - {closures.PORTFOLIO}
    assert packed - {"bentofile.yaml"} == needed
