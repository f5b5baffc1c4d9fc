// What is seen: one screen at a time. A screen reader hears the heading by the focus that moves to it, the rest by the
// announcements.

import { select } from "./select.js";

/**
 * @typedef {ReturnType<typeof createScreens>} Screens
 * @typedef {"loading" | "form" | "waiting" | "success" | "failure"} ScreenName
 * @typedef {"program" | "already_enrolled" | "customer_already_enrolled" | "technical" | "access_denied"
 *   | "invalid_parameters" | "expired" | "refused" | "browser" | "unsettled" | "unreachable"} Reason
 */

/**
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./announcements.js").Announce} announce
 */
export function createScreens(document, texts, announce) {
  /** @type {ScreenName} */
  let current = "loading";

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
    loading: () => show("loading"),
    stillLoading() {
      select(screen("loading"), ".info", HTMLElement).textContent = texts.waiting.offline;
      show("loading", texts.waiting.offline);
    },
    form: () => show("form"),

    /** @param {string} [last4] of the card that is being enrolled */
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
      show("success", last4 ? `${texts.success.info} ${texts.success.card} ${last4}` : texts.success.info);
    },

    /**
     * @param {Reason} reason
     * @param {{ incident?: string | undefined, more?: string | undefined, retry?: (() => void) | undefined }} [details]
     *   `more`: the address that "Read more" leads to; `retry`: offered where it is given
     */
    failure(reason, { incident, more, retry } = {}) {
      const section = screen("failure");
      const { title, info } = wordsFor(reason, texts);
      select(section, "h1", HTMLElement).textContent = title;
      select(section, ".info", HTMLElement).textContent = info;
      section.classList.toggle("patient", reason === "expired" || reason === "unsettled");

      select(section, ".more", HTMLElement).hidden = !more;
      if (more) select(section, ".more a", HTMLAnchorElement).href = more;
      const line = select(section, ".incident", HTMLElement);
      line.hidden = !incident;
      select(line, "bdi", HTMLElement).textContent = incident ?? "";

      const button = select(section, "button", HTMLButtonElement);
      button.hidden = !retry;
      button.onclick = retry ?? null;
      show("failure", incident ? `${info} ${texts.error.info_second_part}${incident}` : info);
    },

    expiring() {
      select(document, "#expiring", HTMLElement).hidden = false;
      announce(texts.expiring.info);
    },
  };
}

/** @param {Reason} reason @param {import("./configuration.js").Texts} texts @returns {{ title: string, info: string }} */
function wordsFor(reason, { error, expired }) {
  switch (reason) {
    case "expired":
      return expired;
    case "unsettled":
      return { title: error.unsettled_title, info: error.unsettled };
    case "unreachable":
      return { title: error.unreachable_title, info: error.unreachable };
    case "program":
      return { title: error.title, info: error.info_first_part };
    default:
      return { title: error.title, info: error[reason] };
  }
}
