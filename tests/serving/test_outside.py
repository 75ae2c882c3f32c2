"""A value that is allowed and that nobody in development had: its decision says so in the record, counts it by column and is a referral."""

from __future__ import annotations

import msgspec
from served import GOOD, promote
from worker import PORTFOLIO, asked, page, post, recorded

from governance.ledger.entries import DECISION
from serving.application import APPLICATION
from serving.replay import again
from serving.scoring import decision
from serving.scoring.support import Seen

COLUMN = PORTFOLIO.requests[0]


def test_what_nobody_in_development_had_is_recorded_counted_referred_and_replayed(card_home, make_release, make_worker, tmp_path):
    usual = asked(GOOD)[APPLICATION][COLUMN.name]
    release = make_release(tmp_path / "narrow", intercept=-2.0, support={COLUMN.name: Seen(COLUMN.low, usual)})
    promote(card_home, PORTFOLIO, release, "2")
    api = make_worker()
    counted = f'tally_outside_values_total{{column="{COLUMN.name}"}}'
    assert f"{counted} 0.0" in page(api)
    unusual = {**asked(GOOD), APPLICATION: {COLUMN.name: usual + 1}}
    answers = msgspec.json.decode(post(api, [asked(GOOD), unusual])[0])["decisions"]
    assert [(each["outcome"], [reason["code"] for reason in each["reasons"]], each["degraded"]) for each in answers] == [
        ("approve", [], False), ("refer", ["not_comparable"], False)]
    said = recorded(card_home, DECISION)
    assert [each["outside"] for each in said] == [[], [COLUMN.name]]
    assert f"{counted} 1.0" in page(api)
    assert all(again(each, decision.load(release, PORTFOLIO)).same for each in said)
    assert all("outside" not in each for each in answers), "an answer tells nobody where development ended"
