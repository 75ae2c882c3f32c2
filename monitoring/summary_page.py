"""The summary as sentences and as one printed page: what changed, how sure that is, what it costs, what to do.

Responsible for plain words: columns without underscores, money in three digits, what to do and who does it. Measures nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from feature_repo.portfolio import Portfolio
from governance.limits import Verdict
from governance.sentences import many
from monitoring.concerns import BAND, FAULT, GROUP, HIGH, LOW, RANKING, SEGMENT, SHIFT, WHOLE, Concern
from monitoring.loss import LOANS
from monitoring.money import MINUS, effect, money
from monitoring.pages import percent
from monitoring.params import LossParams, SummaryParams
from monitoring.signals import MOVED, SIGN, SKEW
from monitoring.summary import Reports, Summary

CHANGED, SURE, COSTS, DO = "What changed", "How sure that is", "What it costs", "What to do"
MOST_NAMED = 4  # in a sentence
DEAREST = 2  # told among the costs
ACTIONS = {  # what to do in a word, and in a sentence
    SHIFT: ("find the cause", "find out what changed in who applies, or in how this is recorded; if it stays, develop on newer data"),
    FAULT: ("mend the data", "have its source mend the data; these decisions stand on wrong values"),
    RANKING: ("challenge the model", "develop a challenger on newer outcomes and compare it with what serves"),
    LOW: ("recalibrate", "recalibrate on newer outcomes; until then expect this loss"),
    HIGH: ("recalibrate", "recalibrate on newer outcomes; people are declined for risk that is not there"),
    MOVED: ("find the cause", "find out what changed in who applies, or in how this is recorded; if it stays, develop on newer data"),
    SIGN: ("expect more bad loans", "look at who was approved lately before their outcomes come; nothing is proved yet"),
    SKEW: ("mend the store", "have the online store and the views agree; decisions were made on values that training would not be told"),
    GROUP: ("judge it", "have compliance judge it, and look at the fairer alternatives of the last development"),
}
FOLLOWS = ("see the inputs", "this follows from the inputs that shifted")
ASSUMED = (
    "Expected loss is PD times {what} times {given_default:.0%}, the share of a bad loan that is lost: an assumption "
    "(evaluate.policy.profit.of_bad in params.yaml) that no data here bear out. Counted are loans the service approved, at its PDs; "
    "referred applications are not.\n"
    "The effect of a shift is what these decisions are expected to lose, less what they would if this column alone had the mix of "
    "development. Columns that move together share an effect, so effects do not add up. A shift towards risk can lower the loss, for fewer "
    "are approved.\n"
    "The effect of PDs that are off is what would be lost beyond the expected if all loans missed their PDs as the matured ones did.\n"
    "PSI, the population stability index, is how far a column's mix is from development's: 0 is the same."
)


@dataclass(frozen=True)
class Told:
    """What the words are made from. false_alarms: share of windows without drift in which chance flags some column."""

    portfolio: Portfolio
    reports: Reports
    summary: Summary
    loss: LossParams
    params: SummaryParams
    false_alarms: float

    def answers(self) -> dict[str, list[str]]:
        """The four questions, each with its sentences."""
        return {CHANGED: [*self._drifted(), *self._beside(), *self._turned_out(), *self._people()] or ["Nothing could be judged."],
                SURE: self._sure(), COSTS: self._costs(), DO: self._do()}

    def found(self) -> list[str]:
        """The same, as every report begins."""
        return [f"**{question}:** {' '.join(sentences)}" for question, sentences in self.answers().items()]

    def rests(self) -> list[str]:
        """What the effects take for granted, and what a word means."""
        what = "one loan, for the contract names no amount," if self.summary.lent.unit == LOANS else "the amount lent"
        return ASSUMED.format(what=what, given_default=self.loss.given_default).split("\n")

    def row(self, concern: Concern) -> dict[str, Any]:
        """A finding in words."""
        share = "" if concern.of_loss is None else f"{concern.of_loss:+.0%}".replace("-", MINUS)
        whole = "the window's" if concern.months == WHOLE else "these months'"
        of = next((f"the {part.strip()}'s" for part in (BAND, SEGMENT) if concern.subject.startswith(part)), whole)
        cost = effect(concern.effect, self.summary.lent.unit) if concern.effect else "none that could be told"
        return {"subject": _name(concern.subject), "part": concern.part, "verdict": concern.verdict, "months": concern.months,
                "effect": cost, "of_loss": f"{share} of {of} expected loss" if share else "", "sure": concern.sure,
                "act": _first(self._act(concern)[0]), "owner": _owner(concern).strip(" ()")}

    def _drifted(self) -> list[str]:
        shifted, faulty = (_alarmed(self.summary.concerns, part) for part in (SHIFT, FAULT))
        of = len(self.reports.drift.columns)
        said = [f"{len(shifted)} of {of} columns drifted{_named(shifted)}."] if of else []
        return [*said, f"Data at fault{_named(faulty)}."] if faulty else said

    def _beside(self) -> list[str]:
        """What stands beside columns and outcomes: inputs that moved the score, the early sign, values that were others online."""
        moved, skewed = (_flagged(self.summary.concerns, part) for part in (MOVED, SKEW))
        early = self.reports.performance.early
        said = [f"{many(len(moved), 'input', 'inputs')} moved the log-odds of bad beyond the limits{_named(moved)}."] if moved else []
        said += [f"{_first(early.told[-1])}."] if early and early.flagged else []
        return [*said, *([f"Other values online than in the data: {_named(skewed)[2:]}."] if skewed else [])]

    def _turned_out(self) -> list[str]:
        measured = self.reports.performance.performance
        if measured is None or measured.total.observed is None:
            return []
        bad, said = percent(measured.total.observed.value), percent(measured.total.mean_pd)
        return [f"{bad} of loans with a matured outcome went bad; PDs said {said}."]

    def _people(self) -> list[str]:
        groups, overrides = _alarmed(self.summary.groups, GROUP), self.reports.decisions.overrides
        said = [f"{many(len(groups), 'group of people is', 'groups of people are')} in alert{_named(groups)}."] if groups else []
        if overrides and overrides.rate.of:
            said.append(f"People decided otherwise in {overrides.rate.hits:,} of {overrides.rate.of:,} decisions.")
        return said

    def _sure(self) -> list[str]:
        measured, said = self.reports.performance.performance, []
        if lacking := [name for name, verdict in self.summary.verdicts.items() if verdict is Verdict.INSUFFICIENT]:
            said.append(f"Not judged, which is not a pass: {', '.join(lacking)}.")
        if measured:
            known = f"{measured.total.matured:,} of {measured.total.decisions:,}"
            said.append(f"{known} decisions have a matured outcome; of the others only the PDs are known.")
        chance = f"If nothing had drifted, chance would flag any column in {self.false_alarms:.0%} of windows."
        return [*said, f"{chance} Effects have {self.loss.confidence:.0%} intervals."]

    def _costs(self) -> list[str]:
        lent = self.summary.lent
        sold = "" if lent.unit == LOANS else f", for {money(lent.amount, lent.unit)}"
        share = f", {lent.expected / lent.amount:.2%} of it" if sold and lent.amount else ""
        said = f"{lent.approved:,} of {lent.decisions:,} applications were approved{sold}"
        lost = f"expected loss {money(lent.expected, lent.unit)}{share}"
        dearest = {one.subject: one for one in reversed(self.summary.concerns) if one.effect}  # of a column its dearest finding
        dear = [(f"{_first(one.subject)} ({one.part}, {one.months})", one.effect) for one in self.summary.concerns
                if one.effect and dearest[one.subject] is one][:DEAREST]
        return [f"{said}; {lost}.", *(f"{what}: {effect(cost, lent.unit)}." for what, cost in dear)]

    def _do(self) -> list[str]:
        """Each thing to do once, for the first it is to be done for."""
        acts: dict[str, Concern] = {}
        for one in (*self.summary.groups, *self.summary.concerns):
            if one.verdict is Verdict.ALERT and not self._follows(one):
                acts.setdefault(self._act(one)[1], one)
        said = [f"{_first(one.subject)}: {act}{_owner(one)}." for act, one in acts.items()]
        return said or ["Nothing is in alert: no decision is asked for."]

    def _act(self, concern: Concern) -> tuple[str, str]:
        return FOLLOWS if self._follows(concern) else ACTIONS[concern.part]

    def _follows(self, concern: Concern) -> bool:
        """Whether it is a result of the model, which its inputs moved."""
        return concern.part == SHIFT and concern.subject not in {column.name for column in self.portfolio.inputs}


def write(path: Path, told: Told, looked: Sequence[str]) -> None:
    """The page. looked: which decisions it is about."""
    most, summary = told.params.most, told.summary
    left = len(summary.concerns) - most
    content = {"title": _first(told.portfolio.name), "looked": " ".join(looked), "verdicts": summary.verdicts, "answers": told.answers(),
               "concerns": [told.row(one) for one in summary.concerns[:most]], "groups": [told.row(one) for one in summary.groups[:most]],
               "more": f"And {many(left, 'finding', 'findings')} with less effect: see the reports." if left > 0 else "",
               "rests": told.rests()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PAGES.get_template("summary.html").render(content), encoding="utf-8")


def _flagged(concerns: Sequence[Concern], part: str) -> list[str]:
    return [one.subject for one in concerns if one.part == part]


def _alarmed(concerns: Sequence[Concern], part: str) -> list[str]:
    return [one.subject for one in concerns if one.part == part and one.verdict is Verdict.ALERT]


def _named(subjects: Sequence[str]) -> str:
    """The first of them, and how many more."""
    rest = f" and {len(subjects) - MOST_NAMED} more" if len(subjects) > MOST_NAMED else ""
    return f": {', '.join(map(_name, subjects[:MOST_NAMED]))}{rest}" if subjects else ""


def _name(subject: str) -> str:
    return subject.replace("_", " ")


def _first(text: str) -> str:
    """With a capital letter."""
    return _name(text[:1].upper() + text[1:])


def _owner(concern: Concern) -> str:
    """Whose it is, after what is to be done; nothing where it is nobody's."""
    return f" ({concern.owner}, within {concern.days} days)" if concern.owner else ""


PAGES = Environment(loader=PackageLoader(__package__, "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                    lstrip_blocks=True)
