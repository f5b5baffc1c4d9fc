// Shows the widget's messages on a page that embeds it: {type, detail}, of its origin only.

import { watchConfirmations } from "/assets/confirmations.js";

const log = document.getElementById("log");
const outcome = document.getElementById("outcome");
const { origin } = document.getElementById("messages").dataset;
const TYPES = ["ready", "change", "focus", "blur", "resize", "enrollmentEnded", "return"];
const MOST_LINES = 200;

watchConfirmations(document.getElementById("received"));

window.addEventListener("message", (event) => {
  if (event.origin !== origin) return;
  const { type, detail } = event.data ?? {};
  if (!TYPES.includes(type)) return;
  write(type, detail);
  if (type === "enrollmentEnded") end(detail);
});

// A frame in the shape of a phone keeps its height, so nothing else is to be done for it.
const phone = /** @type {HTMLIFrameElement | null} */ (document.querySelector("iframe[data-fixed-height]"));
if (phone) phone.src = phone.dataset.src;

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
