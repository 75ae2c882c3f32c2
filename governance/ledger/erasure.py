"""Erasing a person: the content of their decisions and the salts of its commitments are destroyed, and that this was done is recorded.

So is what a shadow said of them. What stays is that decisions were recorded, when, and under which ids; every proof still holds, and
nobody can find the content by trying. Responsible for the order: recorded first, destroyed then, so that content never is gone without a
reason on record; whoever was interrupted does it again. Refuses nothing by itself: how long a decision must be kept is the law's, and said
by `before`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from governance.ledger.book import Book
from governance.ledger.entries import OF_PEOPLE, Record, canonical

APPLICANT = "applicant_id"


def decisions(book: Book, applicant_id: str, before: str = "") -> Iterator[Record]:
    """The decisions about somebody, a shadow's too, that are not erased yet. before: bound of `recorded_at`; younger ones are left."""
    said = canonical({APPLICANT: applicant_id})[1:-1]
    for record in book.records(OF_PEOPLE, until=before):
        if said in record.body and msgspec.json.decode(record.body).get(APPLICANT) == applicant_id:
            yield record


def destroy(book: Book, records: Sequence[Record]) -> None:
    """Destroy the content of decisions whose erasure is recorded, in every month, and what earlier attempts left of theirs."""
    for period in book.periods():
        book.erase(period, [record.id for record in records if record.period == period])
