"""The record of a checkout as files: checkpoints, exports, whether all is whole; erasing a person, from copies that were made of it too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from feature_repo import pushed
from feature_repo.errors import LedgerError
from governance import actions, events
from governance.ledger import checkpoint, erasure, exported, inspection, proving, verification
from governance.ledger.checkpoint import Key, Verifier
from governance.ledger.entries import DECISION, Record, stamp
from governance.ledger.wholeness import Told, Whole
from monitoring import vault
from monitoring.calendar import Grain, begin
from tally import windows
from tally.checkout import Checkout, here


def sign() -> str:
    """The newest checkpoint, over everything that was recorded until now. Raises LedgerError where nothing was."""
    checkout = here()
    return proving.checkpoint_now(checkout.book, key_of(checkout)) or _nothing(checkout)


def key() -> str:
    """The public key of the logs: what an auditor needs, and had better get from somebody else too."""
    return str(key_of(here()).verifier)


def export_ledger(target: Path, first: str | None, last: str | None) -> str:
    """Write the months from `first` to `last` as files that prove themselves."""
    checkout = here()
    months = first or exported.ALL[0], last or exported.ALL[1]
    with watched("export") as told:
        files = exported.export(checkout.book, key_of(checkout), target, months, told=told)
    return f"{len(files) // 2} months in {target}; prove them anywhere: tally verify {target} --key {key_of(checkout).verifier}"


def verify(folder: Path | None, trusted: str | None, noted: Sequence[Path]) -> Iterator[str]:
    """Prove the live ledger, or an export of one, a line for each month.

    trusted: the log's public key; None: this home's. noted: files with checkpoints that were kept elsewhere. Raises LedgerError.
    """
    known = checkpoint.verifier(trusted) if trusted else key_of(here(), make=False).verifier
    kept = [_noted(path, known) for path in noted]
    with watched("verify") as told:
        found = inspection.inspect(folder, known, kept, told=told) if folder else verification.verify(here().book, known, kept, told=told)
    if not found:
        yield "nothing was recorded yet"
    yield from map(_told, found)


def erase(applicant_id: str, reason: str, before: datetime | None) -> str:
    """Destroy what was recorded and pushed of somebody, once that it was asked for is recorded. before: what is younger is kept.

    Raises DataError while windows are made: one that was begun before would hold the person again.
    """
    from tally.promotion import acting

    checkout = here()
    book = checkout.book
    with windows.alone(checkout.services / "windows"), acting(checkout) as who:
        found = list(erasure.decisions(book, applicant_id, stamp(before.replace(tzinfo=UTC)) if before else ""))
        if found:
            said = events.PersonErased(by=who.who, at=actions.now(), entries=tuple(record.id for record in found), reason=reason)
            actions.refuse_cards(said)
            who.ledger.append([events.entry(who.sign(said), f"{found[0].id}:{said.at}")]).result(actions.PATIENCE)  # as often as it takes
        copies = _forget(checkout, found)
        groups = vault.forget(checkout.services / "vault", None, [record.id for record in found])  # before nobody knows their ids any more
        erasure.destroy(book, found)
    count, left = (sum(record.kind == DECISION for record in records) for records in (found, erasure.decisions(book, applicant_id)))
    groups += 0 if left else vault.forget(checkout.services / "vault", applicant_id, ())
    moment = [int(before.replace(tzinfo=UTC).timestamp() * 1_000_000)] if before else []
    rows = pushed.forget(checkout.online / pushed.JOURNAL, applicant_id, *moment)
    return (f"{count} decisions erased, {left} kept; their proofs hold. {len(found) - count} of shadows and {rows} pushed rows erased, "
            f"{groups} rows of the vault as well; {copies} windows of monitoring removed. Not erased: what was exported or backed up "
            "before, and the online store")


def _forget(checkout: Checkout, found: Sequence[Record]) -> int:
    """Remove the windows that decisions are in, whose export without them is made again; how many that were."""
    decided = [at for record in found if (at := record.content.get("decided_at"))]
    there = {path for at in decided for grain in Grain
             if (path := windows.of(checkout, grain).path(begin(datetime.fromisoformat(at), grain))).is_file()}
    for path in there:
        path.unlink()
    return len(there)


def key_of(checkout: Checkout, *, make: bool = True) -> Key:
    return checkpoint.open_key(checkout.home, checkout.book.log, make=make)


@contextmanager
def watched(title: str) -> Iterator[Told]:
    """Shows the progress of long work on a terminal."""
    with tqdm(desc=title, unit=" entries", unit_scale=True, disable=None) as bar:
        yield bar.update


def _noted(path: Path, trusted: Verifier) -> checkpoint.Checkpoint:
    try:
        return checkpoint.read(path.read_bytes(), trusted, alone=False)
    except (OSError, LedgerError) as error:
        raise LedgerError(f"the noted checkpoint {path.name} {error if isinstance(error, LedgerError) else 'cannot be read'}") from None


def _told(one: Whole) -> str:
    lacking = one.size - one.covered
    return (f"{one.period}: {one.size:,} entries hold, root {one.root.hex()}"
            + (f"; {one.erased:,} of them erased" if one.erased else "")
            + (f"; the newest {lacking:,} are under no checkpoint yet: tally checkpoint" if lacking else ""))


def _nothing(checkout: Checkout) -> str:
    raise LedgerError(f"nothing is recorded of {checkout.portfolio.name} yet, so there is nothing to sign")
