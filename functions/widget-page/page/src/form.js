// The form: shows the fields of an action, reads what was entered, and focuses the first invalid field.

import { ACTIONS, partsOf } from "./actions.js";
import { createAfterPress } from "./after-press.js";
import { createCardChoice } from "./card-choice.js";
import { createCardField } from "./card-field.js";
import { createConsentField } from "./consent-field.js";
import { createLink, linkedWords } from "./linked-words.js";
import { createPersonalField } from "./personal-field.js";
import { select } from "./select.js";

/**
 * @typedef {ReturnType<typeof createForm>} Form
 * @typedef {import("./personal-field.js").PersonalFieldOnPage["name"] | "cardNumber" | "terms" | "privacy" | "oldCard"} FieldName
 */

/**
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./announcements.js").Announce} announce
 * @param {(change: import("./card-field.js").CardChange) => void} onChange
 */
export function createForm(document, texts, announce, onChange) {
  const afterPress = createAfterPress(document);
  const choice = createCardChoice(document, texts, showChosenCard);
  const card = createCardField(document, texts, announce, afterPress, onChange);
  const personal = /** @type {const} */ (["firstName", "lastName", "email"]).map((name) =>
    createPersonalField(name, document, texts, afterPress),
  );
  const consents = /** @type {const} */ (["terms", "privacy"]).map((name) => createConsentField(name, document, texts));
  const element = select(document, "#form", HTMLFormElement);
  const button = select(element, "button.primary", HTMLButtonElement);
  const keep = select(element, ".keep", HTMLButtonElement);
  const label = select(button, ".action-text", HTMLElement);
  let asksForNumber = true;
  let isDestructive = false;
  let action = ACTIONS.N;

  select(document, "#card-number-hint", HTMLElement).textContent = texts.register.card_hint;

  /** @returns {import("./submission.js").Entered | undefined} nothing if a field is invalid, which is then shown */
  function read() {
    const chosen = choice.read();
    const number = card.read();
    const values = personal.map((field) => ({ field, ...field.read() }));
    const agreed = consents.map((field) => ({ field, ...field.read() }));

    const read = [{ field: choice, ...chosen }, { field: card, ...number }, ...values, ...agreed];
    const wrong = read.find(({ ok }) => !ok)?.field;
    if (wrong) {
      if (wrong.input) focusInvalid(wrong.input);
      return undefined;
    }
    return {
      ...(chosen.card && { oldCard: chosen.card }),
      ...(number.digits && { digits: number.digits }),
      personal: Object.fromEntries(values.flatMap(({ field, value }) => (value ? [[field.name, value]] : []))),
      consents: agreed.flatMap(({ consent }) => consent ?? []),
    };
  }

  /** Focuses an invalid field. Its message is read with it, or announced if the field has the focus already. @param {HTMLInputElement} input */
  function focusInvalid(input) {
    if (document.activeElement === input) {
      const described = input.closest("[aria-describedby]")?.getAttribute("aria-describedby");
      announce(document.getElementById(described ?? "")?.textContent ?? "");
    }
    input.focus();
  }

  /** Names the card on a button that removes it. @param {import("./wire.js").CardOnFile | undefined} chosen */
  function showChosenCard(chosen) {
    select(button, ".chosen", HTMLElement).hidden = !isDestructive || !chosen;
    select(button, ".last4", HTMLElement).textContent = chosen?.last4 ?? "";
  }

  /** @param {import("./wire.js").ActionCode} code */
  function setAction(code) {
    action = ACTIONS[code];
    const actionTexts = action.texts(texts);
    ({ isDestructive } = action);
    const screen = select(document, "[data-screen=form]", HTMLElement);
    select(screen, "h1", HTMLElement).textContent = actionTexts.title;
    select(screen, ".lead", HTMLElement).textContent = actionTexts.lead;
    select(screen, "legend", HTMLElement).textContent = actionTexts.cards;
    select(screen, "label[for=card-number]", HTMLElement).textContent = actionTexts.cardNumber;
    label.textContent = actionTexts.confirm;
    button.classList.toggle("destructive", isDestructive);
    keep.hidden = !actionTexts.keep;
    keep.textContent = actionTexts.keep;
    select(screen, ".protection", HTMLElement).hidden = !asksForNumber;
  }

  /** Clears all that was typed and ticked. */
  function clear() {
    card.clear();
    for (const field of [...personal, ...consents]) field.clear();
  }

  return {
    /** @param {import("./wire.js").FormDescription} description values already entered are kept */
    prepare(description) {
      const { cards, newCard } = partsOf(description);
      asksForNumber = Boolean(newCard);
      setAction(description.action);
      choice.prepare(cards);
      card.prepare(newCard?.binRanges);
      for (const field of personal) field.prepare(newCard?.fields[field.name] ?? "hidden");
      for (const field of consents) field.prepare(newCard?.fields[field.name] ?? "hidden", newCard?.[field.name]);
    },

    /** @param {(entered: import("./submission.js").Entered) => void} submit */
    onSubmit(submit) {
      const attempt = () => {
        const entered = read();
        if (entered) submit(entered);
      };
      // Not through the form's own submission: a sandboxed frame without `allow-forms` forbids it.
      button.addEventListener("click", attempt);
      element.addEventListener("keydown", (event) => {
        if (!isConfirming(event)) return;
        event.preventDefault();
        attempt();
      });
      // Password managers and apps submit the form nevertheless.
      element.addEventListener("submit", (event) => {
        event.preventDefault();
        attempt();
      });
    },

    /**
     * Shows the fields that the server refused.
     *
     * @param {string[]} pointers JSON pointers into the body that was sent
     * @returns {(() => void) | undefined} focuses the first of them; nothing if no field is meant
     */
    showRefusal(pointers) {
      /** @param {...string} prefixes */
      const meant = (...prefixes) => pointers.some((pointer) => prefixes.some((prefix) => pointer.startsWith(prefix)));
      const refusedFields = [
        ...(meant("/oldCard") && choice.input ? [choice] : []),
        ...(meant("/bin", "/last4", "/card") ? [card] : []),
        ...personal.filter(({ name }) => meant(`/${name}`)),
        ...(meant("/consents") ? consents.filter(({ input }) => input.required && !input.checked) : []),
      ];
      for (const field of refusedFields) field.showRefusal();
      const first = refusedFields[0]?.input;
      return first && (() => focusInvalid(first));
    },

    /** @param {() => void} keepCard */
    onKeep(keepCard) {
      keep.addEventListener("click", keepCard);
    },
    /** Reports which field has the focus. @param {(name: "focus" | "blur", field: string) => void} report */
    onFocus(report) {
      for (const [type, name] of /** @type {const} */ ([["focusin", "focus"], ["focusout", "blur"]])) {
        element.addEventListener(type, ({ target }) => {
          const field = target instanceof HTMLInputElement && (target.name || target.id);
          if (field) report(name, field);
        });
      }
    },

    /** Holds the form while its attempt is answered: the entries stay, and the button says what happens. */
    hold() {
      // A readonly field keeps the focus, a box cannot be readonly.
      for (const field of element.querySelectorAll(".consent, .choice, .keep, .way-on")) {
        if (field.contains(document.activeElement)) button.focus();
        field.setAttribute("inert", "");
      }
      for (const { input } of [card, ...personal]) input.readOnly = true;
      button.setAttribute("aria-disabled", "true");
      label.textContent = action.texts(texts).waiting;
      announce(`${label.textContent} ${texts.waiting.info}`);
    },
    release() {
      for (const field of element.querySelectorAll("[inert]")) field.removeAttribute("inert");
      for (const { input } of [card, ...personal]) input.readOnly = false;
      button.removeAttribute("aria-disabled");
      label.textContent = action.texts(texts).confirm;
    },

    /**
     * Shows at the number why MRS refused the card. The next digit replaces the number.
     *
     * @param {string} message @param {string | undefined} more address to read more at
     */
    refuseCard(message, more) {
      const { before, words, after } = linkedWords(message, texts.read_more);
      if (more) card.refuse(before, createLink(document, words, more, texts.register.new_tab), after);
      else card.refuse(message);
      focusInvalid(card.input);
      card.input.select();
    },

    clear,
    /** Clears all that was entered, and the cards that were shown. */
    reset() {
      clear();
      choice.prepare([]);
    },
    /** Prepares another attempt: the next digit replaces the number. Without a number field the focus stays. */
    retry() {
      if (!asksForNumber) return;
      if (choice.isUndecided) return choice.input?.focus();
      card.input.focus();
      card.input.select();
    },
  };
}

/** Returns whether Enter was pressed in a field, other than to finish a composition. @param {KeyboardEvent} event */
function isConfirming(event) {
  const composing = event.isComposing || event.keyCode === 229;
  return event.key === "Enter" && !composing && !event.repeat && event.target instanceof HTMLInputElement;
}
