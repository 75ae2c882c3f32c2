"""`tally portfolio check`: all that a contract still lacks before it can run, and what in it is doubtful, told at once.

Reads the file, then the data it promises, as the pipeline would, in a folder that is thrown away. Repeats no value of the data but the
texts of columns the contract itself declares as levels or groups, and of the outcome: those are categories, and whoever has to declare
one must see it.
"""

from __future__ import annotations

import ast
import importlib
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from feature_repo import examination, params, portfolios, wording
from feature_repo.contract import DECIDE, Ignored, Risk
from feature_repo.errors import ContractError, TallyError
from feature_repo.portfolio import Portfolio
from feature_repo.refusal import gathering
from feature_repo.verdict import Verdict
from tally.drafting import enough, names, whereabouts
from tally.drafting.new import FOLDER
from tally.drafting.roles import SUSPECTED
from training import subjects
from training.stages import ingest


@dataclass(frozen=True)
class Found:
    """to_do: what stops a run; notices: what a person should look at, though nothing stops on it."""

    name: str
    to_do: tuple[str, ...]
    notices: tuple[str, ...]

    def __str__(self) -> str:
        done = (f"{self.name}: nothing is missing. Set `portfolio: {self.name}` in params.yaml and run `dvc repro`; or try it beside the "
                f"present one: dvc exp run -S portfolio={self.name}")
        head = f"{self.name}: {len(self.to_do)} to do" if self.to_do else done
        notices = ["worth a look, though nothing stops on it:", *(f"  - {text}" for text in self.notices)] if self.notices else []
        return "\n".join([*([head] if self.to_do else []), *(f"{at:3}. {text}" for at, text in enumerate(self.to_do, 1)), *notices,
                          *([] if self.to_do else [head])])


def check(name: str) -> Found:
    """What is to be done about `feature_repo/portfolios/<name>.py`. Raises ContractError where there is none."""
    path = FOLDER / f"{name}.py"
    if not path.is_file():
        raise ContractError(f"{path} is not there; draft it: tally portfolio new {name} --from FILE")
    text = path.read_text(encoding="utf-8")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return Found(name, (f"{path}, line {error.lineno}: {error.msg}; Python cannot read the file",), ())
    guesses = text.count("# guess:")
    left = [f'{guesses} comments begin with "guess:"; judge each, then take it away'] if guesses else []
    portfolio, wrong = load(name, path)
    to_do = [*_undecided(path, tree), *wrong]
    if to_do or portfolio is None:
        return Found(name, tuple(to_do), (*left, "the data are held against the contract once it can be read"))
    found, warned = _of_data(portfolio)
    return Found(name, tuple(found), (*left, *_of_contract(portfolio), *warned))


def load(name: str, path: Path) -> tuple[Portfolio | None, list[str]]:
    """The portfolio as its file is now, and every contradiction in it."""
    sys.modules.pop(f"{portfolios.__name__}.{name}", None)
    importlib.invalidate_caches()
    with gathering() as found:
        try:
            portfolio = portfolios.load(name)
        except TallyError as error:
            return None, [*_without_open(found), str(error)]
        except Exception as error:  # noqa: BLE001 - whatever a file under work does when it is read is an answer
            if found:  # a declaration that is refused may well break what comes after it
                return None, _without_open(found)
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).name == path.name]
            return None, [f"{path}, line {lines[-1] if lines else '?'}: {type(error).__name__}: {error}"]
    sys.modules.pop(f"{portfolios.__name__}.{name}", None)
    return portfolio, _without_open(found)


def _without_open(found: list[str]) -> list[str]:
    """Contradictions; what waits for a decision is told with its line, by _undecided."""
    return [message for message in found if DECIDE not in message]


def _undecided(path: Path, tree: ast.Module) -> list[str]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    places = sorted((node.lineno, node.col_offset, str(node.value)) for node in nodes if str(node.value).lstrip().startswith(DECIDE))
    return [f"{path}, line {line}: {text.lstrip().removeprefix(DECIDE).lstrip(': ')}. Decide, and write it in place of the text"
            for line, _, text in places]


def _of_data(portfolio: Portfolio) -> tuple[list[str], list[str]]:
    """(what stops a run, what is doubtful) in the data, as ingest and validate see them."""
    settings = params.read("validate", subjects.Validate)
    with tempfile.TemporaryDirectory(prefix="tally-check-") as folder:
        at, protected = Path(folder, "ingest"), Path(folder, "vault")
        try:
            ingest.main(portfolio.name, at, protected)
            verdict, _ = examination.examine(subjects.of(portfolio, settings, at, protected), datetime.now(UTC))
        except TallyError as error:
            return [str(error)], []
        stops = [*_sentences(portfolio, verdict, at, protected), *enough.lacking(portfolio, at)]
        return stops, [sentence for sentence, _ in wording.sentences(verdict.warnings)]


def _sentences(portfolio: Portfolio, verdict: Verdict, at: Path, protected: Path) -> Iterator[str]:
    """What validation says, and where: the first row of each column, and the texts of levels that are not declared."""
    for rule in dict.fromkeys((broken.table, broken.rule) for broken in verdict.failures):
        of = [broken for broken in verdict.failures if (broken.table, broken.rule) == rule]
        places = [place for broken in of if (place := whereabouts.of(portfolio, broken, at, protected))]
        yield ". ".join([*(sentence for sentence, _ in wording.sentences(of)), *places])


def _of_contract(portfolio: Portfolio) -> list[str]:
    undirected = [column.name for column in portfolio.inputs if column.risk is Risk.NONE and not column.is_level]
    drafted = [column.name for column in portfolio.raw_inputs if column.reason == names.reason(column.name, column.raw)]
    said = []
    if drafted:
        said.append(f"{len(drafted)} reasons are as drafted from the header, {_some(drafted)}: they are told to applicants, word them")
    if undirected:
        said.append(f"{len(undirected)} numbers have no direction, {_some(undirected)}: risk=Risk.RISES or Risk.FALLS keeps a reason from "
                    "being the opposite of what the model saw")
    left_out = [column for table in portfolio.tables for column in table.select(Ignored) if column.because.startswith(SUSPECTED)]
    said.extend(f"{column.raw} is left out because {column.because.removeprefix('guess: ')}: if it was known before the decision, "
                'make it a Request with known_before="how"; if not, say so in its because' for column in left_out)
    if not portfolio.protected:
        said.append("no protected attribute is declared: there will be no fairness report to speak of")
    return said


def _some(found: list[str]) -> str:
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
