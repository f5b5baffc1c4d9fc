"""Partner page that loads embed.js under a nonce-only policy, and a fake widget that says what a test needs."""

import html
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Frame, Page

from browser.network import Answer, Network, Sent
from local_system.stack import Stack

RELEASED = Path(__file__).parents[2] / "functions/widget-page/embed/released.json"
[*_, (VERSION, FILES)] = json.loads(RELEASED.read_text()).items()
SCRIPT = f"/widget/embed/{VERSION}/embed.js"
FAKE = "/widget/fake/"
SESSION = "s" * 43
NONCE = "bm9uY2U"

# Opens the widget and records what it reports. `options` may name functions of the page.
OPEN = """
(options) => {
  const told = { events: [], started: performance.now() };
  const abort = new AbortController();
  const opening = CardEnrollment.open({ ...options, signal: abort.signal });
  for (const type of ["ready", "change", "focus", "blur", "resize", "enrollmentEnded", "return", "complete"]) {
    opening.on(type, (detail) => told.events.push({ type, detail }));
  }
  opening.then(
    (outcome) => Object.assign(told, { outcome, settled: performance.now() }),
    (reason) => { told.reason = reason?.name; },
  );
  window.openings = [...(window.openings ?? []), { opening, told, abort }];
}
"""


@dataclass(frozen=True)
class EmbedHost:
    """Host page; `body` is inserted unescaped before the script."""

    network: Network
    stack: Stack

    def visit(self, page: Page, body: str = "", timeout: float = 10_000) -> None:
        """Opens the host page and waits for embed.js."""
        address = f"{self.stack.partner}/embed-test/{len(self.network.sent)}"
        text = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>Host</title><link rel=icon href='data:,'>"
            f"<body><main><h1>Cards</h1>{body}</main>"
            f'<script nonce="{NONCE}" src="{html.escape(self.stack.api + SCRIPT)}" crossorigin="anonymous" '
            f'integrity="{FILES["embed.js"]}"></script>'
        )
        policy = (
            f"default-src 'none'; script-src 'nonce-{NONCE}'; style-src 'nonce-{NONCE}'; img-src data:; "
            f"frame-src {self.stack.api}; require-trusted-types-for 'script'; trusted-types 'none'"
        )
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy)]
        answer = Answer(200, "OK", headers, text.encode())

        def is_host(sent: Sent) -> bool:
            return sent.url == address

        self.network.answer(is_host, lambda _: answer)
        page.goto(address)
        until(page, "window.CardEnrollment !== undefined", timeout)

    def fake(self, script: str = "say('ready')") -> str:
        """Serves a fake widget that runs a script, and returns its address."""
        text = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>Widget</title><body><h1>Fake</h1>"
            "<button>Field</button><script>const say = (type, detail = {}) => "
            f"parent.postMessage({{ type, detail }}, '{self.stack.partner}'); {script}</script>"
        )
        answer = Answer(200, "OK", [("Content-Type", "text/html; charset=utf-8")], text.encode())
        self.network.answer(lambda sent: sent.path == FAKE, lambda _: answer)
        return f"{self.stack.api}{FAKE}?lang=en#{SESSION}"


def open_widget(page: Page, **options: Any) -> None:
    page.evaluate(OPEN, options)


def widget_frame(page: Page) -> Frame:
    """Frame of the only opening."""
    handle = page.wait_for_selector("iframe", state="attached")
    frame = handle.content_frame() if handle else None
    assert frame is not None
    return frame


def say(page: Page, kind: str, **detail: Any) -> None:
    """Has the fake widget post a message."""
    widget_frame(page).evaluate("([type, detail]) => say(type, detail)", [kind, detail])


def told(page: Page, opening: int = -1) -> dict[str, Any]:
    """Events of an opening, its outcome or the name of the rejection's reason."""
    record: dict[str, Any] = page.evaluate("(index) => window.openings.at(index).told", opening)
    return record


def until(page: Page, expression: str, timeout: float = 30_000) -> None:
    """Waits for a true expression. Playwright's own wait would need `unsafe-eval` in the page's policy."""
    end = time.monotonic() + timeout / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"not within {timeout} ms: {expression}"
        time.sleep(0.05)


def hears(page: Page, kind: str) -> None:
    """Waits for an event of the last opening."""
    until(page, f"window.openings.at(-1).told.events.some(({{ type }}) => type === '{kind}')")


def outcome(page: Page, timeout: float = 35_000) -> dict[str, Any]:
    """Waits for the outcome of the last opening."""
    until(page, "window.openings.at(-1).told.outcome !== undefined", timeout)
    record: dict[str, Any] = told(page)["outcome"]
    return record


def kinds(page: Page) -> list[str]:
    """Types of the events of the last opening."""
    return [event["type"] for event in told(page)["events"]]
