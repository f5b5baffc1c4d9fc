"""WebKit, the engine of Safari and of all browsers and WebViews on iOS: each action, a plain frame, a reused tab."""

from collections.abc import Callable, Iterator

import pytest
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from browser.mrs_accounts import ACTIVE, CANCELLED, statuses, wait_for_status
from browser.webkit import WebKitWidget, mini_browser, virtual_display
from browser.widget import FAILURE, FORM, REMOVAL, REPLACEMENT, SUCCESS
from local_system.cards import Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack

EnrollCard = Callable[[], Card]
Step = Callable[[WebKitGTK, str], None]

# A frame of a phone's width: the window of MiniBrowser cannot be that narrow.
NARROW = """
const frame = document.createElement("iframe");
frame.style = "width: 320px; height: 640px; border: 0";
frame.src = arguments[0];
document.body.replaceChildren(frame);
"""


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    with virtual_display() as name:
        yield name


@pytest.fixture
def browser(display: str) -> Iterator[WebKitGTK]:
    with mini_browser(display) as browser:
        yield browser


@pytest.fixture
def widget(browser: WebKitGTK) -> WebKitWidget:
    return WebKitWidget(browser)


def test_card_is_enrolled(
    browser: WebKitGTK, widget: WebKitWidget, partner: Partner, rewards: Rewards, card: Card
) -> None:
    browser.get(partner.open().location)
    widget.shows(FORM)
    widget.listen()
    widget.type_card(card)
    assert browser.find_element(By.ID, "card-number").get_property("value") == card.grouped
    widget.accept()
    widget.press()
    widget.shows(SUCCESS)
    [account] = rewards.accounts_of(card)
    assert widget.outcomes() == [
        {
            "status": "SUCCESS_ENROLLMENT",
            "parentId": partner.customer,
            "ranac": account["ranac"],
            "designCode": "Gold",
            "bin": card.bin,
            "last4": card.last4,
        }
    ]


def test_card_is_replaced(
    browser: WebKitGTK,
    widget: WebKitWidget,
    enroll_card: EnrollCard,
    partner: Partner,
    rewards: Rewards,
    card: Card,
) -> None:
    old = enroll_card()
    browser.get(partner.open(actionCode="R").location)
    widget.shows(REPLACEMENT)
    assert f"{old.number[:4]} XXXX XXXX {old.last4}" in widget.text()
    widget.type_card(card)
    widget.press()
    widget.shows(SUCCESS)
    assert statuses(rewards, card) == [ACTIVE]
    wait_for_status(rewards, old, CANCELLED)


def test_card_is_removed(
    browser: WebKitGTK, widget: WebKitWidget, enroll_card: EnrollCard, partner: Partner, rewards: Rewards
) -> None:
    card = enroll_card()
    browser.get(partner.open(actionCode="C").location)
    widget.shows(REMOVAL)
    widget.press()
    widget.shows(SUCCESS)
    assert statuses(rewards, card) == [CANCELLED]


@pytest.mark.parametrize("mode", ["iframe", "webview"])
def test_framed_widget_reports_to_partner(
    browser: WebKitGTK, widget: WebKitWidget, stack: Stack, card: Card, mode: str
) -> None:
    open_at_partner(widget, stack, mode)
    widget.shows(FORM)
    widget.type_card(card)
    widget.accept()
    widget.press()
    widget.shows(SUCCESS)
    browser.switch_to.default_content()
    widget.wait(lambda _: browser.find_element(By.CSS_SELECTOR, "#outcome .badge").text == "SUCCESS_ENROLLMENT")


def open_address(browser: WebKitGTK, location: str) -> None:
    browser.get(location)


def follow_link(browser: WebKitGTK, location: str) -> None:
    """Opens a page in the same tab; only the fragment differs, so the browser loads nothing by itself."""
    browser.execute_script("window.location.href = arguments[0]", location)


