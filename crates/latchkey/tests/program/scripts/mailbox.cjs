// The messages that the server writes into a folder, as a mail program shows them.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const { MAIL } = process.env;
const taken = new Set();
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// The content of a part of a message (RFC 2045).
function decoded(part) {
  const at = part.indexOf("\r\n\r\n");
  const [head, body] = [part.slice(0, at), part.slice(at + 4).split(/\r\n--\S+--/)[0]];
  if (/base64/i.test(head)) return Buffer.from(body, "base64").toString();
  if (!/quoted-printable/i.test(head)) return body;
  const bytes = body.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString();
}

function read(name) {
  const message = fs.readFileSync(path.join(MAIL, name), "latin1");
  const [head, ...parts] = message.split(/\r\n--\S+\r\n/);
  const field = (name) => new RegExp(`^${name}: (.*(?:\r\n .*)*)`, "m").exec(head)[1].replace(/\r\n/g, "");
  const [text, html] = ["text/plain", "text/html"].map((type) => decoded(parts.find((part) => part.includes(`Content-Type: ${type}`))));
  return { name, to: field("To"), subject: field("Subject"), text, html };
}

// All messages to an address.
function messages(to) {
  const names = fs.existsSync(MAIL) ? fs.readdirSync(MAIL) : [];
  return names.filter((name) => name.endsWith(".eml")).map(read).filter((message) => message.to === to);
}

// Waits for a message, which no earlier call has returned. Its code and its link are undefined if it has none.
async function message(to, subject) {
  for (let waited = 0; waited < 20_000; waited += 20) {
    const found = messages(to).find((message) => !taken.has(message.name) && subject.test(message.subject));
    if (found !== undefined) {
      taken.add(found.name);
      return { ...found, code: /^[0-9A-Z]{8}\r?$/m.exec(found.text)?.[0].trim(), link: /^https?:\S+/m.exec(found.text)?.[0] };
    }
    await later(20);
  }
  throw new Error(`no message ${subject} to ${to}`);
}

module.exports = { message, messages };
