"""axe-core, run inside the page as it is served."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Frame, Page

PACKAGE = Path(__file__).resolve().parents[2] / "functions/widget-page/page/node_modules/axe-core"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "rules => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })"


def violations(place: Page | Frame) -> list[str]:
    """Rule, what it says, and the elements that break it."""
    # The debugger's evaluation, which the page's Content-Security-Policy has no say in: nothing is relaxed for axe.
    if not place.evaluate("'axe' in window"):
        place.evaluate(_source())
    result: dict[str, Any] = place.evaluate(RUN, RULES)
    return [
        f"{violation['id']}: {violation['help']}: {[node['html'] for node in violation['nodes']]}"
        for violation in result["violations"]
    ]


def _source() -> str:
    try:
        return (PACKAGE / "axe.min.js").read_text()
    except OSError:
        pytest.exit("axe-core is missing: run `cargo xtask page`, which installs the page's packages.", returncode=1)
