// Wires the page together.

import { createAnnouncements } from "./announcements.js";
import { createApi } from "./api.js";
import { readConfiguration } from "./configuration.js";
import { createTell } from "./embedding.js";
import { tellEnding } from "./ending.js";
import { canEncrypt } from "./encrypt.js";
import { createExpiry } from "./expiry.js";
import { createFlow } from "./flow.js";
import { createForm } from "./form.js";
import { takeOpening } from "./fragment.js";
import { keepInSight } from "./in-sight.js";
import { keepEmpty } from "./keep-empty.js";
import { createMoreTime } from "./more-time.js";
import { createPause } from "./pause.js";
import { reasonOf } from "./reason.js";
import { createScreens } from "./screens.js";
import { select } from "./select.js";
import { makeSubmission } from "./submission.js";

const { api: base, origins, texts } = readConfiguration(document);
const opening = takeOpening(location, history);

// The same address with another fragment is another opening, but browsers do not load the page again for it.
addEventListener("hashchange", () => location.reload());

const tell = createTell(window, origins);
const announce = createAnnouncements(select(document, "#announcements", HTMLElement));
const screens = createScreens(document, texts, announce);
/** @param {import("./wire.js").EndedEvent} event */
const end = (event) => tellEnding(event, tell, window);

new ResizeObserver(([entry]) => {
  const height = Math.ceil(entry?.borderBoxSize?.[0]?.blockSize ?? document.body.offsetHeight);
  tell("resize", { height });
}).observe(document.body);

if (opening.kind === "session") {
  const form = createForm(document, texts, announce, (change) => tell("change", change));
  if (window.parent !== window) keepInSight(select(document, "#expiring", HTMLElement), window);
  const moreTime = createMoreTime(document, texts, announce, () => flow.extend());
  const expiry = createExpiry({ warn: moreTime.warn, calm: moreTime.hide, end: () => flow.timeIsUp() });
  const api = createApi({
    base,
    session: opening.session,
    fetch: (...request) => fetch(...request),
    sleep: createPause(window),
    now: () => performance.now(),
    random: Math.random,
  });
  const flow = createFlow({ api, screens, form, expiry, tellEnding: end, canEncrypt, makeSubmission });
  form.onSubmit(flow.submit);
  keepEmpty(window, form);
  void flow.open().then(() => tell("ready", {}));
} else {
  // An address without a session is one whose session is gone.
  /** @type {import("./wire.js").EndedEvent} */
  const event = { status: opening.kind === "failure" ? opening.status : "TOKEN_EXPIRED" };
  const reason = reasonOf(event, opening.kind === "failure" ? opening.reason : undefined);
  screens.failure(reason, opening.kind === "failure" ? { incident: opening.incident } : {});
  tell("ready", {});
  end(event);
}

// The script has come to its end: the page is not stuck.
document.documentElement.classList.add("running");
