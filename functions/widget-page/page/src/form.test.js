import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createForm } from "./form.js";
import { blue, demoForm, demoRemoval, demoReplacement, gold } from "./testing/demo-form.js";
import { openTemplate } from "./testing/template.js";

const number = "5234000000000106";
/** @type {ReturnType<typeof openTemplate>} */ let page;
/** @type {import("./form.js").Form} */ let form;
/** @type {string[]} */ let announced;
/** @type {import("./card-field.js").CardChange[]} */ let changes;
/** @type {import("./submission.js").Entered[]} */ let submitted;

beforeEach(() => {
  page = openTemplate();
  [announced, changes, submitted] = [[], [], []];
  form = createForm(page.document, page.texts, (message) => announced.push(message), (change) => changes.push(change));
  form.prepare(demoForm());
  form.onSubmit((entered) => submitted.push(entered));
});
afterEach(() => page.close());

/** @param {string} id @returns {HTMLInputElement} */
const input = (id) => /** @type {HTMLInputElement} */ (page.document.getElementById(id));
/** @param {string} id */
const messageOf = (id) => {
  const line = page.document.getElementById(`${id}-error`);
  return line?.hidden ? "" : line?.textContent;
};
/** @param {string} id @param {string} value */
function type(id, value) {
  input(id).value = value;
  input(id).dispatchEvent(new InputEvent("input", { inputType: "insertText" }));
}
const submit = () => page.document.getElementById("form")?.dispatchEvent(new Event("submit", { cancelable: true }));

test("fields are hidden, optional or required", () => {
  const fields = { ...demoForm().fields, firstName: /** @type {const} */ ("hidden") };
  form.prepare({ ...demoForm(), fields });
  const field = (/** @type {string} */ name) => page.document.querySelector(`[data-field=${name}]`);
  assert.equal(field("firstName")?.hasAttribute("hidden"), true);
  assert.equal(field("lastName")?.hasAttribute("hidden"), false);
  assert.equal(input("last-name").required, true);
  assert.equal(input("email").required, false);
  assert.equal(field("email")?.querySelector(".optional")?.hasAttribute("hidden"), false);
  assert.equal(field("lastName")?.querySelector(".optional")?.hasAttribute("hidden"), true);
});

test("a document is a link or text", () => {
  const terms = page.document.querySelector("[data-document=terms]");
  const privacy = page.document.querySelector("[data-document=privacy]");
  const link = terms?.querySelector("label a");
  assert.deepEqual([link?.getAttribute("href"), link?.textContent], ["https://bank.example/terms", "Terms & Conditions"]);
  assert.equal(link?.getAttribute("title"), page.texts.register.new_tab);
  assert.equal(terms?.querySelector(".sentence")?.textContent, "I accept the Terms & Conditions");

  const [toggle, text] = [privacy?.querySelector("label a"), privacy?.querySelector(".document")];
  assert.equal(text?.textContent, "What we keep.\n\nAnd why.");
  for (const [type, key, isShown] of /** @type {const} */ ([["click", "", true], ["keydown", " ", false], ["keydown", "Enter", true], ["keydown", "a", true]])) {
    toggle?.dispatchEvent(Object.assign(new Event(type, { bubbles: true, cancelable: true }), { key }));
    assert.equal(text?.hasAttribute("hidden"), !isShown, `${type} ${key}`);
    assert.equal(toggle?.getAttribute("aria-expanded"), String(isShown));
  }
  assert.equal(input("privacy").checked, false);
});

test("a document's address is a link only for http(s)", () => {
  form.prepare({ ...demoForm(), terms: { version: "1", url: "javascript:alert(1)" } });
  assert.equal(page.document.querySelector("[data-document=terms] a"), null);
  assert.equal(page.document.querySelector("[data-document=terms] .sentence")?.textContent, "I accept the Terms & Conditions");
});

