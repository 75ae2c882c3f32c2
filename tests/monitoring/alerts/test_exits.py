"""Guarantees of the exits: signed and keyed, encrypted, tried again a bounded number of times, and nobody's secret said."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date

import pytest
from exits import mail_server, receiver, self_signed

from feature_repo.errors import ServiceError
from governance.limits import Verdict
from monitoring.alerts.alert import Alert, Kind, Severity
from monitoring.alerts.exits import exits
from monitoring.alerts.failures import UnreachableError
from monitoring.alerts.webhook import Webhook

SECRET = "canary-secret"
ALERT = Alert(portfolio="loans", window="2026-10", kind=Kind.FAIRNESS, subject="group B", verdict=Verdict.ALERT, figure=0.73,
              sentence="The ratio is 0.73\nBcc: everybody@example.org", severity=Severity.PAGE, owner="compliance",
              deadline=date(2026, 12, 1))
HOOK = {"TALLY_ALERT_WEBHOOK_SECRET": SECRET}
MAIL = {"TALLY_ALERT_MAIL_FROM": "tally@example.org",
        "TALLY_ALERT_MAIL_TO": "all@example.org, compliance=them@example.org, risk=risk@example.org"}


def test_a_webhook_gets_the_alert_with_its_id_as_key_and_a_signature_that_holds():
    with receiver() as server:
        (webhook,) = exits({"TALLY_ALERT_WEBHOOK": server.url, **HOOK})
        webhook.send(ALERT)
    (headers, body), = server.taken
    moment, signed = (part.split("=", 1)[1] for part in headers["Tally-Signature"].split(","))

    assert hmac.compare_digest(signed, hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest())
    assert headers["Idempotency-Key"] == json.loads(body)["id"] == ALERT.id
    assert (json.loads(body)["figure"], json.loads(body)["deadline"]) == (0.73, "2026-12-01")


@pytest.mark.parametrize(("statuses", "tries", "fails"), [
    ((503, 429, 200), 3, None), ((500,), 3, UnreachableError), ((400,), 1, ServiceError), ((302,), 1, ServiceError)])
def test_what_may_pass_is_tried_again_a_few_times_and_a_refusal_is_not(statuses, tries, fails):
    with receiver(*statuses) as server:
        webhook = Webhook(server.url, SECRET, pauses=(0.0, 0.0))
        if fails is None:
            webhook.send(ALERT)
        else:
            with pytest.raises(ServiceError) as error:
                webhook.send(ALERT)
            assert type(error.value) is fails
    assert len(server.taken) == tries
    assert len({headers["Idempotency-Key"] for headers, _ in server.taken}) == 1


def test_a_webhook_that_is_away_is_said_without_its_address_or_secret(free_port):
    webhook = Webhook(f"http://127.0.0.1:{free_port}/canary-token", SECRET, pauses=(0.0,))
    with pytest.raises(UnreachableError) as error:
        webhook.send(ALERT)

    assert "ConnectError" in str(error.value)
    assert "canary" not in f"{error.value}{webhook!r}"


def test_mail_is_encrypted_before_anything_is_said_and_goes_to_its_owner_and_to_who_gets_all(tmp_path, free_port):
    certificate = self_signed(tmp_path / "mail.pem")
    with mail_server(free_port, certificate, SECRET) as box:
        ways = exits({**MAIL, "TALLY_ALERT_SMTP": f"smtp+starttls://tally@127.0.0.1:{free_port}", "TALLY_ALERT_SMTP_PASSWORD": SECRET,
                      "TALLY_ALERT_SMTP_CA": str(certificate)})
        for way in ways:
            if way.takes(ALERT):
                way.send(ALERT)

    assert [(mail["To"], secure) for mail, secure in zip(box.mails, box.encrypted, strict=True)] == [
        ("all@example.org", True), ("them@example.org", True)]
    assert box.mails[0]["Subject"] == "[page] loans 2026-10: fairness of group B, alert"
    assert box.mails[0]["Message-ID"].startswith(f"<{ALERT.id}@")
    assert box.mails[0]["Bcc"] is None
    assert "deadline    2026-12-01" in box.mails[0].get_content()


def test_a_mail_server_that_cannot_prove_who_it_is_gets_neither_mail_nor_password(tmp_path, free_port):
    with mail_server(free_port, self_signed(tmp_path / "mail.pem"), SECRET) as box:
        way, *_ = exits({**MAIL, "TALLY_ALERT_SMTP": f"smtp+starttls://tally@127.0.0.1:{free_port}", "TALLY_ALERT_SMTP_PASSWORD": SECRET})
        with pytest.raises(UnreachableError, match="SSLCertVerificationError"):
            way.send(ALERT)
    assert box.mails == []


def test_an_address_that_is_refused_is_one_alert_s_failure_and_nothing_the_server_said_is_told(free_port):
    with mail_server(free_port) as box:
        box.refuses.add("all@example.org")
        way, *_ = exits({**MAIL, "TALLY_ALERT_SMTP": f"smtp://127.0.0.1:{free_port}"})
        with pytest.raises(ServiceError) as error:
            way.send(ALERT)
    assert type(error.value) is ServiceError
    assert "anna" not in str(error.value)


@pytest.mark.parametrize(("said", "named"), [
    ({"TALLY_ALERT_WEBHOOK": "http://example.org/canary", **HOOK}, "TALLY_ALERT_WEBHOOK"),
    ({"TALLY_ALERT_WEBHOOK": "https://example.org/canary"}, "TALLY_ALERT_WEBHOOK_SECRET"),
    ({"TALLY_ALERT_SMTP": "smtps://canary.example.org"}, "TALLY_ALERT_MAIL_FROM is not set"),
    ({**MAIL, "TALLY_ALERT_SMTP": "smtp://tally:canary@example.org"}, "TALLY_ALERT_SMTP_PASSWORD"),
    ({**MAIL, "TALLY_ALERT_SMTP": "smtp://canary.example.org"}, "smtp[+]starttls"),
    ({**MAIL, "TALLY_ALERT_SMTP": "smtps://example.org:canary"}, "TALLY_ALERT_SMTP"),
    ({**MAIL, "TALLY_ALERT_SMTP": "smtps://example.org", "TALLY_ALERT_MAIL_TO": "canary"}, "TALLY_ALERT_MAIL_TO"),
    ({**MAIL, "TALLY_ALERT_SMTP": "smtps://example.org", "TALLY_ALERT_MAIL_TO": "canary\n@example.org"}, "TALLY_ALERT_MAIL_TO")])
def test_an_exit_that_is_set_by_halves_or_unsafely_is_refused_by_its_variable(said, named):
    with pytest.raises(ServiceError, match=named) as error:
        exits(said)
    assert "canary" not in str(error.value)


def test_no_exit_is_set_unless_somebody_sets_one():
    assert exits({"TALLY_ALERT_WEBHOOK": ""}) == ()
