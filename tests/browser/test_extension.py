"""Extension of the session (WCAG 2.2, 2.2.1): the notice is visible, announced, and has a button."""

from playwright.sync_api import Page, expect

from browser.console import ConsoleWatch
from browser.embedding import open_at_partner
from browser.network import Network, api_calls, is_extension
from browser.service import answer
from browser.widget import EXPIRED, FORM, SUCCESS, Widget
from local_system.cards import Card
from local_system.partner import Partner
from local_system.stack import Stack

NOTICE = "For your security, this page closes in 2 minutes."


def test_button_extends_session(page: Page, partner: Partner, network: Network, card: Card) -> None:
    widget = open_near_end(page, partner)
    widget.first_name.fill("Ada")
    widget.stay_longer.click()
    expect(widget.notice).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("You have 15 more minutes.")
    assert [sent.path for sent in network.sent if is_extension(sent)] == ["/widget/api/enroll/extension"]

    page.clock.fast_forward("12:30")
    widget.shows(FORM)
    expect(widget.first_name).to_have_value("Ada")
    expect(widget.notice).to_be_hidden()
    page.clock.fast_forward("00:40")
    expect(widget.notice).to_be_visible()
    assert widget.ended() == []
    widget.enroll(card)
    widget.shows(SUCCESS)
    expect(widget.notice).to_be_hidden()


def test_notice_is_in_view_on_small_screen(page: Page, partner: Partner) -> None:
    page.set_viewport_size({"width": 320, "height": 568})
    widget = open_near_end(page, partner)
    for scroll in ("0", "document.documentElement.scrollHeight"):
        page.evaluate(f"document.documentElement.scrollTop = {scroll}")
        expect(widget.notice).to_be_in_viewport(ratio=1)
        expect(widget.stay_longer).to_be_in_viewport(ratio=1)
    # The focused element is not covered.
    page.evaluate("document.documentElement.scrollTop = 0")
    widget.email.focus()
    field, notice = widget.email.bounding_box(), widget.notice.bounding_box()
    assert field is not None
    assert notice is not None
    assert field["y"] + field["height"] <= notice["y"]


def test_notice_is_in_view_in_sized_frame(page: Page, stack: Stack) -> None:
    page.set_viewport_size({"width": 390, "height": 700})
    page.clock.install()
    widget = open_at_partner(page, stack, "iframe")
    page.clock.fast_forward("13:01")
    expect(widget.notice).to_be_visible()
    page.clock.run_for(200)
    frame = page.locator("#widget").bounding_box()
    assert frame is not None
    assert frame["height"] > 700, "it is not the frame that scrolls"
    # The host's page continues below the frame: its window always ends within the frame.
    for position in (0.7, 0.85, 1):
        page.evaluate("end => scrollTo(0, scrollY + end - innerHeight)", frame["y"] + position * frame["height"])
        frame = page.locator("#widget").bounding_box() or frame
        page.clock.run_for(400)
        expect(widget.stay_longer).to_be_in_viewport(ratio=1)
    widget.stay_longer.click()
    expect(widget.notice).to_be_hidden()
    after = page.locator("#widget").bounding_box()
    assert after is not None
    assert after["height"] < frame["height"], "the frame held the notice too"


def test_notice_is_announced_and_reached_by_keyboard(page: Page, partner: Partner) -> None:
    page.clock.install()
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FORM)
    widget.email.focus()
    page.clock.fast_forward("13:01")
    page.clock.run_for(200)
    expect(page.get_by_role("status")).to_have_text(f"{NOTICE} Stay longer")
    expect(widget.email).to_be_focused()
    for _ in range(9):
        page.keyboard.press("Tab")
        if widget.stay_longer.evaluate("it => it === document.activeElement"):
            break
    expect(widget.stay_longer).to_be_focused()
    page.keyboard.press("Enter")
    expect(widget.notice).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_exhausted_session_ends(page: Page, partner: Partner, network: Network, console: ConsoleWatch) -> None:
    console.expect("the server responded with a status of 409")
    network.answer(is_extension, lambda _: answer(409, {"title": "no more"}))
    widget = open_near_end(page, partner)
    widget.stay_longer.click()
    expect(widget.stay_longer).to_be_hidden()
    expect(widget.notice.get_by_role("paragraph")).to_have_text(NOTICE)
    # The product's clock is not advanced.
    console.expect("the server responded with a status of 401")
    network.answer(api_calls, lambda _: answer(401, {"status": "TOKEN_EXPIRED"}))
    page.clock.fast_forward("02:00")
    widget.shows(EXPIRED)
    expect(widget.notice).to_be_hidden()
    assert widget.ended() == [{"status": "TOKEN_EXPIRED"}]


def test_failed_extension_can_be_retried(page: Page, partner: Partner, network: Network, console: ConsoleWatch) -> None:
    console.expect("net::ERR_")
    widget = open_near_end(page, partner)
    network.cut_all()
    widget.stay_longer.click()
    expect(widget.notice).to_contain_text("That didn't work. Please try again.")
    network.resume()
    widget.stay_longer.click()
    expect(widget.notice).to_be_hidden()


def open_near_end(page: Page, partner: Partner) -> Widget:
    """Opens the form two minutes before its end."""
    page.clock.install()
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FORM)
    page.clock.fast_forward("13:01")
    expect(widget.notice).to_be_visible()
    page.clock.run_for(200)
    return widget
