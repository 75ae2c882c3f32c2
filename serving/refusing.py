"""Refusing in a tenth of the time an answer takes: decisions there is no time for, at their head, before anything is made of them.

Responsible for what five times too many requests cost: an application, a task and a response for each would take a quarter of the
worker from those it does answer. Frames are read by the parser that reads all of them; the body of what was refused is read past. The rest
is uvicorn's.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.refusals import Doors


class Refusing(HttpToolsProtocol):
    """A connection. What is let in goes to the service's own application, past those that BentoML and uvicorn put around it."""

    _past = False  # the body that arrives belongs to a request that is answered

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.app = Doors.application or self.app

    def on_headers_complete(self) -> None:
        """Refuse, or begin the request."""
        idle = self.cycle is None or self.cycle.response_complete
        raw = Doors.refusals.refusal(self.parser.get_method(), self.url) if Doors.refusals is not None and idle else None
        if raw is None or self.expect_100_continue or self.parser.should_upgrade():
            super().on_headers_complete()
            return
        self._past = True
        stays = self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()
        self.transport.write(raw if stays else raw.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
        if not stays:
            self.transport.close()
        self.on_response_complete()

    def on_body(self, body: bytes) -> None:
        """Read past what is refused."""
        if not self._past:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The next request is another."""
        if self._past:
            self._past = False
        else:
            super().on_message_complete()
