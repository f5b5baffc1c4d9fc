// Opens the widget in a modal, in an element of the page, or as the page itself: `CardEnrollment.open(options)`.
// docs: ../../embed/README.md; types: types.d.ts.

import { fullPage, serviceOf, widgetAddress } from "./address.js";
import { bringIntoView, createFrame, fit, listen } from "./frame.js";
import { focusFrame, showModal } from "./modal.js";
import { createProgress } from "./progress.js";
import { VERSION } from "./version.js";

/** @typedef {CardEnrollment.Options} Options */
/** @typedef {CardEnrollment.Outcome} Outcome */

// Milliseconds: between looks for a frame that was removed by others, and for a redirect to leave this page.
const LOOK_EVERY = 2000;
const REDIRECT_WITHIN = 8000;

const service = serviceOf(document);

/** @param {Options} options @returns {CardEnrollment.Opening} */
function open(options) {
  const events = new EventTarget();
  /** @param {string} type @param {unknown} detail */
  const emit = (type, detail) => events.dispatchEvent(new CustomEvent(type, { detail }));
  let destroy = () => {};
  const promise = new Promise((resolve, reject) => {
    /** @param {Outcome} outcome */
    const settle = (outcome) => {
      resolve(outcome);
      emit("complete", outcome);
    };
    if (options.signal?.aborted) throw options.signal.reason;
    const url = widgetAddress(options, service);
    if (options.mode === "redirect") redirect(url, options, settle, reject);
    else destroy = openFrame(url, options, emit, settle, reject);
  });
  return Object.assign(/** @type {Promise<Outcome>} */ (promise), {
    /** @param {string} type @param {(detail: any) => void} listener */
    on(type, listener) {
      const take = (/** @type {Event} */ event) => listener(/** @type {CustomEvent} */ (event).detail);
      events.addEventListener(type, take);
      return () => events.removeEventListener(type, take);
    },
    destroy: () => destroy(),
  });
}

/**
 * @param {URL} url @param {Options} options @param {(type: string, detail: unknown) => void} emit
 * @param {(outcome: Outcome) => void} settle @param {(reason: unknown) => void} reject
 * @returns {() => void} removes the frame
 */
function openFrame(url, options, emit, settle, reject) {
  const { mode = options.target ? "inline" : "modal", signal, fallback, title = "Card enrollment", closeLabel = "Close" } = options;
  const isModal = mode === "modal";
  if (isModal && !window.HTMLDialogElement) {
    // Safari before 15.4.
    giveUp(false);
    return () => {};
  }
  const target = isModal ? document.body : targetOf(options.target);
  const frame = createFrame(document, url, options);
  let isRemoved = false;
  let close = () => frame.remove();

  const progress = createProgress({
    isModal,
    settle,
    giveUp(wasReady) {
      remove();
      giveUp(wasReady);
    },
  });

  /** @param {boolean} wasReady */
  function giveUp(wasReady) {
    if (fallback === "redirect" && !wasReady) redirect(url, options, settle, reject);
    else settle({ status: "NOT_LOADED" });
  }

  function remove() {
    if (isRemoved) return;
    isRemoved = true;
    clearInterval(look);
    stopListening();
    signal?.removeEventListener("abort", abort);
    close();
  }

  function leave() {
    remove();
    progress.left();
  }

  function abort() {
    progress.stop();
    remove();
    reject(signal?.reason);
  }

  const stopListening = listen(frame, url.origin, (type, detail) => {
    if (type === "resize") fit(frame, detail.height);
    if (type === "ready") {
      progress.ready();
      if (isModal) focusFrame(frame);
    }
    if (type === "enrollmentEnded") progress.note(detail);
    if (type !== "done" && type !== "escape") emit(type, detail);
    if (type === "enrollmentEnded") {
      bringIntoView(frame);
      progress.ended(detail);
    }
    if (type === "done") progress.done();
    if (type === "return" && !isModal) progress.left();
    if (isModal && (type === "return" || type === "escape")) leave();
  });
  frame.addEventListener("load", progress.loaded);
  signal?.addEventListener("abort", abort);
  // A framework may remove the frame with an element around it, which no event tells.
  const look = setInterval(() => frame.isConnected || leave(), LOOK_EVERY);

  if (isModal) close = showModal(frame, { title, closeLabel, leave });
  else target.append(frame);
  return leave;
}

/** @param {Options["target"]} target @returns {Element} */
function targetOf(target) {
  const element = typeof target === "string" ? document.querySelector(target) : target;
  if (!element) throw new TypeError("target is no element of this page");
  return element;
}

/**
 * Leaves for the widget; whoever is still here afterwards learns that.
 *
 * @param {URL} url @param {Options} options @param {(outcome: Outcome) => void} settle @param {(reason: unknown) => void} reject
 */
function redirect(url, { signal }, settle, reject) {
  /** @param {() => void} tell */
  const finish = (tell) => {
    clearTimeout(timer);
    removeEventListener("pageshow", comeBack);
    signal?.removeEventListener("abort", abort);
    tell();
  };
  const abort = () => finish(() => reject(signal?.reason));
  /** The customer came back, and this page from the browser's cache. @param {PageTransitionEvent} event */
  const comeBack = (event) => {
    if (event.persisted) finish(() => settle({ status: "CLOSED" }));
  };
  const timer = setTimeout(() => finish(() => settle({ status: "NOT_LOADED" })), REDIRECT_WITHIN);
  addEventListener("pageshow", comeBack);
  signal?.addEventListener("abort", abort);
  location.assign(fullPage(url));
}

Object.assign(globalThis, { CardEnrollment: Object.freeze({ open, version: VERSION }) });
