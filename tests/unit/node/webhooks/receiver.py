"""A receiver of webhooks in the test's own process, on a loopback port; it answers what the test scripts."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from yunhe.sdk import verify_webhook

Answer = Callable[[int], int]
"""From the number of the request, from 0, to the status of the answer; 0 hangs until the receiver ends."""


class Receiver:
    """What arrived, and what is answered."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.secret: str | None = None
        self.bodies: list[dict] = []
        self.confirmed: list[str] = []
        """Identifiers of the events that were answered with 200, signature verified, in order."""
        self.ended = threading.Event()
        self.url = ""

    def take(self, headers: dict[str, str], body: bytes) -> int:
        status = self.answer(len(self.bodies))
        self.bodies.append(json.loads(body))
        if status == 0:
            self.ended.wait(60)
            return 500
        if status == 200:
            if self.secret is not None:
                assert verify_webhook(self.secret, headers, body) == self.bodies[-1]["id"]
            self.confirmed.append(self.bodies[-1]["id"])
        return status


@contextmanager
def receiving(answer: Answer = lambda _: 200) -> Iterator[Receiver]:
    receiver = Receiver(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", receiver.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/events"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
