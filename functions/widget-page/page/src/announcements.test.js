import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnnouncements } from "./announcements.js";

test("simultaneous messages are joined, later ones replace them", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const panel = /** @type {HTMLElement} */ ({ textContent: "" });
  const announce = createAnnouncements(panel);
  announce("One.");
  announce("Two.");
  t.mock.timers.tick(100);
  assert.equal(panel.textContent, "One. Two.");

  announce("Two.");
  assert.equal(panel.textContent, "", "cleared first, so that the same message is read again");
  t.mock.timers.tick(100);
  assert.equal(panel.textContent, "Two.");
});
