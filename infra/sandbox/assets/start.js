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

// To replace a card or opt out, one comes back as a customer who was here before.
const KEY = "customers";
const MAX = 20;
const customers = JSON.parse(localStorage.getItem(KEY) ?? "[]");
for (const customer of customers) {
  document.getElementById("customers").append(new Option(customer, customer));
}
document.querySelector("form[action='/start']").addEventListener("submit", (event) => {
  const customer = event.target.elements.customer.value.trim();
  const others = customers.filter((other) => other !== customer);
  if (customer) localStorage.setItem(KEY, JSON.stringify([customer, ...others].slice(0, MAX)));
});
