/** @param {Uint8Array} bytes @returns {string} standard base64, padded */
export function toBase64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

/** @param {string} text standard base64 @returns {Uint8Array<ArrayBuffer>} */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
