"""What the watch leaves alone and what it takes away, without a registry."""

from __future__ import annotations

import pytest
from approved import append as say
from approved import by, withdrawn
from served import for_a_while, furnished, lend

from feature_repo.portfolios import load
from governance.events import CHALLENGER, CHAMPION
from tally import placing
from tally.checkout import Checkout
from tally.watching import Watch

PORTFOLIO = load("card_default")


@pytest.fixture
def checkout(tmp_path, make_release):
    return Checkout(PORTFOLIO, furnished(tmp_path, PORTFOLIO.name, make_release).resolve())


def test_a_signers_file_that_is_away_for_a_moment_takes_no_champion_away(checkout):
    serves, away = placing.pointed(checkout), checkout.signers.with_suffix(".away")
    checkout.signers.rename(away)
    with Watch(checkout) as watch:
        watch.place()
        assert placing.pointed(checkout) == serves != ""


def test_the_pointer_of_a_challenger_whose_split_was_ended_is_taken_away(checkout, tmp_path, make_release):
    other = make_release(tmp_path / "other", intercept=-1.0)
    lend(checkout.home, PORTFOLIO, other, CHALLENGER, for_a_while(0.1))
    with Watch(checkout) as watch:
        (request,) = [one for one in watch.current.look().requests.values() if one.alias == CHALLENGER]
        say(checkout.home, PORTFOLIO.name, [withdrawn(request.id, other.id, by("anna"), CHALLENGER)])
        watch.place()
        assert not placing.pointer(checkout, CHALLENGER).exists()
        assert placing.pointer(checkout, CHAMPION).exists()