def leave_and_come_back(browser: WebKitGTK, location: str) -> None:
    browser.get(location.partition("/widget/")[0] + "/widget/_/#status=ACCESS_DENIED")
    WebKitWidget(browser).shows(FAILURE)
    browser.back()


def reload(browser: WebKitGTK, _: str) -> None:
    browser.refresh()


WAYS: dict[str, Step] = {
    "another session is opened": open_address,
    "a link leads to another session": follow_link,
    "back from another page": leave_and_come_back,
    "reloaded": reload,
}


@pytest.mark.parametrize("way", WAYS)
def test_reused_tab_shows_empty_form(
    browser: WebKitGTK, widget: WebKitWidget, partner: Partner, stack: Stack, card: Card, way: str
) -> None:
    browser.get(partner.open().location)
    widget.shows(FORM)
    enter_everything(widget, card)
    mark(browser)
    WAYS[way](browser, Partner(stack).open().location)
    expect_empty(widget)


def test_reused_frame_shows_empty_form(browser: WebKitGTK, widget: WebKitWidget, stack: Stack, card: Card) -> None:
    open_at_partner(widget, stack, "iframe")
    widget.shows(FORM)
    enter_everything(widget, card)
    mark(browser)
    browser.switch_to.default_content()
    browser.execute_script("document.querySelector('#widget').src = arguments[0]", Partner(stack).open().location)
    browser.switch_to.frame(browser.find_element(By.ID, "widget"))
    expect_empty(widget)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_form_fits_phone(
    browser: WebKitGTK, widget: WebKitWidget, partner: Partner, stack: Stack, language: str
) -> None:
    browser.get(f"{stack.partner}/")
    browser.execute_script(NARROW, partner.open(language=language).location)
    browser.switch_to.frame(0)
    widget.wait(lambda _: widget.visible("#card-number"))
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_dark_colors_follow_system(display: str, partner: Partner) -> None:
    with mini_browser(display, theme="Adwaita:dark") as browser:
        browser.get(partner.open().location)
        WebKitWidget(browser).shows(FORM)
        assert browser.execute_script("return matchMedia('(prefers-color-scheme: dark)').matches")
        color = browser.execute_script("return getComputedStyle(document.querySelector('.sheet')).backgroundColor")
        red, green, blue = (int(part) for part in color[4:-1].split(","))
        assert max(red, green, blue) < 0x60, color


def open_at_partner(widget: WebKitWidget, stack: Stack, mode: str) -> None:
    """Opens the widget through the form on the partner's start page, and selects its frame."""
    browser = widget.browser
    browser.get(f"{stack.partner}/")
    Select(browser.find_element(By.NAME, "action")).select_by_value("N")
    browser.find_element(By.CSS_SELECTOR, f"input[type=radio][value={mode}]").click()
    [button] = [it for it in browser.find_elements(By.TAG_NAME, "button") if it.text == "Open"]
    button.click()
    widget.wait(lambda _: widget.visible("#widget"))
    browser.switch_to.frame(browser.find_element(By.ID, "widget"))


def enter_everything(widget: WebKitWidget, card: Card) -> None:
    for name, value in (("first-name", "Ada"), ("last-name", "Lovelace"), ("email", "ada@example.com")):
        widget.type(name, value)
    widget.type_card(card)
    widget.accept()


def mark(browser: WebKitGTK) -> None:
    """Marks this document, to tell it from its successor."""
    browser.execute_script("window.isPredecessor = true")


def expect_empty(widget: WebKitWidget) -> None:
    browser = widget.browser
    widget.wait(lambda _: browser.execute_script("return !window.isPredecessor && document.readyState === 'complete'"))
    widget.shows(FORM)
    # Some browsers restore values after the load.
    kept: list[str] = browser.execute_async_script(
        "const done = arguments[0];"
        "setTimeout(() => done([...document.querySelectorAll('#form input')]"
        ".filter((it) => (it.type === 'checkbox' ? it.checked : it.value)).map((it) => it.id)), 500)"
    )
    assert kept == []