test("button, Enter and app submission submit once each", () => {
  form.prepare(demoRemoval([gold]));
  button()?.dispatchEvent(new Event("click"));
  submit();
  assert.equal(submitted.length, 2);

  form.prepare(demoForm());
  type("card-number", number);
  type("last-name", "Lovelace");
  input("terms").checked = true;
  const press = (/** @type {object} */ more) =>
    input("last-name").dispatchEvent(Object.assign(new Event("keydown", { bubbles: true, cancelable: true }), { key: "Enter", ...more }));
  press({});
  assert.equal(submitted.length, 3);
  press({ isComposing: true });
  press({ keyCode: 229 });
  press({ repeat: true });
  press({ key: "a" });
  assert.equal(submitted.length, 3);
});

test("a value set without an event counts", () => {
  input("card-number").value = number;
  input("last-name").value = "Lovelace";
  input("terms").checked = true;
  submit();
  assert.equal(submitted[0]?.digits, number);
  assert.equal(input("card-number").value, "5234 0000 0000 0106");
});

test("a composition is not changed until it ends", () => {
  const compose = (/** @type {string} */ phase) => input("card-number").dispatchEvent(new Event(phase));
  compose("compositionstart");
  type("card-number", "５");
  type("card-number", "５２");
  assert.equal(input("card-number").value, "５２");
  assert.deepEqual(announced, ["Mastercard"]);
  type("card-number", "９９");
  assert.equal(messageOf("card-number"), "", "it is unfinished");
  type("card-number", "５２３４０");
  compose("compositionend");
  assert.equal(input("card-number").value, "5234 0");
});

test("a number in another field is refused at once", () => {
  for (const [id, value] of [["first-name", "5234 0000 0000 0106"], ["last-name", "٥٢٣٤٠٠٠٠٠٠٠٠٠١٠٦"], ["email", "5234000000000106@x.example"]]) {
    type(/** @type {string} */ (id), /** @type {string} */ (value));
    assert.equal(messageOf(/** @type {string} */ (id)), page.texts.validation.misplaced_number);
  }
  type("card-number", number);
  input("terms").checked = true;
  submit();
  assert.deepEqual(submitted, []);
  type("first-name", "Ada");
  assert.equal(messageOf("first-name"), "");
});

test("an unusable character in a name is reported", () => {
  type("card-number", number);
  type("last-name", "Love\ufffelace");
  input("terms").checked = true;
  submit();
  assert.deepEqual(submitted, []);
  assert.equal(messageOf("last-name"), page.texts.validation.unusable_character);
});

test("excess digits are reported and kept", () => {
  type("card-number", "52340000000001060000");
  assert.equal(messageOf("card-number"), page.texts.validation.card_number_long);
});

test("the entries are read", () => {
  type("card-number", number);
  type("last-name", " Lovelace ");
  input("terms").checked = true;
  submit();
  assert.deepEqual(submitted, [
    { digits: number, personal: { lastName: "Lovelace" }, consents: [{ document: "terms", version: "2026-01" }] },
  ]);
});

test("an empty form focuses its first invalid field", () => {
  submit();
  assert.deepEqual(submitted, []);
  assert.equal(page.document.activeElement, input("card-number"));
  assert.equal(messageOf("card-number"), page.texts.validation.card_number_missing);
  assert.equal(messageOf("last-name"), page.texts.validation.last_name_missing);
  assert.equal(messageOf("terms"), page.texts.validation.terms_missing);
  assert.equal(messageOf("first-name"), "");
  assert.equal(input("card-number").getAttribute("aria-describedby"), "card-number-error");
  assert.equal(input("card-number").getAttribute("aria-invalid"), "true");
});

test("the message of a focused invalid field is announced", () => {
  input("card-number").focus();
  submit();
  assert.deepEqual(announced, [page.texts.validation.card_number_missing]);
});

test("a corrected field clears its message", () => {
  submit();
  type("card-number", "5");
  type("last-name", "L");
  input("terms").checked = true;
  input("terms").dispatchEvent(new Event("change"));
  for (const id of ["card-number", "last-name", "terms"]) {
    assert.equal(messageOf(id), "", id);
    assert.equal(input(id).getAttribute("aria-describedby"), id === "card-number" ? "card-number-hint" : null);
  }
});

test("an unfinished number is reported on blur", () => {
  type("card-number", "523500");
  assert.equal(messageOf("card-number"), page.texts.validation.card_number_other_program);
  type("card-number", "523400");
  assert.equal(messageOf("card-number"), "");
  input("card-number").dispatchEvent(new Event("blur"));
  assert.equal(messageOf("card-number"), page.texts.validation.card_number_short);
});

