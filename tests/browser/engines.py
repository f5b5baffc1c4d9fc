"""The browsers that the tests drive: Chromium, and Firefox where a test is marked `in_both` or `in_firefox`."""

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
    """What differs from the usual in how a browser is started."""

    arguments: tuple[str, ...] = ()
    """Chromium's, beside the usual ones."""
    without: tuple[str, ...] = ()
    """Arguments that Playwright gives Chromium, and that are left out."""
    preferences: tuple[tuple[str, str | float | bool], ...] = ()
    """Firefox's (`about:config`)."""


USUAL = Setup()
CLASSIC_SCROLLBARS = Setup(
    arguments=("--disable-features=OverlayScrollbar",),
    without=("--hide-scrollbars",),
    preferences=(("widget.gtk.overlay-scrollbars.enabled", False),),
)

# As root (CI) Chromium has no sandbox; the rest keeps it from calling home.
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
    # The proxy also for addresses of this machine.
    "network.proxy.allow_hijacking_localhost": True,
    # Without it Playwright's clicks in a frame of another site miss, without an error.
    "fission.webContentIsolationStrategy": 0,
}


class Engines:
    """Browsers of a run. Each is started when a test first asks for it, and once for each set-up."""

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
                # Playwright switches the back/forward cache off, which customers have.
                ignore_default_args=["--disable-back-forward-cache", *setup.without],
            )
        # The channel is the one by which Playwright drives a Firefox that it did not build (WebDriver BiDi).
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
