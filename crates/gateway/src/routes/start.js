/* Starts the page: it opens on the first group, shows this address in its samples, and links to no other site. The library sends each parameter
   that has an example, so the examples of optional parameters are turned off until the reader wants one. Of a form it sends what is required, so
   the credentials of the sample client are, for the page alone: without them its first request would be refused. */
fetch('/openapi.json').then((answer) => answer.json()).then((content) => {
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
    baseServerURL: window.location.origin,
    customCss: 'a[href*="scalar.com"] { display: none }',
  });
});
