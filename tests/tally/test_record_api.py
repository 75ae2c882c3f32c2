"""Guarantees of the desk, against the real server: nobody without a person's token, strict input, the same answers, actions vouched for."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import httpx
import pytest
from approved import FAILED, agreed, append, asked, beside, by, key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from recorded import EACH, PORTFOLIO, record

from feature_repo.errors import IdentityError
from governance import enrolment, events
from governance.evidence import verify
from governance.ledger import checkpoint
from governance.ledger.proving import checkpoint_now
from tally.desk.application import desk_of
from tally.desk.description import ACTIONS, QUESTIONS
from tally.questions import Questions

UNTIL = "2027-01-01T00:00:00+00:00"
REASON = {"reason": "it was looked at"}


@pytest.fixture(scope="module")
def made(tmp_path_factory, make_release):
    """A home with a record, a desk's key and tokens; placed as the watch leaves it."""
    made = record(tmp_path_factory.mktemp("desk"), make_release)
    path = made.home / "keys" / "dora.pem"
    path.write_bytes(key("dora").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    place = enrolment.place(made.home, {"TALLY_ACTOR": "dora"})
    made.tokens = {name: enrolment.give_token(place, name) for name in ("ada", "olga", "otto", "anna", "abel", "ulla")}
    checkpoint_now(made.questions.book, checkpoint.open_key(made.home, made.questions.book.log))
    return made


@pytest.fixture(scope="module")
def desk(made, free_ports) -> Iterator[SimpleNamespace]:
    """The server as `tally desk` starts it; ended by its own process id."""
    port = free_ports(1)[0]
    environment = {**os.environ, "TALLY_HOME": str(made.home), "TALLY_PORTFOLIO": PORTFOLIO, "TALLY_RECORD_PORT": str(port),
                   "TALLY_ACTOR": "dora", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    environment["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{free_ports(1)[0]}"  # nobody there: only asking and promoting need it
    log = made.home / "desk.log"
    command = [sys.executable, "-m", "tally.desk.server"]
    with log.open("wb") as file, subprocess.Popen(command, env=environment, stdout=file, stderr=file) as run:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{url}/livez").is_success:
                    break
            assert run.poll() is None, log.read_text()
            time.sleep(0.1)
        yield SimpleNamespace(url=url, log=log)
        run.send_signal(signal.SIGTERM)
        run.wait(30)


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(made, desk) -> Ask:
    def ask(method: str, path: str, name: str = "olga", **options) -> httpx.Response:
        headers = {"Authorization": f"Bearer {made.tokens[name]}"} if name else {}
        return httpx.request(method, desk.url + path, headers=headers | options.pop("headers", {}), timeout=60, **options)

    return ask


@pytest.fixture
def wish(made) -> Iterator[str]:
    """An open request of olga's for release A, one of whose gates failed; taken back at the end."""
    name = f"wish-{time.monotonic_ns()}"
    append(made.home, PORTFOLIO, [asked(name, made.a.id, by("olga"), FAILED)])
    yield name
    with contextlib.suppress(Exception):
        append(made.home, PORTFOLIO, [events.PromotionRejected(by=by("olga"), at="", request_id=name, release_id=made.a.id, reason="done")])


EVERYTHING = [("GET", each.path) for each in QUESTIONS] + [("POST", each.path) for each in ACTIONS] + [("GET", "/openapi.json")]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer tally_nobodys", "Basic b2xnYTpvbGdh", "tally_nobodys"])
@pytest.mark.parametrize(("method", "path"), EVERYTHING)
def test_nobody_without_a_token_of_a_person_is_told_anything(ask, method, path, authorization):
    answer = ask(method, path.replace("{id}", "x"), "", headers={"Authorization": authorization} if authorization else {}, content=b"{")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status"}


def test_a_token_of_somebody_who_left_opens_nothing(made, ask):
    place = enrolment.place(made.home, {"TALLY_ACTOR": "dora"})
    enrolment.add(place, "eric", ("owner",))
    made.tokens["eric"] = enrolment.give_token(place, "eric")
    assert ask("GET", "/v1/history", "eric").status_code == 200
    enrolment.end(place, "eric")
    assert ask("GET", "/v1/history", "eric").status_code == 401


def test_only_that_it_lives_is_told_to_everybody(ask):
    assert ask("GET", "/livez", "").json() == {"live": True}
    assert "server" not in ask("GET", "/livez", "").headers


def test_every_question_is_answered_as_at_the_command_line(ask, made):
    decision = made.decided[made.a.id][7]
    assert len(ask("GET", "/v1/history").json()["events"]) == len(list(Questions(made.home, PORTFOLIO).history()))
    moment = ask("GET", "/v1/in-production?at=2024-02-15T12:00Z").json()
    assert moment["serving"]["promotion"]["release_id"] == made.a.id
    assert [one["name"] for one in moment["behind"]["request"]["approvals"]] == ["anna"]
    traced = ask("GET", f"/v1/decisions/{decision}/trace").json()
    assert (traced["trace"]["said"]["release_id"], traced["proof"]["fault"]) == (made.a.id, "")
    assert ask("GET", f"/v1/decisions/{decision}/replay").json() == {"decision_id": decision, "same": True, "differ": []}
    assert ask("GET", "/v1/replay?to=2024-03-01").json() == {"total": EACH, "erased": 0, "differ": {}}
    instead = ask("GET", f"/v1/replay?release={made.b.id[:12]}&from=2024-02-01&to=2024-03-01T00:00:00Z").json()
    assert instead["summary"]["total"] == EACH
    assert len(instead["changed"]) == instead["summary"]["changed"] > 0
    assert {one["state"] for one in ask("GET", "/v1/requests").json()["requests"]} >= {"promoted"}


@pytest.mark.parametrize("about", ["decision", "release"])
def test_an_archive_of_the_desk_proves_itself(ask, made, tmp_path, about):
    answer = ask("GET", f"/v1/evidence/{made.decided[made.b.id][3] if about == 'decision' else 'v1'}")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    assert any("whole, signed by ada" in line for line in verify.check(tmp_path))


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/v1/decisions/nobody/trace", 404), ("GET", "/v1/decisions/nobody/replay", 404), ("GET", "/v1/evidence/nobody", 404),
    ("GET", "/v1/replay?release=v99", 404), ("GET", "/v1/history?more=1", 422), ("GET", "/v1/in-production", 422),
    ("GET", "/v1/in-production?at=noon", 422), ("GET", "/v1/in-production?at=2024-03-01&at=2024-03-02", 422), ("GET", "/v1/nothing", 404),
    ("PUT", "/v1/history", 405), ("GET", "/v1/history/", 404), ("GET", "/v1/replay?from=2031-01-01", 409),
])
def test_what_cannot_be_answered_is_a_problem(ask, made, method, path, status):
    answer = ask(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(made.home) not in answer.text


@pytest.mark.parametrize(("body", "status"), [
    (b"", 400), (b"{", 400), (b'{"reason": "a", "reason": "b"}', 400), (b'{"reason": NaN}', 400), (b"[" * 50 + b"]" * 50, 400),
    (b"{}", 422), (b'{"reason": ""}', 422), (b'{"reason": 1}', 422), (b'{"reason": "a", "more": 1}', 422), (b"[]", 422),
    (b'{"reason": "' + b"a" * 70_000 + b'"}', 413),
])
def test_a_body_is_read_strictly_and_never_repeated(ask, wish, body, status):
    answer = ask("POST", f"/v1/requests/{wish}/approve", "anna", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert b"aaaa" not in answer.content
    assert ask("POST", f"/v1/requests/{wish}/approve", "anna", content=b"reason=a").status_code == 415


def test_somebody_agrees_overrides_and_refuses_by_token_and_the_desk_signs_that(ask, wish, made):
    agreed = ask("POST", f"/v1/requests/{wish}/approve", "anna", json=REASON)
    assert agreed.status_code == 200, agreed.text
    assert (agreed.json()["state"], agreed.json()["missing"]) == ("open", 0)
    waived = ask("POST", f"/v1/requests/{wish}/waive", "otto", json={"gate": "fairness", "until": UNTIL, **REASON})
    assert waived.json()["state"] == "approved"
    over = ask("POST", f"/v1/requests/{wish}/reject", "olga", json=REASON)
    assert over.json()["state"] == "rejected"
    told = [line for line in Questions(made.home, PORTFOLIO).history() if wish in line.what]
    assert [line.who for line in told] == ["olga (own key)", "anna (token, vouched for by dora)", "otto (token, vouched for by dora)",
                                           "olga (token, vouched for by dora)"]
    assert not any(line.ignored for line in told)


@pytest.mark.parametrize(("name", "action", "status"), [
    ("ada", "approve", 403), ("olga", "approve", 403), ("ada", "reject", 403), ("olga", "waive", 403), ("ada", "promote", 403),
])
def test_a_role_is_needed(ask, wish, name, action, status):
    body = {"gate": "fairness", "until": UNTIL, **REASON} if action == "waive" else REASON
    answer = ask("POST", f"/v1/requests/{wish}/{action}", name, json=body)
    assert answer.status_code == status
    assert "role" in answer.json()["detail"]


def test_what_the_rules_do_not_allow_is_said_and_not_recorded(ask, wish, made):
    before = len(Questions(made.home, PORTFOLIO).events)
    for path, name, body in ((f"/v1/requests/{wish}/promote", "olga", {}), ("/v1/requests/nothing/approve", "anna", REASON),
                             (f"/v1/requests/{wish}/waive", "anna", {"gate": "none", "until": UNTIL, **REASON}),
                             (f"/v1/requests/{wish}/waive", "anna", {"gate": "fairness", "until": "2020-01-01T00:00:00Z", **REASON}),
                             ("/v1/retire", "olga", {"release_id": made.b.id, **REASON}),
                             ("/v1/retire", "olga", {"release_id": "0" * 64, **REASON}),
                             ("/v1/withdraw", "olga", {"alias": "shadow", **REASON})):
        answer = ask("POST", path, name, json=body)
        assert answer.status_code == 409, answer.text
        assert answer.json()["detail"]
    assert len(Questions(made.home, PORTFOLIO).events) == before


def test_a_request_needs_the_registry_and_says_so_where_it_does_not_answer(ask):
    answer = ask("POST", "/v1/requests", json={"version": "77", **REASON})
    assert answer.status_code == 503, answer.text


def test_a_wrong_moment_of_a_waiver_is_refused_before_anything_else(ask, wish):
    answer = ask("POST", f"/v1/requests/{wish}/waive", "anna", json={"gate": "fairness", "until": "2027-01-01T00:00", **REASON})
    assert answer.status_code == 422


def test_a_shadow_is_ended_at_the_desk_and_a_champion_is_none(ask, made):
    append(made.home, PORTFOLIO, beside("shadow", None, *agreed("desk-shadow", made.a.id)))
    assert ask("POST", "/v1/withdraw", "otto", json={"alias": "champion", **REASON}).status_code == 422
    ended = ask("POST", "/v1/withdraw", "otto", json={"alias": "shadow", **REASON})
    assert ended.status_code == 200, ended.text
    assert (ended.json()["release_id"], ended.json()["request_id"]) == (made.a.id, "desk-shadow")
    assert ask("POST", "/v1/withdraw", "otto", json={"alias": "shadow", **REASON}).status_code == 409


def test_back_to_what_served_before_and_retiring_the_other(ask, made):
    back = ask("POST", "/v1/rollback", "olga", json=REASON)
    assert back.status_code == 200, back.text
    assert back.json()["release_id"] == made.a.id
    assert ask("POST", "/v1/retire", "otto", json={"release_id": made.b.id, **REASON}).json() == {"release_id": made.b.id, "retired": True}
    now = ask("GET", f"/v1/in-production?at={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 1))}").json()
    assert now["serving"]["promotion"]["by"]["name"] == "olga"
    assert now["serving"]["promotion"]["back"] is True


def test_everything_is_described_and_nothing_else_is_there(ask):
    document = ask("GET", "/openapi.json").json()
    assert {(method.upper(), path) for path, methods in document["paths"].items() for method in methods} == set(EVERYTHING) - {
        ("GET", "/openapi.json")}
    assert document["components"]["schemas"]["Override"]["additionalProperties"] is False


def test_the_log_holds_neither_tokens_nor_ids_nor_bodies(ask, desk, made, wish):
    decision = made.decided[made.a.id][9]
    ask("GET", f"/v1/decisions/{decision}/trace?applicant=person-9")
    ask("POST", f"/v1/requests/{wish}/approve", "anna", json={"reason": "secret reason", "more": 1})
    said = desk.log.read_text()
    assert "422" in said
    for secret in (*made.tokens.values(), decision, "person-9", "secret reason", wish, "Traceback"):
        assert secret not in said


def test_without_a_desks_key_there_is_no_desk(tmp_path):
    place = enrolment.place(tmp_path, {"TALLY_ACTOR": "olga"})
    enrolment.add(place, "olga", ("owner",))
    with pytest.raises(IdentityError, match="no desk has its key here"):
        desk_of(place)
    enrolment.add(place, "dora", ("desk",))
    assert desk_of(place).name == "dora"


def test_an_underwriter_overrides_a_decision_and_nobody_else_does(ask, made):
    name = next(each for each in made.decided[made.b.id] if made.questions.decision(each).content["outcome"] == "decline")
    path, said = f"/v1/decisions/{name}/override", {"outcome": "approve", "code": "documents", "reason": "payslips seen"}
    assert ask("POST", path, "olga", json=said).status_code == 403
    assert ask("POST", path, "ulla", json={**said, "outcome": "decline"}).status_code == 409
    assert ask("POST", path, "ulla", json={**said, "code": "mood"}).status_code == 409
    answer = ask("POST", path, "ulla", json=said)
    assert (answer.status_code, answer.json()["was"], answer.json()["by"]["key"]) == (201, "decline", "dora")
    (shown,) = ask("GET", f"/v1/decisions/{name}/trace").json()["trace"]["overrides"]
    assert (shown["ignored"], shown["who"]) == ("", "ulla (token, vouched for by dora)")
