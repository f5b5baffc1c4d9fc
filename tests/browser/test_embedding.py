"""Widget in the partner's site, and in foreign sites, which receive nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.console import ConsoleWatch
from browser.embedding import messages_to, open_at_partner
from browser.engines import CLASSIC_SCROLLBARS, in_both
from browser.foreign_site import site_that_frames
from browser.host import Host, heights
from browser.network import Answer, Network, everything
from browser.widget import FAILURE, FORM, SUCCESS, Widget
from local_system.cards import NOT_QUALIFIED, Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack


@in_both
@pytest.mark.parametrize("mode", ["iframe", "webview"])
def test_framed_widget_reports_enrollment_to_partner(
    page: Page, stack: Stack, rewards: Rewards, card: Card, mode: str
) -> None:
    widget = open_at_partner(page, stack, mode)
    widget.enroll(card)
    widget.shows(SUCCESS)
    [account] = rewards.accounts_of(card)

    # As shown by the partner's own page.
    expect(page.locator("#outcome .badge")).to_have_text("SUCCESS_ENROLLMENT")
    shown = json.loads(page.locator("#outcome-json").inner_text())
    assert (shown["ranac"], shown["last4"]) == (account["ranac"], card.last4)

    # Messages come from the product's origin only, and equal the events on the widget's window.
    messages = messages_to(page)
    assert {message["origin"] for message in messages} == {stack.api}
    assert messages[0]["type"] in ("ready", "resize")
    assert [message["detail"] for message in messages if message["type"] == "enrollmentEnded"] == widget.ended()
    kinds = {message["type"] for message in messages}
    assert kinds == {"ready", "resize", "change", "focus", "blur", "enrollmentEnded", "done"}
    details = json.dumps([message for message in messages if message["type"] != "enrollmentEnded"])
    assert card.number[:6] not in details
    assert card.last4 not in details


def test_refusal_and_success_are_both_reported(page: Page, stack: Stack, card: Card) -> None:
    widget = open_at_partner(page, stack, "iframe")
    widget.enroll(NOT_QUALIFIED)
    widget.refuses_card("This card isn't part of the program.")
    widget.type_card(card)
    widget.confirm.click()
    widget.shows(SUCCESS)
    reported = [message["detail"]["status"] for message in messages_to(page) if message["type"] == "enrollmentEnded"]
    assert reported == ["ERROR_ENROLLMENT", "SUCCESS_ENROLLMENT"]


def test_frame_follows_content_height(page: Page, stack: Stack, card: Card) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    widget = open_at_partner(page, stack, "iframe")
    fits(page, widget)
    form = frame_height(page)

    widget.confirm.click()
    expect(widget.error).to_be_visible()
    fits(page, widget)
    with_messages = frame_height(page)
    assert with_messages > form

    widget.enroll(card)
    widget.shows(SUCCESS)
    fits(page, widget)
    assert frame_height(page) < with_messages


@in_both
def test_sized_frame_settles_at_every_width(
    new_context: Callable[..., BrowserContext], partner: Partner, host: Host
) -> None:
    page = new_context(setup=CLASSIC_SCROLLBARS, viewport={"width": 1000, "height": 800}).new_page()
    widget = Widget(host.frame(page, partner.open().location, "data-sized"))
    widget.shows(FORM)
    unsettled = {}
    for width in sorted({*range(300, 700, 17), 320, 360, 375, 390, 414, 430, 480, 768}):
        # In a frame that is too small a scroll bar reduces the width.
        page.evaluate(
            "width => { heights.length = 0; frame.style.width = `${width}px`; frame.style.height = '150px'; }", width
        )
        page.wait_for_timeout(250)
        inside: list[int] = widget.root.evaluate(
            "(({ clientWidth, scrollHeight }) => [innerWidth - clientWidth, scrollHeight - innerHeight])"
            "(document.documentElement)"
        )
        if inside != [0, 0] or len(heights(page)) > 4:
            unsettled[width] = (inside, heights(page))
    assert unsettled == {}


@in_both
def test_outcome_is_in_view_in_sized_frame(page: Page, partner: Partner, host: Host, card: Card) -> None:
    page.set_viewport_size({"width": 390, "height": 500})
    around = "<p style='height: 900px'>The partner's own.</p>"
    widget = Widget(host.frame(page, partner.open().location, "data-sized", around))
    widget.shows(FORM)
    widget.fill(card)
    widget.confirm.click()
    widget.shows(SUCCESS)
    page.wait_for_timeout(300)
    box = widget.root.get_by_role("heading", level=1).bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 500


def test_frame_reload_keeps_session(page: Page, stack: Stack, card: Card) -> None:
    widget = open_at_partner(page, stack, "iframe")
    widget.root.evaluate("location.reload()")
    expect(page.locator("#log li[data-type=ready]")).to_have_count(2)
    widget.shows(FORM)
    widget.enroll(card)
    widget.shows(SUCCESS)


@in_both
@pytest.mark.parametrize(
    "policy", ["", "no-referrer", "same-origin", "origin", "strict-origin-when-cross-origin", "unsafe-url"]
)
def test_host_receives_events_under_any_referrer_policy(page: Page, partner: Partner, host: Host, policy: str) -> None:
    # A failed opening is reported at once.
    refused = partner.open(programId=None)
    widget = Widget(host.frame(page, refused.location, f'referrerpolicy="{policy}"'))
    widget.shows(FAILURE)
    reported = {message["type"]: message["detail"] for message in messages_to(page)}
    assert reported["enrollmentEnded"] == {"status": refused.status}
    assert {"ready", "resize"} <= set(reported)


@in_both
@pytest.mark.parametrize("way", ["button", "Enter"])
def test_button_works_without_allow_forms(page: Page, partner: Partner, host: Host, card: Card, way: str) -> None:
    sandbox = 'sandbox="allow-scripts allow-same-origin"'
    widget = Widget(host.frame(page, partner.open().location, sandbox))
    widget.shows(FORM)
    widget.fill(card)
    if way == "button":
        widget.confirm.click()
    else:
        widget.card_number.press("Enter")
    widget.shows(SUCCESS)


def test_foreign_origin_cannot_frame_widget(
    page: Page, partner: Partner, network: Network, console: ConsoleWatch
) -> None:
    console.expect("frame-ancestors")
    with site_that_frames(partner.open().location) as elsewhere:
        network.allow(urlsplit(elsewhere).netloc)
        page.goto(elsewhere)
        page.wait_for_timeout(2000)
        assert [said for said in console.complaints if "frame-ancestors" in said]
        [_, frame] = page.frames
        assert frame.get_by_role("heading").count() == 0
        assert messages_to(page) == []
    assert not [sent for sent in network.sent if sent.path == "/widget/api/enroll"], "the session was not used"


def test_foreign_origin_receives_no_events(page: Page, partner: Partner, network: Network) -> None:
    # Like a browser without Content-Security-Policy.
    def without_policy(answer: Answer) -> Answer:
        return replace(answer, headers=[pair for pair in answer.headers if "policy" not in pair[0].lower()])

    network.change_answers(everything, without_policy)
    with site_that_frames(partner.open().location) as elsewhere:
        network.allow(urlsplit(elsewhere).netloc)
        page.goto(elsewhere)
        [_, frame] = page.frames
        widget = Widget(frame)
        widget.shows(FORM)
        widget.enroll(NOT_QUALIFIED)
        widget.refuses_card("This card isn't part of the program.")
        assert len(widget.ended()) == 1
        assert messages_to(page) == []


def test_page_of_unknown_client_cannot_be_framed(
    page: Page, partner: Partner, network: Network, console: ConsoleWatch
) -> None:
    console.expect("frame-ancestors")
    with site_that_frames(partner.open(iss="nobody").location) as elsewhere:
        network.allow(urlsplit(elsewhere).netloc)
        page.goto(elsewhere)
        page.wait_for_timeout(1000)
        assert [said for said in console.complaints if "frame-ancestors" in said]
        assert messages_to(page) == []


def frame_height(page: Page) -> float:
    box = page.locator("#widget").bounding_box()
    assert box is not None
    return box["height"]


def fits(page: Page, widget: Widget) -> None:
    """Waits for a frame without a scroll bar and without more than a line of spare height."""
    found: tuple[bool, float, float] = (True, 0, 0)
    # The page tells its height, the partner sets it, and both take longer on a busy machine.
    for _ in range(30):
        page.wait_for_timeout(200)
        inside: float = widget.root.evaluate("document.querySelector('main').getBoundingClientRect().height")
        scrolls: bool = widget.root.evaluate("document.documentElement.scrollHeight > innerHeight")
        found = (scrolls, inside, frame_height(page))
        if not scrolls and inside <= frame_height(page) <= inside + 40:
            return
    raise AssertionError(f"scrolls, height inside, height of the frame: {found}")
