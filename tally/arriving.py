"""What comes after a decision, taken up by command: late outcomes, protected attributes, and a person who decides otherwise.

Responsible for who said so and for the order: outcomes are kept before the record names them, what goes into the vault is recorded before
it is there. Refuses whoever has not the role: a servicer says how loans turned out, a custodian fills the vault. Moments are business time:
of a home on simulated or historical data the one TALLY_BUSINESS_TIME names, as for its service.
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from feature_repo.errors import IdentityError, ServiceError
from governance import actions, events, overrides
from governance.actions import Acting
from governance.ledger.windows import decisions
from governance.observations import OutcomesImported, VaultImported, Verdict
from governance.overrides import Said
from governance.people import Role
from governance.sentences import many, short
from tally.checkout import Checkout, here
from tally.questions import Questions

CUSTODIAN: Role = "custodian"  # who may fill the vault


def business_now() -> datetime:
    """The moment this home lives in. Raises ServiceError where TALLY_BUSINESS_TIME is none."""
    said = os.environ.get("TALLY_BUSINESS_TIME")
    try:
        found = datetime.fromisoformat(said) if said else datetime.now(UTC)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ServiceError("TALLY_BUSINESS_TIME is no moment with its zone, such as 2024-06-30T00:00:00+00:00")
    return found


def outcomes(path: Path) -> str:
    """Import outcomes that became known. A file that is here already changes nothing."""
    from monitoring import arrivals
    from monitoring import outcomes as kept
    from tally.promotion import acting

    checkout, came_at = here(), business_now()
    with acting(checkout) as who:
        _require_role(who, kept.SERVICER)
        table, gone = arrivals.outcomes(arrivals.read(path), checkout.portfolio, decisions(checkout.book), came_at)
        digest = kept.keep(outcomes_of(checkout), table)
        if _counted(who, digest):
            return f"{path.name} was imported before ({short(digest)}); nothing changed"
        event = OutcomesImported(by=who.who, at=actions.now(), digest=digest, rows=len(table), came_at=came_at.isoformat())
        who.note(who.sign(event), _unique(who, event))
    erased = f"; {many(gone, 'row is', 'rows are')} of erased decisions and left out" if gone else ""
    return f"{many(len(table), 'outcome', 'outcomes')} imported from {path.name} ({short(digest)}){erased}"


def _require_role(who: Acting, role: Role) -> None:
    """Raise IdentityError where whoever acts has not the role, before anything of the file is read."""
    who.current.look()  # so that people are those of now
    if why := who.current.people.lacks(who.who, datetime.now(UTC), role):
        raise IdentityError(f"nothing was imported: {why}. Act as who has it (TALLY_ACTOR), or: tally people new NAME --role {role}")


def _counted(who: Acting, digest: str) -> bool:
    """Whether outcomes are in the record in an entry that counts: one that does not keeps nobody from importing them."""
    from monitoring import outcomes as kept

    imported = events.NAMES[OutcomesImported]
    came = (kept.came(record, who.current.people) for record in who.current.book.events() if record.kind == imported)
    return any(event is not None and event.digest == digest and not why for event, _, why in came)


def _unique(who: Acting, event: OutcomesImported) -> str:
    """What makes an import the only one: its digest, so that two people at once import once; where that is taken, a moment's own."""
    taken = who.current.book.find("id", events.entry(event, event.digest).id)
    return f"{event.digest}:{secrets.token_hex(4)}" if taken else event.digest


def protected(path: Path) -> str:
    """Import protected attributes into the live vault."""
    from monitoring import arrivals, vault
    from monitoring.protected import belonging
    from tally.promotion import acting

    checkout, came_at = here(), business_now()
    with acting(checkout) as who:
        _require_role(who, CUSTODIAN)
        rows = belonging(arrivals.read(path), checkout.portfolio, decisions(checkout.book))
        event = VaultImported(by=who.who, at=actions.now(), rows=len(rows), attributes=tuple(rows[0].groups), came_at=came_at.isoformat())
        who.note(who.sign(event), secrets.token_hex(8))
        vault.keep(vault_of(checkout), rows, came_at)
    return f"{many(len(rows), 'row', 'rows')} imported into the vault ({', '.join(event.attributes)}); {path.name} is not needed here now"


def override(decision_id: str, outcome: Verdict, code: str, reason: str) -> str:
    """Record that whoever acts decides otherwise than the service."""
    from tally.promotion import acting

    checkout = here()
    decision = Questions(checkout.home, checkout.portfolio.name).decision(decision_id)
    with acting(checkout) as who:
        made = overrides.override(who, decision, Said(outcome, code, reason, business_now()))
    return f"decision {decision_id}: {made.was} overridden, {made.outcome} by {made.by.name}; the answer that was given stays as it is"


def outcomes_of(checkout: Checkout) -> Path:
    return checkout.services / "outcomes"


def vault_of(checkout: Checkout) -> Path:
    return checkout.services / "vault"
