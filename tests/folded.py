"""Words of the tests of promotion: who there is, and what the record amounts to."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from approved import (
    Book,
    people,
)

from governance.events import UNKNOWN, Actor
from governance.promotion import standing
from governance.standing import Standing

PEOPLE = people()


MLFLOW = Actor(UNKNOWN, "mlflow")


def known(book: Book) -> Standing:
    return standing(book.records, PEOPLE, book.at)
