// The widget's frame, and the messages from it: of its window and origin only.

import { dress } from "./modal.js";

const TYPES = ["ready", "change", "focus", "blur", "resize", "enrollmentEnded", "return", "done", "escape"];
// CSS pixels: before the first `resize`, and the limits of what a frame may ask for.
const FIRST_HEIGHT = 480;
const MIN_HEIGHT = 120;
const MAX_HEIGHT = 10_000;

/**
 * @param {Document} document @param {URL} url @param {CardEnrollment.Options} options
 * @returns {HTMLIFrameElement} not yet in the document
 */
export function createFrame(document, url, { title = "Card enrollment", theme = "auto" }) {
  const frame = document.createElement("iframe");
  frame.title = title;
  // Tells the widget the embedding origin alone, so that its messages have one target.
  frame.referrerPolicy = "origin";
  dress(frame, {
    display: "block",
    width: "100%",
    height: `${FIRST_HEIGHT}px`,
    border: "0",
    // A frame is transparent only where its color scheme is its document's.
    colorScheme: theme === "auto" ? "light dark" : theme,
  });
  frame.src = url.href;
  return frame;
}

/**
 * @param {HTMLIFrameElement} frame @param {string} origin @param {(type: string, detail: any) => void} receive
 * @returns {() => void} stops listening
 */
export function listen(frame, origin, receive) {
  const { defaultView } = frame.ownerDocument;
  /** @param {MessageEvent} event */
  const take = ({ source, origin: sender, data }) => {
    if (!source || source !== frame.contentWindow || sender !== origin) return;
    if (TYPES.includes(data?.type)) receive(data.type, data.detail ?? {});
  };
  defaultView?.addEventListener("message", take);
  return () => defaultView?.removeEventListener("message", take);
}

/** @param {HTMLIFrameElement} frame @param {unknown} height */
export function fit(frame, height) {
  if (typeof height !== "number" || !Number.isFinite(height)) return;
  frame.style.height = `${Math.min(Math.max(height, MIN_HEIGHT), MAX_HEIGHT)}px`;
}

/** Scrolls to the start of a frame whose start is above the visible part. @param {HTMLIFrameElement} frame */
export function bringIntoView(frame) {
  if (frame.getBoundingClientRect().top < 0) frame.scrollIntoView({ block: "start" });
}
