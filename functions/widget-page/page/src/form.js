// The form as a whole: which fields it has, what was entered, where the focus goes when something is wrong.

import { createAfterPress } from "./after-press.js";
import { createCardField } from "./card-field.js";
import { createConsentField } from "./consent-field.js";
import { createPersonalField } from "./personal-field.js";
import { select } from "./select.js";

/** @typedef {ReturnType<typeof createForm>} Form */

/**
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./announcements.js").Announce} announce
 * @param {(change: import("./card-field.js").CardChange) => void} onChange
 */
export function createForm(document, texts, announce, onChange) {
  const afterPress = createAfterPress(document);
  const card = createCardField(document, texts, announce, afterPress, onChange);
  const personal = /** @type {const} */ (["firstName", "lastName", "email"]).map((name) =>
    createPersonalField(name, document, texts, afterPress),
  );
  const consents = /** @type {const} */ (["terms", "privacy"]).map((name) => createConsentField(name, document, texts));
  const element = select(document, "#form", HTMLFormElement);

  /** @returns {import("./submission.js").Entered | undefined} nothing where something is wrong, which then is shown */
  function read() {
    const digits = card.read();
    const values = personal.map((field) => ({ field, ...field.read() }));
    const agreed = consents.map((field) => ({ field, ...field.read() }));

    const wrong = digits ? [...values, ...agreed].find(({ ok }) => !ok)?.field : card;
    if (!digits || wrong) {
      if (wrong) lead(wrong.input);
      return undefined;
    }
    return {
      digits,
      personal: Object.fromEntries(values.flatMap(({ field, value }) => (value ? [[field.name, value]] : []))),
      consents: agreed.flatMap(({ consent }) => consent ?? []),
    };
  }

  /** Moves to a wrong field, whose message is read with it; where the focus is there already, it must be said. @param {HTMLInputElement} input */
  function lead(input) {
    if (document.activeElement === input) {
      announce(document.getElementById(`${input.id}-error`)?.textContent ?? "");
    }
    input.focus();
  }

  return {
    /** @param {import("./wire.js").FormDescription} description keeps what was entered already */
    prepare({ fields, binRanges, terms, privacy }) {
      for (const field of personal) field.prepare(fields[field.name]);
      for (const field of consents) field.prepare(fields[field.name], { terms, privacy }[field.name]);
      card.prepare(binRanges);
    },

    /** @param {(entered: import("./submission.js").Entered) => void} submit */
    onSubmit(submit) {
      element.addEventListener("submit", (event) => {
        event.preventDefault();
        const entered = read();
        if (entered) submit(entered);
      });
    },

    /**
     * Shows what the server did not take.
     *
     * @param {string[]} pointers JSON pointers into the body that was sent
     * @returns {(() => void) | undefined} moves the focus to the first of them; nothing where no field is meant
     */
    refuse(pointers) {
      /** @param {...string} prefixes */
      const meant = (...prefixes) => pointers.some((pointer) => prefixes.some((prefix) => pointer.startsWith(prefix)));
      const refused = [
        ...(meant("/bin", "/last4", "/card") ? [card] : []),
        ...personal.filter(({ name }) => meant(`/${name}`)),
        ...(meant("/consents") ? consents.filter(({ input }) => input.required && !input.checked) : []),
      ];
      for (const field of refused) field.refuse();
      const first = refused[0];
      return first && (() => lead(first.input));
    },

    /** Forgets the card number. */
    forget: () => card.clear(),
    /** For another try: the next digit typed replaces the number. */
    retry: () => {
      card.input.focus();
      card.input.select();
    },
  };
}
