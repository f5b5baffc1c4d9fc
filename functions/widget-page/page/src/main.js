// Creates the parts of the page and connects them.

import { createAnnouncements } from "./announcements.js";
import { createApi } from "./api.js";
import { readConfiguration } from "./configuration.js";
import { createDispatch } from "./embedding.js";
import { reportEnding } from "./ending.js";
import { canEncrypt } from "./encrypt.js";
import { reportEscape } from "./escape.js";
import { createExpiry } from "./expiry.js";
import { createFlow } from "./flow.js";
import { createForm } from "./form.js";
import { takeOpening } from "./fragment.js";
import { keepInView } from "./keep-in-view.js";
import { keepEmpty } from "./keep-empty.js";
import { createExpiryNotice } from "./expiry-notice.js";
import { createMotion } from "./motion.js";
import { createSleep } from "./sleep.js";
import { createReady } from "./ready.js";
import { reasonOf } from "./reason.js";
import { createScreens } from "./screens.js";
import { select } from "./select.js";
import { makeSubmission } from "./submission.js";
import { markFallbacks } from "./text-language.js";
import { createWayOn } from "./way-on.js";

const { api: base, origins, texts, fallbacks, homeUrl } = readConfiguration(document);
const opening = takeOpening(location, history);

// Another fragment is another opening, but browsers do not reload the page for it.
addEventListener("hashchange", () => location.reload());

markFallbacks(document, { texts, fallbacks });
const dispatch = createDispatch(window, origins);
const announce = createAnnouncements(select(document, "#announcements", HTMLElement));
const tellReady = createReady(window, dispatch);
const wayOn = createWayOn(window, texts, dispatch);
const screens = createScreens(document, texts, announce, wayOn);
/** @param {import("./wire.js").EndedEvent} event @param {boolean} isLast */
const end = (event, isLast) => reportEnding(event, dispatch, window, isLast);

if (window.parent !== window) reportEscape(window, dispatch);

new ResizeObserver(([entry]) => {
  const height = Math.ceil(entry?.borderBoxSize?.[0]?.blockSize ?? document.body.offsetHeight);
  dispatch("resize", { height });
}).observe(document.body);
createMotion(select(document, ".stage", HTMLElement), select(document, ".screens", HTMLElement), window);

if (opening.kind === "session") {
  const form = createForm(document, texts, announce, (change) => dispatch("change", change));
  if (window.parent !== window) keepInView(select(document, "#expiring", HTMLElement), window);
  const expiryNotice = createExpiryNotice(document, texts, announce, () => flow.extend());
  const expiry = createExpiry({ warn: expiryNotice.warn, clear: expiryNotice.hide, end: () => flow.timeOut() });
  const api = createApi({
    base,
    session: opening.session,
    fetch: (...request) => fetch(...request),
    sleep: createSleep(window),
    now: () => performance.now(),
    random: Math.random,
  });
  const flow = createFlow({
    api,
    screens,
    form,
    expiry,
    reportEnding: end,
    canEncrypt,
    makeSubmission,
    later,
    homeUrl,
    leave: wayOn.go,
    tellReady,
    tellDone: () => dispatch("done", {}),
  });
  form.onSubmit(flow.submit);
  form.onKeep(flow.keep);
  form.onFocus((name, field) => dispatch(name, { field }));
  keepEmpty(window, form);
  void flow.open();
} else {
  // An address without a session is shown as expired.
  /** @type {import("./wire.js").EndedEvent} */
  const event = { status: opening.kind === "failure" ? opening.status : "TOKEN_EXPIRED" };
  const reason = reasonOf(event, opening.kind === "failure" ? opening.reason : undefined);
  const incident = opening.kind === "failure" ? opening.incident : undefined;
  screens.failure(reason, { incident, way: { url: homeUrl, isHome: true } });
  tellReady();
  end(event, true);
}

/** @type {import("./flow.js").Later} */
function later(act, milliseconds) {
  const timer = setTimeout(act, milliseconds);
  return () => clearTimeout(timer);
}

// The script has finished: hides the message about a stuck page.
document.documentElement.classList.add("running");
