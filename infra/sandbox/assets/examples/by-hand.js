const frame = document.querySelector("#widget");
const widget = new URL(frame.dataset.src).origin;

addEventListener("message", ({ source, origin, data }) => {
  // Anyone may send a message.
  if (source !== frame.contentWindow || origin !== widget) return;
  if (data.type === "resize") frame.style.height = `${data.detail.height}px`;
  if (data.type === "enrollmentEnded") document.querySelector("#status").textContent = data.detail.status;
  if (data.type === "return") location.assign("/");
});

// Not before somebody listens.
frame.src = frame.dataset.src;
