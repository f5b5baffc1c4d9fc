// A modal dialog: the browser keeps focus and assistive technology inside, and returns the focus at the end.
// All style is set through the CSSOM, which a Content-Security-Policy without `unsafe-inline` allows.

let modals = 0;
let overflow = "";

/** @param {HTMLElement} element @param {Partial<CSSStyleDeclaration>} style */
export function dress(element, style) {
  Object.assign(element.style, style);
}

/**
 * @param {HTMLIFrameElement} frame @param {{ title: string, closeLabel: string, leave: () => void }} options
 * @returns {() => void} closes the modal and returns the focus
 */
export function showModal(frame, { title, closeLabel, leave }) {
  const { ownerDocument: document } = frame;
  const root = document.documentElement;
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", title);
  dialog.setAttribute("aria-modal", "true");
  // Focused at first, so that neither the close button is nor a frame that is not there yet.
  dialog.tabIndex = -1;
  dress(dialog, {
    display: "grid",
    gridTemplateColumns: "minmax(0, 1fr)",
    alignContent: "safe center",
    boxSizing: "border-box",
    width: "100%",
    height: "100%",
    maxWidth: "none",
    maxHeight: "none",
    margin: "0",
    border: "0",
    padding: "8px max(8px, calc(50% - 240px)) 32px",
    overflow: "auto",
    overscrollBehavior: "contain",
    background: "rgb(10 14 22 / 64%)",
    outline: "none",
  });

  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", closeLabel);
  dress(close, {
    justifySelf: "end",
    width: "44px",
    height: "44px",
    margin: "0 0 8px",
    padding: "0",
    border: "1px solid #fff",
    borderRadius: "50%",
    background: "#1c2230",
    color: "#fff",
    font: "24px/1 system-ui, sans-serif",
    cursor: "pointer",
  });
  close.addEventListener("click", leave);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave();
  });
  // A browser may close a dialog without asking.
  dialog.addEventListener("close", leave);
  dress(frame, { borderRadius: "16px", background: "Canvas" });
  dialog.append(close, frame);
  document.body.append(dialog);
  if (modals++ === 0) {
    overflow = root.style.overflow;
    root.style.overflow = "hidden";
  }
  dialog.showModal();
  dialog.focus();

  return () => {
    dialog.removeEventListener("close", leave);
    dialog.close();
    dialog.remove();
    if (--modals === 0) root.style.overflow = overflow;
  };
}

/** Moves the focus from the dialog into its frame, unless the customer has moved it. @param {HTMLIFrameElement} frame */
export function focusFrame(frame) {
  if (frame.ownerDocument.activeElement === frame.closest("dialog")) frame.focus();
}
