"""Failed openings and ended sessions: shown to the customer and reported to the partner."""

import time

import pytest
from playwright.sync_api import Page, expect

from browser.console import ConsoleWatch
from browser.network import Network, api_calls
from browser.service import answer
from browser.widget import EXPIRED, FAILURE, FORM, LATER, Widget
from local_system.cards import Card
from local_system.partner import Partner, open_with
from local_system.stack import Stack

REFUSED_CALL = "the server responded with a status of 401"


def test_page_names_the_client(widget: Widget) -> None:
    expect(widget.root.get_by_text("Demo Bank", exact=True)).to_be_visible()


def test_missing_webcrypto_shows_no_form(page: Page, partner: Partner) -> None:
    # Like an old WebView, or any browser at an insecure address.
    page.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });")
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FAILURE)
    widget.says("This browser can't encrypt your card number.")
    expect(widget.card_number).to_be_hidden()
    assert [event["status"] for event in widget.ended()] == ["ERROR_ENROLLMENT"]


def test_unknown_session_has_expired(page: Page, partner: Partner, console: ConsoleWatch) -> None:
    console.expect(REFUSED_CALL)
    address = partner.open().location.partition("#")[0]
    page.goto(f"{address}#{'A' * 43}")
    widget = Widget(page)
    widget.shows(EXPIRED)
    assert widget.ended() == [{"status": "TOKEN_EXPIRED"}]


def test_address_without_session_has_expired(page: Page, partner: Partner) -> None:
    page.goto(partner.open().location.partition("#")[0])
    widget = Widget(page)
    widget.shows(EXPIRED)
    assert widget.ended() == [{"status": "TOKEN_EXPIRED"}]


def test_expired_token_shows_failure_page(page: Page, partner: Partner) -> None:
    long_ago = int(time.time()) - 3600
    opening = partner.open(iat=long_ago, exp=long_ago + 600)
    assert opening.status == "TOKEN_EXPIRED"
    page.goto(opening.location)
    widget = Widget(page)
    widget.shows(EXPIRED)
    widget.shows_incident()
    assert widget.ended() == [{"status": "TOKEN_EXPIRED"}]


def test_used_token_is_refused(page: Page, partner: Partner, stack: Stack) -> None:
    token = partner.token()
    assert open_with(stack, token).status == "OPENED"
    location = open_with(stack, token).location
    refuses(page, location, "ACCESS_DENIED", "each link works only once", heading=EXPIRED)


@pytest.mark.parametrize(
    "reason, text",
    [
        ("limit", "You've tried too many times."),
        ("suspended", "The program isn't available right now."),
    ],
)
def test_refused_opening_shows_reason(page: Page, partner: Partner, reason: str, text: str) -> None:
    address = partner.open().location.partition("#")[0]
    location = f"{address}#status=ACCESS_DENIED&incident=AB12-CD34-EF56&reason={reason}"
    refuses(page, location, "ACCESS_DENIED", text, heading=LATER)


def test_unknown_reason_is_ignored(page: Page, partner: Partner) -> None:
    address = partner.open().location.partition("#")[0]
    incident = "incident=AB12-CD34-EF56"
    location = f"{address}#status=ACCESS_DENIED&{incident}&reason=<b>call+us</b>&more=1"
    refuses(page, location, "ACCESS_DENIED", "We couldn't open this page.")
    page.goto("about:blank")
    location = f"{address}#status=INVALID_PARAMETERS&{incident}&reason=limit"
    refuses(page, location, "INVALID_PARAMETERS", "We couldn't open this page because some information is missing.")


def test_unknown_client_gets_neutral_page(page: Page, partner: Partner, stack: Stack) -> None:
    opening = partner.open(iss="nobody")
    assert opening.location.startswith(f"{stack.api}/widget/_/#")
    refuses(page, opening.location, "ACCESS_DENIED", "We couldn't open this page.")


def test_incomplete_token_is_reported(page: Page, partner: Partner) -> None:
    opening = partner.open(programId=None)
    refuses(
        page, opening.location, "INVALID_PARAMETERS", "We couldn't open this page because some information is missing."
    )


@pytest.mark.parametrize("fragment", ["status=SUCCESS_ENROLLMENT", "status=SUCCESS_ENROLLMENT&incident=AAAA-BBBB-CCCC"])
def test_address_cannot_forge_success(page: Page, partner: Partner, fragment: str) -> None:
    address = partner.open().location.partition("#")[0]
    page.goto(f"{address}#{fragment}")
    widget = Widget(page)
    widget.shows(EXPIRED)
    assert widget.ended() == [{"status": "TOKEN_EXPIRED"}]


def test_warning_after_13_minutes_and_expiry_after_15(
    page: Page, partner: Partner, network: Network, console: ConsoleWatch, card: Card
) -> None:
    console.expect(REFUSED_CALL)
    page.clock.install()
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FORM)
    warning = page.get_by_text("For your security, this page closes in 2 minutes.").first
    expect(warning).to_be_hidden()
    widget.type_card(card)
    page.clock.fast_forward("13:01")
    expect(warning).to_be_visible()
    # The page reloads the session: another tab may have used or extended it. The product's clock is not advanced.
    network.answer(api_calls, lambda _: answer(401, {"status": "TOKEN_EXPIRED"}))
    page.clock.fast_forward("02:00")
    widget.shows(EXPIRED)
    expect(page.locator("#card-number")).to_have_value("")
    assert widget.ended() == [{"status": "TOKEN_EXPIRED"}]


def refuses(page: Page, location: str, status: str, text: str, heading: str = FAILURE) -> None:
    assert f"#status={status}&incident=" in location
    page.goto(location)
    widget = Widget(page)
    widget.shows(heading)
    widget.says(text)
    widget.shows_incident()
    expect(widget.try_again).to_be_hidden()
    assert widget.ended() == [{"status": status}]
