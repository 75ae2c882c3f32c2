"""Questions to the record of a checkout: a window of it, whether it is whole, and one decision made again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from feature_repo.contract import APPLICATION_ID, BAD
from feature_repo.errors import LedgerError
from governance import release
from governance.ledger import windows
from governance.ledger.proving import standing
from monitoring import window
from serving.replay import replay as decide_again
from tally.checkout import here

CHUNK = 10_000


def export(start: datetime, end: datetime, target: Path) -> str:
    """Write the decisions of the business time [start, end), UTC, as a window for the monitoring stages."""
    checkout = here()
    found = windows.decided(checkout.book, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC))
    schema, count = window.schema(checkout.portfolio), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(target, schema) as file, tqdm(desc="export", unit=" decisions", disable=None) as bar:
        while rows := [_row(content) for content in islice(found, CHUNK)]:
            file.write_table(pa.Table.from_pylist(rows, schema=schema))
            bar.update(len(rows))
            count += len(rows)
    return f"{count:,} decisions in {target}"


def verify() -> str:
    """Size and root of every month's tree."""
    book = here().book
    return "\n".join(f"{period}: {size:,} entries, root {root.hex()}" for period in book.periods()
                     for size, root in [standing(book, period)])


def replay(decision_id: str) -> str:
    """Decide a recorded decision again, with its own release. Raises LedgerError where it is not recorded or differs."""
    checkout = here()
    record = checkout.book.find("id", decision_id)
    if record is None:
        raise LedgerError(f"no decision {decision_id} in the ledger of {checkout.portfolio.name}; ids are answered by POST /v1/decisions")
    content = record.content
    made_with = release.verify(checkout.services / "releases" / content["release_id"], content["release_id"])
    again = decide_again(content, made_with, checkout.portfolio)
    if not again.same:
        raise LedgerError(f"decision {decision_id} comes out otherwise now: {sorted(again.differences)}; machine or code differ")
    return f"{decision_id}: the same to the last bit: {content['outcome']}, PD {content['pd']:.2%}, release {made_with.id[:12]}"


def _row(content: Mapping[str, Any]) -> dict[str, Any]:
    decided_at = datetime.fromisoformat(content["decided_at"])
    reasons = msgspec.json.encode(content["reasons"]).decode()
    return {**content["values"], **content, APPLICATION_ID: content["decision_id"], "decided_at": decided_at, "reasons": reasons, BAD: None}
