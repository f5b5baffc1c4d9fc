// What must be known before the body is parsed: the script stands in the head and blocks the parser, so that nothing is
// laid out without the stylesheet, or as a full page in a frame, and then moves. The rest waits for the document.

document.documentElement.classList.toggle("framed", window.parent !== window);
document.addEventListener("DOMContentLoaded", () => void import("./main.js"));
