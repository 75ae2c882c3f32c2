"""The benches' own environment: programs of packages that the product is measured against and does not depend on.

`python` makes .venv-bench of peers.lock the first time and whenever that file has changed, and gives its interpreter; `run` runs a script
beside this file there. What a script has to say it prints, one JSON value on its last line. The product's code is not on its path: a
peer sees files alone.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LOCK = HERE / "peers.lock"
ENVIRONMENT = ROOT / ".venv-bench"


def python(environment: Path = ENVIRONMENT, lock: Path = LOCK) -> Path:
    """The interpreter of the peers' environment, which is made where it is not what `lock` says; two benches wait for each other."""
    interpreter, installed = environment / "bin" / "python", environment / "installed.lock"
    with environment.with_suffix(".making").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if installed.is_file() and installed.read_bytes() == lock.read_bytes():
            return interpreter
        print(f"Installing the benches' peers into {environment.name} (about 2 GB, a minute or two) ...", file=sys.stderr, flush=True)
        installed.unlink(missing_ok=True)
        _uv("venv", "--quiet", "--allow-existing", "--python", sys.executable, str(environment))
        _uv("pip", "sync", "--quiet", "--require-hashes", "--python", str(interpreter), str(lock))
        installed.write_bytes(lock.read_bytes())
    return interpreter


def run(script: str, *arguments: str) -> Any:
    """What the last line printed by `script` of this folder says, run by the peers' interpreter; what it complained of where it fails."""
    done = subprocess.run([python(), "-P", HERE / script, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"{script} ended with code {done.returncode} in {ENVIRONMENT.name}")
    return json.loads(done.stdout.splitlines()[-1])


def _uv(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", *arguments], check=True)
