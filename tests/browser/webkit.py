"""WebKit: MiniBrowser of WebKitGTK, driven by WebDriver, since Playwright drives its own builds of WebKit only."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import glob
from typing import Any, TypeVar

import pytest
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from browser.widget import TIMEOUT
from local_system.cards import Card

T = TypeVar("T")
SECONDS = TIMEOUT / 1000
DRIVER = "WebKitWebDriver"
MINI_BROWSER = "/usr/lib/*/webkit2gtk-4.1/MiniBrowser"
PACKAGES = "webkit2gtk-driver, libwebkit2gtk-4.1-0 and xvfb"

# Finds an element that a customer can see; `display: contents` and fixed elements have no offset parent.
VISIBLE = "return [...document.querySelectorAll(arguments[0])].filter((it) => it.getClientRects().length > 0)"


@contextmanager
def virtual_display() -> Iterator[str]:
    """Starts a screen without a monitor. MiniBrowser hangs without one, and says nothing."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.exit(f"Xvfb is missing: install {PACKAGES}.", returncode=1)
    server = subprocess.Popen(
        [program, "-displayfd", "1", "-screen", "0", "1400x1600x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        number = server.stdout.readline().strip()
        assert number, "Xvfb has ended at once"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def mini_browser(display: str, theme: str | None = None) -> Iterator[WebKitGTK]:
    """Starts WebKit without stored data. `theme` is one of GTK: `Adwaita:dark` prefers dark colors."""
    driver = shutil.which(DRIVER)
    program = next(iter(glob(MINI_BROWSER)), None)
    if driver is None or program is None:
        pytest.exit(f"WebKit is missing: install {PACKAGES}.", returncode=1)
    options = Options()
    options.binary_location = program
    options.add_argument("--automation")
    variables = os.environ | {"DISPLAY": display} | ({"GTK_THEME": theme} if theme else {})
    browser = WebKitGTK(options=options, service=Service(executable_path=driver, env=variables))
    try:
        # High enough for a whole form: clicks on what a frame has scrolled out of view miss.
        browser.set_window_size(1300, 1500)
        browser.set_page_load_timeout(SECONDS)
        browser.set_script_timeout(SECONDS)
        yield browser
    finally:
        browser.quit()


class WebKitWidget:
    """Widget in the browsing context that the driver has selected: a page or a frame."""

    def __init__(self, browser: WebKitGTK) -> None:
        self.browser = browser

    def wait(self, condition: Callable[[WebKitGTK], T]) -> T:
        # Screens are exchanged while the test reads them.
        return WebDriverWait(self.browser, SECONDS, ignored_exceptions=[Exception]).until(condition)

    def visible(self, selector: str) -> list[WebElement]:
        found: list[WebElement] = self.browser.execute_script(VISIBLE, selector)
        return found

    def shows(self, heading: str) -> None:
        """Waits until this is the heading of the only visible screen."""
        self.wait(lambda _: self.headings() == [heading])

    def headings(self) -> list[str]:
        return [element.text for element in self.visible("h1")]

    def text(self) -> str:
        """Text of the visible screen, in one line."""
        [screen] = self.visible("[data-screen]")
        return " ".join(screen.text.split())

    def listen(self) -> None:
        """Records the outcome that the page reports on its own window."""
        self.browser.execute_script(
            "window.outcomes = [];"
            "window.addEventListener('enrollmentEnded', ({ detail }) => window.outcomes.push(detail));"
        )

    def outcomes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.browser.execute_script("return window.outcomes")
        return found

    def type_card(self, card: Card) -> None:
        self.type("card-number", card.number)

    def type(self, field: str, text: str) -> None:
        """Types into a field. In a frame of another origin WebKit accepts keys only after a click on the field."""
        self.click(self.browser.find_element(By.ID, field))
        self.browser.find_element(By.ID, field).send_keys(text)

    def click(self, element: WebElement) -> None:
        """Clicks an element, once it does not move any more."""

        def clicked(_: WebKitGTK) -> bool:
            element.click()
            return True

        self.wait(clicked)

    def accept(self) -> None:
        for name in ("terms", "privacy"):
            self.click(self.browser.find_element(By.ID, name))

    def press(self) -> None:
        """Presses the button of the form."""
        [button] = self.visible("#form button.primary")
        self.click(button)
