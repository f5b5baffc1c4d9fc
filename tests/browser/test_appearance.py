"""Appearance on small screens, with forced colors, and without scripts."""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.colors import seen_share
from browser.console import ConsoleWatch
from browser.network import Answer, Network, Sent, api_calls
from browser.pictures import Pictures
from browser.widget import FORM, LOADING, Widget
from local_system.partner import Partner

STUCK = "This is taking too long. Please turn on JavaScript and reload the page."
# Minimum share of visible pixels in a line drawing and in a logo.
DRAWING = 0.03
WORD = "Rechtsschutzversicherungsgesellschaftsbedingungen"


@pytest.mark.parametrize("light", ["light", "dark"])
def test_forced_colors_keep_spinner_and_logo(
    page: Page,
    new_context: Callable[..., BrowserContext],
    partner: Partner,
    network: Network,
    pictures: Pictures,
    light: Literal["light", "dark"],
) -> None:
    page.emulate_media(forced_colors="active", color_scheme=light)
    location = partner.open().location
    network.delay(api_calls)
    page.goto(location)
    Widget(page).shows(LOADING)
    pictures.take(page, f"loading-forced-colors-{light}")
    blank = new_context().new_page()
    for part in (".spinner:visible", ".logo"):
        assert seen_share(page.locator(part), blank) > DRAWING, part
    network.resume()
    Widget(page).shows(FORM)
    pictures.take(page, f"form-forced-colors-{light}")
    for part in (".brand .icon.card", ".protection .icon"):
        assert seen_share(page.locator(part), blank) > DRAWING, part


def test_long_words_wrap_at_320_px(page: Page, widget: Widget, pictures: Pictures) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.evaluate(
        """word => {
          for (const part of document.querySelectorAll("h1, label, legend, button, .sentence a, .lead, .program"))
            part.append(` ${word} und die ${word}`);
        }""",
        WORD,
    )
    pictures.take(page, "long-words-320")
    beyond = page.evaluate(
        """[...document.querySelectorAll("main *")]
          .filter((it) => it.offsetParent && it.getBoundingClientRect().right > innerWidth)
          .map((it) => it.outerHTML)"""
    )
    assert beyond == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_noscript_message_is_shown(
    new_context: Callable[..., BrowserContext], partner: Partner, pictures: Pictures
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(partner.open().location)
    said = page.locator("noscript p")
    expect(said).to_be_visible()
    assert (said.text_content() or "").startswith("Please turn on JavaScript.")
    expect(page.get_by_text(LOADING)).to_be_hidden()
    pictures.take_window(page, "no-script")


@pytest.mark.parametrize("fault", ["answered by an error", "of another release"])
def test_missing_script_is_reported_after_a_while(
    page: Page, partner: Partner, network: Network, console: ConsoleWatch, pictures: Pictures, fault: str
) -> None:
    if fault == "of another release":
        console.expect("Failed to find a valid digest in the 'integrity' attribute")
        network.change_answers(_is_script, lambda real: Answer(real.status, real.reason, real.headers, b"void 0"))
    else:
        console.expect("the server responded with a status of 503")
        network.answer(_is_script, lambda _: Answer(503, "", [], b""))
    page.goto(partner.open().location)
    Widget(page).shows(LOADING)
    stuck = page.get_by_text(STUCK)
    expect(stuck).to_be_hidden()
    expect(stuck).to_be_visible(timeout=15_000)
    expect(page.get_by_text(LOADING)).to_be_hidden()
    pictures.take(page, "stuck")


def test_slow_first_answer_is_not_reported_as_stuck(page: Page, partner: Partner, network: Network) -> None:
    location = partner.open().location
    network.delay(api_calls)
    page.goto(location)
    Widget(page).shows(LOADING)
    page.wait_for_timeout(11_000)
    expect(page.get_by_text(STUCK)).to_be_hidden()


def _is_script(sent: Sent) -> bool:
    return sent.path.endswith(".js")
