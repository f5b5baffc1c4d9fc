"""The browsers that the tests drive: Chromium, and Firefox where a test is marked `in_both` or `in_firefox`."""

import os
import shutil

import pytest
from playwright.sync_api import Browser, Playwright

from browser.network import OF_THE_BROWSER

CHROMIUM = "chromium"
FIREFOX = "firefox"
PROGRAMS = {CHROMIUM: ("chromium", "chromium-browser", "google-chrome"), FIREFOX: ("firefox-esr", "firefox")}

in_both = pytest.mark.parametrize("engine", [CHROMIUM, FIREFOX], indirect=True)
in_firefox = pytest.mark.parametrize("engine", [FIREFOX], indirect=True)

Preferences = dict[str, str | float | bool]

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
    """Browsers of a run. Each is started when a test first asks for it, and once for each set of preferences."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._running: dict[tuple[str, str], Browser] = {}

    def browser(self, name: str, preferences: Preferences) -> Browser:
        """`preferences` are Firefox's (`about:config`); Chromium takes none."""
        key = (name, repr(sorted(preferences.items())))
        if key not in self._running:
            self._running[key] = self._launch(name, preferences)
        return self._running[key]

    def close(self) -> None:
        for browser in self._running.values():
            browser.close()

    def _launch(self, name: str, preferences: Preferences) -> Browser:
        program = _program(name)
        if name == CHROMIUM:
            # Playwright switches the back/forward cache off, which customers have.
            return self._playwright.chromium.launch(
                executable_path=program, args=ARGUMENTS, ignore_default_args=["--disable-back-forward-cache"]
            )
        # The channel is the one by which Playwright drives a Firefox that it did not build (WebDriver BiDi).
        return self._playwright.firefox.launch(
            channel="moz-firefox", executable_path=program, firefox_user_prefs=PREFERENCES | preferences
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
