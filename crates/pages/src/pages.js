// Three comforts: a page that goes on by itself, a code that comes with the link, and a password that can be shown. Every page works without
// them.
"use strict";
for (const form of document.querySelectorAll("form[data-submit]")) form.submit();
for (const button of document.querySelectorAll("button[data-shows]")) {
  const field = document.getElementById(button.dataset.shows);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  });
  // Sent as a password, so that browsers offer to keep it as one.
  field.form.addEventListener("submit", () => { field.type = "password"; });
}
for (const field of document.querySelectorAll("input[data-fragment]")) {
  if (location.hash.length > 1) {
    field.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
  }
  field.parentElement.hidden = field.value !== "";
}
