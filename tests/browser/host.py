"""Partner page at its registered origin that frames the widget as a test needs it."""

import html
from dataclasses import dataclass

from playwright.sync_api import Frame, Page

from browser.network import Answer, Network, Sent
from local_system.stack import Stack

PATH = "/framed-by-a-test"
# Sizes a frame marked with `data-sized`, as the README describes.
SCRIPT = """
const frame = document.querySelector("iframe");
const heights = [];
addEventListener("message", ({ source, data }) => {
  if (source !== frame.contentWindow || data.type !== "resize") return;
  heights.push(data.detail.height);
  if ("sized" in frame.dataset) frame.style.height = `${data.detail.height}px`;
});
"""


@dataclass(frozen=True)
class Host:
    """Host page; attributes are inserted unescaped, `around` is placed above and below the frame."""

    network: Network
    stack: Stack

    def frame(self, page: Page, location: str, attributes: str = "", around: str = "") -> Frame:
        """Opens the page again and returns the frame with the widget."""
        text = (
            "<!doctype html><meta charset=utf-8><title>Host</title><link rel=icon href='data:,'>"
            f"<body style='margin: 0'>{around}<iframe style='display: block; width: 100%; border: 0'"
            f' {attributes} src="{html.escape(location)}"></iframe>'
            f"{around}<script>{SCRIPT}</script>"
        )
        answer = Answer(200, "OK", [("Content-Type", "text/html; charset=utf-8")], text.encode())
        address = f"{self.stack.partner}{PATH}/{len(self.network.sent)}"

        def is_host(sent: Sent) -> bool:
            return sent.url == address

        self.network.answer(is_host, lambda _: answer)
        page.goto(address)
        [_, frame] = page.frames
        return frame


def heights(page: Page) -> list[int]:
    """Heights that the frame requested, in order."""
    reported: list[int] = page.evaluate("heights")
    return reported
