// Fetches a token. `latchkey tenant add` prints the lines between the two marks with the tenant's own values.
// snippet
const answer = await fetch("http://localhost:3000/api/v1/tenant/globex/oauth/token", {
  method: "POST",
  body: new URLSearchParams({
    grant_type: "client_credentials",
    client_id: "shipping",
    client_secret: process.env.CLIENT_SECRET,
  }),
});
if (!answer.ok) throw new Error(await answer.text());
const { access_token } = await answer.json();
// end of snippet

const resource = await fetch("http://localhost:3000/api/v1/protected-resource", {
  headers: { authorization: `Bearer ${access_token}` },
});
console.log(await resource.text());
