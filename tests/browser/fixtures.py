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
from browser.service import CardOnFile, Service
from browser.watch import Watch
from browser.widget import FORM, PATIENCE, Widget
from local_system.cards import NOT_QUALIFIED, OF_ANOTHER_PROGRAM, Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack
from local_system.submission import Submission

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
# The page learns by a refusal what its session is for, which to a browser is an error.
ANOTHER_ACTION = "the server responded with a status of 403"
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


@pytest.fixture
def on_file(stack: Stack, partner: Partner, rewards: Rewards) -> Callable[[], Card]:
    """Enrols a fresh card of the partner's customer, without a browser."""

    def enrol() -> Card:
        card = rewards.fresh_card()
        event = Submission(stack, partner.open(), card).enrol()
        assert event["status"] == "SUCCESS_ENROLLMENT"
        return card

    return enrol


@pytest.fixture
def opens_for(page: Page, partner: Partner, watch: Watch) -> Callable[..., Widget]:
    """Opens the page for a replacement (R) or an opt-out (C) of the partner's customer, with more claims if need be."""

    def open_one(action: str, place: Page = page, **claims: str) -> Widget:
        watch.expect(ANOTHER_ACTION)
        place.goto(partner.open(actionCode=action, **claims).location)
        return Widget(place)

    return open_one


@pytest.fixture
def opens(page: Page, partner: Partner, network: Network, watch: Watch) -> Callable[..., tuple[Widget, Service]]:
    """Opens the page for a replacement (R) or an opt-out (C) of these cards, with the test as the service behind it."""

    def open_one(action: str, *cards: CardOnFile) -> tuple[Widget, Service]:
        watch.expect(ANOTHER_ACTION)
        service = Service(network, action, *cards)
        page.goto(partner.open().location)
        return Widget(page), service

    return open_one


@pytest.fixture(scope="session")
def pictures(stack: Stack) -> Pictures:
    folder = os.environ.get("TEST_ARTIFACTS")
    return Pictures(Path(folder) if folder else stack.local / "screenshots")
