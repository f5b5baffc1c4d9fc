"""States of the page: a screenshot and an axe run for each, on several screens and in both color schemes."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import Page, expect

from browser.accessibility import violations
from browser.console import ConsoleWatch
from browser.network import Answer, Network, api_calls, is_extension, is_submission
from browser.pictures import Pictures
from browser.service import answer
from browser.views import faults
from browser.widget import (
    ALREADY,
    EXPIRED,
    FAILURE,
    FORM,
    FULL,
    LATER,
    LOADING,
    SUCCESS,
    UNREACHABLE,
    UNSETTLED,
    WAITING,
    Widget,
)
from local_system.cards import NOT_QUALIFIED, Card
from local_system.partner import Partner
from local_system.rewards import Rewards


@dataclass(frozen=True)
class Scene:
    """Parts of a state."""

    page: Page
    widget: Widget
    partner: Partner
    rewards: Rewards
    network: Network
    console: ConsoleWatch

    def open(self) -> None:
        self.page.goto(self.partner.open().location)
        self.widget.shows(FORM)

    def enroll(self, card: Card | None = None) -> None:
        self.open()
        self.widget.enroll(card or self.rewards.fresh_card())


def loading(scene: Scene) -> None:
    location = scene.partner.open().location
    scene.page.goto(location.partition("#")[0])
    scene.network.delay(api_calls)
    scene.page.goto(location)
    scene.widget.shows(LOADING)


def form(scene: Scene) -> None:
    scene.open()


def filled(scene: Scene) -> None:
    scene.open()
    scene.widget.first_name.fill("Ada")
    scene.widget.last_name.fill("Lovelace")
    scene.widget.email.fill("ada@example.com")
    scene.widget.fill(scene.rewards.fresh_card())


def invalid(scene: Scene) -> None:
    scene.open()
    number = scene.rewards.fresh_card().number
    scene.widget.type_card(Card(number[:-1] + str((int(number[-1]) + 1) % 10)))
    scene.widget.email.fill("ada@")
    scene.widget.confirm.click()
    expect(scene.widget.error).to_be_visible()


def other_program(scene: Scene) -> None:
    scene.open()
    scene.widget.card_number.press_sequentially("411111")
    expect(scene.widget.error).to_be_visible()


def expiring(scene: Scene) -> None:
    scene.page.clock.install()
    scene.open()
    scene.page.clock.fast_forward("13:01")
    expect(scene.page.locator("#expiring")).to_be_visible()


def held(scene: Scene) -> None:
    scene.open()
    scene.network.delay(api_calls)
    scene.widget.enroll(scene.rewards.fresh_card())
    expect(scene.page.get_by_role("button", name=WAITING)).to_be_visible()


def waiting(scene: Scene) -> None:
    scene.open()
    scene.network.delay(api_calls)
    scene.widget.enroll(scene.rewards.fresh_card())
    scene.widget.shows(WAITING)


def waiting_offline(scene: Scene) -> None:
    scene.console.expect("net::ERR_")
    scene.open()
    scene.network.cut_all()
    scene.widget.enroll(scene.rewards.fresh_card())
    scene.widget.says("The connection dropped.")


def success(scene: Scene) -> None:
    scene.enroll()
    scene.widget.shows(SUCCESS)


def refused(scene: Scene) -> None:
    scene.enroll(NOT_QUALIFIED)
    scene.widget.refuses_card("This card isn't part of the program.")


def refused_before_last_try(scene: Scene) -> None:
    ends(scene, "-45", {"Attempts-Left": "1"})
    scene.widget.refuses_card("This card is already in the program.")
    expect(scene.widget.last_try).to_be_visible()


def try_again(scene: Scene) -> None:
    technical(scene)
    scene.widget.try_again.click()
    scene.widget.shows(FORM)


def technical(scene: Scene) -> None:
    card = scene.rewards.fresh_card()
    scene.rewards.order(card, "enroll", "code-before", code=-1001)
    scene.enroll(card)
    scene.widget.shows(FAILURE)


def unsettled(scene: Scene) -> None:
    scene.page.clock.install()
    card = scene.rewards.fresh_card()
    scene.rewards.order(card, "enroll", "cut-after")
    scene.rewards.order(card, "getCustomerAccounts", "http500-before", count=100)
    scene.enroll(card)
    scene.widget.shows_in_time(UNSETTLED, scene.page)


def unreachable(scene: Scene) -> None:
    scene.console.expect("net::ERR_")
    scene.page.clock.install()
    scene.open()
    scene.network.cut_all()
    scene.widget.enroll(scene.rewards.fresh_card())
    scene.widget.shows_in_time(UNREACHABLE, scene.page)


def expired(scene: Scene) -> None:
    scene.page.goto(scene.partner.open().location.partition("#")[0])
    scene.widget.shows(EXPIRED)


def extension_failed(scene: Scene) -> None:
    scene.console.expect("the server responded with a status of 503")
    expiring(scene)
    scene.network.answer(is_extension, lambda _: answer(503, {}))
    scene.widget.stay_longer.click()
    expect(scene.widget.notice).to_contain_text("That didn't work.")


def last_try(scene: Scene) -> None:
    scene.network.change_answers(api_calls, with_one_try_left)
    scene.open()
    expect(scene.widget.last_try).to_be_visible()


def one_try_left(scene: Scene) -> None:
    ends(scene, "-1001", {"Attempts-Left": "1"}, FAILURE)
    expect(scene.widget.tries).to_have_text("You can try one more time.")


def last_try_failed(scene: Scene) -> None:
    ends(scene, "-1001", {"Attempts-Left": "0", "Ending-Reason": "last_try"}, FAILURE)
    expect(scene.widget.tries).to_contain_text("That was your last try.")


def already_enrolled(scene: Scene) -> None:
    ends(scene, "-45", {"Attempts-Left": "0"}, ALREADY)


def card_limit(scene: Scene) -> None:
    full = answer(200, {"status": "ERROR_ENROLLMENT"}, {"Attempts-Left": "0", "Ending-Reason": "card_limit"})
    scene.network.answer(api_calls, lambda _: full)
    scene.page.goto(scene.partner.open().location)
    scene.widget.shows(FULL)


def limit(scene: Scene) -> None:
    refused_opening(scene, "limit", LATER)


def suspended(scene: Scene) -> None:
    refused_opening(scene, "suspended", LATER)


def used(scene: Scene) -> None:
    refused_opening(scene, "used", EXPIRED)


def unavailable(scene: Scene) -> None:
    scene.console.expect("the server responded with a status of 429")
    scene.open()
    scene.network.answer(is_submission, lambda _: answer(429, {}, {"Retry-After": "3600"}))
    scene.widget.enroll(scene.rewards.fresh_card())
    scene.widget.shows(LATER)


def ends(scene: Scene, code: str, headers: dict[str, str], heading: str = FORM) -> None:
    """Has an attempt declined with this code and these headers."""
    scene.open()
    declined = answer(200, {"status": "ERROR_ENROLLMENT", "statusCode": code}, headers)
    scene.network.answer(is_submission, lambda _: declined)
    scene.widget.enroll(scene.rewards.fresh_card())
    scene.widget.shows(heading)


def refused_opening(scene: Scene, reason: str, heading: str) -> None:
    page = scene.partner.open().location.partition("#")[0]
    scene.page.goto(f"{page}#status=ACCESS_DENIED&incident=AB12-CD34-EF56&reason={reason}")
    scene.widget.shows(heading)


def with_one_try_left(real: Answer) -> Answer:
    return replace(real, body=json.dumps(json.loads(real.body) | {"attemptsLeft": 1}).encode())


def denied(scene: Scene) -> None:
    scene.page.goto(scene.partner.open(iss="nobody").location)
    scene.widget.shows(FAILURE)


STATES: list[Callable[[Scene], None]] = [
    loading,
    form,
    filled,
    invalid,
    other_program,
    expiring,
    held,
    waiting,
    waiting_offline,
    success,
    refused,
    refused_before_last_try,
    try_again,
    technical,
    unsettled,
    unreachable,
    expired,
    extension_failed,
    last_try,
    one_try_left,
    last_try_failed,
    already_enrolled,
    card_limit,
    limit,
    suspended,
    used,
    unavailable,
    denied,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.replace("_", "-"))
def test_state_is_accessible(
    page: Page,
    partner: Partner,
    rewards: Rewards,
    network: Network,
    console: ConsoleWatch,
    pictures: Pictures,
    state: Callable[[Scene], None],
) -> None:
    scene = Scene(page, Widget(page), partner, rewards, network, console)
    state(scene)
    assert faults(page, pictures, state.__name__.replace("_", "-")) == []


def test_axe_finds_violations(page: Page, widget: Widget) -> None:
    page.evaluate("document.querySelector('label[for=card-number]').remove()")
    assert [violation for violation in violations(page) if violation.startswith("label:")]
