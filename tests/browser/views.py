"""How customers look at a state of the page: on any screen, in any light, in either direction."""

from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page

from browser.accessibility import violations
from browser.pictures import Pictures


@dataclass(frozen=True)
class View:
    """How a customer looks at it."""

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
    """What is wrong with it in any view, of each of which a picture is kept."""
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
    # The demo client has no texts in a right-to-left language; its English ones show the layout as well.
    page.evaluate("direction => { document.documentElement.dir = direction; }", view.direction)
