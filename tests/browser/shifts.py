"""Layout shift: unexpected movement of visible content (Cumulative Layout Shift).

Only Chromium reports it. Shifts within half a second of an input or a resize do not count
(`hadRecentInput` in the specification "Layout Instability").
"""

from playwright.sync_api import Frame, Page

# Web Vitals rate 0.1 as good. A card form need not move at all.
LIMIT = 0.02
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
    """Observes shifts, starting with the next page that is opened."""
    page.add_init_script(OBSERVE)


def excessive_shifts(root: Page | Frame) -> list[str]:
    """Shifts, if their total exceeds the limit."""
    shifts = root.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(window.shifts))))")
    total = sum(shift["value"] for shift in shifts)
    return [f"{total:.3f} altogether", *map(str, shifts)] if total > LIMIT else []
