// Card number field: groups digits while typing, shows the brand, and reports early that a number cannot become valid.

import { brandOf } from "./card-brand.js";
import { createCardMark } from "./card-mark.js";
import { reformat } from "./card-number.js";
import { couldBecomeValid, problemOf } from "./card-validity.js";
import { digitsOf } from "./digits.js";
import { createFieldError } from "./field-error.js";
import { select } from "./select.js";

/**
 * @typedef {ReturnType<typeof createCardField>} CardField
 * @typedef {{ valid: boolean, couldBecomeValid: boolean, brand?: string }} CardChange never contains a digit
 */

/** @type {CardChange} */
const NOTHING_TYPED = { valid: false, couldBecomeValid: true };
// Digits that a BIN has at least. A judgment after the first digit would be a judgment of a typing error.
const ENOUGH_DIGITS = 6;

/**
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./announcements.js").Announce} announce
 * @param {import("./after-press.js").AfterPress} afterPress
 * @param {(change: CardChange) => void} onChange
 */
export function createCardField(document, texts, announce, afterPress, onChange) {
  const field = select(document, "[data-field=cardNumber]", HTMLElement);
  const input = select(field, "#card-number", HTMLInputElement);
  const mark = createCardMark(select(field, ".control", HTMLElement), texts, announce);
  const error = createFieldError(input, document);

  /** @type {import("./wire.js").BinRange[]} */
  let binRanges = [];
  let digits = "";
  let before = "";
  let isComposing = false;
  // Digits that MRS refused. They are not shown as valid again.
  let refused = "";
  let lastChange = JSON.stringify(NOTHING_TYPED);

  /** @param {Event} [event] */
  function readInput(event) {
    // An input method replaces its own text, and appends to it if the text has changed meanwhile.
    if (isComposing) {
      digits = digitsOf(input.value);
      return showState();
    }
    const inputType = event instanceof InputEvent ? event.inputType : "";
    const typed = reformat({ before, value: input.value, caret: input.selectionStart ?? input.value.length, inputType });
    if (input.value !== typed.value) {
      input.value = typed.value;
      // In some browsers, setting a selection moves the focus here, even while a form is being filled in automatically.
      if (document.activeElement === input) input.setSelectionRange(typed.caret, typed.caret);
    }
    before = typed.value;
    digits = typed.digits;
    showState();
  }

  function showState() {
    const problem = problemOf(digits, binRanges);
    const isRefused = refused !== "" && digits === refused;
    /** @type {CardChange} */
    const change = { valid: !problem && !isRefused, couldBecomeValid: couldBecomeValid(digits, binRanges) };

    const brand = brandOf(digits)?.name;
    mark.show(brand, change.valid);

    if (change.couldBecomeValid) {
      if (!isRefused) error.clear();
    } else if (problem && !isComposing && (digits.length >= ENOUGH_DIGITS || error.shown)) showProblem(problem);

    const reported = brand ? { ...change, brand } : change;
    if (JSON.stringify(reported) !== lastChange) onChange(reported);
    lastChange = JSON.stringify(reported);
  }

  /** @param {import("./card-validity.js").CardProblem} problem */
  function showProblem(problem) {
    const message = texts.validation[`card_number_${problem}`];
    if (!error.shown) announce(message);
    error.show(message);
  }

  input.addEventListener("compositionstart", () => (isComposing = true));
  input.addEventListener("compositionend", () => {
    isComposing = false;
    readInput();
  });
  input.addEventListener("input", readInput);
  // Some browsers fill in a form without an input event.
  input.addEventListener("change", readInput);
  input.addEventListener("blur", () =>
    afterPress(() => {
      const problem = problemOf(digits, binRanges);
      if (digits && problem) showProblem(problem);
    }),
  );

  return {
    input,
    /** @param {import("./wire.js").BinRange[] | undefined} ranges of the program; without them the field is hidden */
    prepare(ranges) {
      field.hidden = !ranges;
      if (!ranges) return;
      binRanges = ranges;
      showState();
    },
    /** @returns {{ ok: boolean, digits?: string }} the digits of a valid number */
    read() {
      if (field.hidden) return { ok: true };
      // Password managers and apps set a value without an event.
      if (input.value !== before) readInput();
      const problem = problemOf(digits, binRanges);
      if (!problem) return { ok: true, digits };
      error.show(texts.validation[`card_number_${problem}`]);
      return { ok: false };
    },
    showRefusal() {
      error.show(texts.validation.card_number_refused);
    },
    /** Shows why MRS refused the card. @param {...(string | Node)} message */
    refuse(...message) {
      refused = digits;
      showState();
      error.show(...message);
    },
    clear() {
      input.value = before = digits = refused = "";
      // Not typed by the customer, so not reported.
      lastChange = JSON.stringify(NOTHING_TYPED);
      showState();
    },
  };
}
