"""Page object of the widget: fields by their labels, screens by their headings."""

import re
from typing import Any

from playwright.sync_api import Frame, Locator, Page, expect

from local_system.cards import Card

# Milliseconds. Two calls to a local AWS that starts a process for each; the product gives up on a silent MRS after 8 s.
TIMEOUT = 30_000
INCIDENT = re.compile(r"^Incident ID: [0-9A-Z]{4}(-[0-9A-Z]{4}){2}$")

FORM = "Earn rewards with your card"
LOADING = "One moment…"
WAITING = "Adding your card…"
SUCCESS = "All done!"
FAILURE = "Something went wrong"
EXPIRED = "This page has expired"
UNSETTLED = "Still in progress"
UNREACHABLE = "No connection"
LATER = "Please come back later"
FULL = "Card limit reached"
REPLACEMENT = "Replace a card"
REPLACING = "Replacing your card…"
REMOVAL = "Remove a card"
REMOVING = "Removing your card…"
NOTED = "We're removing your card"
KEPT = "Your card stays"
ALREADY = "Already in the program"
NOTHING_TO = {"R": "No card to replace", "C": "No card to remove"}


class Widget:
    """Widget in a page or a frame."""

    def __init__(self, root: Page | Frame) -> None:
        self.root = root
        self.card_number = root.get_by_label(re.compile("^(Card|New card) number$"))
        self.first_name = root.get_by_label("First name")
        self.last_name = root.get_by_label("Last name")
        self.email = root.get_by_label("Email")
        self.terms = root.get_by_label("I accept the Terms & Conditions")
        self.privacy = root.get_by_label("I accept the Privacy Notice")
        self.confirm = root.get_by_role("button", name="Add card")
        self.replace = root.get_by_role("button", name="Replace card")
        self.remove = root.get_by_role("button", name=re.compile("^Remove card"))
        self.choice = root.get_by_role("radiogroup")
        self.try_again = root.get_by_role("button", name="Try again")
        self.keep = root.get_by_role("button", name="Keep my card")
        self.hint = root.locator("#card-number-hint")
        self.way_on = root.locator(".way-on:visible")
        self.stay_longer = root.get_by_role("button", name="Stay longer")
        self.notice = root.locator("#expiring")
        self.last_try = root.locator("#last-try")
        self.tries = root.locator(".tries")
        self.error = root.locator("#card-number-error")

    def shows(self, heading: str) -> None:
        """Waits until this is the only visible screen."""
        expect(self.root.get_by_role("heading", level=1)).to_have_text(heading, timeout=TIMEOUT)

    def shows_in_time(self, heading: str, page: Page) -> None:
        """Like `shows`, for a screen that takes minutes: advances the page's clock, which the test has installed."""
        for _ in range(60):
            if self.root.get_by_role("heading", name=heading).is_visible():
                return
            page.clock.run_for(5000)
            # The network's clock is not advanced.
            page.wait_for_timeout(200)
        self.shows(heading)

    def says(self, text: str | re.Pattern[str]) -> Locator:
        said = self.root.locator("[data-screen]:visible p:visible", has_text=text)
        expect(said).to_be_visible(timeout=TIMEOUT)
        return said

    def waits(self, text: str) -> None:
        """Waits until the page reports an open attempt: in the form's button, later on a screen of its own."""
        said = self.root.locator("[data-screen]:visible :is(h1, .action-text)", has_text=text)
        expect(said).to_be_visible(timeout=TIMEOUT)

    def refuses_card(self, text: str) -> None:
        """Waits for an error of the number, in the form, with the number selected."""
        expect(self.error).to_contain_text(text, timeout=TIMEOUT)
        expect(self.card_number).to_be_focused()
        expect(self.card_number).to_be_editable()
        assert self.card_number.evaluate("it => it.selectionEnd - it.selectionStart === it.value.length")
        expect(self.root.locator(".control")).not_to_have_class(re.compile("valid"))

    def shows_incident(self) -> None:
        expect(self.root.locator(".incident:visible")).to_have_text(INCIDENT)

    def type_card(self, card: Card) -> None:
        self.card_number.press_sequentially(card.number)

    def fill(self, card: Card) -> None:
        """Fills all required fields."""
        self.type_card(card)
        self.terms.check()
        self.privacy.check()

    def enroll(self, card: Card) -> None:
        self.fill(card)
        self.confirm.click()

    def card_on_file(self, last4: str) -> Locator:
        """Radio button of a card, among several."""
        return self.choice.get_by_role("radio", name=f"Card ending in {last4}")

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Details of the events dispatched on the widget's window."""
        events: list[dict[str, Any]] = self.root.evaluate("window.events")
        return [event["detail"] for event in events if event["type"] == kind]

    def has_ended(self, times: int) -> None:
        """Waits for this number of reported endings."""
        self.root.wait_for_function(
            "times => window.events.filter(({ type }) => type === 'enrollmentEnded').length === times",
            arg=times,
            timeout=TIMEOUT,
        )

    def ended(self) -> list[dict[str, Any]]:
        return self.events("enrollmentEnded")