test("the brand is shown and announced once", () => {
  type("card-number", "52");
  type("card-number", "5234");
  const control = /** @type {HTMLElement} */ (page.document.querySelector(".control"));
  assert.deepEqual([control.dataset["brand"], textOf(".brand-name")], ["mastercard", ""]);
  assert.deepEqual(announced, ["Mastercard"]);
  type("card-number", "4");
  assert.deepEqual([control.dataset["brand"], textOf(".brand-name")], [undefined, "Visa"]);
});

test("a blur during a press is checked after the click", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  type("email", "ada@");
  page.document.dispatchEvent(new Event("pointerdown"));
  input("email").dispatchEvent(new Event("blur"));
  assert.equal(messageOf("email"), "");
  page.document.dispatchEvent(new Event("pointerup"));
  t.mock.timers.tick(0);
  assert.equal(messageOf("email"), page.texts.validation.email_wrong);
});

test("changes report brand and validity, never digits", () => {
  type("card-number", "52");
  type("card-number", "523");
  type("card-number", number);
  assert.deepEqual(changes, [
    { valid: false, couldBecomeValid: true, brand: "mastercard" },
    { valid: true, couldBecomeValid: true, brand: "mastercard" },
  ]);
});

test("an email address is checked if given", () => {
  type("card-number", number);
  type("last-name", "Lovelace");
  input("terms").checked = true;
  type("email", "ada@example");
  submit();
  assert.equal(submitted.length, 0);
  assert.equal(page.document.activeElement, input("email"));
  type("email", "ada@example.com");
  submit();
  assert.deepEqual(submitted.map(({ personal }) => personal.email), ["ada@example.com"]);
});

test("a refusal is shown at its field", () => {
  form.showRefusal(["/lastName", "/consents/0/version"])?.();
  assert.equal(messageOf("last-name"), page.texts.validation.last_name_refused);
  assert.equal(page.document.activeElement, input("last-name"));
  assert.equal(form.showRefusal(["/unheard-of"]), undefined);
});

test("a cleared form has no typed or ticked value", () => {
  type("card-number", number);
  type("first-name", "Ada");
  type("email", "ada@");
  input("email").dispatchEvent(new Event("blur"));
  input("terms").checked = true;
  form.clear();
  const ids = ["card-number", "first-name", "last-name", "email"];
  assert.deepEqual(ids.map((id) => input(id).value), ["", "", "", ""]);
  assert.equal(input("terms").checked, false);
  assert.equal(messageOf("email"), "");
  submit();
  assert.deepEqual(submitted, []);
});

test("a cleared number is gone from the page", () => {
  type("card-number", number);
  form.reset();
  assert.equal(input("card-number").value, "");
  submit();
  assert.deepEqual(submitted, []);
});

const radios = () => /** @type {HTMLInputElement[]} */ ([...page.document.querySelectorAll("#old-card input")]);
/** @param {number} index */
function choose(index) {
  const radio = radios()[index] ?? assert.fail("there is no such card");
  radio.checked = true;
  radio.dispatchEvent(new Event("change"));
}
/** @param {string} selector */
const hidden = (selector) => page.document.querySelector(selector)?.hasAttribute("hidden");
/** @param {string} selector */
const textOf = (selector) => page.document.querySelector(selector)?.textContent;
/** @param {string} name */
const fieldHidden = (name) => hidden(`[data-field=${name}]`);
const button = () => page.document.querySelector("#form .primary");

test("an enrollment has no card choice", () => {
  assert.equal(hidden("#old-card"), true);
  assert.equal(hidden(".chosen"), true);
});

