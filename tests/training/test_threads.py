"""A model's bytes do not depend on how many cores made it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

ASKED = """
import json
import training
import numpy, scipy.linalg, threadpoolctl
print(json.dumps([found["num_threads"] for found in threadpoolctl.threadpool_info() if found["user_api"] == "blas"]))
"""


@pytest.mark.parametrize("set_outside", [None, "2"])
def test_a_stage_adds_up_in_one_thread_whatever_the_environment_says(set_outside):
    free = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment = free | ({"OPENBLAS_NUM_THREADS": set_outside} if set_outside else {})
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, env=environment)

    threads = json.loads(done.stdout)
    assert threads
    assert set(threads) == {1}
