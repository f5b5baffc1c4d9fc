import { watchConfirmations } from "/assets/confirmations.js";

const received = document.getElementById("received");
if (received) watchConfirmations(received);

const button = /** @type {HTMLButtonElement} */ (document.getElementById("submit"));
const progress = /** @type {HTMLElement} */ (document.getElementById("progress"));

button.addEventListener("click", async () => {
  button.disabled = true;
  for (const cell of document.querySelectorAll("#cards .result")) cell.textContent = "–";
  progress.textContent = "Submitting …";
  try {
    const answer = await (await fetch("/batches", { method: "POST" })).json();
    if (answer.status === 202) {
      await watch(answer.body.batchId);
    } else {
      progress.textContent = `The batch was not accepted: ${JSON.stringify(answer.body ?? answer.error)}`;
    }
  } catch {
    progress.textContent = "The partner’s back end does not answer.";
  }
  button.disabled = false;
});

/**
 * Asks once a second until the batch is final.
 * @param {string} id
 */
async function watch(id) {
  for (;;) {
    const answer = await (await fetch(`/batches/${id}`)).json();
    const batch = answer.body;
    if (answer.status !== 200) {
      progress.textContent = `The product answered ${answer.status}.`;
      return;
    }
    show(batch);
    if (batch.status !== "IN_PROGRESS") return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** @param {{status: string, batchId: string, stage?: string, accepted?: number, failed?: number, unknown?: number, profiles?: {cards: {externalCardId: string, status: string, reason?: string, retry?: string, retryAfter?: string, sibling?: string}[]}[]}} batch */
function show(batch) {
  const counts = batch.status === "IN_PROGRESS" ? batch.stage ?? "" : `${batch.accepted} accepted, ${batch.failed} failed, ${batch.unknown} unknown`;
  progress.textContent = `${batch.status} · ${counts} · ${batch.batchId}`;
  for (const card of (batch.profiles ?? []).flatMap((profile) => profile.cards)) {
    const cell = document.querySelector(`#cards tr[data-card="${CSS.escape(card.externalCardId)}"] .result`);
    if (!cell) continue;
    const sibling = card.sibling ? ` (with ${card.sibling})` : "";
    const advice = card.retry ? `, retry ${card.retry}${card.retryAfter ? ` ${card.retryAfter}` : ""}` : "";
    cell.textContent = `${card.status}${card.reason ? `: ${card.reason}` : ""}${sibling}${advice}`;
  }
}
