"""embed.js on a partner's page: in an element, as a modal, as the page itself."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.accessibility import violations
from browser.console import ConsoleWatch
from browser.embed_host import (
    FAKE,
    SCRIPT,
    SESSION,
    EmbedHost,
    hears,
    kinds,
    open_widget,
    outcome,
    say,
    told,
    until,
    widget_frame,
)
from browser.engines import in_both
from browser.network import Answer, Network
from browser.widget import FAILURE, FORM, SUCCESS, Widget
from local_system.cards import NOT_QUALIFIED, Card
from local_system.partner import Partner
from local_system.stack import Stack

TARGET = "<div id=target></div>"
OPENER = "<button id=opener>Add a card</button>"


@pytest.fixture
def embed(network: Network, stack: Stack) -> EmbedHost:
    return EmbedHost(network, stack)


@in_both
def test_inline_widget_enrolls(page: Page, embed: EmbedHost, partner: Partner, card: Card) -> None:
    embed.visit(page, TARGET)
    open_widget(page, url=partner.open().location, target="#target")
    widget = Widget(widget_frame(page))
    widget.shows(FORM)
    widget.enroll(card)
    widget.shows(SUCCESS)
    [ended] = widget.ended()
    assert outcome(page) == ended
    assert ended["last4"] == card.last4
    reported = kinds(page)
    assert {"ready", "change", "resize", "enrollmentEnded", "complete"} <= set(reported)
    assert reported.count("complete") == 1
    expect(page.locator("#target iframe")).to_be_visible()
    scrolls = widget.root.evaluate("document.documentElement.scrollHeight > innerHeight")
    assert not scrolls, "the frame is as high as its content"


def test_refused_attempt_is_no_outcome(page: Page, embed: EmbedHost, partner: Partner, card: Card) -> None:
    embed.visit(page, TARGET)
    open_widget(page, url=partner.open().location, target="#target")
    widget = Widget(widget_frame(page))
    widget.shows(FORM)
    widget.enroll(NOT_QUALIFIED)
    hears(page, "enrollmentEnded")
    assert "outcome" not in told(page)
    widget.card_number.fill("")
    widget.type_card(card)
    widget.confirm.click()
    assert outcome(page)["status"] == "SUCCESS_ENROLLMENT"


def test_failed_opening_is_an_outcome(page: Page, embed: EmbedHost, partner: Partner) -> None:
    embed.visit(page, TARGET)
    open_widget(page, url=partner.open(programId=None).location, target="#target")
    assert outcome(page) == {"status": "INVALID_PARAMETERS"}
    Widget(widget_frame(page)).shows(FAILURE)


@in_both
def test_modal_takes_and_returns_the_focus(page: Page, embed: EmbedHost, console: ConsoleWatch) -> None:
    # axe asks the frame, which has another origin.
    console.expect("recipient window")
    embed.visit(page, OPENER)
    page.locator("#opener").focus()
    open_widget(page, url=embed.fake("setTimeout(() => say('ready'), 300)"), title="Add your card", closeLabel="Leave")
    dialog = page.get_by_role("dialog", name="Add your card")
    expect(dialog).to_be_visible()
    expect(dialog).to_have_attribute("aria-modal", "true")
    until(page, "document.activeElement.localName === 'iframe'")
    assert page.evaluate("getComputedStyle(document.documentElement).overflow") == "hidden"
    # The page behind is out of reach.
    page.evaluate("document.querySelector('#opener').focus()")
    assert page.evaluate("document.activeElement.id") != "opener"
    assert violations(page) == []

    page.get_by_role("button", name="Leave").click()
    assert outcome(page) == {"status": "CLOSED"}
    expect(page.locator("dialog, iframe")).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "opener"
    assert page.evaluate("getComputedStyle(document.documentElement).overflow") == "visible"
    assert (
        page.evaluate("document.querySelectorAll('[style]').length") == 0
        or page.evaluate("document.documentElement.getAttribute('style') || ''") == ""
    )


@in_both
def test_escape_closes_the_modal(page: Page, embed: EmbedHost) -> None:
    embed.visit(page)
    open_widget(page, url=embed.fake())
    page.get_by_role("button", name="Close").focus()
    page.keyboard.press("Escape")
    assert outcome(page) == {"status": "CLOSED"}


@in_both
def test_escape_inside_the_frame_closes_the_modal(page: Page, embed: EmbedHost, partner: Partner) -> None:
    embed.visit(page)
    open_widget(page, url=partner.open().location)
    widget = Widget(widget_frame(page))
    widget.shows(FORM)
    widget.card_number.press("Escape")
    assert outcome(page) == {"status": "CLOSED"}
    expect(page.locator("dialog, iframe")).to_have_count(0)


def test_modal_stays_with_the_outcome(page: Page, embed: EmbedHost) -> None:
    page.clock.install()
    embed.visit(page)
    open_widget(page, url=embed.fake())
    hears(page, "ready")
    say(page, "enrollmentEnded", status="SUCCESS_ENROLLMENT")
    page.clock.run_for(4000)
    assert "outcome" not in told(page)
    page.clock.run_for(6500)
    assert outcome(page) == {"status": "SUCCESS_ENROLLMENT"}
    expect(page.get_by_role("dialog")).to_be_visible()
    say(page, "return", status="SUCCESS_ENROLLMENT")
    expect(page.locator("dialog")).to_have_count(0)
    assert kinds(page).count("complete") == 1


@in_both
def test_small_screen_shows_the_whole_modal(new_context: Callable[..., BrowserContext], embed: EmbedHost) -> None:
    page = new_context(viewport={"width": 320, "height": 480}).new_page()
    embed.visit(page, OPENER)
    open_widget(page, url=embed.fake("say('resize', { height: 900 }); say('ready');"))
    until(page, "document.querySelector('iframe').offsetHeight === 900")
    dialog = page.locator("dialog")
    widths = dialog.evaluate("dialog => [dialog.scrollWidth, dialog.clientWidth, innerWidth]")
    # Firefox has a classic scroll bar here.
    assert widths[0] == widths[1] <= widths[2] == 320
    assert dialog.evaluate("dialog => { dialog.scrollTo(0, 9999); return dialog.scrollTop; }") > 0


def test_query_has_theme_and_frame(page: Page, embed: EmbedHost, network: Network) -> None:
    embed.visit(page, TARGET)
    url = embed.fake("say('change', { session: location.hash }); say('ready')")
    open_widget(page, url=url, target="#target", theme="dark", frame="plain")
    hears(page, "ready")
    [asked] = [sent.url for sent in network.sent if sent.path == FAKE]
    assert parse_qs(urlsplit(asked).query) == {"lang": ["en"], "theme": ["dark"], "frame": ["plain"]}
    assert {"type": "change", "detail": {"session": f"#{SESSION}"}} in told(page)["events"]


def test_only_the_frame_is_listened_to(page: Page, embed: EmbedHost) -> None:
    embed.visit(page, TARGET)
    open_widget(page, url=embed.fake(), target="#target")
    hears(page, "ready")
    message = {"type": "enrollmentEnded", "detail": {"status": "SUCCESS_ENROLLMENT"}}
    # From this window, and from the frame's window with another origin.
    page.evaluate("message => postMessage(message, '*')", message)
    page.evaluate(
        "message => { const source = document.querySelector('iframe').contentWindow;"
        " dispatchEvent(new MessageEvent('message', { data: message, origin: 'https://evil.example', source })); }",
        message,
    )
    for data in (
        None,
        "enrollmentEnded",
        {"type": "unknown"},
        {"type": "resize", "detail": {"height": "1e9"}},
        {"type": "resize"},
    ):
        widget_frame(page).evaluate("data => parent.postMessage(data, '*')", data)
    page.wait_for_timeout(300)
    assert "outcome" not in told(page)
    assert "enrollmentEnded" not in kinds(page)


def test_address_elsewhere_is_refused(page: Page, embed: EmbedHost, partner: Partner) -> None:
    embed.visit(page, TARGET)
    location = partner.open().location
    for url in ("https://evil.example/widget/x/", location.replace("/widget/", "/other/"), "x"):
        open_widget(page, url=url, target="#target")
        until(page, "window.openings.at(-1).told.reason === 'TypeError'")
    expect(page.locator("iframe")).to_have_count(0)


@in_both
@pytest.mark.parametrize("failure", ["connection", "status", "silence"])
def test_frame_that_does_not_load_is_reported(
    page: Page, embed: EmbedHost, network: Network, console: ConsoleWatch, failure: str
) -> None:
    console.expect("Failed to load resource")
    page.clock.install()
    embed.visit(page, TARGET)
    url = embed.fake("" if failure == "silence" else "say('ready')")
    if failure == "status":
        network.change_answers(lambda sent: sent.path == FAKE, lambda _: Answer(503, "", [], b"Try again in a moment."))
    if failure == "connection":
        network.cut_all()
    open_widget(page, url=url, target="#target")
    page.wait_for_timeout(500)
    page.clock.run_for(12_000)
    assert "outcome" not in told(page)
    page.clock.run_for(8500)
    assert outcome(page) == {"status": "NOT_LOADED"}
    expect(page.locator("iframe")).to_have_count(0)


@in_both
def test_fallback_goes_to_the_widget(page: Page, embed: EmbedHost, partner: Partner) -> None:
    page.clock.install()
    embed.visit(page, TARGET)
    embed.network.cut_all()
    location = partner.open().location
    open_widget(page, url=location, target="#target", fallback="redirect", frame="plain", theme="light")
    page.wait_for_timeout(500)
    embed.network.resume()
    page.clock.run_for(20_500)
    page.wait_for_url(f"{location.split('#')[0].split('?')[0]}*")
    assert "frame=" not in page.url
    Widget(page).shows(FORM)


@in_both
def test_redirect_leaves_for_the_widget(page: Page, embed: EmbedHost, partner: Partner) -> None:
    embed.visit(page)
    open_widget(page, url=partner.open().location, mode="redirect", theme="dark", frame="plain")
    Widget(page).shows(FORM)
    assert parse_qs(urlsplit(page.url).query)["theme"] == ["dark"]
    assert "frame=" not in page.url


def test_abort_removes_the_frame(page: Page, embed: EmbedHost) -> None:
    embed.visit(page, TARGET)
    open_widget(page, url=embed.fake(), target="#target")
    page.evaluate("window.openings.at(-1).abort.abort()")
    until(page, "window.openings.at(-1).told.reason === 'AbortError'")
    expect(page.locator("iframe")).to_have_count(0)
    assert "complete" not in kinds(page)


def test_removed_element_closes_the_opening(page: Page, embed: EmbedHost) -> None:
    embed.visit(page, TARGET)
    open_widget(page, url=embed.fake(), target="#target")
    page.evaluate("document.querySelector('#target').remove()")
    assert outcome(page, timeout=5000) == {"status": "CLOSED"}


def test_destroyed_opening_has_the_last_status(page: Page, embed: EmbedHost) -> None:
    embed.visit(page, TARGET)
    open_widget(page, url=embed.fake(), target="#target")
    hears(page, "ready")
    say(page, "enrollmentEnded", status="ERROR_ENROLLMENT", statusCode="-52")
    hears(page, "enrollmentEnded")
    assert "outcome" not in told(page)
    page.evaluate("window.openings.at(-1).opening.destroy()")
    assert outcome(page) == {"status": "ERROR_ENROLLMENT", "statusCode": "-52"}


def test_last_attempt_is_an_outcome(page: Page, embed: EmbedHost) -> None:
    embed.visit(page, TARGET)
    open_widget(page, url=embed.fake(), target="#target")
    say(page, "enrollmentEnded", status="ERROR_REMOVAL")
    say(page, "done")
    assert outcome(page) == {"status": "ERROR_REMOVAL"}


def test_frame_reload_that_fails_is_reported(
    page: Page, embed: EmbedHost, network: Network, console: ConsoleWatch
) -> None:
    console.expect("Failed to load resource")
    page.clock.install()
    embed.visit(page, TARGET)
    open_widget(page, url=embed.fake(), target="#target", fallback="redirect")
    hears(page, "ready")
    page.clock.run_for(60_000)
    assert "outcome" not in told(page)
    network.cut_all()
    widget_frame(page).evaluate("void setTimeout(() => location.reload())")
    page.wait_for_timeout(500)
    page.clock.run_for(20_500)
    assert outcome(page) == {"status": "NOT_LOADED"}


@in_both
@pytest.mark.parametrize("way", ["Modal", "Inline"])
def test_demo_partner_shows_the_outcome(page: Page, stack: Stack, card: Card, way: str) -> None:
    page.goto(f"{stack.partner}/")
    page.get_by_role("radio", name=re.compile(f"^{way}")).check()
    page.get_by_role("button", name="Open", exact=True).click()
    if way == "Modal":
        page.get_by_role("button", name="Add a card").click()
    widget = Widget(widget_frame(page))
    widget.shows(FORM)
    widget.enroll(card)
    widget.shows(SUCCESS)
    if way == "Modal":
        page.get_by_role("button", name="Close").click()
    expect(page.locator("#status")).to_have_text("SUCCESS_ENROLLMENT")
    expect(page.locator("#outcome .badge")).to_have_text("SUCCESS_ENROLLMENT")


def test_changed_script_is_refused(page: Page, embed: EmbedHost, network: Network, console: ConsoleWatch) -> None:
    console.expect("integrity")
    network.change_answers(
        lambda sent: sent.path == SCRIPT, lambda answer: Answer(200, "OK", answer.headers, answer.body + b"\n")
    )
    with pytest.raises(AssertionError, match="CardEnrollment"):
        embed.visit(page, timeout=1000)
