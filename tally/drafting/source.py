"""The draft as a contract file: valid Python, laid out as the shipped ones are, each guess in a comment for a person to judge."""

from __future__ import annotations

import ast
from datetime import datetime

from feature_repo.errors import ContractError
from feature_repo.sources import BLANKS, Csv, Parquet
from tally.drafting.draft import Draft, TableDraft
from tally.drafting.lines import Code, Line, comment, lay_out, literal, quoted
from tally.drafting.outcome import Verdicts
from tally.drafting.timing import WAITS

CONTRACT = ("Applicant", "Application", "Ignored", "Outcome", "Protected", "Request", "Risk", "Stored", "Table", "days")
SOURCES = ("BLANKS", "ROW", "Csv", "EventTime", "Parquet")
DAYS_UNDATED = 365
HEAD = '''"""{title}

Drafted by `tally portfolio new`. Each comment that begins with "guess:" says what a line rests on: judge it, put it right, take the
comment away. A text that begins with DECIDE waits for you. `tally portfolio check {name}` says what is left.
"""
'''


def write(draft: Draft) -> str:
    """The file's text."""
    title = f"{draft.name.replace('_', ' ').capitalize()}: will the borrower go bad?"
    body = "\n".join(["PORTFOLIO = Portfolio(", f"    name={quoted(draft.name)},", f"    title={quoted(title)},", "    tables=(",
                      *(_table(table, at) for at, table in enumerate(draft.tables)), "    ),", _outcome(draft), ")", ""])
    text = "\n".join([HEAD.format(title=title, name=draft.name), "from __future__ import annotations\n", _imports(body), body])
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise ContractError(f"the draft of {draft.name} came out as no Python, at its line {error.lineno}; report that fault") from None
    return text


def _imports(body: str) -> str:
    """Exactly the names the body uses."""
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    times = [name for name in ("UTC", "date", "datetime") if name in used]
    contract = "".join(f"    {name},\n" for name in CONTRACT if name in used)
    sources = ", ".join(name for name in SOURCES if name in used)
    standard = [f"from datetime import {', '.join(times)}\n"] if times else []
    return "\n".join([*standard, *(["import numpy as np\n"] if "np" in used else []), f"from feature_repo.contract import (\n{contract})",
                      "from feature_repo.portfolio import Portfolio",
                      *([f"from feature_repo.sources import {sources}"] if sources else []), ""])


def _table(table: TableDraft, at: int) -> str:
    fewest = max(1, int(table.rows * 0.9))
    said = [" " * 12 + quoted(table.name) + ",", f"            file={quoted(table.path.name)},", *_reader(table.reader),
            comment(f"guess: {table.rows:,} rows now; fewer than nine tenths of that would be a file cut short.", 12),
            f"            rows=({fewest:_}, None),"]
    if table.time is not None:
        call = lay_out(Line(table.time.word, table.time.name, table.time.arguments), 0)
        said += [*(comment(text, 12) for text in table.time.guesses), _wrapped("            time=", call)]
    elif at == 0:
        said.append(comment("guess: no column says when somebody applied: no time axis, and the test is drawn, not out-of-time.", 12))
    said += ["            columns=(", *(lay_out(line, 16) for line in table.lines), "            ),"]
    return "\n".join(["        Table(", *said, "        ),"])


def _wrapped(start: str, call: str) -> str:
    return start + call.replace("\n", "\n" + " " * len(start))


def _reader(reader: Csv | Parquet) -> list[str]:
    """The reader, where it is not the plain one."""
    if isinstance(reader, Parquet):
        return ["            reader=Parquet(),"]
    plain = Csv()
    said = {key: getattr(reader, key) for key in ("separator", "header", "encoding", "thousands", "decimal", "skip")
            if getattr(reader, key) != getattr(plain, key)}
    if not said:
        return []
    words = {key: Code("BLANKS") if value == BLANKS and key == "separator" else value for key, value in said.items()}
    return [f"            reader=Csv({', '.join(f'{key}={literal(value)[0]}' for key, value in words.items())}),"]


def _outcome(draft: Draft) -> str:
    meant, cuts = draft.verdicts, draft.cuts
    bad, good = (meant.bad or (meant.open,)), (meant.good or (meant.open.removesuffix("bad") + "good",))
    neither = (("neither", meant.neither),) if meant.neither else ()
    waits = Code(f"days({cuts.wait.days if cuts else DAYS_UNDATED})")
    seen = (("observed_until", _moment(cuts.observed_until)),) if cuts else ()
    arguments = (("raw", meant.raw), ("bad", bad), ("good", good), *neither, ("matures_after", waits), *seen)
    laid = lay_out(Line("Outcome", "", arguments, _reasons(meant, draft)), 4)
    comments, _, call = laid.rpartition("    Outcome(")
    return comments + "    outcome=Outcome(" + call.replace("\n            ", "\n" + " " * 20)


def _reasons(meant: Verdicts, draft: Draft) -> tuple[str, ...]:
    told = [f"guess: {meant.why}." if not meant.open else f"{meant.why}: which of them is bad, this file does not say."]
    if draft.cuts is None:
        return (*told, "matures_after: how long an outcome takes. Without dates nothing waits for it, but reports say it.")
    matured, is_usual = int(draft.cuts.matured.sum()), draft.cuts.wait.days in WAITS
    wait = "is the longest usual wait that leaves most rows" if is_usual else "is how old the last application is then, which leaves rows"
    return (*told, (f"guess: outcomes are taken to be seen until {draft.cuts.until}; "
                    f"{draft.cuts.wait.days} days {wait}, {matured:,}, with an outcome that counts. Say how long it takes."))


def _moment(moment: datetime) -> Code:
    return Code(f"datetime({moment.year}, {moment.month}, {moment.day}, tzinfo=UTC)")


