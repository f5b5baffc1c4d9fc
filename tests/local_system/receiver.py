"""A partner's receiver of its own: real TLS, and every byte of what came."""

import queue
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local_system.stack import Stack

PATIENCE = 90


@dataclass(frozen=True)
class Delivery:
    """One POST."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True)
class Receiver:
    """Answers everything with `status`."""

    host: str
    """`localhost` and the port."""
    came: "queue.Queue[Delivery]"
    status: list[int]
    """One number, which a test may change."""

    def next(self) -> Delivery:
        """The next delivery; a wake-up may be lost, so a sweep is waited for."""
        return self.came.get(timeout=PATIENCE)


@contextmanager
def listening(stack: Stack) -> Iterator[Receiver]:
    """A receiver while the block runs."""
    came: queue.Queue[Delivery] = queue.Queue()
    status = [204]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            came.put(Delivery(self.path, headers, body))
            self.send_response(status[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: pytest shows what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stack.local / "pki/server.pem", stack.local / "pki/server.key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Receiver(f"localhost:{server.server_address[1]}", came, status)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