test("a replacement has all fields but the consents", () => {
  form.prepare(demoReplacement());
  assert.equal(textOf("legend"), page.texts.replace.cards);
  assert.equal(textOf("label[for=card-number]"), page.texts.replace.card_number);
  assert.equal(textOf("#form .primary .action-text"), page.texts.replace.confirm);
  for (const name of ["cardNumber", "firstName", "lastName", "email"]) assert.equal(fieldHidden(name), false, name);
  for (const name of ["terms", "privacy"]) assert.equal(hidden(`[data-document=${name}]`), true, name);

  choose(1);
  type("card-number", number);
  type("last-name", "Lovelace");
  submit();
  assert.deepEqual(submitted, [{ oldCard: blue, digits: number, personal: { lastName: "Lovelace" }, consents: [] }]);
  assert.equal(hidden(".chosen"), true);
});

test("an opt-out has only the cards, and names the chosen one", () => {
  form.prepare(demoRemoval());
  for (const name of ["cardNumber", "firstName", "lastName", "email"]) assert.equal(fieldHidden(name), true, name);
  assert.equal(hidden(".protection"), true);
  assert(button()?.classList.contains("destructive"));
  assert.equal(textOf("[data-screen=form] .lead"), page.texts.remove.info);
  assert.equal(hidden(".chosen"), true);
  choose(0);
  assert.equal(hidden(".chosen"), false);
  assert.equal(textOf(".chosen .last4"), gold.last4);
  submit();
  assert.deepEqual(submitted, [{ oldCard: gold, personal: {}, consents: [] }]);
});

test("several cards are radio buttons, one is chosen", () => {
  form.prepare(demoRemoval());
  assert.deepEqual(radios().map(({ checked }) => checked), [false, false]);
  assert.equal(page.document.querySelector("#old-card")?.getAttribute("role"), "radiogroup");

  form.prepare(demoRemoval([blue]));
  assert.equal(radios().length, 0);
  assert.equal(page.document.querySelector("#old-card")?.hasAttribute("role"), false);
  assert.equal(textOf(".masked"), blue.masked);
  submit();
  assert.deepEqual(submitted.map(({ oldCard }) => oldCard), [blue]);
});

test("a card is masked, and read by its last four digits", () => {
  form.prepare(demoReplacement());
  const [row] = page.document.querySelectorAll("label.on-file");
  const masked = row?.querySelector(".masked");
  assert.equal(masked?.textContent, "5234 XXXX XXXX 0123");
  assert.equal(masked?.getAttribute("dir"), "ltr");
  assert.equal(masked?.getAttribute("aria-hidden"), "true");
  assert.equal(row?.querySelector(".visually-hidden")?.textContent, "Card ending in 0123");
  assert.equal(row?.querySelector(".design")?.textContent, "Gold");
});

test("a missing choice focuses the first card", () => {
  form.prepare(demoReplacement());
  type("card-number", number);
  type("last-name", "Lovelace");
  submit();
  assert.deepEqual(submitted, []);
  assert.equal(page.document.activeElement, radios()[0]);
  assert.equal(messageOf("old-card"), page.texts.validation.choice_missing);
  assert.equal(page.document.querySelector("#old-card")?.getAttribute("aria-invalid"), "true");
  submit();
  assert.deepEqual(announced.slice(-1), [page.texts.validation.choice_missing]);
  choose(0);
  assert.equal(messageOf("old-card"), "");
});

test("a changed list keeps a choice that is still there", () => {
  form.prepare(demoReplacement());
  choose(1);
  const red = { ...gold, id: "c".repeat(64) };
  form.prepare(demoReplacement([red, blue]));
  assert.deepEqual(radios().map(({ checked }) => checked), [false, true]);
  form.retry();
  assert.equal(page.document.activeElement, input("card-number"));
  form.prepare(demoReplacement([red, gold]));
  assert.deepEqual(radios().map(({ checked }) => checked), [false, false]);
  form.retry();
  assert.equal(page.document.activeElement, radios()[0]);
});

test("a refused card is shown at the choice, if there is one", () => {
  form.prepare(demoRemoval());
  form.showRefusal(["/oldCard"])?.();
  assert.equal(messageOf("old-card"), page.texts.validation.choice_missing);
  form.prepare(demoRemoval([gold]));
  assert.equal(form.showRefusal(["/oldCard"]), undefined);
  form.prepare(demoReplacement([gold]));
  form.showRefusal(["/oldCard", "/lastName"])?.();
  assert.equal(page.document.activeElement, input("last-name"));
});

