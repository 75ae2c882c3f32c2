"""No rule is ever broken, whatever people try in whatever order."""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))
from approved import (
    FAILED,
    PASSED,
    Book,
    approved,
    asked,
    back,
    by,
    promoted,
    registered,
    rejected,
    retired,
    sign,
    unsigned,
    waived,
)
from folded import MLFLOW, PEOPLE

from governance import events
from governance.events import UNKNOWN
from governance.promotion import extended, standing
from governance.standing import Signed, Standing

SEQUENCES, ACTIONS = 1_000, 24
APPROVERS = {"otto", "anna", "abel"}


class Crowd:
    """People who try everything, some of it forged, and an account of what truly happened that the rules had no part in."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - a draw of actions, no secret
        self.book = Book()
        self.found = Standing(self.book.at)
        self.true: list[tuple[int, events.Event]] = []
        for number, release in enumerate("ABCD"):
            self.say(registered(release, "abel" if release == "D" else "ada", str(number + 1)))

    def say(self, event: events.Event, *, forge: bool = False) -> None:
        stamped = msgspec.structs.replace(event, at=self.book.at.isoformat())
        said = self.draw.choice([lambda: stamped, lambda: sign(stamped, using="dora")])() if forge else sign(stamped)
        record = self.book.put(said)
        if not (forge and event.by.how == "key"):
            self.true.append((len(self.book.records) - 1, said))
        self.found.at = self.book.at
        extended(self.found, [record], PEOPLE)

    def act(self) -> None:
        draw = self.draw
        request, release, who = f"r{draw.randrange(3)}", draw.choice("ABD"), by(draw.choice(["ada", "olga", "otto", "anna", "abel"]))
        gates, forge = draw.choice([PASSED, PASSED, FAILED]), draw.random() < 0.15
        if (there := self.found.requests.get(request)) and draw.random() < 0.95:
            release, gates = there.release_id, draw.choice([there.gates, there.gates, gates])
        version, until = str("ABCD".index(release) + 1), self.book.at + timedelta(seconds=draw.choice([5, 60, 600]))
        ask, agree = asked(request, release, draw.choice([who, MLFLOW]), gates, version), approved(request, release, who)
        take = promoted(request, release, draw.choice([who, unsigned()]), gates, version)
        action = draw.choice([take, agree, agree, waived(request, release, who, until), back(release, who, version),
                              draw.choice([rejected(request, release, who), retired(release, who)])] if there else [ask, ask, agree, take])
        self.say(action, forge=forge)

    def recorded(self, said: Signed) -> tuple[int, events.Event]:
        """The truly signed event that was recorded then, and its place; ids do not tell, since forgers choose them."""
        return next((place, event) for place, event in self.true
                    if self.book.records[place].recorded_at == said.at.isoformat(timespec="microseconds"))

    def check(self) -> None:
        """What serves was wanted by two people, none its author, and every gate that failed is waived now: by the account alone."""
        served = [one.request_id for one in self.found.promotions if not one.back]
        assert len(served) == len(set(served))
        found = self.found.serving(at=self.book.at)
        if found is None:
            return
        release, request = found.promotion.release_id, self.found.requests[found.promotion.request_id]
        author = "abel" if release == "D" else "ada"
        _, wanted = self.recorded(request.by)
        then, taken = self.recorded(request.promoted)
        about = [(place, one) for place, one in self.true if getattr(one, "request_id", "") == request.id and one.release_id == release]
        agreed = {one.by.name for place, one in about if place < then and isinstance(one, events.PromotionApproved)} & APPROVERS - {author}
        assert wanted.by.name in {UNKNOWN, "olga", "otto"}
        assert taken.release_id == wanted.release_id == release
        assert len(({wanted.by.name} - {UNKNOWN}) | agreed) >= 2
        assert agreed - {wanted.by.name}
        failed = {gate.gate for one in (wanted, taken) for gate in one.gates if not gate.passed}
        checkers = APPROVERS - {author, wanted.by.name}
        waivers = {one.gate for _, one in about if isinstance(one, events.GateWaived) and one.by.name in checkers
                   and one.until > self.book.at.isoformat()}
        assert not found.allowed or failed <= waivers
        assert release not in self.found.retired


def test_in_a_thousand_random_sequences_no_rule_is_ever_broken():
    served = 0
    for seed in range(SEQUENCES):
        crowd = Crowd(seed)
        for _ in range(ACTIONS):
            crowd.act()
            crowd.check()
        served += crowd.found.serving(at=crowd.book.at) is not None
        again = standing(crowd.book.records, PEOPLE, crowd.book.at)
        assert again == crowd.found, seed
    assert served > SEQUENCES / 20
