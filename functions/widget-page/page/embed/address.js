// Addresses: of the service, from the script's own; of the widget, as the partner's back end got it.

const OWN_PATH = /\/widget\/embed\/[^/?#]+\/embed\.js(?:[?#].*)?$/;
const MODES = ["modal", "inline", "redirect"];
const CHOICES = { theme: ["auto", "light", "dark"], frame: ["card", "plain"] };

/**
 * Returns the service's address. `currentScript` is null in a module script, which its element still tells.
 *
 * @param {Document} document @returns {string | undefined} without `/` at its end; nothing for a copy elsewhere
 */
export function serviceOf(document) {
  const current = document.currentScript;
  const scripts = current ? [current] : [...document.querySelectorAll("script[type=module]")];
  const own = scripts.map((script) => /** @type {HTMLScriptElement} */ (script).src ?? "").find((src) => OWN_PATH.test(src));
  return own?.replace(OWN_PATH, "");
}

/**
 * Returns the widget's address with `theme` and `frame` in its query. Its fragment, the session, is kept.
 *
 * @param {CardEnrollment.Options} options @param {string | undefined} service
 * @returns {URL} refused with a `TypeError`: an address elsewhere than where the script came from
 */
export function widgetAddress(options, service) {
  if (!MODES.includes(options.mode ?? "modal")) throw new TypeError(`mode is one of ${MODES.join(", ")}`);
  if (service === undefined) throw new TypeError("embed.js has to be loaded by a script element, from the service's own address");
  let url;
  try {
    url = new URL(options.url);
  } catch {
    throw new TypeError("url is no absolute address");
  }
  if (!url.href.startsWith(`${service}/widget/`)) throw new TypeError(`url does not begin with ${service}/widget/`);
  for (const [name, choices] of Object.entries(CHOICES)) {
    const choice = options[/** @type {"theme" | "frame"} */ (name)];
    if (choice === undefined) continue;
    if (!choices.includes(choice)) throw new TypeError(`${name} is one of ${choices.join(", ")}`);
    url.searchParams.set(name, choice);
  }
  return url;
}

/** @param {URL} url of a framed widget @returns {string} the same for a page of its own, which is never transparent */
export function fullPage(url) {
  const page = new URL(url);
  page.searchParams.delete("frame");
  return page.href;
}
