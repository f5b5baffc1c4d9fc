// Listens to the widget in the iframe: {type, detail}, from its origin and its window only.

import { watchConfirmations } from "/assets/confirmations.js";

const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("widget"));
const log = document.getElementById("log");
const outcome = document.getElementById("outcome");
const origin = frame.dataset.origin;
const TYPES = ["ready", "change", "resize", "enrollmentEnded"];
const MOST_LINES = 200;

watchConfirmations(document.getElementById("received"));

window.addEventListener("message", (event) => {
  if (event.origin !== origin || event.source !== frame.contentWindow) return;
  const { type, detail } = event.data ?? {};
  if (!TYPES.includes(type)) return;
  write(type, detail);
  if (type === "resize") resize(detail?.height);
  if (type === "enrollmentEnded") end(detail);
});

// Only now, so that no message comes before there is somebody to hear it.
frame.src = frame.dataset.src;

/** @param {string} type @param {unknown} detail */
function write(type, detail) {
  const line = document.createElement("li");
  const name = document.createElement("code");
  name.textContent = type;
  line.append(new Date().toLocaleTimeString(), " ", name, " ", JSON.stringify(detail ?? {}));
  line.dataset.type = type;
  log.prepend(line);
  while (log.childElementCount > MOST_LINES) log.lastElementChild.remove();
}

/** @param {unknown} height */
function resize(height) {
  if ("fixedHeight" in frame.dataset || typeof height !== "number" || !Number.isFinite(height)) return;
  frame.style.height = `${Math.min(Math.max(height, 240), 4000)}px`;
}

/** @param {object} detail */
function end(detail) {
  const status = String(detail?.status ?? "");
  const mark = document.createElement("p");
  mark.className = status.startsWith("SUCCESS") ? "badge good" : "badge bad";
  mark.textContent = status;
  const body = document.createElement("pre");
  body.id = "outcome-json";
  body.textContent = JSON.stringify(detail, null, 2);
  outcome.replaceChildren(mark, body);
}
