"""1,500 spoiled requests over one connection: no score for a bad one, no good one refused, no 5xx. `make soak ONLY=fuzz` sends 10,000."""

from __future__ import annotations

from fuzzing import Fuzz, run
from ledgers import decisions

from serving.settings import Settings

REQUESTS, SEED = 1_500, 14


def test_no_spoiled_request_is_scored_and_every_refusal_is_a_problem(lending):
    before = len(decisions(lending.folder))
    found = run(lending.url, Fuzz(lending.portfolio, SEED, Settings(portfolio="consumer_loans")), REQUESTS)
    assert found.wrong == []
    assert {200, 400, 413, 415, 422} <= set(found.statuses)
    assert len(decisions(lending.folder)) - before == found.scored > REQUESTS / 20
    assert "unexpected" not in (lending.home / "serve.log").read_text()
