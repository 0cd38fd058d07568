// A browser without script: it has cookies, and sends the only form of a page. It is put in front of scripts
// that sign people in with a library.
function browser() {
  const cookies = new Map();
  const visit = async (url, init = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { ...init, redirect: "manual", headers: { ...init.headers, cookie, "sec-fetch-dest": "document" } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/Max-Age=0/.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    const to = answer.headers.get("location");
    return { status: answer.status, to: to && new URL(to, url), body: await answer.text(), url };
  };
  const text = (html) => html.replaceAll("&#38;", "&").replaceAll("&amp;", "&");
  const goesOn = (page) => page.to ?? new URL(text(/content="0;url=([^"]*)"/.exec(page.body)[1]));
  const fill = (page, fields) => {
    const action = new URL(/<form method="post" action="([^"]*)"/.exec(page.body)[1], page.url);
    const flow = /name="flow" value="([^"]*)"/.exec(page.body)[1];
    return visit(action, { method: "POST", body: new URLSearchParams({ flow, ...fields }), headers: { origin: action.origin } });
  };
  // If a page asks for it, the person signs in, and allows a public client on this machine (RFC 8252 §8.6).
  const signIn = async (url, password = process.env.PASSWORD) => {
    let page = await visit(url);
    if (/type="password"/.test(page.body)) page = await fill(page, { identifier: "ada@example.com", password });
    if (/value="allow"/.test(page.body)) page = await fill(page, { decision: "allow" });
    return goesOn(page);
  };
  return { visit, fill, signIn, goesOn };
}

