"""Fixtures: a real browser, a monitored network, and a widget opened for a new customer."""

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, ProxySettings, sync_playwright

from browser.console import ConsoleWatch
from browser.engines import CHROMIUM, USUAL, Engines, Setup
from browser.host import Host
from browser.network import Network
from browser.pictures import Pictures
from browser.secrecy import leaks
from browser.service import CardOnFile, Service
from browser.widget import FORM, TIMEOUT, Widget
from local_system.cards import NOT_QUALIFIED, OF_ANOTHER_PROGRAM, Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack
from local_system.submission import Submission

# The page discovers its action by a refused call, which browsers log as an error.
ANOTHER_ACTION = "the server responded with a status of 403"
FAILED = pytest.StashKey[bool]()
LISTENER = Path(__file__).with_name("listener.js")


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    with sync_playwright() as playwright:
        engines = Engines(playwright)
        yield engines
        engines.close()


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """Browser of a test: Chromium, unless the test is marked (`engines.py`)."""
    return getattr(request, "param", CHROMIUM)


@pytest.fixture
def network(stack: Stack, rewards: Rewards) -> Iterator[Network]:
    """Asserts after each test: no request to a foreign host, and no card number in any request."""
    network = Network(urlsplit(address).netloc for address in (stack.api, stack.partner))
    yield network
    network.end()
    assert [sent.url for sent in network.foreign()] == []
    typed = [NOT_QUALIFIED, OF_ANOTHER_PROGRAM, *rewards.made]
    assert [leak for card in typed for leak in leaks(network.sent, card.number)] == []


@pytest.fixture
def host(network: Network, stack: Stack) -> Host:
    return Host(network, stack)


@pytest.fixture
def console() -> Iterator[ConsoleWatch]:
    """Asserts after each test: no console error and no policy violation, except expected ones."""
    console = ConsoleWatch()
    yield console
    assert console.unexpected() == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Records that a test failed, for its screenshot."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def new_context(
    engines: Engines,
    engine: str,
    network: Network,
    console: ConsoleWatch,
    pictures: Pictures,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., BrowserContext]]:
    """Opens a browser without stored data, behind the network proxy and with its console watched."""
    contexts: list[BrowserContext] = []

    def open_one(setup: Setup = USUAL, **options: Any) -> BrowserContext:
        # By default Chromium bypasses the proxy for addresses of this machine; Firefox has a preference.
        proxy: ProxySettings = {"server": network.address, "bypass": "<-loopback>"}
        context = engines.browser(engine, setup).new_context(proxy=proxy, **options)
        contexts.append(context)
        context.add_init_script(path=LISTENER)
        context.set_default_timeout(TIMEOUT)
        console.listen_to(context)
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
    """Widget that shows the form, as a full page."""
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FORM)
    return widget


@pytest.fixture
def enroll_card(stack: Stack, partner: Partner, rewards: Rewards) -> Callable[[], Card]:
    """Enrolls a new card of the partner's customer, without a browser."""

    def enroll() -> Card:
        card = rewards.fresh_card()
        event = Submission(stack, partner.open(), card).enroll()
        assert event["status"] == "SUCCESS_ENROLLMENT"
        return card

    return enroll


@pytest.fixture
def open_for_customer(page: Page, partner: Partner, console: ConsoleWatch) -> Callable[..., Widget]:
    """Opens the page for a replacement (R) or an opt-out (C) of the partner's customer, optionally with more claims."""

    def open_one(action: str, root: Page = page, **claims: str) -> Widget:
        console.expect(ANOTHER_ACTION)
        root.goto(partner.open(actionCode=action, **claims).location)
        return Widget(root)

    return open_one


@pytest.fixture
def open_page(
    page: Page, partner: Partner, network: Network, console: ConsoleWatch
) -> Callable[..., tuple[Widget, Service]]:
    """Opens the page for a replacement (R) or an opt-out (C) of these cards; the test answers for the service."""

    def open_one(action: str, *cards: CardOnFile) -> tuple[Widget, Service]:
        console.expect(ANOTHER_ACTION)
        service = Service(network, action, *cards)
        page.goto(partner.open().location)
        return Widget(page), service

    return open_one


@pytest.fixture(scope="session")
def pictures(stack: Stack) -> Pictures:
    folder = os.environ.get("TEST_ARTIFACTS")
    return Pictures(Path(folder) if folder else stack.local / "screenshots")
