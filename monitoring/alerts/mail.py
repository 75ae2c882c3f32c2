"""Alerts by e-mail: plain text to one address, of everything or of what one owner has.

Responsible for encryption before anything is said (STARTTLS, or TLS from the start), certificates checked. Says of a failure its kind and
the server's code, never an address or what the server said.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from urllib.parse import SplitResult, unquote

from feature_repo.errors import ServiceError
from monitoring.alerts.alert import Alert
from monitoring.alerts.failures import UnreachableError

TIMEOUT = 10.0
OF_ONE = (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused)  # another message may be taken
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
BODY = """\
{sentence}

portfolio   {portfolio}
window      {window}
found by    {kind}
subject     {subject}
verdict     {verdict}
severity    {severity}
owner       {owner}
deadline    {deadline}
alert       {id}

The report of this window is in reports/{portfolio}/.
"""


@dataclass(frozen=True)
class Mail:
    """A mail server and who gets mail by it. owner: whose alerts the address gets, or nothing: everybody's."""

    server: SplitResult
    sender: str
    address: str
    owner: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    @property
    def name(self) -> str:
        """The same for the same address, whose text stands in no journal and no metric."""
        return f"mail-{hashlib.sha256(self.address.encode()).hexdigest()[:8]}"

    def takes(self, alert: Alert) -> bool:
        """What this address is told of."""
        return self.owner in ("", alert.owner)

    def send(self, alert: Alert) -> None:
        """Deliver. Raises ServiceError."""
        try:
            with self._connected() as smtp:
                smtp.send_message(written(alert, self.sender, self.address))
        except OSError as error:  # smtplib's own errors are of this kind
            code = getattr(error, "smtp_code", None)
            said = f"the mail server did not take it ({type(error).__name__}{f', code {code}' if code else ''})"
            raise (ServiceError if isinstance(error, OF_ONE) else UnreachableError)(said) from None

    def _connected(self) -> smtplib.SMTP:
        host, port = self.server.hostname or "", self.server.port or PORTS[self.server.scheme]
        if self.server.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=self.context)
        else:
            smtp = smtplib.SMTP(host, port, timeout=TIMEOUT)
        try:
            if self.server.scheme == "smtp+starttls":
                smtp.starttls(context=self.context)
            if self.server.username:
                smtp.login(unquote(self.server.username), self.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def written(alert: Alert, sender: str, to: str) -> EmailMessage:
    """The message. Its id is the alert's, so that a second delivery is seen to be one."""
    message = EmailMessage()
    message["From"], message["To"] = sender, to
    message["Subject"] = line(f"[{alert.severity}] {alert.portfolio} {alert.window}: {alert.kind} of {alert.subject}, {alert.verdict}")
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{alert.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    said = {name: line(str(getattr(alert, name))) for name in (*alert.__struct_fields__, "id")}
    message.set_content(BODY.format(**said))
    return message


def line(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())
