"""No rule is ever broken, whatever people try in whatever order."""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from approved import (
    FAILED,
    PASSED,
    Book,
    approved,
    asked,
    back,
    beside,
    by,
    promoted,
    registered,
    rejected,
    retired,
    sign,
    unsigned,
    waived,
    withdrawn,
)
from folded import MLFLOW, PEOPLE

from governance import events
from governance.events import ALIASES, CHALLENGER, CHAMPION, SHADOW, UNKNOWN
from governance.promotion import extended, standing
from governance.splits import MOST_SHARE, Split
from governance.standing import Signed, Standing

SEQUENCES, ACTIONS = 1_000, 24
APPROVERS = {"otto", "anna", "abel"}


class Crowd:
    """People who try everything, some of it forged, and an account of what truly happened that the rules had no part in."""

    def __init__(self, seed: int, aliases: tuple[str, ...] = (CHAMPION,)) -> None:
        self.aliases = aliases
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
        gates, forge, alias = draw.choice([PASSED, PASSED, FAILED]), draw.random() < 0.15, draw.choice(self.aliases)
        if (there := self.found.requests.get(request)) and draw.random() < 0.95:
            release, gates, alias = there.release_id, draw.choice([there.gates, there.gates, gates]), there.alias
        version, until = str("ABCD".index(release) + 1), self.book.at + timedelta(seconds=draw.choice([5, 60, 600]))
        split = Split("e", draw.choice([0.1, 0.5, 0.9]), until.isoformat()) if (alias == CHALLENGER) == (draw.random() < 0.9) else None
        ask, agree, take = beside(alias, split, asked(request, release, draw.choice([who, MLFLOW]), gates, version),
                                  approved(request, release, who),
                                  promoted(request, release, draw.choice([who, unsigned()]), gates, version))
        end = [rejected(request, release, who), retired(release, who), withdrawn(request, release, who, draw.choice([alias, SHADOW]))]
        action = draw.choice([take, agree, agree, waived(request, release, who, until), back(release, who, version),
                              draw.choice(end)] if there else [ask, ask, agree, take])
        self.say(action, forge=forge)

    def recorded(self, said: Signed) -> tuple[int, events.Event]:
        """The truly signed event that was recorded then, and its place; ids do not tell, since forgers choose them."""
        return next((place, event) for place, event in self.true
                    if self.book.records[place].recorded_at == said.at.isoformat(timespec="microseconds"))

    def check(self) -> None:
        """What serves was wanted by two people, none its author, and every gate that failed is waived now: by the account alone."""
        served = [one.request_id for one in self.found.promotions if not one.back]
        assert len(served) == len(set(served))
        for alias in ALIASES:
            self.check_alias(alias)

    def check_alias(self, alias: str) -> None:
        found = self.found.serving(alias, self.book.at)
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
        assert taken.alias == wanted.alias == alias
        assert len(({wanted.by.name} - {UNKNOWN}) | agreed) >= 2
        assert agreed - {wanted.by.name}
        failed = {gate.gate for one in (wanted, taken) for gate in one.gates if not gate.passed}
        checkers = APPROVERS - {author, wanted.by.name}
        waivers = {one.gate for _, one in about if isinstance(one, events.GateWaived) and one.by.name in checkers
                   and one.until > self.book.at.isoformat()}
        assert alias == SHADOW or not found.allowed or failed <= waivers
        assert release not in self.found.retired
        if alias != CHAMPION:
            ended = {one.by.name for place, one in about
                     if place > then and isinstance(one, events.ReleaseWithdrawn) and one.alias == alias}
            assert not ended & {"olga", *APPROVERS}
        if alias == CHALLENGER:
            assert wanted.split.share <= MOST_SHARE
            assert self.book.at.isoformat() < wanted.split.until


@pytest.mark.parametrize("aliases", [(CHAMPION,), ALIASES], ids=["a champion alone", "with a shadow and a challenger"])
def test_in_random_sequences_no_rule_is_ever_broken(aliases):
    served = dict.fromkeys(ALIASES, 0)
    for seed in range(SEQUENCES):
        crowd = Crowd(seed, aliases)
        for _ in range(ACTIONS):
            crowd.act()
            crowd.check()
        for alias in aliases:
            served[alias] += crowd.found.serving(alias, crowd.book.at) is not None
        again = standing(crowd.book.records, PEOPLE, crowd.book.at)
        assert again == crowd.found, seed
    assert all(served[alias] > SEQUENCES / (20 if len(aliases) == 1 else 100) for alias in aliases), served
