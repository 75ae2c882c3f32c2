"""Where a run comes from, in words a registry can hold: commit, uncommitted changes, data digests, verdict, policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import git
import msgspec

from feature_repo.params import PARAMS
from governance.release import Release
from training import lineage
from training.origin import experiment

RAW = ("ingest",)
SETTINGS = ("ingest", "validate", "split", "search", "train", "evaluate", "stability", "vintages", "rejects")


def tags(release: Release) -> dict[str, str]:
    """Labels of a model version. dvc.lock is left out of "uncommitted": DVC writes it during the run it describes."""
    policy, tried = release.read("policy.json"), experiment()
    return {
        **commit(),
        **({"dvc.experiment": tried} if tried else {}),
        "model": release.manifest.model,
        "interface_hash": release.manifest.interface_hash,
        "validation": "passed" if release.manifest.validation.get("success") else "failed",
        "validation.warnings": str(len(release.manifest.validation.get("warnings", []))),
        "policy.approve_below": f"{policy['approve_below']:.6g}",
        "policy.decline_from": f"{policy['decline_from']:.6g}",
        **{f"data.{path}": digest for path, digest in lineage.digests(release.manifest.portfolio, RAW).items()},
    }


def commit() -> dict[str, str]:
    """The commit of the working tree and whether anything but dvc.lock differs from it."""
    try:
        repository = git.Repo(search_parent_directories=True)
        changed = {change.a_path for against in (None, "HEAD") for change in repository.index.diff(against)}
        changed.update(repository.untracked_files)
        return {"git.commit": repository.head.commit.hexsha, "git.dirty": str(bool(changed - {lineage.LOCK.name})).lower()}
    except (git.GitError, git.BadName, ValueError):
        return {"git.commit": "none", "git.dirty": "true"}


def git_author() -> str:
    """Who git says made the commit of the working tree; "" where there is none. A name that anybody may type, unlike a signature."""
    try:
        return str(git.Repo(search_parent_directories=True).head.commit.author.name or "")
    except (git.GitError, git.BadName, ValueError):
        return ""


def measures(metrics: dict[str, Any], by_part: dict[str, dict[str, float]]) -> dict[str, float]:
    """Every number of the run by a flat name such as test_gini: what DVC shows, and all that was measured."""
    everything = {f"{part}_{name}": value for part, known in by_part.items() for name, value in known.items()}
    return everything | {name: value for name, value in metrics.items() if isinstance(value, int | float)}


def settings() -> dict[str, str]:
    """The sections of params.yaml that made the release, one value each, by the names that `dvc exp run -S` takes."""
    sections = msgspec.yaml.decode(PARAMS.read_bytes())
    return dict(leaf for section in SETTINGS for leaf in _leaves(section, sections.get(section) or {}))


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield name, str(value)
        return
    for key, inner in value.items():
        yield from _leaves(f"{name}.{key}", inner)
