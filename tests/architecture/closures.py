"""The code each DVC stage runs: its import closure, computed from the imports themselves.

Run as a script it writes the closures into dvc.yaml; the tests only compare.
"""

from __future__ import annotations

from pathlib import Path

import grimp
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
PACKAGES = ("feature_repo", "governance", "serving", "training", "monitoring", "tally")
PORTFOLIO = "feature_repo/portfolios/${portfolio}.py"


def pipeline() -> dict:
    return YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())


def module_of(stage: dict) -> str:
    """The module a stage's command runs."""
    return stage["cmd"].split()[2]


def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def closure(imports: grimp.ImportGraph, module: str) -> list[str]:
    """Every file of ours that running `module` may import, packages included, and the portfolio where it loads one."""
    modules = {module, *imports.find_upstream_modules(module)}
    modules |= {parent for name in modules for parent in parents(name)}
    files = {file_of(name) for name in modules}
    return sorted(files | ({PORTFOLIO} if "feature_repo.portfolios" in modules else set()))


def parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def file_of(module: str) -> str:
    path = Path(*module.split("."))
    return (path / "__init__.py").as_posix() if (ROOT / path).is_dir() else path.with_suffix(".py").as_posix()


def outputs(stage: dict) -> list[str]:
    """The paths a stage writes; one with settings of its own is a mapping."""
    return [out if isinstance(out, str) else next(iter(out)) for out in stage["outs"]]


def is_code(dependency: str) -> bool:
    return dependency.endswith(".py")


def write() -> None:
    yaml = YAML()
    yaml.width = 140
    yaml.indent(mapping=2, sequence=2, offset=0)
    document = yaml.load((ROOT / "dvc.yaml").read_text())
    imports = graph()
    for stage in document["stages"].values():
        data = [dependency for dependency in stage["deps"] if not is_code(dependency)]
        stage["deps"] = data + closure(imports, module_of(stage))
    with (ROOT / "dvc.yaml").open("w") as file:
        yaml.dump(document, file)


if __name__ == "__main__":
    write()
