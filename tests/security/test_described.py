"""The service does what /openapi.json says: all checks of Schemathesis, on valid and on invalid data, alone and one after the other."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from feature_repo.contract import NO_TIME

HERE, EXAMPLES, TOKEN = Path(__file__).parent, 8, "a-token-of-the-tests"


def test_the_service_is_what_its_description_says(make_home, start, tmp_path):
    home, now = make_home("consumer_loans"), (NO_TIME + timedelta(days=1)).isoformat()
    with start(home, "consumer_loans", TALLY_BUSINESS_TIME=now, TALLY_PUSH_SIZE="5", TALLY_BATCH_SIZE="5",
               TALLY_PUSH_TOKEN_SHA256=hashlib.sha256(TOKEN.encode()).hexdigest()) as service:
        command = [Path(sys.executable).with_name("schemathesis"), "run", f"{service.url}/openapi.json", "--checks", "all", "--mode", "all",
                   "--max-examples", str(EXAMPLES), "--continue-on-failure", "--no-color", "--warnings", "off",
                   "--header", f"Authorization: Bearer {TOKEN}", "--generation-deterministic"]
        paths = os.pathsep.join([str(HERE), str(HERE.parents[1])])
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
                              env={**os.environ, "SCHEMATHESIS_HOOKS": "described", "PYTHONPATH": paths})
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "unexpected" not in (home / "serve.log").read_text()
