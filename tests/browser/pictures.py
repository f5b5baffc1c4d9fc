"""Screenshots that are kept, one for each state of the page."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page


@dataclass(frozen=True)
class Pictures:
    folder: Path

    def take(self, page: Page, name: str) -> None:
        # Spinners would make each picture another one.
        page.screenshot(path=self.folder / f"{name}.png", full_page=True, animations="disabled")
