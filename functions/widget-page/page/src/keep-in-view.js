// Keeps a notice in view in a frame that is as high as its content. Such a frame never scrolls, so `position: sticky` has no
// effect there; the notice is moved to the end of the visible part instead.

// Milliseconds between measurements. The host's scrolling fires no event here, and does not change the visible share of a
// page that fills the window.
const INTERVAL = 300;

/** @param {HTMLElement} notice at the end of the page @param {Window & typeof globalThis} window */
export function keepInView(notice, window) {
  const { body } = window.document;
  const observer = new window.IntersectionObserver((entries) => {
    const page = entries.at(-1);
    const hidden = page?.isIntersecting ? window.innerHeight - page.intersectionRect.bottom : 0;
    // A transform moves nothing else and is no layout shift.
    notice.style.transform = `translateY(${Math.min(0, -Math.ceil(hidden))}px)`;
  });
  window.setInterval(() => {
    if (notice.hidden) return;
    // A new observation is reported at once.
    observer.unobserve(body);
    observer.observe(body);
  }, INTERVAL);
}
