/* Starts the page: it opens on the first group, shows this address in its samples, and links to no other site. The library sends each parameter
   that has an example, so the examples of optional parameters are turned off until the reader wants one. Of a form it sends what is required, so
   the credentials of the sample client are, for the page alone: without them its first request would be refused. On the reader's own machine
   the page fetches a token of that client, if there is one, which requests to APIs then have. */
const sampleToken = async ({ paths }) => {
  const [path, { post }] = Object.entries(paths).find(([path]) => path.endsWith('/oauth/token')) ?? [undefined, {}];
  if (path === undefined || !['localhost', '127.0.0.1', '[::1]'].includes(window.location.hostname)) return undefined;
  const url = path.replace('{id}', post.parameters[0].example);
  const body = new URLSearchParams(post.requestBody.content['application/x-www-form-urlencoded'].example);
  const answer = await fetch(url, { method: 'POST', body });
  return answer.ok ? (await answer.json()).access_token : undefined;
};
fetch('/openapi.json').then((answer) => answer.json()).then(async (content) => {
  const token = await sampleToken(content).catch(() => undefined);
  for (const operation of Object.values(content.paths).flatMap(Object.values)) {
    for (const parameter of operation.parameters ?? []) {
      if (parameter.in === 'query' && !parameter.required) {
        parameter.examples = { example: { value: parameter.example, 'x-disabled': true } };
        delete parameter.example;
      }
    }
  }
  content.components.schemas.TokenForm?.required.push('client_id', 'client_secret');
  Scalar.createApiReference('#app', {
    content,
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    showDeveloperTools: 'never',
    defaultOpenFirstTag: true,
    hideClientButton: true,
    authentication: token && { securitySchemes: { access_token: { token } } },
    baseServerURL: window.location.origin,
    customCss: 'a[href*="scalar.com"] { display: none }',
  });
});
