import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fullPage, serviceOf, widgetAddress } from "./address.js";

const SESSION = "s".repeat(43);
const URL_GIVEN = `https://enroll.example/widget/bank/?lang=pl#${SESSION}`;
const SERVICE = "https://enroll.example";

/** @param {string | null} current @param {string[]} [modules] */
function documentWith(current, modules = []) {
  return /** @type {Document} */ (
    /** @type {unknown} */ ({
      currentScript: current === null ? null : { src: current },
      querySelectorAll: () => modules.map((src) => ({ src })),
    })
  );
}

describe("service", () => {
  test("address is that of the script", () => {
    assert.equal(serviceOf(documentWith("https://enroll.example/widget/embed/1.0.0/embed.js")), SERVICE);
    assert.equal(serviceOf(documentWith("https://x.example/base/path/widget/embed/1.0.0/embed.js?v=1")), "https://x.example/base/path");
  });

  test("module script is found by its element", () => {
    const own = "https://enroll.example/widget/embed/1.0.0/embed.js";
    assert.equal(serviceOf(documentWith(null, ["https://bank.example/app.js", own])), SERVICE);
  });

  test("copy elsewhere has none", () => {
    assert.equal(serviceOf(documentWith("https://bank.example/vendor/embed.js")), undefined);
    assert.equal(serviceOf(documentWith(null)), undefined);
  });
});

describe("widget address", () => {
  test("keeps query and session", () => {
    assert.equal(widgetAddress({ url: URL_GIVEN }, SERVICE).href, URL_GIVEN);
  });

  test("gets theme and frame in its query", () => {
    const url = widgetAddress({ url: URL_GIVEN, theme: "dark", frame: "plain" }, SERVICE);
    assert.equal(url.href, `https://enroll.example/widget/bank/?lang=pl&theme=dark&frame=plain#${SESSION}`);
  });

  test("full page is not plain", () => {
    const url = widgetAddress({ url: URL_GIVEN, theme: "dark", frame: "plain" }, SERVICE);
    assert.equal(fullPage(url), `https://enroll.example/widget/bank/?lang=pl&theme=dark#${SESSION}`);
  });

  for (const [name, url] of [
    ["another host", "https://enroll.example.evil.example/widget/bank/"],
    ["another scheme", "http://enroll.example/widget/bank/"],
    ["another port", "https://enroll.example:8443/widget/bank/"],
    ["a user", "https://enroll.example@evil.example/widget/bank/"],
    ["a user before the host", "https://user@enroll.example/widget/bank/"],
    ["script", "javascript:alert(1)//https://enroll.example/widget/"],
    ["data", "data:text/html,https://enroll.example/widget/"],
    ["another path", "https://enroll.example/other/"],
    ["steps up", "https://enroll.example/widget/../other/"],
    ["encoded steps up", "https://enroll.example/widget/%2e%2e/other/"],
    ["a relative address", "/widget/bank/"],
    ["nothing", ""],
  ]) {
    test(`is refused: ${name}`, () => {
      assert.throws(() => widgetAddress({ url: /** @type {string} */ (url) }, SERVICE), TypeError);
    });
  }

  test("is refused below another base path", () => {
    assert.throws(() => widgetAddress({ url: URL_GIVEN }, "https://enroll.example/base"), /https:\/\/enroll.example\/base\/widget\//);
  });

  test("values outside the closed sets are refused", () => {
    for (const options of [{ theme: "blue" }, { frame: "none" }, { mode: "popup" }]) {
      const given = /** @type {CardEnrollment.Options} */ ({ url: URL_GIVEN, ...options });
      assert.throws(() => widgetAddress(given, SERVICE), / is one of /);
    }
  });

  test("script without a known address opens nothing", () => {
    assert.throws(() => widgetAddress({ url: URL_GIVEN }, undefined), /script element/);
  });
});
