// Shows the confirmations that the partner's receiver got, newest first, once a second while the page is seen.

/** @typedef {{id: string|null, receivedAt: string, verified: boolean, reason?: string, attempts: number, body: unknown}} Confirmation */

/** @param {HTMLElement} list */
export function watchConfirmations(list) {
  let shown = "";
  async function refresh() {
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch("/received?last=20");
        const text = await answer.text();
        if (text !== shown) {
          shown = text;
          show(list, JSON.parse(text).reverse());
        }
      } catch {
        // The sandbox was stopped; it may come back.
      }
    }
    setTimeout(refresh, 1000);
  }
  refresh();
}

/**
 * @param {HTMLElement} list
 * @param {Confirmation[]} confirmations
 */
function show(list, confirmations) {
  list.replaceChildren(...confirmations.map(item));
}

/** @param {Confirmation} confirmation */
function item(confirmation) {
  const line = document.createElement("li");
  const status = /** @type {{status?: string}} */ (confirmation.body)?.status ?? "(no status)";
  const head = document.createElement("p");
  head.append(badge(confirmation.verified), " ", strong(status));
  const when = document.createElement("p");
  when.className = "hint";
  const times = confirmation.attempts > 1 ? `, came ${confirmation.attempts} times` : "";
  when.textContent = `${new Date(confirmation.receivedAt).toLocaleTimeString()} · ${confirmation.id ?? "no id"}${times}`;
  const body = document.createElement("pre");
  body.textContent = JSON.stringify(confirmation.body, null, 2);
  line.append(head, when, body);
  if (confirmation.reason) {
    const reason = document.createElement("p");
    reason.textContent = `Refused: ${confirmation.reason}`;
    line.append(reason);
  }
  return line;
}

/** @param {boolean} verified */
function badge(verified) {
  const mark = document.createElement("span");
  mark.className = verified ? "badge good" : "badge bad";
  mark.textContent = verified ? "signed" : "refused";
  return mark;
}

/** @param {string} text */
function strong(text) {
  const element = document.createElement("strong");
  element.textContent = text;
  return element;
}
