// The flow of one enrolment, replacement or removal, from the opening of the page to its end.

import { ERRORS } from "./action.js";
import { reasonOf } from "./reason.js";
import { lastFour } from "./submission.js";

/**
 * @typedef {{ api: import("./api.js").Api, screens: import("./screens.js").Screens, form: import("./form.js").Form,
 *   expiry: Pick<import("./expiry.js").Expiry, "start" | "stop">, tellEnding: (event: EndedEvent) => void,
 *   canEncrypt: () => boolean, makeSubmission: typeof import("./submission.js").makeSubmission }} Parts
 * @typedef {import("./wire.js").EndedEvent} EndedEvent
 */

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
      if (why === "offline") screens.stillLoading();
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
        // Before anything is asked for. A removal encrypts nothing.
        if (answer.form.action !== "C" && !canEncrypt()) return fail("browser");
        description = answer.form;
        form.prepare(answer.form);
        expiry.start(answer.secondsLeft);
        return screens.form();
      case "ended":
        return end(answer);
      case "expired":
        return expire(answer.incident);
      case "refused":
        return refuse(answer);
      case "busy":
      case "unsettled":
        return screens.failure("unsettled", { retry: again, ...answer });
      case "unreachable":
        return screens.failure("unreachable", { retry: again, ...answer });
    }
  }

  /** @param {Extract<import("./api.js").Answer, { kind: "ended" }>} answer */
  function end({ event, attemptsLeft, incident }) {
    if (event.status.startsWith("SUCCESS_")) {
      expiry.stop();
      form.forget();
      screens.success(event.last4);
    } else {
      const reason = reasonOf(event, attemptsLeft);
      const more = reason === "program" && description?.action === "N" ? description.terms?.url : undefined;
      const retry = attemptsLeft > 0 && !over ? anotherTry : undefined;
      if (!retry) form.forget();
      screens.failure(reason, { incident, more, retry });
    }
    tellEnding(event);
  }

  async function anotherTry() {
    if (over) return expire();
    // Which cards there are to choose from may have changed meanwhile.
    if (description?.action === "N") screens.form();
    else await open();
    if (screens.current === "form") form.retry();
  }

  /** The time is up for this form. Another tab may have ended the session with an attempt of its own. */
  async function lastLook() {
    busy = true;
    screens.loading();
    const answer = await api.open(() => {});
    busy = false;
    if (answer.kind === "ended") return end(answer);
    expire(answer.kind === "expired" ? answer.incident : undefined);
  }

  /** @param {string} [incident] */
  function expire(incident) {
    expiry.stop();
    form.forget();
    screens.failure("expired", { incident });
    tellEnding({ status: "TOKEN_EXPIRED" });
  }

  /** Ends with a failure of the page's own. @param {"browser" | "technical"} reason */
  function fail(reason) {
    form.forget();
    screens.failure(reason);
    tellEnding({ status: ERRORS[api.action] });
  }

  /** @param {Extract<import("./api.js").Answer, { kind: "refused" }>} answer */
  function refuse({ pointers, incident }) {
    const lead = form.refuse(pointers);
    if (lead) {
      screens.form();
      return lead();
    }
    form.forget();
    screens.failure("refused", { incident });
    tellEnding({ status: "INVALID_PARAMETERS" });
  }

  return {
    open,
    submit,
    /** The session's time is up. An attempt that is under way has its own answer. */
    timeIsUp() {
      over = true;
      if (busy) return;
      form.forget();
      if (screens.current === "form") return lastLook();
    },
  };
}
