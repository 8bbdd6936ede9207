// GET /openapi.json and /docs, and / which leads there: the OpenAPI document and Swagger UI, served whole from here: no other host, no inline
// script. Mounted by api/app.ts.
import { Router } from 'express';
import { onlyMethods } from './http.js';

export interface DocsDeps {
  /** The OpenAPI document. */
  readonly document: object;
  /** Directory of the swagger-ui-dist package. */
  readonly assets: string;
}

const assets = ['swagger-ui.css', 'swagger-ui-bundle.js'];

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Keel API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', validatorUrl: null });
`;

/** React sets styles through the DOM; Swagger UI's style sheet holds its pictures as data. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function docsRoutes(deps: DocsDeps): Router {
  const router = Router();
  router
    .route('/')
    .get((_request, response) => {
      response.redirect('/docs');
    })
    .all(onlyMethods('GET'));
  router
    .route('/openapi.json')
    .get((_request, response) => {
      response.json(deps.document);
    })
    .all(onlyMethods('GET'));
  router
    .route('/docs')
    .get((_request, response) => {
      response.setHeader('Content-Security-Policy', policy);
      response.type('html').send(page);
    })
    .all(onlyMethods('GET'));
  router
    .route('/docs/start.js')
    .get((_request, response) => {
      response.type('js').send(start);
    })
    .all(onlyMethods('GET'));
  for (const file of assets) {
    router
      .route(`/docs/${file}`)
      .get((_request, response) => {
        // `root`, so that a dot in the path to the package hides nothing.
        response.sendFile(file, { root: deps.assets });
      })
      .all(onlyMethods('GET'));
  }
  return router;
}
