/* Starts the page: it opens on the first group, shows this address in its samples, and links to no other site. The library sends each parameter
   that has an example, so the examples of optional parameters are turned off until the reader wants one. */
fetch('/openapi.json').then((answer) => answer.json()).then((content) => {
  for (const operation of Object.values(content.paths).flatMap(Object.values)) {
    for (const parameter of operation.parameters ?? []) {
      if (parameter.in === 'query' && !parameter.required) {
        parameter.examples = { example: { value: parameter.example, 'x-disabled': true } };
        delete parameter.example;
      }
    }
  }
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
