// Moves the focus by keyboard, and checks that the focus is visible.
"use strict";

// The id, value or text of the focused element.
async function focused(page) {
  const found = await page.evaluate(() => {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const text = element.id || element.value || element.textContent.trim();
    return { text, outline: outlineStyle === "none" ? 0 : parseFloat(outlineWidth) };
  });
  if (found.outline < 2) throw new Error(`the focus at ${found.text} is not seen`);
  return found.text;
}

// Presses the key until the wanted element has the focus.
async function moveTo(page, wanted, key = "Tab") {
  const passed = [];
  while (passed.length < 30) {
    await page.keyboard.press(key);
    const found = await focused(page);
    if (found === wanted) return;
    passed.push(found);
  }
  throw new Error(`no ${key} leads to ${wanted}, only to ${passed}`);
}

module.exports = { focused, moveTo };
