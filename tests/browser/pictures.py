"""Stored screenshots, one for each state of the page."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page


@dataclass(frozen=True)
class Pictures:
    folder: Path

    def take(self, page: Page, name: str) -> None:
        """Takes a screenshot of the whole page in a window of its height: otherwise fixed elements would be cut off."""
        window = page.viewport_size
        assert window is not None
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": window["width"], "height": max(window["height"], height)})
        # A running spinner would change every screenshot.
        page.screenshot(path=self.folder / f"{name}.png", animations="disabled")
        page.set_viewport_size(window)

    def take_window(self, page: Page, name: str) -> None:
        """Takes a screenshot of the window, for a page that runs no scripts."""
        page.screenshot(path=self.folder / f"{name}.png")
