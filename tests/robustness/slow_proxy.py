"""A small TCP proxy before a real server, which can refuse, or be slow and cut what it passes on into slices."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import threading
import time

SLOW, SPREAD, SLICE = 0.2, 0.1, 7


class Proxy:
    """Listens on a loopback port of its own and passes on to another. slow: each answer waits 200 ms +- 100 ms and comes in slices."""

    def __init__(self, to: int, *, seed: int = 1) -> None:
        self._to, self._draw = to, random.Random(seed)  # noqa: S311 - delays, no secret
        self.slow = False
        self._open: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self.port = 0
        self.accept()

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def accept(self) -> None:
        """Take connections, at the same port as before."""
        listening = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port, self._listening = listening.getsockname()[1], listening
        threading.Thread(target=self._serve, args=(listening,), daemon=True).start()

    def refuse(self) -> None:
        """Take no connection and end those that are open."""
        listening, self._listening = self._listening, None
        if listening:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._to)) as server:
            self._open |= {client, server}
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while True:
                    for ready in select.select([client, server], [], [])[0]:
                        raw = ready.recv(65_536)
                        if not raw:
                            return
                        self._tell(client if ready is server else server, raw, answering=ready is server)
            finally:
                self._open -= {client, server}

    def _tell(self, to: socket.socket, raw: bytes, *, answering: bool) -> None:
        if not (self.slow and answering):
            to.sendall(raw)
            return
        time.sleep(SLOW + self._draw.uniform(-SPREAD, SPREAD))
        for at in range(0, len(raw), max(SLICE, len(raw) // 10)):
            to.sendall(raw[at:at + max(SLICE, len(raw) // 10)])
            time.sleep(0.001)
