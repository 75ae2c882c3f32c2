"""`tally demo` on a small checkout: its last line works when pasted, again is harmless, a busy port stops it first, stop ends it all."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading

import httpx
import pytest

PORTS = ("TALLY_PORT", "TALLY_MLFLOW_PORT", "TALLY_REPORTS_PORT")


@pytest.fixture(scope="module")
def ports(free_ports):
    return dict(zip(PORTS, map(str, free_ports(3)), strict=True))


@pytest.fixture(scope="module")
def demo(small_project, ports):
    """The demonstration, run once; what it started is ended whatever happens."""
    yield small_project.run("tally", "demo", **ports)
    small_project.run("tally", "stop", **ports)


def paste(line):
    assert line.startswith("curl ")
    return json.loads(subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout)  # noqa: S607


def test_a_busy_port_is_said_before_anything_is_run(small_project, ports):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()

        done = small_project.run("tally", "demo", **{**ports, "TALLY_REPORTS_PORT": str(other.server_port)})

        other.shutdown()
    assert done.returncode == 1
    assert f"TALLY_REPORTS_PORT={other.server_port + 1}" in done.stderr
    assert "Pipeline" not in done.stdout


def test_the_last_line_is_a_decision_when_pasted_and_the_three_outcomes_are_shown(demo):
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert all(outcome in demo.stdout for outcome in ("approve", "refer", "decline", "reason 1", "drift:", "fairness:", "performance:"))

    answer = paste(demo.stdout.splitlines()[-1])

    assert answer["decision_id"]
    assert answer["outcome"] == "approve"


def test_every_address_it_prints_answers(demo, ports, small_project):
    pages = [f"http://127.0.0.1:{ports['TALLY_MLFLOW_PORT']}", f"http://127.0.0.1:{ports['TALLY_PORT']}/docs",
             f"http://127.0.0.1:{ports['TALLY_REPORTS_PORT']}/{small_project.portfolio}/fairness.html"]

    assert [httpx.get(page).status_code for page in pages] == [200, 200, 200]


def test_the_record_verifies_and_decides_again_and_becomes_a_window(demo, small_project, tmp_path):
    decision = paste(demo.stdout.splitlines()[-1])["decision_id"]

    verified = small_project.run("tally", "verify")
    again = small_project.run("tally", "replay", decision)
    exported = small_project.run("tally", "export", "--from", "2000-01-01", "--to", "2100-01-01")

    assert verified.returncode == again.returncode == exported.returncode == 0, verified.stderr + again.stderr + exported.stderr
    kept = tmp_path / "kept.txt"
    kept.write_text(small_project.run("tally", "checkpoint").stdout)
    assert small_project.run("tally", "verify", "--checkpoint", str(kept)).returncode == 0
    kept.write_text(kept.read_text().replace("\u2014", "-"))
    assert small_project.run("tally", "verify", "--checkpoint", str(kept)).returncode == 1
    assert "the same to the last bit" in again.stdout
    assert "in 1 window of a month" in exported.stdout


def test_two_invented_people_signed_what_serves_and_all_they_said_is_marked(demo, small_project):
    told = small_project.run("tally", "requests", "--all").stdout

    assert "demo-owner asks for version 1" in demo.stdout
    assert "demo-approver approves it" in demo.stdout
    assert "asked for by demo-owner (demo)" in told
    assert "approved by demo-approver" in told


def test_where_real_people_are_named_nobody_is_invented(demo, small_project, tmp_path):
    refused = small_project.run("tally", "promote", "--demo", TALLY_SIGNERS=str(tmp_path / "signers.yaml"))

    assert refused.returncode == 1
    assert "names who is real" in refused.stderr


def test_a_version_that_cannot_score_here_changes_nothing(demo, small_project, ports):
    serving = httpx.get(f"http://127.0.0.1:{ports['TALLY_PORT']}/v1/release").json()

    refused = small_project.run("tally", "promote", "--demo", "--version", "99")

    assert refused.returncode == 1
    assert httpx.get(f"http://127.0.0.1:{ports['TALLY_PORT']}/v1/release").json() == serving


def test_again_is_harmless_and_stop_ends_everything(demo, small_project, ports):
    running = {path.name: json.loads(path.read_text())["pid"] for path in (small_project.path / "var" / "run").glob("*.json")}

    again = small_project.run("tally", "demo", **ports)

    assert again.returncode == 0, again.stdout + again.stderr
    assert "up to date" in again.stdout
    assert {path.name: json.loads(path.read_text())["pid"] for path in (small_project.path / "var" / "run").glob("*.json")} == running
    assert small_project.run("tally", "stop", **ports).stdout.strip() == "stopped: mlflow, reports, scoring, watch"
    for port in ports.values():
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}")
