"""Contrast in a screenshot of the page, as defined by WCAG 2."""

from base64 import b64encode

from playwright.sync_api import Locator, Page

MEASURE = """
async (picture) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const { data } = canvas.getImageData(0, 0, image.width, image.height);
  const linear = (channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
  const luminances = [];
  const counts = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue] = [0, 1, 2].map((channel) => linear(data[at + channel] / 255));
    const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    luminances.push(luminance);
    counts.set(luminance, (counts.get(luminance) ?? 0) + 1);
  }
  const [ground] = [...counts].sort(([, one], [, other]) => other - one)[0];
  const contrast = (one) => (Math.max(one, ground) + 0.05) / (Math.min(one, ground) + 0.05);
  return luminances.filter((luminance) => contrast(luminance) >= 3).length / luminances.length;
}
"""


def seen_share(element: Locator, blank: Page) -> float:
    """Share of an element's pixels with a contrast of at least 3:1 to its background (WCAG 2.2, 1.4.11)."""
    picture = b64encode(element.screenshot(animations="disabled")).decode()
    share: float = blank.evaluate(MEASURE, picture)
    return share
