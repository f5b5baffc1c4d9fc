// The card number's field: groups while typing, shows the brand, says early what cannot become valid.

import { brandOf } from "./card-brand.js";
import { retype } from "./card-number.js";
import { couldBecomeValid, problemOf } from "./card-validity.js";
import { digitsOf } from "./digits.js";
import { createFieldError } from "./field-error.js";
import { select } from "./select.js";

/**
 * @typedef {ReturnType<typeof createCardField>} CardField
 * @typedef {{ valid: boolean, couldBecomeValid: boolean, brand?: string }} CardChange never with a digit
 */

/** @type {CardChange} */
const NOTHING_TYPED = { valid: false, couldBecomeValid: true };

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
  const badge = select(document, ".brand", HTMLElement);
  const control = select(document, ".control", HTMLElement);
  const error = createFieldError(input, document);

  /** @type {import("./wire.js").BinRange[]} */
  let binRanges = [];
  let digits = "";
  let before = "";
  let composing = false;
  let lastChange = JSON.stringify(NOTHING_TYPED);

  /** @param {Event} [event] */
  function take(event) {
    // An input method writes over its own text: what it does not find as it left it, it appends to.
    if (composing) {
      digits = digitsOf(input.value);
      return showState();
    }
    const inputType = event instanceof InputEvent ? event.inputType : "";
    const typed = retype({ before, value: input.value, caret: input.selectionStart ?? input.value.length, inputType });
    if (input.value !== typed.value) {
      input.value = typed.value;
      // Setting a selection would move the focus here in some browsers, where a filled form did not have it.
      if (document.activeElement === input) input.setSelectionRange(typed.caret, typed.caret);
    }
    before = typed.value;
    digits = typed.digits;
    showState();
  }

  function showState() {
    const problem = problemOf(digits, binRanges);
    /** @type {CardChange} */
    const change = { valid: !problem, couldBecomeValid: couldBecomeValid(digits, binRanges) };

    const brand = brandOf(digits)?.name;
    const name = brand ? texts.brand[brand] : "";
    if (badge.textContent !== name && name) announce(name);
    badge.textContent = name;
    badge.hidden = !name;
    control.classList.toggle("valid", change.valid);

    if (change.couldBecomeValid) error.clear();
    else if (problem && !composing) complain(problem);

    const told = brand ? { ...change, brand } : change;
    if (JSON.stringify(told) !== lastChange) onChange(told);
    lastChange = JSON.stringify(told);
  }

  /** @param {import("./card-validity.js").CardProblem} problem */
  function complain(problem) {
    const message = texts.validation[`card_number_${problem}`];
    if (!error.shown) announce(message);
    error.show(message);
  }

  input.addEventListener("compositionstart", () => (composing = true));
  input.addEventListener("compositionend", () => {
    composing = false;
    take();
  });
  input.addEventListener("input", take);
  // Some browsers fill a form in without an input event.
  input.addEventListener("change", take);
  input.addEventListener("blur", () =>
    afterPress(() => {
      const problem = problemOf(digits, binRanges);
      if (digits && problem) complain(problem);
    }),
  );

  return {
    input,
    /** @param {import("./wire.js").BinRange[] | undefined} ranges the program's; without them no number is asked for */
    prepare(ranges) {
      field.hidden = !ranges;
      if (!ranges) return;
      binRanges = ranges;
      showState();
    },
    /** @returns {{ ok: boolean, digits?: string }} the digits of a valid number */
    read() {
      if (field.hidden) return { ok: true };
      // Password managers and apps set a value without any event.
      if (input.value !== before) take();
      const problem = problemOf(digits, binRanges);
      if (!problem) return { ok: true, digits };
      error.show(texts.validation[`card_number_${problem}`]);
      return { ok: false };
    },
    refuse() {
      error.show(texts.validation.card_number_refused);
    },
    clear() {
      input.value = before = digits = "";
      // Not typed, so nobody is told.
      lastChange = JSON.stringify(NOTHING_TYPED);
      showState();
    },
  };
}
