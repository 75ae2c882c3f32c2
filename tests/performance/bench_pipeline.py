"""The whole `dvc repro` of the default portfolio, in a copy of the project that is gone afterwards.

Held against our own promise: a million applications in ten minutes and 8 GiB, on two cores. The gate: every application that was
asked for is in the model's table, the registered release is the one on disk, and every round wrote the same bytes. The stages
go into the table of docs/scale.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from entries import Entry, Figures, compare, markdown
from projects import ROOT, Project, copy_of_the_project
from ruamel.yaml import YAML
from stages import Stage, repro

ROUNDS = {"60000 applications": 2, "1000000 applications": 1}
WORKLOADS = tuple(ROUNDS)
SECONDS, MIB = 600.0, 8192.0
DOCUMENT = ROOT / "docs" / "scale.md"


def run(workload: str) -> list[Entry]:
    rows = int(workload.split(maxsplit=1)[0])
    rounds = [once(rows) for _ in range(ROUNDS[workload])]
    stages = rounds[-1][0]
    right = all(complaint is None for _, complaint, _ in rounds) and len({digests for *_, digests in rounds}) == 1
    print(*(complaint for _, complaint, _ in rounds if complaint), sep="\n", end="", file=sys.stderr)
    if right:
        document(workload, table(stages))
    seconds = [sum(stage.seconds for stage in found) for found, *_ in rounds]
    peaks = [max(stage.peak_mib for stage in found) for found, *_ in rounds]
    return [compare("pipeline", workload, Figures(figures, "goal", [promised] * len(figures), unit), gate=right)
            for figures, promised, unit in ((seconds, SECONDS, "s"), (peaks, MIB, "MiB"))]


def once(rows: int) -> tuple[list[Stage], str | None, str]:
    """One run in a new copy: its stages, what is wrong with what it made, and the digests of all it made."""
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        project = copy_of_the_project(Path(folder))
        project.change("ingest", rows=rows)
        stages = repro(project, tell)
        return stages, complaint(project, rows), made(project)


def tell(stage: Stage) -> None:
    print(f"  {stage.name}: {stage.seconds:.1f} s, {stage.peak_mib:,.0f} MiB", file=sys.stderr, flush=True)


def complaint(project: Project, rows: int) -> str | None:
    """What is not as it must be."""
    found = pq.read_metadata(project.data("assemble", "applications.parquet")).num_rows
    manifest = hashlib.sha256(project.data("evaluate", "release", "release.json").read_bytes()).hexdigest()
    registered = json.loads(project.data("register", "card.json").read_text())["release_id"]
    if found != rows:
        return f"{rows} applications were asked for, {found} were assembled"
    return None if registered == manifest else f"release {registered[:12]} is registered, {manifest[:12]} was made"


def made(project: Project) -> str:
    """What every stage wrote, by digest, but for the registry's run ids and for pages, to which Evidently gives random ids."""
    lock: dict[str, Any] = YAML(typ="safe").load((project.path / "dvc.lock").read_text())
    outs = {out["path"]: out["md5"] for name, stage in lock["stages"].items() if name != "register" for out in stage["outs"]}
    return json.dumps({path: digest for path, digest in outs.items() if not path.endswith(".html")}, sort_keys=True)


def table(stages: list[Stage]) -> str:
    """A row per stage, and all of them."""
    rows = [(stage.name, f"{stage.seconds:.1f}", f"{stage.processor_seconds:.1f}", f"{stage.peak_mib:,.0f}") for stage in stages]
    whole = ("**all**", f"**{sum(stage.seconds for stage in stages):.1f}**", f"{sum(stage.processor_seconds for stage in stages):.1f}",
             f"**{max(stage.peak_mib for stage in stages):,.0f}**")
    return markdown(("stage", "seconds", "processor seconds", "peak MiB"), [*rows, whole])


def document(workload: str, text: str) -> None:
    """Replace what stands between the workload's two marks."""
    begin, end = f"<!-- make bench ONLY=pipeline:{workload.split(maxsplit=1)[0]} -->", "<!-- end -->"
    known = DOCUMENT.read_text()
    DOCUMENT.write_text(re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{text}\n{end}", known, flags=re.DOTALL))