test("cleared cards are gone from the page", () => {
  form.prepare(demoRemoval());
  choose(0);
  form.reset();
  assert.equal(page.document.querySelectorAll(".on-file").length, 0);
  assert.equal(textOf(".chosen .last4"), "");
});

test("five wrong digits are not judged before a sixth or a blur", () => {
  type("card-number", "41111");
  assert.equal(messageOf("card-number"), "");
  assert.equal(hidden("#card-number-hint"), false);
  input("card-number").dispatchEvent(new Event("blur"));
  assert.equal(messageOf("card-number"), page.texts.validation.card_number_other_program);
  assert.equal(hidden("#card-number-hint"), true);
  type("card-number", "4111");
  assert.equal(messageOf("card-number"), page.texts.validation.card_number_other_program, "a judgment stays");
});

test("a refused card is an error of its field, without a tick", () => {
  type("card-number", number);
  const control = page.document.querySelector(".control");
  assert(control?.classList.contains("valid"));
  form.refuseCard(page.texts.error.info_first_part, "https://bank.example/terms");
  assert(!control?.classList.contains("valid"));
  assert.equal(messageOf("card-number"), page.texts.error.info_first_part);
  const link = page.document.querySelector("#card-number-error a");
  assert.deepEqual([link?.getAttribute("href"), link?.textContent], ["https://bank.example/terms", "Read more"]);
  const { selectionStart, selectionEnd, value } = input("card-number");
  assert.equal(page.document.activeElement, input("card-number"));
  assert.deepEqual([selectionStart, selectionEnd], [0, value.length]);
  assert.deepEqual(changes.at(-1), { valid: false, couldBecomeValid: true, brand: "mastercard" });

  type("card-number", "5234");
  assert.equal(messageOf("card-number"), "");
  type("card-number", number);
  assert(!control?.classList.contains("valid"), "the same number is refused again");
});

test("a held form keeps its entries and its focus", () => {
  type("card-number", number);
  input("card-number").focus();
  form.hold();
  const submitButton = /** @type {HTMLElement} */ (button());
  assert.equal(input("card-number").readOnly, true);
  assert.equal(page.document.activeElement, input("card-number"));
  assert(page.document.querySelector("[data-document=terms]")?.hasAttribute("inert"));
  assert.equal(submitButton.getAttribute("aria-disabled"), "true");
  assert.equal(textOf("#form .primary .action-text"), page.texts.waiting.title);
  assert.deepEqual(announced.slice(-1), [`${page.texts.waiting.title} ${page.texts.waiting.info}`]);

  form.release();
  assert.equal(input("card-number").readOnly, false);
  assert.equal(page.document.querySelector("[inert]"), null);
  assert.equal(submitButton.hasAttribute("aria-disabled"), false);
  assert.equal(textOf("#form .primary .action-text"), page.texts.register.confirm);

  input("terms").focus();
  form.hold();
  assert.equal(page.document.activeElement, submitButton, "a box that is held loses the focus");
});

test("an opt-out offers to keep the card", () => {
  let kept = 0;
  form.onKeep(() => (kept += 1));
  assert.equal(hidden(".keep"), true);
  form.prepare(demoRemoval());
  assert.equal(textOf(".keep"), page.texts.remove.keep);
  /** @type {HTMLElement} */ (page.document.querySelector(".keep")).click();
  assert.equal(kept, 1);
});

test("the focus is reported by field, without its value", () => {
  /** @type {string[][]} */
  const reported = [];
  form.onFocus((...report) => reported.push(report));
  input("card-number").focus();
  input("terms").focus();
  assert.deepEqual(reported, [["focus", "cardNumber"], ["blur", "cardNumber"], ["focus", "terms"]]);
});

test("a card shows its design's picture or color", () => {
  form.prepare(demoRemoval([{ ...gold, art: "/art/gold.png" }, { ...blue, color: "#1f4ed8" }]));
  const [picture, plain] = page.document.querySelectorAll(".art");
  assert.equal(picture?.getAttribute("src"), "/art/gold.png");
  assert.equal(picture?.getAttribute("alt"), "");
  assert.equal(/** @type {HTMLElement} */ (plain).style.getPropertyValue("--art"), "#1f4ed8");
});
