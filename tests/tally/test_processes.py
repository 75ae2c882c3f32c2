"""Servers are started once, found again, and ended by their own process id; a foreign port or process is never touched."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading

import httpx
import psutil
import pytest

from feature_repo.errors import ServiceError
from tally import processes


@pytest.fixture
def run(tmp_path):
    yield tmp_path / "run"
    for name in processes.running(tmp_path / "run"):
        processes.stop(tmp_path / "run", name)


def web(port, folder, purpose="pages"):
    command = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder))
    return processes.Server("web", command, port, "TALLY_TEST_PORT", "/", purpose=purpose)


def pid_of(run):
    return json.loads((run / "web.json").read_text())["pid"]


def test_a_server_is_kept_while_its_purpose_stays_and_restarted_when_it_changes(run, tmp_path, free_port):
    address = processes.ensure(web(free_port, tmp_path), run)
    first = pid_of(run)

    assert httpx.get(address).is_success
    assert processes.ensure(web(free_port, tmp_path), run) == address
    assert pid_of(run) == first
    processes.ensure(web(free_port, tmp_path, purpose="another release"), run)
    assert pid_of(run) != first
    assert not psutil.pid_exists(first)


def test_a_port_in_use_names_the_variable_that_moves_it(run, tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()

        with pytest.raises(ServiceError, match=r"TALLY_TEST_PORT=\d+"):
            processes.ensure(web(other.server_port, tmp_path), run)

        other.shutdown()


def test_a_server_that_ends_at_once_is_an_error_that_names_its_log(run, free_port):
    server = processes.Server("web", (sys.executable, "-c", "raise SystemExit(3)"), free_port, "TALLY_TEST_PORT", "/")

    with pytest.raises(ServiceError, match=r"ended before.*web\.log"):
        processes.ensure(server, run)


def test_stop_ends_what_was_started_and_no_process_that_got_its_id_later(run, tmp_path, free_port):
    processes.ensure(web(free_port, tmp_path), run)
    mine = pid_of(run)

    assert processes.stop(run, "web")
    assert not psutil.pid_exists(mine)
    assert processes.running(run) == []
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (run / "web.json").write_text(json.dumps({"pid": stranger.pid, "started": 0.0, "port": free_port, "purpose": ""}))
        assert not processes.stop(run, "web")
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_a_record_that_was_written_half_is_nobodys(run, tmp_path, free_port):
    run.mkdir()
    (run / "web.json").write_text('{"pid": 1')

    assert processes.running(run) == []
    assert httpx.get(processes.ensure(web(free_port, tmp_path), run)).is_success


def test_a_server_without_a_port_answers_by_the_file_it_writes_once_it_works(run, tmp_path):
    shown, writes = tmp_path / "shown", "import pathlib, sys, time; time.sleep(0.5); pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
    shown.touch()  # of one that ran before
    server = processes.Server("watch", (sys.executable, "-c", writes, str(shown)), 0, "", str(shown))

    assert processes.ensure(server, run) == ""

    assert shown.exists()
    assert processes.running(run) == ["watch"]
    assert processes.stop(run, "watch")
