"""Screenshots that are kept, one for each state of the page."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page


@dataclass(frozen=True)
class Pictures:
    folder: Path

    def take(self, page: Page, name: str) -> None:
        """The whole page, in a window that is as high: a longer picture than the window would cut off what is fixed."""
        window = page.viewport_size
        assert window is not None
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": window["width"], "height": max(window["height"], height)})
        # Spinners would make each picture another one.
        page.screenshot(path=self.folder / f"{name}.png", animations="disabled")
        page.set_viewport_size(window)

    def take_as_it_is(self, page: Page, name: str) -> None:
        """The window, for a page that runs no scripts."""
        page.screenshot(path=self.folder / f"{name}.png")
