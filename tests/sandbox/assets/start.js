import { watchConfirmations } from "/assets/confirmations.js";

const received = document.getElementById("received");
if (received) watchConfirmations(received);

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}
