"""`tally retrain`: from breaches of monitoring to a challenger on newer data, and where it beats the champion to a request.

Responsible for the order, each step harmless to repeat: an experiment apart from the working tree, the comparison on the same rows, the
alias, the request, and last the event that answers the breaches. Refuses a verdict that the record does not know. Promotes nothing, and
asks in nobody's name, so that two people must agree.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from feature_repo.errors import DataError
from feature_repo.params import read
from governance import actions, events
from governance.actions import Acting, Wish
from governance.current import Current
from governance.events import UNKNOWN, Actor, ReleaseCompared
from governance.ledger.book import Book
from governance.ledger.writer import Ledger
from governance.observations import ChallengerTrained
from governance.standing import Promotion, Standing
from monitoring.retraining import Breach, RetrainParams, development_end, is_better, newest_matured, too_early, unanswered
from tally import aliasing, breaches, placing, repair
from tally.alerting import VERDICT
from tally.arriving import business_now
from tally.checkout import Checkout, here
from tally.windows import alone

SELF = Actor("retrain", "process")
NOBODY = Actor(UNKNOWN, "process")
TARGET = "compare"  # the last stage a challenger needs; those after it are about what serves


@dataclass(frozen=True)
class Case:
    """What a challenger is made for. until: the last day of its development."""

    checkout: Checkout
    params: RetrainParams
    champion: Promotion
    breaches: tuple[Breach, ...]
    until: date

    @property
    def experiment(self) -> str:
        return f"retrain-{self.champion.release_id[:12]}-{self.until}"

    @property
    def named(self) -> str:
        return ", ".join(f"{one.report} of {one.window}" for one in self.breaches)


def retrain(verdict: Path | None) -> str:
    """Answer the breaches of a verdict.json, this portfolio's newest where none is named; what came of it, in lines."""
    checkout, params = here(), read("retrain", RetrainParams)
    said = verdict or checkout.reports / checkout.portfolio.name / VERDICT
    with alone(checkout.services / "retraining"):
        book = checkout.book
        try:
            case = _case(checkout, params, book, said)
            return case if isinstance(case, str) else _answered(case, book)
        finally:
            book.close()


def _case(checkout: Checkout, params: RetrainParams, book: Book, verdict: Path) -> Case | str:
    """What is to be done, or in a sentence why nothing is."""
    current = Current(book, checkout.signers)
    serves = current.look().serving()
    if serves is None:
        return f"No release of {checkout.portfolio.name} serves, so there is none to replace; ask for one: tally request"
    champion = serves.promotion
    done = [one for _, one in events.every(book.events()) if isinstance(one, ChallengerTrained)]
    open_ones = unanswered(breaches.told(verdict, params.windows), champion.release_id, params, done)
    if not open_ones:
        return f"Nothing to do: no breach of release {champion.release_id[:12]} in {params.windows} windows is without its challenger."
    _require_recorded(book, open_ones, verdict)
    until = development_end(checkout.portfolio, newest_matured(checkout.portfolio, business_now()), params)
    why = too_early(until, _learnt(checkout, current, champion), champion.release_id, params, done)
    case = Case(checkout, params, champion, open_ones, until)
    return f"A challenger for {case.named} waits: {why}" if why else case


def _require_recorded(book: Book, found: tuple[Breach, ...], verdict: Path) -> None:
    """Raise DataError for a breach that monitoring did not record: whoever wrote the file could start any training."""
    unknown = [one for one in found if book.find("id", one.entry) is None]
    if unknown:
        raise DataError(f"{verdict.name} says {unknown[0].report} of {unknown[0].window} is in alert, and the record does not; make it "
                        "again: tally monitor --as-of yesterday")


def _learnt(checkout: Checkout, current: Current, champion: Promotion) -> date | None:
    from training import comparison

    release = placing.fetched(checkout, current.look().releases[champion.release_id], current.people)
    learnt: date | None = comparison.learnt_until(release)
    return learnt


