"""The widget as a customer sees it: its fields by their labels, its screens by their headings."""

import re
from typing import Any

from playwright.sync_api import Frame, Locator, Page, expect

from local_system.cards import Card

# Two calls to a local AWS that starts a process for each; an MRS that is silent is given up after 8 s.
PATIENCE = 30_000
INCIDENT = re.compile(r"^Incident ID: [0-9A-Z]{4}(-[0-9A-Z]{4}){2}$")

FORM = "Add your card"
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


class Widget:
    """One widget, as a page or in a frame."""

    def __init__(self, place: Page | Frame) -> None:
        self.place = place
        self.card_number = place.get_by_label(re.compile("^(Card|New card) number$"))
        self.first_name = place.get_by_label("First name")
        self.last_name = place.get_by_label("Last name")
        self.email = place.get_by_label("Email")
        self.terms = place.get_by_label("I accept the Terms & Conditions")
        self.privacy = place.get_by_label("I accept the Privacy Notice")
        self.confirm = place.get_by_role("button", name="Add card")
        self.replace = place.get_by_role("button", name="Replace card")
        self.remove = place.get_by_role("button", name=re.compile("^Remove card"))
        self.choice = place.get_by_role("radiogroup")
        self.try_again = place.get_by_role("button", name="Try again")
        self.stay_longer = place.get_by_role("button", name="Stay longer")
        self.notice = place.locator("#expiring")
        self.last_try = place.locator("#last-try")
        self.tries = place.locator(".tries")
        self.error = place.locator("#card-number-error")

    def shows(self, heading: str) -> None:
        """Waits until this is the one screen that is seen."""
        expect(self.place.get_by_role("heading", level=1)).to_have_text(heading, timeout=PATIENCE)

    def shows_in_time(self, heading: str, page: Page) -> None:
        """As `shows`, for what comes after minutes: the page's clock, which the test has installed, is put forward."""
        for _ in range(60):
            if self.place.get_by_role("heading", name=heading).is_visible():
                return
            page.clock.run_for(5000)
            # The network has no such clock.
            page.wait_for_timeout(200)
        self.shows(heading)

    def says(self, text: str | re.Pattern[str]) -> Locator:
        said = self.place.locator("[data-screen]:visible p:visible", has_text=text)
        expect(said).to_be_visible(timeout=PATIENCE)
        return said

    def shows_incident(self) -> None:
        expect(self.place.locator(".incident:visible")).to_have_text(INCIDENT)

    def type_card(self, card: Card) -> None:
        self.card_number.press_sequentially(card.number)

    def fill(self, card: Card) -> None:
        """All that is required."""
        self.type_card(card)
        self.terms.check()
        self.privacy.check()

    def enroll(self, card: Card) -> None:
        self.fill(card)
        self.confirm.click()

    def card_on_file(self, last4: str) -> Locator:
        """Of several."""
        return self.choice.get_by_role("radio", name=f"Card ending in {last4}")

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """Details of the events that were dispatched on the widget's own window."""
        events: list[dict[str, Any]] = self.place.evaluate("window.heard")
        return [event["detail"] for event in events if event["type"] == kind]

    def ended(self) -> list[dict[str, Any]]:
        return self.heard("enrollmentEnded")
