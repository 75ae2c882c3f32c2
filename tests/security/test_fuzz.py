"""1,500 spoiled requests over one connection: no score for a bad one, no good one refused, no 5xx. `make soak ONLY=fuzz` sends 10,000."""

from __future__ import annotations

from datetime import timedelta

from fuzzing import Fuzz, run
from ledgers import decisions

from feature_repo.contract import NO_TIME
from serving.settings import Settings

REQUESTS, SEED = 1_500, 14


def test_no_spoiled_request_is_scored_and_every_refusal_is_a_problem(make_home, start):
    home, now = make_home("consumer_loans"), (NO_TIME + timedelta(days=1)).isoformat()
    with start(home, "consumer_loans", TALLY_BUSINESS_TIME=now) as service:
        found = run(service.url, Fuzz(service.portfolio, SEED, Settings(portfolio="consumer_loans")), REQUESTS)
        assert found.wrong == []
        assert {200, 400, 413, 415, 422} <= set(found.statuses)
        assert len(decisions(service.folder)) == found.scored > REQUESTS / 20
    assert "unexpected" not in (home / "serve.log").read_text()
