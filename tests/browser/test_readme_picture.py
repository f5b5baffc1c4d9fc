"""Writes docs/images/widget.png, which README.md shows:

UPDATE_README_SCREENSHOT=1 cargo xtask test --only browser
"""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext

from browser.widget import FORM, Widget
from local_system.cards import Card
from local_system.partner import Partner

PICTURE = Path(__file__).resolve().parents[2] / "docs/images/widget.png"
MOST_BYTES = 220_000


def test_readme_picture(new_context: Callable[..., BrowserContext], partner: Partner) -> None:
    context = new_context(viewport={"width": 960, "height": 1000}, device_scale_factor=2)
    page = context.new_page()
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FORM)
    widget.first_name.fill("Ada")
    widget.last_name.fill("Lovelace")
    widget.fill(Card("5234000000090123"))
    widget.privacy.blur()
    page.screenshot(path=PICTURE, animations="disabled")
    assert PICTURE.stat().st_size < MOST_BYTES
