// The flow of one enrollment, replacement or removal, from the opening of the page to its end.

import { ACTIONS, partsOf } from "./actions.js";
import { reasonOf } from "./reason.js";
import { lastFour } from "./submission.js";

/**
 * @typedef {{ api: import("./api.js").Api, screens: import("./screens.js").Screens, form: import("./form.js").Form,
 *   expiry: Pick<import("./expiry.js").Expiry, "start" | "stop">, tellEnding: (event: EndedEvent) => void,
 *   canEncrypt: () => boolean, makeSubmission: typeof import("./submission.js").makeSubmission }} Parts
 * @typedef {import("./wire.js").EndedEvent} EndedEvent
 */

// The page's clock and the server's agree to a second or two.
const MOMENTS = 5;

/** @param {Parts} parts */
export function createFlow({ api, screens, form, expiry, tellEnding, canEncrypt, makeSubmission }) {
  /** @type {import("./wire.js").FormDescription | undefined} */
  let description;
  let busy = false;
  let over = false;

  /** Asks what there is to show. */
  async function open() {
    busy = true;
    screens.loading();
    const answer = await api.open((why) => {
      screens.speakOf(api.action);
      if (why === "offline" || why === "busy") screens.stillLoading(why);
      else screens.stillWaiting(why);
    });
    busy = false;
    screens.speakOf(api.action);
    follow(answer, open);
  }

  /** @param {import("./submission.js").Entered} entered */
  async function submit(entered) {
    if (busy || !description) return;
    busy = true;
    screens.waiting(lastFour(entered));
    let submission;
    try {
      submission = await makeSubmission(entered, description);
    } catch {
      busy = false;
      return fail("technical");
    }
    await send(submission);
  }

  /** @param {import("./submission.js").Submission} submission */
  async function send(submission) {
    busy = true;
    const answer = await api.submit(submission, screens.stillWaiting);
    busy = false;
    // Another tab, or this page before it was reloaded, has an attempt open, or has ended the session with one: its outcome
    // is what there is to show.
    if (answer.kind === "busy" || answer.kind === "expired") return open();
    follow(answer, () => {
      screens.waiting(submission.last4);
      return send(submission);
    });
  }

  /** @param {import("./api.js").Answer} answer @param {() => void} again */
  function follow(answer, again) {
    switch (answer.kind) {
      case "form":
        // Before anything is asked for.
        if (partsOf(answer.form).newCard && !canEncrypt()) return fail("browser");
        description = answer.form;
        form.prepare(answer.form);
        expiry.start(answer.secondsLeft, answer.form.extensionsLeft);
        return screens.form(answer.form.attemptsLeft);
      case "ended":
        return end(answer);
      case "expired":
        return expire(answer);
      case "refused":
        return refuse(answer);
      case "busy":
      case "unsettled":
        return screens.failure("unsettled", { retry: again, ...answer });
      case "unavailable":
      case "unreachable":
        return screens.failure(answer.kind, { retry: again, ...answer });
    }
  }

  /** @param {Extract<import("./api.js").Answer, { kind: "ended" }>} answer */
  function end({ event, attemptsLeft, why, incident }) {
    if (event.status.startsWith("SUCCESS_")) {
      expiry.stop();
      form.forget();
      screens.success(event.last4);
    } else {
      const known = reasonOf(event, why, attemptsLeft);
      const more = known === "program" && description ? partsOf(description).readMoreUrl : undefined;
      // Without an address nothing can be read there.
      const reason = known === "program" && !more ? "in_another_program" : known;
      const retry = attemptsLeft > 0 && !over ? anotherTry : undefined;
      const tries = retry && attemptsLeft === 1 ? "one_try_left" : why === "last_try" ? why : undefined;
      if (description) description = { ...description, attemptsLeft };
      if (!retry) {
        expiry.stop();
        form.forget();
      }
      screens.failure(reason, { incident, more, retry, tries });
    }
    tellEnding(event);
  }

  async function anotherTry() {
    if (over) return expire();
    // Which cards there are to choose from may have changed meanwhile.
    if (!description || partsOf(description).cards.length > 0) await open();
    else screens.form(description.attemptsLeft);
    if (screens.current === "form") form.retry();
  }

  /** The time is up for this form. Another tab may have ended the session with an attempt of its own. */
  async function lastLook() {
    busy = true;
    screens.loading();
    const answer = await api.open(() => {});
    busy = false;
    if (answer.kind === "ended") return end(answer);
    // Or it has extended the session. A form of the very last moments is none.
    if (answer.kind === "form" && (answer.secondsLeft ?? 0) > MOMENTS) {
      over = false;
      return follow(answer, open);
    }
    expire(answer.kind === "expired" ? answer : undefined);
  }

  /** @param {{ incident?: string, why?: import("./wire.js").EndingReason }} [answer] */
  function expire({ incident, why } = {}) {
    expiry.stop();
    form.forget();
    screens.failure(why === "suspended" ? why : "expired", { incident });
    tellEnding({ status: "TOKEN_EXPIRED" });
  }

  /** Ends with a failure of the page's own. @param {"browser" | "technical"} reason */
  function fail(reason) {
    expiry.stop();
    form.forget();
    screens.failure(reason);
    tellEnding({ status: ACTIONS[api.action].errorStatus });
  }

  /** @returns {Promise<import("./more-time.js").Extended>} */
  async function extend() {
    const answer = await api.extend();
    switch (answer.kind) {
      case "extended":
        over = false;
        expiry.start(answer.secondsLeft, answer.extensionsLeft);
        return "extended";
      case "exhausted":
        return "exhausted";
      case "expired":
        // An attempt that is under way has its own answer.
        if (!busy) expire(answer);
        return "over";
      case "unreachable":
        return "failed";
    }
  }

  /** @param {Extract<import("./api.js").Answer, { kind: "refused" }>} answer */
  function refuse({ pointers, incident }) {
    const lead = form.refuse(pointers);
    if (lead) {
      screens.form(description?.attemptsLeft);
      return lead();
    }
    expiry.stop();
    form.forget();
    screens.failure("refused", { incident });
    tellEnding({ status: "INVALID_PARAMETERS" });
  }

  return {
    open,
    submit,
    extend,
    /** The session's time is up. An attempt that is under way has its own answer. */
    timeIsUp() {
      over = true;
      expiry.stop();
      if (busy) return;
      form.forget();
      if (screens.current === "form") return lastLook();
    },
  };
}
