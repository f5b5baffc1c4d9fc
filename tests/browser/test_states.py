"""Each state of the page: a picture of it is kept, and axe finds nothing, on any screen and in any light."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from browser.accessibility import violations
from browser.network import Network, api_calls
from browser.pictures import Pictures
from browser.views import faults
from browser.watch import Watch
from browser.widget import EXPIRED, FAILURE, FORM, LOADING, SUCCESS, UNREACHABLE, UNSETTLED, WAITING, Widget
from local_system.cards import NOT_QUALIFIED, Card
from local_system.partner import Partner
from local_system.rewards import Rewards


@dataclass(frozen=True)
class Scene:
    """What a state is made from."""

    page: Page
    widget: Widget
    partner: Partner
    rewards: Rewards
    network: Network
    watch: Watch

    def open(self) -> None:
        self.page.goto(self.partner.open().location)
        self.widget.shows(FORM)

    def enrol(self, card: Card | None = None) -> None:
        self.open()
        self.widget.enrol(card or self.rewards.fresh_card())


def loading(scene: Scene) -> None:
    location = scene.partner.open().location
    scene.page.goto(location.partition("#")[0])
    scene.network.hold(api_calls)
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
    scene.widget.card_number.press_sequentially("4111")
    expect(scene.widget.error).to_be_visible()


def expiring(scene: Scene) -> None:
    scene.page.clock.install()
    scene.open()
    scene.page.clock.fast_forward("13:01")
    expect(scene.page.locator("#expiring")).to_be_visible()


def waiting(scene: Scene) -> None:
    scene.open()
    scene.network.hold(api_calls)
    scene.widget.enrol(scene.rewards.fresh_card())
    scene.widget.shows(WAITING)


def waiting_offline(scene: Scene) -> None:
    scene.watch.expect("net::ERR_")
    scene.open()
    scene.network.go_down()
    scene.widget.enrol(scene.rewards.fresh_card())
    scene.widget.says("The connection was interrupted.")


def success(scene: Scene) -> None:
    scene.enrol()
    scene.widget.shows(SUCCESS)


def refused(scene: Scene) -> None:
    scene.enrol(NOT_QUALIFIED)
    scene.widget.shows(FAILURE)


def try_again(scene: Scene) -> None:
    refused(scene)
    scene.widget.try_again.click()
    scene.widget.shows(FORM)


def technical(scene: Scene) -> None:
    card = scene.rewards.fresh_card()
    scene.rewards.order(card, "enroll", "code-before", code=-1001)
    scene.enrol(card)
    scene.widget.shows(FAILURE)


def unsettled(scene: Scene) -> None:
    scene.page.clock.install()
    card = scene.rewards.fresh_card()
    scene.rewards.order(card, "enroll", "cut-after")
    scene.rewards.order(card, "getCustomerAccounts", "http500-before", count=100)
    scene.enrol(card)
    scene.widget.shows_in_time(UNSETTLED, scene.page)


def unreachable(scene: Scene) -> None:
    scene.watch.expect("net::ERR_")
    scene.page.clock.install()
    scene.open()
    scene.network.go_down()
    scene.widget.enrol(scene.rewards.fresh_card())
    scene.widget.shows_in_time(UNREACHABLE, scene.page)


def expired(scene: Scene) -> None:
    scene.page.goto(scene.partner.open().location.partition("#")[0])
    scene.widget.shows(EXPIRED)


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
    waiting,
    waiting_offline,
    success,
    refused,
    try_again,
    technical,
    unsettled,
    unreachable,
    expired,
    denied,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.replace("_", "-"))
def test_a_state_of_the_page(
    page: Page,
    partner: Partner,
    rewards: Rewards,
    network: Network,
    watch: Watch,
    pictures: Pictures,
    state: Callable[[Scene], None],
) -> None:
    scene = Scene(page, Widget(page), partner, rewards, network, watch)
    state(scene)
    assert faults(page, pictures, state.__name__.replace("_", "-")) == []


def test_axe_finds_what_is_wrong(page: Page, widget: Widget) -> None:
    page.evaluate("document.querySelector('label[for=card-number]').remove()")
    assert [violation for violation in violations(page) if violation.startswith("label:")]
