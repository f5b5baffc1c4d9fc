// A frame that is as high as its content has no edge that a notice could stick to: the host's window scrolls, not the
// page. The browser tells which part of the page is in sight; the notice is moved to the end of that.

// The host's scrolling is no event here, and changes no share of a page that fills the window: it is looked at often.
const OFTEN = 300;

/** @param {HTMLElement} notice at the end of the page @param {Window & typeof globalThis} window */
export function keepInSight(notice, window) {
  const { body } = window.document;
  const observer = new window.IntersectionObserver((entries) => {
    const page = entries.at(-1);
    const unseen = page?.isIntersecting ? window.innerHeight - page.intersectionRect.bottom : 0;
    // By a transform, which moves nothing else and is no layout shift.
    notice.style.transform = `translateY(${Math.min(0, -Math.ceil(unseen))}px)`;
  });
  window.setInterval(() => {
    if (notice.hidden) return;
    // Whatever is observed anew is told about at once.
    observer.unobserve(body);
    observer.observe(body);
  }, OFTEN);
}
