"""Lets a release serve by the record of a home: people known there ask for it, agree and promote it. No alias is touched."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
from approved import approved, asked, by, people, promoted, registered, sign, unsigned

from governance import enrolment, events
from governance.ledger.book import open_book
from governance.ledger.writer import Ledger
from governance.rules import unique


def let_serve(home: Path, portfolio: str, release_id: str, version: str) -> None:
    """As if today, through the ledger of the portfolio; each release once."""
    (home / "signers.yaml").write_text("".join(enrolment.as_yaml(one) for one in people()))
    request = f"let-{release_id[:12]}"
    said = [registered(release_id, version=version), asked(request, release_id, by("olga"), version=version),
            approved(request, release_id, by("anna")), promoted(request, release_id, unsigned(), version=version)]
    ledger = Ledger(open_book(home / portfolio / "ledger"))
    for event in said:
        dated = msgspec.structs.replace(event, at=datetime.now(UTC).isoformat())
        ledger.append([events.entry(sign(dated), unique(dated))]).result(30)
    ledger.close()
