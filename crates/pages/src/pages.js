// Comforts: a page that goes on by itself, a password that can be shown, times as the reader has them, texts that are copied, addresses that
// follow a field, rules for what is typed. Every page works without them.
"use strict";
for (const form of document.querySelectorAll("form[data-submit]")) form.submit();
for (const button of document.querySelectorAll("button[data-shows]")) {
  const field = document.getElementById(button.dataset.shows);
  const show = (isShown) => {
    if (isShown === (field.type === "text")) return;
    field.type = isShown ? "text" : "password";
    [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent];
    [button.ariaLabel, button.dataset.otherLabel] = [button.dataset.otherLabel, button.ariaLabel];
  };
  button.hidden = false;
  button.addEventListener("click", () => show(field.type === "password"));
  // Sent as a password, so that browsers offer to keep it as one.
  field.form?.addEventListener("submit", () => show(false));
}
const { lang } = document.documentElement;
// Words in the language of the page, and dates as the reader's own country writes them.
const locale = navigator.languages.find((language) => language.startsWith(lang)) ?? lang;
const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const ago = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const UNITS = [["year", 31536e3], ["month", 2592e3], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  const seconds = Math.round((at - Date.now()) / 1000);
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS[5];
  const texts = [ago.format(Math.trunc(seconds / length), unit), date.format(at)];
  if ("exact" in time.dataset) texts.reverse();
  [time.textContent, time.title] = texts;
}
// The code of a link leaves the address. It is sent at once, or with what else the form asks for.
for (const field of document.querySelectorAll("input[data-fragment]")) {
  if (location.hash.length > 1) {
    field.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname + location.search);
    if (field.dataset.fragment === "send") field.form.submit();
  }
  field.closest(".field").hidden = field.value !== "";
}
const words = document.body.dataset;
for (const figure of document.querySelectorAll(".copied")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  const says = (text) => { button.textContent = text; };
  button.type = "button";
  button.className = "quiet";
  says(words.copy);
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(figure.querySelector("code").textContent).then(() => says(words.copied), () => says(words.failed));
  });
  (figure.querySelector("figcaption") ?? figure).append(button);
}
for (const part of document.querySelectorAll("[data-follows]")) {
  const field = document.getElementById(part.dataset.follows);
  const placeholder = part.textContent;
  const follow = () => {
    part.textContent = encodeURIComponent(field.value) || placeholder;
    part.closest("dl").hidden = field.value === "";
  };
  field.addEventListener("input", follow);
  follow();
}
// Marks the rules that a line of the field breaks.
for (const rule of document.querySelectorAll("[data-rule]")) {
  const field = document.getElementById(rule.dataset.of);
  const pattern = new RegExp(rule.dataset.rule);
  const judge = () => rule.classList.toggle("wrong", field.value.split(/\s+/).some((uri) => uri && !pattern.test(uri)));
  field.addEventListener("input", judge);
  judge();
}
for (const notice of document.querySelectorAll("[data-after]")) {
  setTimeout(() => { notice.hidden = false; }, notice.dataset.after * 1000);
}
