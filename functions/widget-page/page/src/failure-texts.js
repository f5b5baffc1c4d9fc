// Texts of the failure screen: each action has its own, and shares the rest.

import { ACTIONS } from "./actions.js";

/**
 * @param {import("./reason.js").Reason} reason
 * @param {import("./wire.js").ActionCode} code
 * @param {import("./configuration.js").Texts} texts
 * @returns {{ title: string, info: string }}
 */
export function failureTexts(reason, code, texts) {
  const { error, expired } = texts;
  if (reason === "expired") return expired;
  const own = ACTIONS[code].failureTexts(texts);
  /** @type {import("./actions.js").FailureTexts["infos"]} */
  const infos = { ...error, program: error.info_first_part, in_another_program: error.program, ...own.infos };
  /** @type {import("./actions.js").FailureTexts["titles"]} */
  const titles = {
    already_enrolled: error.already_enrolled_title,
    customer_already_enrolled: error.already_enrolled_title,
    card_limit: error.card_limit_title,
    limit: error.later_title,
    suspended: error.later_title,
    unavailable: error.later_title,
    used: expired.title,
    unsettled: error.unsettled_title,
    unreachable: error.unreachable_title,
    ...own.titles,
  };
  return { title: titles[reason] ?? error.title, info: infos[reason] ?? error.technical };
}
