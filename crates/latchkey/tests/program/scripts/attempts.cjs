// The attempts of an attack, and the report with the result of each.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

// Texts in a page or an answer for a signed-in person: a sealed form, a code, the email address, or the
// question whether to sign out.
const SECRETS = /name="flow"|(?<![a-z_])code=|ada@example\.com|usr_|value="sign_out"/;

class Attempts {
  constructor(title) {
    this.title = title;
    this.all = [];
  }

  // `achieved` is what the attacker has achieved. It is empty if the attempt has failed.
  note(what, achieved, seen = "") {
    this.all.push({ what, achieved: achieved || undefined, seen: String(seen) });
  }

  // Records a text that the attacker could read. It is a success if the text contains a secret.
  read(what, text, seen) {
    this.note(what, SECRETS.exec(text)?.[0] && `reads ${SECRETS.exec(text)[0]}`, seen);
  }

  // Writes the report next to the screenshots, and prints it for the test.
  report() {
    const { REPORTS, REPORT } = process.env;
    const succeeded = this.all.filter(({ achieved }) => achieved);
    const lines = this.all.map(({ what, achieved, seen }) => `${achieved ? "SUCCEEDED" : "failed"}  ${what}${achieved ? `: ${achieved}` : ""}${seen && ` (${seen})`}`);
    const text = `${this.title}: ${this.all.length} attempts, ${succeeded.length} succeeded\n\n${lines.join("\n")}\n`;
    fs.mkdirSync(REPORTS, { recursive: true });
    fs.writeFileSync(path.join(REPORTS, `${REPORT}.txt`), text);
    console.log(JSON.stringify({ attempts: this.all.length, succeeded, text }));
  }
}

module.exports = { Attempts, SECRETS };
