"""Widget in the demo partner's site."""

import re
from typing import Any

from playwright.sync_api import Frame, Page

from browser.widget import FORM, Widget
from local_system.stack import Stack

MODES = {"iframe": re.compile("^Iframe"), "webview": re.compile("^Like a WebView")}


def open_at_partner(
    page: Page, stack: Stack, mode: str, heading: str = FORM, customer: str | None = None, action: str = "N"
) -> Widget:
    """Opens the widget through the form on the start page, by default for a new customer."""
    page.goto(f"{stack.partner}/")
    if customer is not None:
        page.get_by_label("Customer id").fill(customer)
    page.get_by_label("What for").select_option(action)
    page.get_by_role("radio", name=MODES[mode]).check()
    page.get_by_role("button", name="Open", exact=True).click()
    page.wait_for_selector("#widget")
    widget = Widget(_framed(page))
    widget.shows(heading)
    return widget


def messages_to(page: Page) -> list[dict[str, Any]]:
    """Messages to the embedding page."""
    messages: list[dict[str, Any]] = page.evaluate("window.messages")
    return messages


def _framed(page: Page) -> Frame:
    frame = page.query_selector("#widget").content_frame()  # type: ignore[union-attr]
    assert frame is not None
    return frame
