"""Openings by embed.js over a network that fails: each has an outcome in time, and MRS agrees with it.

`EMBED_OPENINGS` is the number of openings, `EMBED_SEED` the seed of the failures.
"""

import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Frame, Page
from playwright.sync_api import Error as PlaywrightError

from browser.console import ConsoleWatch
from browser.embed_host import SCRIPT, EmbedHost, open_widget, told
from browser.network import Answer, Network, Sent
from browser.widget import Widget
from local_system.cards import Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack

OPENINGS = int(os.environ.get("EMBED_OPENINGS", "50"))
SEED = os.environ.get("EMBED_SEED", "1")
RATE = 0.05
# A local AWS starts a process for each call: more frames at once are slower than embed.js waits.
AT_ONCE = 4
# Seconds after which a customer leaves, within which a promise has to settle, and of an answer that comes too late.
PATIENCE = 75
SETTLED_WITHIN = 30
LATE = 25


class Failures:
    """Failures of a part of the requests to the product, of all but embed.js itself."""

    def __init__(self, stack: Stack) -> None:
        self.done: Counter[str] = Counter()
        self.is_on = False
        self._host = urlsplit(stack.api).netloc
        self._random = random.Random(SEED)
        self._lock = threading.Lock()
        self._next = threading.local()

    def order(self, network: Network) -> None:
        network.change_answers(self._concerns, self._change)
        network.cut_answers(
            sys.maxsize, lambda sent: getattr(self._next, "kind", "none") == "cut" and self._concerns(sent)
        )

    def _concerns(self, sent: Sent) -> bool:
        return self.is_on and sent.host == self._host and sent.path != SCRIPT

    def _change(self, answer: Answer) -> Answer:
        with self._lock:
            is_hit = self._random.random() < RATE
            kind = self._random.choice(["cut", "503", "404", "half", "late"]) if is_hit else "none"
            self.done[kind] += 1
        # The thread that serves this request asks next whether to cut it.
        self._next.kind = kind
        # Each frame loads its parts again.
        headers = [pair for pair in answer.headers if pair[0].lower() != "cache-control"]
        answer = replace(answer, headers=[*headers, ("Cache-Control", "no-store")])
        if kind == "late":
            time.sleep(LATE)
        if kind in ("503", "404"):
            return Answer(int(kind), "", [("Content-Type", "text/plain")], b"It failed.\n")
        return replace(answer, body=answer.body[: len(answer.body) // 2]) if kind == "half" else answer


@dataclass
class Customer:
    """Customer of one opening, who fills in the form, tries again and in the end leaves."""

    index: int
    card: Card
    frame: Frame
    since: float = field(default_factory=time.monotonic)
    has_submitted: bool = False
    has_left: bool = False

    def act(self) -> None:
        if self.frame.is_detached():
            return
        widget = Widget(self.frame)
        if widget.try_again.is_visible():
            widget.try_again.click(timeout=1000)
        elif not self.has_submitted and widget.card_number.is_visible() and widget.confirm.is_enabled():
            widget.card_number.fill(self.card.number)
            widget.terms.check(timeout=1000)
            widget.privacy.check(timeout=1000)
            widget.confirm.click(timeout=1000)
            self.has_submitted = True

    def leave(self, page: Page) -> None:
        page.evaluate("(index) => window.openings[index].opening.destroy()", self.index)


def test_every_opening_has_an_outcome(
    new_context: Callable[..., BrowserContext],
    network: Network,
    stack: Stack,
    rewards: Rewards,
    console: ConsoleWatch,
) -> None:
    # Browsers log every failure, and a page of which half is missing logs more.
    console.expect("")
    failures = Failures(stack)
    failures.order(network)
    statuses: Counter[str] = Counter()
    page = new_context().new_page()
    embed = EmbedHost(network, stack)
    embed.visit(page, "".join(f"<div id=target-{index}></div>" for index in range(OPENINGS)))
    failures.is_on = True
    active: list[Customer] = []
    opened = 0
    while active or opened < OPENINGS:
        while opened < OPENINGS and len(active) < AT_ONCE:
            active.append(open_one(page, opened, stack, rewards))
            opened += 1
        for customer in [*active]:
            if "outcome" in told(page, customer.index):
                active.remove(customer)
                customer.leave(page)
                statuses[judge(page, customer, rewards)] += 1
            else:
                serve(page, customer)
        page.wait_for_timeout(100)
    failures.is_on = False
    print(f"seed {SEED}: {dict(statuses)}; requests: {dict(failures.done)}")
    assert statuses.total() == OPENINGS
    # A slow machine loses more frames than the failures do.
    assert statuses["SUCCESS_ENROLLMENT"] > OPENINGS / 4
    assert failures.done.total() - failures.done["none"] > 0


def open_one(page: Page, index: int, stack: Stack, rewards: Rewards) -> Customer:
    location = Partner(stack).open().location
    open_widget(page, url=location, target=f"#target-{index}")
    handle = page.query_selector(f"#target-{index} iframe")
    frame = handle.content_frame() if handle else None
    assert frame is not None
    return Customer(index, rewards.fresh_card(), frame)


def serve(page: Page, customer: Customer) -> None:
    """Has a customer act, and leave in the end."""
    waited = time.monotonic() - customer.since
    assert waited < PATIENCE + SETTLED_WITHIN, "the promise is open"
    try:
        if waited > PATIENCE:
            customer.has_left = True
            customer.leave(page)
        else:
            customer.act()
    except PlaywrightError:
        # The frame is gone, or its screen changed under the customer's hands: the next look shows it.
        return


def judge(page: Page, customer: Customer, rewards: Rewards) -> str:
    record = told(page, customer.index)
    status: str = record["outcome"]["status"]
    took = record["settled"] - record["started"]
    assert sum(event["type"] == "complete" for event in record["events"]) == 1
    enrolled = len(rewards.accounts_of(customer.card))
    if status == "SUCCESS_ENROLLMENT":
        assert enrolled == 1
    elif status == "NOT_LOADED":
        assert took <= SETTLED_WITHIN * 1000 or any(event["type"] == "ready" for event in record["events"])
    else:
        assert customer.has_left, record
        assert status == "CLOSED"
    return status
