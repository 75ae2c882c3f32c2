"""Policy packs: which version holds on a day, what it says of counts, and that its file and its words are strict."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from feature_repo.errors import ParamsError
from governance import packs
from governance.disparities import Looks
from governance.groups import NOBODY, Compared, Tally
from governance.limits import Verdict
from governance.packs import Ruling

BELOW, CLOSE, EVEN = (48, 100), (70, 100), (80, 100)
DAYS = [date(2025, 12, 14), date(2025, 12, 15), date(2026, 7, 20), date(2026, 7, 21), date(2027, 12, 1), date(2027, 12, 2)]
BLOCKS = {  # whether a ratio of 0.6 holds a promotion up on each of DAYS; None: no version
    "strict": [True, True, True, True, True, True],
    "us_federal": [True, True, True, False, False, False],
    "us_new_jersey": [None, True, True, True, True, True],
    "us_massachusetts": [True, True, True, True, True, True],
    "eu_ai_act": [False, False, False, False, False, True],
}


def counts(cases, reference=EVEN, group="b"):
    own, other = (Tally(decisions=of, approved=approved) for approved, of in (cases, reference))
    return Compared("sex", group, own, "a", other)


def found(cases, reference=EVEN, name="strict", on=DAYS[3], looks=Looks.ONCE):
    finding, *_ = packs.judge(packs.load(name, on), (counts(cases, reference),), looks)
    return finding


def approvals_alone(pack):
    """The pack with its first measure, adverse impact, and none of those that need scores or outcomes."""
    version = msgspec.structs.replace(pack.version, measures=pack.version.measures[:1])
    return msgspec.structs.replace(pack, version=version)


def test_there_is_a_line_of_the_matrix_for_every_pack():
    assert sorted(BLOCKS) == packs.names()


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("place", range(len(DAYS)))
def test_pack_and_day_decide_whether_adverse_impact_blocks(name, place):
    expected = BLOCKS[name][place]
    if expected is None:
        with pytest.raises(ParamsError, match=f"{name} has no version for {DAYS[place]}"):
            packs.load(name, DAYS[place])
        return

    finding = found(BELOW, name=name, on=DAYS[place])

    assert finding.verdict is Verdict.ALERT
    assert finding.blocks is expected
    assert packs.load(name, DAYS[place]).blocks is expected


@pytest.mark.parametrize(("cases", "reference", "verdict", "blocks"), [
    (EVEN, EVEN, Verdict.OK, False),
    ((72, 100), EVEN, Verdict.OK, False),            # 0.90, the limit itself
    ((710, 1000), (800, 1000), Verdict.WATCH, False),  # 0.8875, and no chance
    (CLOSE, EVEN, Verdict.OK, False),                # 0.875, which chance explains: 0.745 to 1.03
    ((640, 1000), (800, 1000), Verdict.WATCH, False),  # 0.80, the limit itself
    ((639, 1000), (800, 1000), Verdict.ALERT, True),
    ((20, 40), (26, 40), Verdict.WATCH, False),      # 0.77, which chance explains: 1607.4(D) excepts it
    (BELOW, EVEN, Verdict.ALERT, True),
    ((0, 30), EVEN, Verdict.ALERT, True),            # nobody is approved
    ((29, 29), EVEN, Verdict.INSUFFICIENT, True),    # under 30, however well they fare
    ((30, 30), EVEN, Verdict.OK, False),
    (EVEN, (29, 29), Verdict.INSUFFICIENT, True),    # a reference of few
    (EVEN, (0, 100), Verdict.INSUFFICIENT, True),    # nothing to compare with
    ((0, 0), EVEN, Verdict.INSUFFICIENT, True),
])
def test_the_house_rule_on_counts_worked_by_hand(cases, reference, verdict, blocks):
    finding = found(cases, reference)

    assert (finding.verdict, finding.blocks) == (verdict, blocks)


def test_what_is_only_reported_is_judged_all_the_same():
    assert [found(cases, name="us_federal").verdict for cases in (BELOW, (5, 9))] == [Verdict.ALERT, Verdict.INSUFFICIENT]
    assert not any(found(cases, name="us_federal").blocks for cases in (BELOW, (5, 9)))


def test_the_figure_is_told_with_its_interval_and_none_is_made_of_nothing():
    figure = found(BELOW).figure
    assert (figure.value, figure.low, figure.high) == pytest.approx((0.6, 0.478479088814470398, 0.752383977515033054), rel=0, abs=1e-12)
    assert (found(EVEN, (0, 100)).figure, found((0, 0)).figure) == (None, None)


def test_every_measure_names_its_source_with_a_place_and_says_what_is_practice():
    for name in packs.names():
        for version in packs.read(name).versions:
            adverse, *others = version.measures
            assert "house" in adverse.source.lower(), f"{name}: a limit of 0.80 is practice, and the pack must say so"
            assert any(place in adverse.source for place in ("United States", "New Jersey", "Massachusetts", "AI Act"))
            assert all("ractice, and no clause of any law named here" in measure.source for measure in others)


def test_every_pack_judges_approvals_scores_and_outcomes_and_blocks_by_no_more_than_a_source_bears():
    for name in packs.names():
        for version in packs.read(name).versions:
            assert [measure.name for measure in version.measures] == [
                "adverse_impact_ratio", "equal_opportunity_difference", "standardized_mean_difference", "calibration_by_group"]
            assert not any(measure.blocks for measure in version.measures[1:])


COUNTS = {  # what the counts come to where adverse impact blocks, and where it is only reported
    "as often": ((80, 100), Ruling.PASSES, Ruling.PASSES),
    "chance explains it": ((70, 100), Ruling.PASSES, Ruling.PASSES),
    "far less often": (BELOW, Ruling.BLOCKS, Ruling.REPORTS),
    "too few to tell": ((5, 9), Ruling.BLOCKS, Ruling.REPORTS),
}


@pytest.mark.parametrize("said", COUNTS)
@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("place", range(len(DAYS)))
def test_pack_day_and_counts_decide_what_it_comes_to(name, place, said):
    blocks = BLOCKS[name][place]
    if blocks is None:
        return
    cases, blocking, reporting = COUNTS[said]
    pack = approvals_alone(packs.load(name, DAYS[place]))

    assert packs.ruling(pack, packs.judge(pack, (counts(cases),))) is (blocking if blocks else reporting)


def test_nothing_that_could_be_judged_is_no_pass():
    assert packs.ruling(packs.load("strict", DAYS[0]), ()) is Ruling.BLOCKS
    assert packs.ruling(packs.load("us_federal", DAYS[3]), ()) is Ruling.REPORTS


def test_a_window_that_is_looked_at_again_and_again_needs_more_to_be_sure():
    once, ever = (found((62, 100), looks=looks).verdict for looks in Looks)
    assert (once, ever) == (Verdict.ALERT, Verdict.WATCH)


def test_one_of_many_comparisons_needs_more_to_be_sure():
    pack = packs.load("strict", DAYS[3])
    one, among_thirty = (packs.judge(pack, (counts((62, 100)),), family=family)[0].verdict for family in (1, 30))
    assert (one, among_thirty) == (Verdict.ALERT, Verdict.WATCH)


def test_a_measure_that_blocks_and_was_never_counted_is_not_passed():
    (own,) = (each for each in packs.load("strict", DAYS[3]).version.measures if each.name == "equal_opportunity_difference")
    strict = packs.load("strict", DAYS[3])
    version = msgspec.structs.replace(strict.version, measures=(msgspec.structs.replace(own, blocks=True),))
    (finding,) = packs.judge(msgspec.structs.replace(strict, version=version), (Compared("sex", "b", NOBODY, "a", NOBODY),))

    assert (finding.verdict, finding.blocks) == (Verdict.INSUFFICIENT, True)


def test_a_pack_frozen_before_there_were_other_measures_is_read_as_it_was():
    old = pack((None, None))
    again = msgspec.json.decode(msgspec.json.encode(old), type=packs.Dated)

    assert again == old
    assert [measure.name for measure in again.versions[0].measures] == ["adverse_impact_ratio"]


def test_an_unknown_pack_is_refused_with_those_there_are():
    with pytest.raises(ParamsError, match=r"no policy pack 'nowhere'; there are \['eu_ai_act', 'strict'"):
        packs.read("nowhere")
    with pytest.raises(ParamsError, match=r"no policy pack '\.\./strict'"):
        packs.read("../strict")


MEASURE = {"name": "adverse_impact_ratio", "limits": {"watch": 0.9, "alert": 0.8}, "blocks": True, "minimum": 30, "confidence": 0.95,
           "source": "somewhere"}


def pack(*spans, **measure):
    versions = [{"from": since, "until": until, "says": "words", "measures": [{**MEASURE, **measure}]} for since, until in spans]
    return msgspec.convert({"jurisdiction": "j", "title": "t", "versions": versions}, packs.Dated)


@pytest.mark.parametrize("spans", [
    [(None, None), ("2026-01-01", None)],
    [(None, "2026-02-01"), ("2026-01-01", None)],
    [(None, "2026-01-01"), (None, None)],
    [("2026-01-01", "2026-01-01")],
])
def test_versions_that_overlap_or_hold_on_no_day_are_refused(spans):
    with pytest.raises(msgspec.ValidationError, match=r"begins before|holds on no day"):
        pack(*spans)


@pytest.mark.parametrize("measure", [
    {"unknown": 1}, {"source": ""}, {"limits": {"watch": 0.8, "alert": 0.9}}, {"name": "equal_opportunity"}, {"confidence": 0.4},
    {"minimum": 0}, {"blocks": "yes"}, {"name": "equal_opportunity_difference"},
])
def test_a_measure_that_is_not_as_it_must_be_is_refused(measure):
    with pytest.raises(msgspec.ValidationError):
        pack((None, None), **measure)


def test_a_day_between_two_versions_has_none():
    gap = pack((None, "2026-01-01"), ("2026-02-01", None))

    assert packs.in_force("gap", gap, date(2025, 12, 31)).version.until == date(2026, 1, 1)
    assert packs.in_force("gap", gap, date(2026, 2, 1)).version.since == date(2026, 2, 1)
    with pytest.raises(ParamsError, match="gap has no version for 2026-01-01"):
        packs.in_force("gap", gap, date(2026, 1, 1))
