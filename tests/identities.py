"""Fixtures and words of the tests of people: keys, entries of the signers file, a home of its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from governance import enrolment, events, keys
from governance.people import Person

T0 = datetime(2026, 1, 1, tzinfo=UTC)


T1 = datetime(2026, 6, 1, tzinfo=UTC)


KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]


PEMS = [keys.pem(key.public_key()) for key in KEYS]


def person(name="jane", key=0, **given):
    return Person(**{"name": name, "roles": ("owner",), "key": PEMS[key], "since": T0, **given})


def written(path, *entries):
    path.write_text("".join(map(enrolment.as_yaml, entries)))
    return path


def approval(name="jane", how="key", **given):
    by = events.Actor(name=name, how=how, **given)
    return events.PromotionApproved(by=by, at="2026-03-01T00:00:00+00:00", request_id="r1", release_id="a" * 64, reason="fine")


@pytest.fixture
def place(tmp_path):
    """An embedded home of jane's, with nobody in it."""
    return enrolment.place(tmp_path / "home", {"TALLY_ACTOR": "jane"})


@pytest.fixture
def jane(place):
    return enrolment.signer(place)
