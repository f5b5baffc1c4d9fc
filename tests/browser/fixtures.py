"""A real Chromium, a network that is watched, and a widget that was opened for a customer of its own."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ProxySettings, sync_playwright

from browser.network import OF_THE_BROWSER, Network
from browser.pictures import Pictures
from browser.secrecy import leaks
from browser.watch import Watch
from browser.widget import FORM, PATIENCE, Widget
from local_system.cards import NOT_QUALIFIED, OF_ANOTHER_PROGRAM
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack

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
NAMES = ("chromium", "chromium-browser", "google-chrome")
FAILED = pytest.StashKey[bool]()
LISTENER = Path(__file__).with_name("listener.js")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    named = os.environ.get("TEST_CHROMIUM")
    chromium = named or next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        pytest.exit(
            "Chromium is missing: install it (`apt install chromium`) or name it in TEST_CHROMIUM.", returncode=1
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def network(stack: Stack, rewards: Rewards) -> Iterator[Network]:
    """Whatever a test does: nothing goes to a foreign host, and no card number leaves the browser."""
    network = Network(urlsplit(address).netloc for address in (stack.api, stack.partner))
    yield network
    network.end()
    assert [sent.url for sent in network.foreign()] == []
    typed = [NOT_QUALIFIED, OF_ANOTHER_PROGRAM, *rewards.made]
    assert [leak for card in typed for leak in leaks(network.sent, card.number)] == []


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Whatever a test does: no error in a console, no violation of a policy, but for those that it expects."""
    watch = Watch()
    yield watch
    assert watch.unexpected() == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Remembers that a test failed, for the picture that is then taken."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def new_context(
    browser: Browser, network: Network, watch: Watch, pictures: Pictures, request: pytest.FixtureRequest
) -> Iterator[Callable[..., BrowserContext]]:
    """Opens a browser that has nothing stored, in that network, under that watch."""
    contexts: list[BrowserContext] = []

    def open_one(**options: Any) -> BrowserContext:
        # Chromium by itself goes past the proxy for addresses of this machine.
        proxy: ProxySettings = {"server": network.address, "bypass": "<-loopback>"}
        context = browser.new_context(proxy=proxy, **options)
        contexts.append(context)
        context.add_init_script(path=LISTENER)
        context.set_default_timeout(PATIENCE)
        watch.listen_to(context)
        return context

    yield open_one
    for context in contexts:
        if FAILED in request.node.stash:
            for page in context.pages:
                pictures.take(page, f"failed-{request.node.name}")
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    return new_context().new_page()


@pytest.fixture
def widget(page: Page, partner: Partner) -> Widget:
    """The form, as a full page."""
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FORM)
    return widget


@pytest.fixture(scope="session")
def pictures(stack: Stack) -> Pictures:
    folder = os.environ.get("TEST_ARTIFACTS")
    return Pictures(Path(folder) if folder else stack.local / "screenshots")
