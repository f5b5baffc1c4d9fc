"""Widget behind a custom domain with a base path: parts, policy and calls."""

from dataclasses import replace

from playwright.sync_api import Page

from browser.engines import in_both
from browser.network import Network
from browser.widget import FORM, SUCCESS, Widget
from local_system.base_path import BASE_PATH, domain_with_base_path
from local_system.cards import Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack


@in_both
def test_card_is_enrolled_under_a_base_path(
    page: Page, stack: Stack, network: Network, rewards: Rewards, card: Card
) -> None:
    with domain_with_base_path() as domain:
        network.allow(domain.host)
        partner = Partner(replace(stack, api=domain.address))
        opening = partner.open()
        assert opening.location.startswith(f"{domain.address}/widget/demo/")

        page.goto(opening.location)
        widget = Widget(page)
        widget.shows(FORM)
        widget.enroll(card)
        widget.shows(SUCCESS)
        [account] = rewards.accounts_of(card)
        [event] = widget.ended()
        assert (event["status"], event["ranac"]) == ("SUCCESS_ENROLLMENT", account["ranac"])

        # Page, parts and calls: all requests use the base path and succeed.
        asked = [sent.path for sent in network.sent if sent.host == domain.host]
        assert [path for path in asked if not path.startswith(f"{BASE_PATH}/widget/")] == []
        assert any(path.startswith(f"{BASE_PATH}/widget/assets/") for path in asked)
        assert f"{BASE_PATH}/widget/api/enroll" in asked
        assert [answer for answer in domain.answered if answer[1] >= 400] == []
