// Screens of the page, one visible at a time. Screen readers read the heading when it gets the focus, and the rest as
// announcements.

import { ACTIONS } from "./actions.js";
import { failureTexts } from "./failure-texts.js";
import { plural } from "./plural.js";
import { select } from "./select.js";

/**
 * @typedef {ReturnType<typeof createScreens>} Screens
 * @typedef {"loading" | "form" | "waiting" | "success" | "failure"} ScreenName
 */

/** Reasons that are not shown as a warning: it takes time, or the time is over. @type {import("./reason.js").Reason[]} */
const NEUTRAL = ["expired", "unsettled", "noted", "card_limit", "limit", "suspended", "unavailable", "used"];
/** Ends without a fault, and so without an incident: there is nothing to do. @type {import("./reason.js").Reason[]} */
const CALM = ["already_enrolled", "customer_already_enrolled", "no_card", "kept"];
// Most tries left that a failure mentions.
const FEW_TRIES = 2;

/**
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./announcements.js").Announce} announce
 * @param {Pick<import("./way-on.js").WayOn, "show">} wayOn
 */
export function createScreens(document, texts, announce, wayOn) {
  /** @type {ScreenName} */
  let current = "loading";
  /** @type {import("./wire.js").ActionCode} */
  let action = "N";

  /** @param {ScreenName} name */
  const screen = (name) => select(document, `[data-screen=${name}]`, HTMLElement);

  /** @param {ScreenName} name @param {string} [message] announced after the heading */
  function show(name, message) {
    // A page that has just opened, or an unused frame, must not take the focus.
    const isInUse = document.hasFocus() && document.activeElement !== document.body;
    const changed = current !== name;
    for (const section of document.querySelectorAll("[data-screen]")) {
      if (section instanceof HTMLElement) section.hidden = section.dataset["screen"] !== name;
    }
    current = name;
    const heading = select(screen(name), "h1", HTMLElement);
    // Of the client, as in the document's first title; of the program where no client is known.
    const owner = document.querySelector(".client")?.textContent || texts.register.header;
    document.title = `${heading.textContent} – ${owner}`;
    if (changed && isInUse) {
      heading.focus({ preventScroll: true });
      document.documentElement.scrollTop = 0;
      // For a frame as high as its content: scrolls the host's window.
      screen(name).scrollIntoView({ block: "nearest" });
    }
    if (message) announce(isInUse ? message : `${heading.textContent} ${message}`);
  }

  /** @param {ScreenName} name @param {string | undefined} last4 */
  function showCard(name, last4) {
    const chip = select(screen(name), ".chip", HTMLElement);
    chip.hidden = !last4;
    select(chip, ".last4", HTMLElement).textContent = last4 ?? "";
  }

  /** @param {number | "last_try"} tries @returns {string} empty while there are enough */
  function triesText(tries) {
    if (tries === "last_try") return texts.error.last_try;
    return tries > FEW_TRIES ? "" : plural(texts.error.tries_left, "count", tries, document.documentElement.lang);
  }

  return {
    get current() {
      return current;
    },
    /** Sets the action that the texts are about. @param {import("./wire.js").ActionCode} code */
    setAction(code) {
      action = code;
      const actionTexts = ACTIONS[action].texts(texts);
      select(screen("waiting"), "h1", HTMLElement).textContent = actionTexts.waiting;
      select(screen("success"), ".info", HTMLElement).textContent = actionTexts.success;
    },
    /** Message for a reason. @param {import("./reason.js").Reason} reason */
    messageOf: (reason) => failureTexts(reason, action, texts).info,
    loading: () => show("loading"),
    /** @param {"offline" | "busy"} reason */
    stillLoading(reason) {
      const info = select(screen("loading"), ".info", HTMLElement);
      const message = texts.waiting[reason];
      const isRepeated = info.textContent === message;
      info.textContent = message;
      show("loading", isRepeated ? undefined : message);
    },
    /**
     * @param {number} [attemptsLeft] the page warns before the last attempt
     * @param {import("./way-on.js").Way} [way] offered after a refused attempt
     */
    form(attemptsLeft, way) {
      const last = attemptsLeft === 1;
      wayOn.show(select(screen("form"), ".way-on", HTMLElement), way ?? { url: undefined });
      select(document, "#last-try", HTMLElement).hidden = !last;
      const button = select(screen("form"), "button.primary", HTMLElement);
      if (last) button.setAttribute("aria-describedby", "last-try");
      else button.removeAttribute("aria-describedby");
      show("form", last ? texts.register.last_try : undefined);
    },

    /** @param {string} [last4] of the new or removed card */
    waiting(last4) {
      select(screen("waiting"), ".info", HTMLElement).textContent = texts.waiting.info;
      showCard("waiting", last4);
      show("waiting", texts.waiting.info);
    },

    /** Updates the waiting screen. @param {import("./api.js").WaitReason} reason */
    stillWaiting(reason) {
      const info = select(screen("waiting"), ".info", HTMLElement);
      const message = texts.waiting[reason === "open" ? "info" : reason];
      const isRepeated = info.textContent === message;
      info.textContent = message;
      show("waiting", isRepeated ? undefined : message);
    },

    /** @param {string | undefined} last4 @param {import("./way-on.js").Way} way */
    success(last4, way) {
      showCard("success", last4);
      wayOn.show(select(screen("success"), ".way-on", HTMLElement), way, { isMain: true });
      const info = ACTIONS[action].texts(texts).success;
      show("success", last4 ? `${info} ${texts.success.card} ${last4}` : info);
    },

    /**
     * @param {import("./reason.js").Reason} reason
     * @param {{ incident?: string | undefined, more?: string | undefined, retry?: (() => void) | undefined,
     *   tries?: number | "last_try" | undefined, way?: import("./way-on.js").Way }} [details]
     *   `more`: address of "Read more"; `retry`: handler of the button, hidden without one; `tries`: attempts left
     */
    failure(reason, { incident, more, retry, tries, way = { url: undefined } } = {}) {
      const section = screen("failure");
      const isCalm = CALM.includes(reason);
      const { title, info } = failureTexts(reason, action, texts);
      select(section, "h1", HTMLElement).textContent = title;
      select(section, ".info", HTMLElement).textContent = info;
      section.classList.toggle("calm", isCalm);
      section.classList.toggle("neutral", NEUTRAL.includes(reason));
      const note = select(section, ".tries", HTMLElement);
      note.textContent = tries ? triesText(tries) : "";
      note.hidden = !note.textContent;

      select(section, ".more", HTMLElement).hidden = !more;
      if (more) select(section, ".more a", HTMLAnchorElement).href = more;
      const line = select(section, ".incident", HTMLElement);
      const shownIncident = isCalm ? undefined : incident;
      line.hidden = !shownIncident;
      select(line, "bdi", HTMLElement).textContent = shownIncident ?? "";

      const button = select(section, "button", HTMLButtonElement);
      button.hidden = !retry;
      button.onclick = retry ?? null;
      wayOn.show(select(section, ".way-on", HTMLElement), way, { isMain: !retry, isLast: isCalm || reason === "noted" });
      const parts = [info, note.textContent, shownIncident && `${texts.error.info_second_part}${shownIncident}`];
      show("failure", parts.filter(Boolean).join(" "));
    },
  };
}
