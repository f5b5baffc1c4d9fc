"""Native WebViews: the outcome over each bridge, in its own format."""

import pytest
from playwright.sync_api import Page

from browser.bridges import BREAK, BRIDGES, KEEP, read
from browser.widget import FORM, SUCCESS, Widget
from local_system.cards import Card
from local_system.partner import Partner


@pytest.mark.parametrize("bridge", BRIDGES)
def test_native_app_receives_outcome(page: Page, partner: Partner, card: Card, bridge: str) -> None:
    page.add_init_script(BRIDGES[bridge] % KEEP)
    widget = enrolled(page, partner, card)
    [message] = page.evaluate("window.bridged")
    [reported] = widget.ended()
    assert reported["status"] == "SUCCESS_ENROLLMENT"
    assert read(bridge, message) == reported


@pytest.mark.parametrize("broken", BRIDGES)
def test_broken_bridge_does_not_block_the_others(page: Page, partner: Partner, card: Card, broken: str) -> None:
    for bridge, script in BRIDGES.items():
        page.add_init_script(script % (BREAK if bridge == broken else KEEP))
    widget = enrolled(page, partner, card)
    assert len(page.evaluate("window.bridged")) == len(BRIDGES) - 1
    assert len(widget.ended()) == 1


def test_failed_opening_is_reported_over_bridges(page: Page, partner: Partner) -> None:
    page.add_init_script(BRIDGES["iOS"] % KEEP)
    page.goto(partner.open(iss="nobody").location)
    assert page.evaluate("window.bridged") == [{"status": "ACCESS_DENIED"}]


def enrolled(page: Page, partner: Partner, card: Card) -> Widget:
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FORM)
    widget.enroll(card)
    widget.shows(SUCCESS)
    return widget
