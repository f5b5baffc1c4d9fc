// Entry point, in the head. It blocks the parser until the page is known to be framed or not and the stylesheet is loaded,
// so that nothing moves after the first layout. The rest runs once the document is parsed.

document.documentElement.classList.toggle("framed", window.parent !== window);
document.addEventListener("DOMContentLoaded", () => void import("./main.js"));
