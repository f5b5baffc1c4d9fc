// What is seen: one screen at a time. A screen reader hears the heading by the focus that moves to it, the rest by the
// announcements.

import { ACTIONS } from "./actions.js";
import { failureTexts } from "./failure-texts.js";
import { select } from "./select.js";

/**
 * @typedef {ReturnType<typeof createScreens>} Screens
 * @typedef {"loading" | "form" | "waiting" | "success" | "failure"} ScreenName
 */

/** Nothing is wrong, it takes or took time. @type {import("./reason.js").Reason[]} */
const PATIENT = ["expired", "unsettled", "noted", "card_limit", "limit", "suspended", "unavailable", "used"];

/**
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./announcements.js").Announce} announce
 */
export function createScreens(document, texts, announce) {
  /** @type {ScreenName} */
  let current = "loading";
  /** @type {import("./wire.js").ActionCode} */
  let action = "N";

  /** @param {ScreenName} name */
  const screen = (name) => select(document, `[data-screen=${name}]`, HTMLElement);

  /** @param {ScreenName} name @param {string} [message] what is announced beside the heading */
  function show(name, message) {
    // A page that only just opened, or lies in a frame that nobody has touched, must not take the focus.
    const touched = document.hasFocus() && document.activeElement !== document.body;
    const changed = current !== name;
    for (const section of document.querySelectorAll("[data-screen]")) {
      if (section instanceof HTMLElement) section.hidden = section.dataset["screen"] !== name;
    }
    current = name;
    const heading = select(screen(name), "h1", HTMLElement);
    document.title = `${heading.textContent} – ${texts.register.header}`;
    if (changed && touched) {
      heading.focus({ preventScroll: true });
      document.documentElement.scrollTop = 0;
      // A frame that is as high as its content is scrolled by its host, which browsers do for the frame's sake.
      screen(name).scrollIntoView({ block: "nearest" });
    }
    if (message) announce(touched ? message : `${heading.textContent} ${message}`);
  }

  /** @param {ScreenName} name @param {string | undefined} last4 */
  function showCard(name, last4) {
    const chip = select(screen(name), ".chip", HTMLElement);
    chip.hidden = !last4;
    select(chip, ".last4", HTMLElement).textContent = last4 ?? "";
  }

  return {
    get current() {
      return current;
    },
    /** What the screens are about from here on. @param {import("./wire.js").ActionCode} known */
    speakOf(known) {
      action = known;
      const words = ACTIONS[action].texts(texts);
      select(screen("waiting"), "h1", HTMLElement).textContent = words.waiting;
      select(screen("success"), ".info", HTMLElement).textContent = words.success;
    },
    loading: () => show("loading"),
    /** @param {"offline" | "busy"} why */
    stillLoading(why) {
      const info = select(screen("loading"), ".info", HTMLElement);
      const message = texts.waiting[why];
      const known = info.textContent === message;
      info.textContent = message;
      show("loading", known ? undefined : message);
    },
    /** @param {number} [attemptsLeft] where this is the last, the page says so beforehand */
    form(attemptsLeft) {
      const last = attemptsLeft === 1;
      select(document, "#last-try", HTMLElement).hidden = !last;
      show("form", last ? texts.register.last_try : undefined);
    },

    /** @param {string} [last4] of the card that is being enrolled or removed */
    waiting(last4) {
      select(screen("waiting"), ".info", HTMLElement).textContent = texts.waiting.info;
      showCard("waiting", last4);
      show("waiting", texts.waiting.info);
    },

    /** Waiting goes on. @param {import("./api.js").Waiting} why */
    stillWaiting(why) {
      const info = select(screen("waiting"), ".info", HTMLElement);
      const message = texts.waiting[why === "open" ? "info" : why];
      const known = info.textContent === message;
      info.textContent = message;
      show("waiting", known ? undefined : message);
    },

    /** @param {string | undefined} last4 */
    success(last4) {
      showCard("success", last4);
      const info = ACTIONS[action].texts(texts).success;
      show("success", last4 ? `${info} ${texts.success.card} ${last4}` : info);
    },

    /**
     * @param {import("./reason.js").Reason} reason
     * @param {{ incident?: string | undefined, more?: string | undefined, retry?: (() => void) | undefined,
     *   tries?: "one_try_left" | "last_try" | undefined }} [details]
     *   `more`: the address that "Read more" leads to; `retry`: offered where it is given; `tries`: said where few are left
     */
    failure(reason, { incident, more, retry, tries } = {}) {
      const section = screen("failure");
      const { title, info } = failureTexts(reason, action, texts);
      select(section, "h1", HTMLElement).textContent = title;
      select(section, ".info", HTMLElement).textContent = info;
      section.classList.toggle("patient", PATIENT.includes(reason));
      const note = select(section, ".tries", HTMLElement);
      note.hidden = !tries;
      note.textContent = tries ? texts.error[tries] : "";

      select(section, ".more", HTMLElement).hidden = !more;
      if (more) select(section, ".more a", HTMLAnchorElement).href = more;
      const line = select(section, ".incident", HTMLElement);
      line.hidden = !incident;
      select(line, "bdi", HTMLElement).textContent = incident ?? "";

      const button = select(section, "button", HTMLButtonElement);
      button.hidden = !retry;
      button.onclick = retry ?? null;
      const said = [info, note.textContent, incident && `${texts.error.info_second_part}${incident}`];
      show("failure", said.filter(Boolean).join(" "));
    },
  };
}
