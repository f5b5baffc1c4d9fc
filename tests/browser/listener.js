// What whoever embeds the widget, or runs in its page, gets to hear; for every document of a test's browser.
(() => {
  const events = [];
  const messages = [];
  const bridged = [];
  Object.assign(window, { events, messages, bridged });
  for (const type of ["ready", "change", "focus", "blur", "resize", "return", "enrollmentEnded"]) {
    addEventListener(type, (event) => event instanceof CustomEvent && events.push({ type, detail: event.detail }));
  }
  // Chromium writes them by itself; what Firefox writes a driver does not hear.
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    if (navigator.userAgent.includes("Firefox")) console.error(`refused by ${effectiveDirective}: ${blockedURI}`);
  });
  addEventListener("message", ({ origin, data }) => messages.push({ origin, ...data }));
})();
