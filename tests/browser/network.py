"""Network of the customer: a proxy for all traffic of the browser.

It records requests, and can cut or delay them. Nothing bypasses it: the browser uses it for addresses of
this machine too, and QUIC is disabled.
"""

import http.client
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 60
API = "/widget/api/"
# Host for the browser's own autofill requests, which cannot be disabled separately.
OF_THE_BROWSER = "autofill.invalid"
# Hop-by-hop headers (RFC 9110 §7.6.1), and the length, which is computed again.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
COUNTED = {"content-length"}


@dataclass(frozen=True)
class Sent:
    """Request as sent by the browser."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def raw(self) -> bytes:
        """Request line, headers and body."""
        headers = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"{self.method} {self.url}\r\n{headers}\r\n".encode() + self.body


class Network:
    """Proxy between a browser and its permitted hosts."""

    def __init__(self, hosts: Iterable[str]) -> None:
        """Permits `hosts`, such as `localhost:8700`; other requests are recorded and refused."""
        self.sent: list[Sent] = []
        self._hosts = set(hosts)
        self._cut: Callable[[Sent], bool] = nothing
        self._delayed: Callable[[Sent], bool] = nothing
        self._answers: list[tuple[Callable[[Sent], bool], Callable[[Sent], Answer]]] = []
        self._changes: list[tuple[Callable[[Sent], bool], Callable[[Answer], Answer]]] = []
        self._open = threading.Event()
        self._open.set()
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def end(self) -> None:
        self.resume()
        self._server.shutdown()
        self._server.server_close()

    def posts(self) -> list[Sent]:
        """Submissions of the form."""
        return [sent for sent in self.sent if is_submission(sent)]

    def foreign(self) -> list[Sent]:
        return [sent for sent in self.sent if sent.host not in self._hosts | {OF_THE_BROWSER}]

    def allow(self, host: str) -> None:
        self._hosts.add(host)

    def cut_answers(self, times: int, which: Callable[[Sent], bool]) -> None:
        """Processes the next matching requests, but cuts the connection before the answer."""
        left = iter(range(times))
        self._cut = lambda sent: which(sent) and next(left, None) is not None

    def cut_all(self) -> None:
        """Like `cut_answers`, for all requests until `resume`."""
        self._cut = everything

    def change_answers(self, which: Callable[[Sent], bool], change: "Callable[[Answer], Answer]") -> None:
        """Changes the product's answers to matching requests."""
        self._changes.append((which, change))

    def answer(self, which: Callable[[Sent], bool], how: "Callable[[Sent], Answer]") -> None:
        """Answers matching requests here, instead of passing them to the product."""
        self._answers.append((which, how))

    def delay(self, which: Callable[[Sent], bool]) -> None:
        """Passes matching requests on, and delays their answers until `resume`."""
        self._delayed = which
        self._open.clear()

    def resume(self) -> None:
        self._cut = self._delayed = nothing
        self._open.set()

    def forward(self, sent: Sent) -> "Answer | None":
        """Returns the answer, or nothing if the connection is cut."""
        self.sent.append(sent)
        if sent.host not in self._hosts:
            return Answer(403, "Forbidden", [], b"")
        here = next((how for which, how in self._answers if which(sent)), _ask)
        answer = here(sent)
        for which, change in self._changes:
            answer = change(answer) if which(sent) else answer
        if self._delayed(sent):
            self._open.wait(TIMEOUT)
        return None if self._cut(sent) else answer


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


def is_submission(sent: Sent) -> bool:
    return sent.method == "POST" and api_calls(sent) and not is_extension(sent)


def is_extension(sent: Sent) -> bool:
    return api_calls(sent) and sent.path.endswith("/extension")


def api_calls(sent: Sent) -> bool:
    return sent.path.startswith(API)


def everything(_: Sent) -> bool:
    return True


def nothing(_: Sent) -> bool:
    return False


def _ask(sent: Sent) -> Answer:
    target = urlsplit(sent.url)
    assert target.hostname is not None
    connection = http.client.HTTPConnection(target.hostname, target.port, timeout=TIMEOUT)
    headers = {name: value for name, value in sent.headers.items() if name not in HOP_BY_HOP}
    path = target.path + (f"?{target.query}" if target.query else "")
    try:
        connection.request(sent.method, path, sent.body or None, headers)
        answer = connection.getresponse()
        kept = [pair for pair in answer.getheaders() if pair[0].lower() not in HOP_BY_HOP | COUNTED]
        return Answer(answer.status, answer.reason, kept, answer.read())
    finally:
        connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, network: Network) -> None:
        self.network = network
        super().__init__(("127.0.0.1", 0), _Proxy)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores a browser that disconnected early; an unreachable product shows in the browser."""


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def forward(self) -> None:
        # One request per connection: on a reused one browsers repeat unanswered requests themselves.
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.network.forward(Sent(self.command, self.path, headers, body))
        if answer is None:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_CONNECT = forward

    def log_message(self, format: str, *arguments: object) -> None:
        """Logs nothing: test failures are enough."""
