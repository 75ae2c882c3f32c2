"""The page of an archive of evidence: what was decided, why, by which release, who let it, and how that is proved, for a person.

Responsible for words and layout; it fetches nothing, prints, and escapes every value. Every figure on it is in a file beside it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from governance.ledger.checkpoint import Verifier
from governance.release import Release
from governance.sentences import findings, many, short

if TYPE_CHECKING:
    from governance.evidence.archive import Evidence, Subject

KINDS = {"request": "said in the application", "stored": "stored", "derived": "computed from others"}
LARGE = 10_000
NOTHING = "\N{EN DASH}"


def write(subject: Subject, content: dict[str, Any] | None, evidence: Evidence, trusted: Verifier) -> str:
    """The page as HTML. content: what was recorded of the decision, None for a release and where it was erased."""
    release = evidence.release
    about = next((place for place in evidence.records if place[0].id == subject.entry), None)
    size = int(about[1].checkpoint.split("\n")[1]) if about else 0
    return PAGES.get_template("evidence.html").render(
        subject=subject, said=content, lines=evidence.lines, trusted=trusted, release=release,
        values=values(content, release) if content and release else [], record=about[0] if about else None, size=size,
        policy=msgspec.json.decode((release.path / "policy.json").read_bytes()) if release else None,
        signed=evidence.signature is not None, count=len(evidence.records),
    )


def values(content: dict[str, Any], release: Release) -> list[dict[str, Any]]:
    """What a decision was made from, in the contract's order: name, value, unit, where it came from, whether in doubt or outside."""
    inputs = msgspec.json.decode((release.path / "contract.json").read_bytes())["inputs"]
    return [{"name": spec["name"], "value": content["values"].get(spec["name"]), "unit": spec.get("unit", ""), "kind": KINDS[spec["kind"]],
             "doubtful": spec["name"] in content["doubtful"], "outside": spec["name"] in content.get("outside", ())} for spec in inputs]


def moment(at: str | datetime) -> str:
    """A time in words: 1 March 2026, 12:00:00 UTC."""
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{found.day} {found:%B %Y, %H:%M:%S} UTC"


def amount(value: Any) -> str:
    """A value as people write it; a missing one is a dash."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    told = f"{value:,.6g}" if abs(value) < LARGE else f"{value:,.2f}".removesuffix(".00")
    return told.replace("-", "\N{MINUS SIGN}")


def readable(name: str) -> str:
    return name.replace("_", " ")


PAGES = Environment(loader=PackageLoader(__package__, "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                    lstrip_blocks=True)
PAGES.filters |= {"moment": moment, "amount": amount, "readable": readable, "short": short, "findings": findings, "many": many}
