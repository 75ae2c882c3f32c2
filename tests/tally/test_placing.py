"""Guarantees of a release on its way to the workers: what was said of its gates is so, and a pointer names one release or none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from approved import PASSED, Book, approved, asked, by, people, promoted, registered, unsigned

from feature_repo.errors import ReleaseError
from governance.gates import judge
from governance.promotion import standing
from governance.standing import Standing
from tally import placing

PEOPLE = people()


def promoted_as(release_id: str, gates) -> Standing:
    """A release that two people let serve, its gates as somebody said they were."""
    book = Book()
    book.say([registered(release_id), asked("r1", release_id, by("olga"), gates), approved("r1", release_id, by("anna")),
              promoted("r1", release_id, unsigned(), gates)])
    return standing(book.records, PEOPLE, book.at)


def test_a_release_promoted_by_gates_that_somebody_made_up_is_not_placed(tmp_path, make_release):
    made = make_release(tmp_path / "release", failing="calibration")
    found = promoted_as(made.id, PASSED)
    with pytest.raises(ReleaseError, match="as if it passed calibration"):
        placing.require_as_said(made, found.promotions[-1], found)


def test_a_release_whose_gates_are_as_said_is_placed(tmp_path, make_release):
    made = make_release(tmp_path / "release")
    found = promoted_as(made.id, judge(made, None, "", Book().at))
    placing.require_as_said(made, found.promotions[-1], found)


@pytest.mark.parametrize("written", [None, b"", b"{", b"[]"])
def test_a_pointer_that_cannot_be_read_names_nothing(tmp_path, written):
    if written is not None:
        (tmp_path / "champion.json").write_bytes(written)
    assert placing.pointed(SimpleNamespace(pointer=tmp_path / "champion.json")) == ""
