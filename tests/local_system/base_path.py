"""The deployed functions behind a custom domain with a base path.

The local AWS takes a mapping of a base path, but gives its functions a `path` without it. API Gateway leaves it there:
this front makes the same event as API Gateway, and calls the deployed function with it.
"""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests

from local_system.operator import REGION

BASE_PATH = "/rewards"
TIMEOUT = 60
PROXY = "/widget/"
ROUTES = {
    "/company/non_auth_initialize": "WidgetInit",
    "/widget/csp-report": "WidgetPage",
    **{f"/widget/api/{name.lower()}": name for name in ("Enroll", "Replace", "Cancel")},
    **{f"/widget/api/{name.lower()}/extension": name for name in ("Enroll", "Replace", "Cancel")},
}
"""Functions of the page's API by their resources; all else below `PROXY` is the page's."""

Event = dict[str, Any]


@dataclass
class DomainWithBasePath:
    """A front at a port of its own."""

    port: int
    answered: list[tuple[str, int]] = field(default_factory=list)
    """Path and status of each answer."""

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def address(self) -> str:
        """Value of the stage variable `PublicBaseUrl`."""
        return f"http://{self.host}{BASE_PATH}"

    def answer(
        self, method: str, target: str, headers: Message, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body of what the function of the path answers."""
        path = urlsplit(target).path
        route = path.removeprefix(BASE_PATH)
        if route == path or not (route in ROUTES or route.startswith(PROXY)):
            self.answered.append((path, 404))
            return 404, [], b""
        function = ROUTES.get(route, "WidgetPage")
        answer = self._invoke(function, self._event(method, target, headers, body))
        self.answered.append((path, answer["statusCode"]))
        many = answer.get("multiValueHeaders") or {name: [value] for name, value in answer["headers"].items()}
        pairs = [(name, value) for name, values in many.items() for value in values]
        text = answer.get("body") or ""
        return answer["statusCode"], pairs, base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()

    def _event(self, method: str, target: str, headers: Message, body: bytes) -> Event:
        url = urlsplit(target)
        route = url.path.removeprefix(BASE_PATH)
        resource = route if route in ROUTES else f"{PROXY}{{proxy+}}"
        many = {name: headers.get_all(name, []) for name in headers}
        many["X-Forwarded-Proto"] = ["http"]
        query = parse_qs(url.query, keep_blank_values=True)
        return {
            "resource": resource,
            "path": url.path,
            "httpMethod": method,
            "headers": {name: values[-1] for name, values in many.items()},
            "multiValueHeaders": many,
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": None if route in ROUTES else {"proxy": unquote(route.removeprefix(PROXY))},
            "stageVariables": {"PublicBaseUrl": self.address},
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "resourceId": "local",
                "resourcePath": resource,
                "httpMethod": method,
                "path": url.path,
                "stage": "live",
                "protocol": "HTTP/1.1",
                "domainName": self.host,
                "requestId": "00000000-0000-4000-8000-000000000000",
                "identity": {"sourceIp": "127.0.0.1"},
            },
            "body": base64.b64encode(body).decode() if body else None,
            "isBase64Encoded": bool(body),
        }

    def _invoke(self, function: str, event: Event) -> Event:
        name = next(name for name in self._functions if f"-{function}-" in name)
        answer = requests.post(
            f"{_functions()}/{name}/invocations", json.dumps(event), headers=_authorization(), timeout=TIMEOUT
        )
        answer.raise_for_status()
        assert "X-Amz-Function-Error" not in answer.headers, answer.text
        given: Event = answer.json()
        return given

    @cached_property
    def _functions(self) -> list[str]:
        answer = requests.get(f"{_functions()}/", headers=_authorization(), timeout=TIMEOUT)
        answer.raise_for_status()
        return [function["FunctionName"] for function in answer.json()["Functions"]]


@contextmanager
def domain_with_base_path() -> Iterator[DomainWithBasePath]:
    """Serves the local stack's functions below `BASE_PATH`."""

    class Handler(BaseHTTPRequestHandler):
        def take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, content = domain.answer(self.command, self.path, self.headers, body)
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() != "content-length":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = take

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: the tests say what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    domain = DomainWithBasePath(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield domain
    finally:
        server.shutdown()
        server.server_close()


def _functions() -> str:
    return f"{os.environ['AWS_ENDPOINT_URL']}/2015-03-31/functions"


def _authorization() -> dict[str, str]:
    """The local AWS does not check the root user's signature."""
    credential = f"test/20260101/{REGION}/lambda/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"}
