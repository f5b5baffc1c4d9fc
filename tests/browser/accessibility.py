"""Accessibility checks: axe-core, run in the page as served."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Frame, Page

PACKAGE = Path(__file__).resolve().parents[2] / "functions/widget-page/page/node_modules/axe-core"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "rules => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })"


def violations(root: Page | Frame) -> list[str]:
    """Violations: rule, description and elements."""
    # Evaluated by the debugger, which the Content-Security-Policy does not restrict: nothing is relaxed for axe.
    if not root.evaluate("'axe' in window"):
        root.evaluate(_source())
    result: dict[str, Any] = root.evaluate(RUN, RULES)
    return [
        f"{violation['id']}: {violation['help']}: {[node['html'] for node in violation['nodes']]}"
        for violation in result["violations"]
    ]


def _source() -> str:
    try:
        return (PACKAGE / "axe.min.js").read_text()
    except OSError:
        pytest.exit("axe-core is missing: run `cargo xtask page`, which installs the page's packages.", returncode=1)