def _answered(case: Case, book: Book) -> str:
    """Train, compare, ask where it is better, and say so in the record."""
    release_id, version = _card(case) or _trained(case)
    ledger = Ledger(book)
    try:
        acting = Acting(Current(book, case.checkout.signers), ledger, SELF, sign=lambda event: event)
        found = acting.standing().compared.get((release_id, case.champion.release_id))
        better = is_better(found, case.params)
        asked = _asked(case, acting, release_id, found) if found and better else ""
        event = ChallengerTrained(by=SELF, at=actions.now(), champion=case.champion.release_id, challenger=release_id, version=version,
                                  breaches=tuple(one.entry for one in case.breaches), develop_until=case.until.isoformat(),
                                  experiment=case.experiment, better=better, request_id=asked)
        acting.note(event, f"{case.champion.release_id}:{release_id}:{case.until}")
    finally:
        ledger.close()
    made = f"version {version}, release {release_id[:12]}, was trained on applications to {case.until}"
    return "\n".join([f"For {case.named} {made} (experiment {case.experiment}).", compared(found), *_next(case, asked)])


def compared(found: ReleaseCompared | None) -> str:
    """The comparison with the champion in a sentence."""
    if found is None:
        return "It is what serves already, or cannot be scored beside it; reports of stage compare say which."
    low, high = found.interval
    return f"Against the champion on {found.rows:,} rows ({found.part}): Gini {found.gini_difference:+.3f} ({low:+.3f} to {high:+.3f})."


def _next(case: Case, asked: str) -> list[str]:
    if not asked:
        return [f"It is not better beyond chance (retrain.better_by {case.params.better_by:g}): nobody is asked."]
    return [f"Request {asked} is open; two people decide: tally requests {asked}",
            f"Its settings, once it serves: dvc exp apply {case.experiment}"]


def _card(case: Case) -> tuple[str, str] | None:
    """The release and version that the experiment registered; None where it was not run to its end."""
    import dvc.api
    from dvc.exceptions import DvcException
    from scmrepo.exceptions import SCMError

    path = f"data/{case.checkout.portfolio.name}/register/card.json"
    try:
        said = msgspec.json.decode(dvc.api.read(path, rev=case.experiment), type=dict[str, str])
    except (DvcException, SCMError, FileNotFoundError):
        return None
    return said["release_id"], said["version"]


def _trained(case: Case) -> tuple[str, str]:
    """Run the pipeline to the comparison in a copy of what git tracks. Raises DataError where a stage failed."""
    for line in repair.before_a_run():
        sys.stderr.write(f"{line}\n")
    done = subprocess.run([sys.executable, "-m", "dvc", "exp", "run", "--temp", "--name", case.experiment,
                           "-S", f"split.develop_until={case.until}", TARGET], check=False)
    made = None if done.returncode else _card(case)
    if made is None:
        raise DataError("the challenger's run stopped at the stage above: nothing was compared and nobody asked; the next run tries "
                        "again (docs/troubleshooting.md)")
    return made


def _asked(case: Case, acting: Acting, release_id: str, found: ReleaseCompared) -> str:
    """Let the alias `challenger` name it and open a request by nobody in particular; the request's id, the same however often it is run."""
    standing: Standing = acting.standing()
    name = hashlib.sha256(f"{case.experiment} {release_id}".encode()).hexdigest()[:12]
    if name in standing.requests:
        return name
    wanted = standing.releases[release_id]
    release = placing.fetched(case.checkout, wanted, acting.current.people)
    gates = placing.judged(release, standing, acting.current.book)
    aliasing.aliases(case.checkout.portfolio.name).let(events.CHALLENGER, wanted.version)
    asking = Acting(acting.current, acting.ledger, NOBODY, acting.sign)
    return actions.request(asking, wanted, f"{case.named}: trained on applications to {case.until}. {compared(found)}", gates,
                           Wish(request_id=name)).id
