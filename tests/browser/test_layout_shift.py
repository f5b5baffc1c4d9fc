"""Layout stability of each state, on small and large screens and in a frame."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from browser.console import ConsoleWatch
from browser.embedding import open_at_partner
from browser.network import Network, Sent
from browser.shifts import excessive_shifts, observe
from browser.test_states import STATES, Scene
from browser.widget import FORM, SUCCESS, Widget
from local_system.cards import Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack

# The demo client has a background picture: on a phone the sheet overlays it.
SIZES = {"320": (320, 640), "phone": (390, 844), "desktop": (1280, 800)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.replace("_", "-"))
def test_state_does_not_move(
    page: Page,
    partner: Partner,
    rewards: Rewards,
    network: Network,
    console: ConsoleWatch,
    state: Callable[[Scene], None],
    size: str,
) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    observe(page)
    state(Scene(page, Widget(page), partner, rewards, network, console))
    assert excessive_shifts(page) == []


def test_late_pictures_move_nothing(page: Page, partner: Partner, network: Network) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    observe(page)
    network.delay(_is_picture)
    page.goto(partner.open().location, wait_until="commit")
    Widget(page).shows(FORM)
    network.resume()
    page.wait_for_load_state()
    assert page.evaluate("document.querySelector('.logo').naturalWidth") > 0
    assert excessive_shifts(page) == []


def test_framed_widget_does_not_move(page: Page, stack: Stack, card: Card) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    observe(page)
    widget = open_at_partner(page, stack, "iframe")
    assert excessive_shifts(widget.root) == []
    widget.enroll(card)
    widget.shows(SUCCESS)
    assert excessive_shifts(widget.root) == []


def test_shift_is_detected(page: Page, widget: Widget) -> None:
    observe(page)
    page.reload()
    widget.shows(FORM)
    page.wait_for_timeout(600)
    page.evaluate("document.querySelector('header').style.marginTop = '10rem'")
    page.wait_for_timeout(100)
    assert excessive_shifts(page)


def _is_picture(sent: Sent) -> bool:
    return "/pictures/" in sent.path
