"""An exit: a way an alert reaches somebody. Which there are says the environment, for it knows where and who.

Responsible for reading TALLY_ALERT_*; refuses a half-set exit by the variable's name, before anything is sent. Never says a value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from ssl import create_default_context
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from feature_repo.errors import ServiceError
from monitoring.alerts.alert import Alert
from monitoring.alerts.mail import PORTS, Mail
from monitoring.alerts.webhook import Webhook

PREFIX = "TALLY_ALERT_"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Exit(Protocol):
    """A way out. name: as the journal calls it."""

    @property
    def name(self) -> str: ...

    def takes(self, alert: Alert) -> bool:
        """Whether it is for this exit."""

    def send(self, alert: Alert) -> None:
        """Deliver, or raise ServiceError: the alert stays owed."""


def exits(environment: Mapping[str, str] | None = None) -> tuple[Exit, ...]:
    """The exits that are set. Raises ServiceError."""
    given = os.environ if environment is None else environment
    said = {name.removeprefix(PREFIX): value for name, value in given.items() if name.startswith(PREFIX) and value}
    found: list[Exit] = []
    if "WEBHOOK" in said:
        found.append(_webhook(said))
    if "SMTP" in said:
        found += _mails(said)
    return tuple(found)


def _webhook(said: Mapping[str, str]) -> Webhook:
    address = urlsplit(said["WEBHOOK"])
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
        raise ServiceError(f"{PREFIX}WEBHOOK takes an https:// address; http:// only on this machine")
    return Webhook(said["WEBHOOK"], _needed(said, "WEBHOOK_SECRET", "the receiver tells by it that an alert is ours"))


def _mails(said: Mapping[str, str]) -> list[Mail]:
    server = urlsplit(said["SMTP"])
    if server.scheme not in PORTS or not server.hostname or server.password or not _is_port(server):
        raise ServiceError(f"{PREFIX}SMTP takes smtp+starttls://user@host:port, smtps:// or smtp://; the password is {PREFIX}SMTP_PASSWORD")
    if server.scheme == "smtp" and (server.username or server.hostname not in LOOPBACK):
        raise ServiceError(f"{PREFIX}SMTP: smtp:// is for a mail server on this machine, without a user; take smtp+starttls:// or smtps://")
    sender, context = _needed(said, "MAIL_FROM", "it takes the sender's address"), create_default_context(cafile=said.get("SMTP_CA"))
    told = dict(_recipient(each.strip()) for each in _needed(said, "MAIL_TO", "it takes a@x, or owner=a@x, by commas").split(","))
    return [Mail(server, sender, address, owner, said.get("SMTP_PASSWORD", ""), context) for address, owner in told.items()]


def _is_port(server: SplitResult) -> bool:
    try:
        return server.port is None or server.port > 0
    except ValueError:
        return False


def _recipient(text: str) -> tuple[str, str]:
    """An address, and the owner whose alerts it gets, or nothing for all."""
    owner, _, address = text.rpartition("=")
    if "@" not in address or any(not each.isprintable() or each.isspace() for each in text):
        raise ServiceError(f"{PREFIX}MAIL_TO takes addresses, or owner=address, by commas")
    return address, owner


def _needed(said: Mapping[str, str], name: str, what: str) -> str:
    if name not in said:
        raise ServiceError(f"{PREFIX}{name} is not set; {what}")
    return said[name]
