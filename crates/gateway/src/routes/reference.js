// The examples call the address where the reader is. The form fetches a token, and shows it as a line for the shell in which examples run. On the
// reader's own machine it begins with the client of the sample configuration, and fetches at once.
"use strict";
const { hostname, origin, pathname } = location;
const base = origin + pathname.replace(/\/docs\/?$/, "");
for (const example of document.querySelectorAll(".here code")) {
  example.textContent = example.textContent.replaceAll(document.querySelector("[data-address]").dataset.address, base);
}
const form = document.querySelector("form");
if (form) {
  const [status, line] = [form.querySelector("[role=status]"), form.querySelector("pre")];
  const fetchToken = async () => {
    const { tenant, ...given } = Object.fromEntries(new FormData(form));
    const sent = Object.entries(given).filter(([, value]) => value !== "");
    const body = new URLSearchParams([["grant_type", "client_credentials"], ...sent]);
    const answer = await fetch(base + form.dataset.path.replace("{id}", encodeURIComponent(tenant)), { method: "POST", body });
    const content = await answer.json();
    line.hidden = !answer.ok;
    if (!answer.ok) return `${answer.status} ${content.error}: ${content.error_description ?? ""}`;
    line.firstChild.textContent = `TOKEN='${content.access_token}'`;
    return `A token for ${content.expires_in} s, with the scope "${content.scope ?? ""}". Paste this line into a shell, and run the examples there.`;
  };
  const show = async (failed) => {
    status.textContent = await fetchToken().catch(() => failed);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show("The server did not answer.");
  });
  form.hidden = false;
  if (["localhost", "127.0.0.1", "[::1]"].includes(hostname)) {
    for (const field of form.elements) field.value = field.dataset.sample ?? "";
    show("");
  }
}
