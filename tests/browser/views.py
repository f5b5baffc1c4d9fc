"""Views of a state: small and large screens, light and dark, left to right and right to left."""

from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page

from browser.accessibility import violations
from browser.pictures import Pictures


@dataclass(frozen=True)
class View:
    """View of the page: size, color scheme and direction."""

    name: str
    width: int = 1280
    height: int = 800
    light: Literal["light", "dark"] = "light"
    direction: Literal["ltr", "rtl"] = "ltr"


VIEWS = [
    View("light"),
    View("dark", light="dark"),
    View("320", width=320, height=640),
    View("rtl", direction="rtl"),
    View("320-dark-rtl", width=320, height=640, light="dark", direction="rtl"),
]


def faults(page: Page, pictures: Pictures, name: str) -> list[str]:
    """Faults of the page in all views; stores a screenshot of each."""
    found = []
    for view in VIEWS:
        _look_at(page, view)
        pictures.take(page, f"{name}-{view.name}")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{view.name}: wider than the screen")
        found += [f"{view.name}: {violation}" for violation in violations(page)]
    return found


def _look_at(page: Page, view: View) -> None:
    page.set_viewport_size({"width": view.width, "height": view.height})
    page.emulate_media(color_scheme=view.light)
    # The demo client has no right-to-left texts; English ones show the layout just as well.
    page.evaluate("direction => { document.documentElement.dir = direction; }", view.direction)
