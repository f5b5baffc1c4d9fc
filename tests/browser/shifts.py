"""Layout shift: how far what a customer looks at moves without their doing (Cumulative Layout Shift).

Chromium alone reports it. Shifts within half a second of an input, or of a change of the window's size, do not count
(`hadRecentInput` in the specification "Layout Instability").
"""

from playwright.sync_api import Frame, Page

# Web Vitals call 0.1 good. A card form has no reason to move at all.
MOST = 0.02
OBSERVE = """
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, sources } of list.getEntries()) {
        if (hadRecentInput) continue;
        const moved = sources.map(({ node, previousRect, currentRect }) => {
          const [from, to] = [previousRect, currentRect].map(({ x, y, width, height }) => [x, y, width, height].join());
          return `${node?.nodeName}.${node?.className}: ${from} -> ${to}`;
        });
        window.shifts.push({ value, moved });
      }
    }).observe({ type: "layout-shift", buffered: true });
"""


def observe(page: Page) -> None:
    """From the next page on that is opened there."""
    page.add_init_script(OBSERVE)


def too_much(place: Page | Frame) -> list[str]:
    """What moved, where that is more than is bearable altogether."""
    shifts = place.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(window.shifts))))")
    total = sum(shift["value"] for shift in shifts)
    return [f"{total:.3f} altogether", *map(str, shifts)] if total > MOST else []
