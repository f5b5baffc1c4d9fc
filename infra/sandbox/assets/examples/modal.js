const button = document.querySelector("#add-card");

button.addEventListener("click", async () => {
  const { status } = await CardEnrollment.open({ url: button.dataset.url, fallback: "redirect" });
  document.querySelector("#status").textContent = status;
});
