"""Browsers of the tests: Chromium, or Firefox for tests marked `in_both` or `in_firefox`."""

import os
import shutil
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Playwright

from browser.network import OF_THE_BROWSER

CHROMIUM = "chromium"
FIREFOX = "firefox"
PROGRAMS = {CHROMIUM: ("chromium", "chromium-browser", "google-chrome"), FIREFOX: ("firefox-esr", "firefox")}

in_both = pytest.mark.parametrize("engine", [CHROMIUM, FIREFOX], indirect=True)
in_firefox = pytest.mark.parametrize("engine", [FIREFOX], indirect=True)

Preferences = dict[str, str | float | bool]


@dataclass(frozen=True)
class Setup:
    """Deviations from the default way to start a browser."""

    arguments: tuple[str, ...] = ()
    """Additional arguments for Chromium."""
    without: tuple[str, ...] = ()
    """Arguments of Playwright to omit for Chromium."""
    preferences: tuple[tuple[str, str | float | bool], ...] = ()
    """Preferences for Firefox (`about:config`)."""


USUAL = Setup()
CLASSIC_SCROLLBARS = Setup(
    arguments=("--disable-features=OverlayScrollbar",),
    without=("--hide-scrollbars",),
    preferences=(("widget.gtk.overlay-scrollbars.enabled", False),),
)

# As root (CI) Chromium has no sandbox; the other arguments prevent background requests.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--autofill-server-url=http://{OF_THE_BROWSER}",
]
PREFERENCES: Preferences = {
    # Use the proxy for addresses of this machine too.
    "network.proxy.allow_hijacking_localhost": True,
    # Otherwise Playwright's clicks in a cross-site frame silently miss.
    "fission.webContentIsolationStrategy": 0,
}


class Engines:
    """Browsers of a run, each started on first use and once for each setup."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._running: dict[tuple[str, Setup], Browser] = {}

    def browser(self, name: str, setup: Setup) -> Browser:
        if (name, setup) not in self._running:
            self._running[name, setup] = self._launch(name, setup)
        return self._running[name, setup]

    def close(self) -> None:
        for browser in self._running.values():
            browser.close()

    def _launch(self, name: str, setup: Setup) -> Browser:
        program = _program(name)
        if name == CHROMIUM:
            return self._playwright.chromium.launch(
                executable_path=program,
                args=[*ARGUMENTS, *setup.arguments],
                # Playwright disables the back/forward cache, which customers have.
                ignore_default_args=["--disable-back-forward-cache", *setup.without],
            )
        # With this channel Playwright drives a stock Firefox (WebDriver BiDi).
        return self._playwright.firefox.launch(
            channel="moz-firefox", executable_path=program, firefox_user_prefs=PREFERENCES | dict(setup.preferences)
        )


def _program(name: str) -> str:
    variable = f"TEST_{name.upper()}"
    program = os.environ.get(variable) or next(filter(None, map(shutil.which, PROGRAMS[name])), None)
    if program is None:
        package = PROGRAMS[name][0]
        pytest.exit(
            f"{package} is missing: install it (`apt install {package}`) or name it in {variable}.", returncode=1
        )
    return program
