"""`tally portfolio new`: files in, a drafted contract and the raw files where the pipeline finds them out.

Never overwrites a contract or a raw file unless told to. Prints names, counts and shares, never a value of a person.
"""

from __future__ import annotations

import keyword
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from feature_repo import params
from feature_repo.errors import ContractError, DataError
from feature_repo.sources import Csv
from tally.drafting import draft, source
from tally.drafting.draft import Asked, Draft, TableDraft
from training.raw import RAW
from training.subjects import Validate

FOLDER = Path("feature_repo/portfolios")
MANY_OPEN = 0.05  # share of rows without an outcome that is worth a word
WORDS = {"Applicant": "key", "Application": "key", "Request": "inputs", "Stored": "stored inputs",
         "Protected": "protected", "Ignored": "ignored"}


def new(name: str, files: Sequence[Path], asked: Asked, *, force: bool) -> str:
    """Draft `feature_repo/portfolios/<name>.py` and copy the files to `data/raw/<name>/`; what was found, in words."""
    contract = FOLDER / f"{name}.py"
    _refuse_name(name)
    _refuse_files(name, files, force=force)
    if not FOLDER.is_dir():
        raise ContractError(f"{FOLDER} is not there; run from the folder that holds dvc.yaml")
    if contract.exists() and not force:
        raise ContractError(f"{contract} is there already; take another name, or --force to draft it anew (what was changed in it is lost)")
    made = draft.make(name, list(files), asked, params.read("validate", Validate))
    text = source.write(made)
    for file in files:
        _place(file, RAW / name / file.name)
    contract.write_text(text, encoding="utf-8")
    return _said(made, contract, text)


def _refuse_name(name: str) -> None:
    wrong = not name.isidentifier() or name != name.lower() or keyword.iskeyword(name) or name.startswith("_")
    if wrong or name.endswith("_simulator"):
        raise ContractError(f"{name!r} cannot name a portfolio: lower case letters, digits and _, no word of Python's, "
                            "not ending with _simulator")


def _refuse_files(name: str, files: Sequence[Path], *, force: bool) -> None:
    twice = [each for each, count in Counter(file.name for file in files).items() if count > 1]
    if twice:
        raise DataError(f"two files are called {twice[0]}; both would become {RAW / name / twice[0]}. Give one another name")
    for file in files:
        kept = RAW / name / file.name
        if not file.is_file():
            raise DataError(f"{file} is not there, or no file")
        if kept.exists() and kept.resolve() != file.resolve() and not force and kept.stat().st_size != file.stat().st_size:
            raise DataError(f"{kept} is there already and is another file; --force replaces it")


def _place(file: Path, kept: Path) -> None:
    """Copy a raw file to where ingest looks; nothing is visible there before it is complete."""
    if kept.exists() and kept.resolve() == file.resolve():
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_name(f".{kept.name}.part")
    shutil.copyfile(file, part)
    part.replace(kept)


def _said(made: Draft, contract: Path, text: str) -> str:
    open_questions = text.count('"DECIDE')
    waiting = f", {open_questions} texts that begin with DECIDE" if open_questions else ""
    sides = (("bad", made.verdicts.bad), ("good", made.verdicts.good), ("neither", made.verdicts.neither))
    outcome = made.verdicts.open or ", ".join(f"{side} is {', '.join(map(repr, texts))}" for side, texts in sides if texts)
    return "\n".join([f"{contract}: drafted, {text.count('# guess:')} guesses to judge{waiting}",
                      *(_table(made, table) for table in made.tables), f"  outcome {made.verdicts.raw}: {outcome}", *_open(made),
                      f"next: read {contract}, then: tally portfolio check {made.name}"])


def _open(made: Draft) -> list[str]:
    """Outcomes that are still open are more among late applications, whose bad rates then mislead."""
    if made.unknown < MANY_OPEN:
        return []
    return [(f"      {made.unknown:.0%} of rows are neither bad nor good: are late loans still open? Then only those that ended early "
             "count, and bad rates mislead. Give an outcome window, Outcome(within=..., bad_on=...), or a longer matures_after")]


def _table(made: Draft, table: TableDraft) -> str:
    counts = Counter(WORDS[line.word] for line in table.lines if line.word not in {"Applicant", "Application"})
    time = f"time {table.time.name}" if table.time else "no time axis"
    keys = ", ".join(str(line.get("raw")) for line in table.lines if line.word in {"Applicant", "Application"})
    written = "Parquet" if not isinstance(table.reader, Csv) else f"separator {table.reader.separator!r}, " + (
        "header" if table.reader.header else "no header") + f", {table.reader.encoding}"
    ignored = Counter(str(line.get("because")) for line in table.lines if line.word == "Ignored")
    kinds = "".join(f"\n      ignored: {because} ({count})" for because, count in ignored.most_common())
    return (f"  {table.name}: {table.rows:,} rows ({written}), copied to {RAW / made.name / table.path.name}\n"
            f"      key {keys}; {time}; " + ", ".join(f"{count} {word}" for word, count in counts.items()) + kinds)
