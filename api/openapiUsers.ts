// The calls of admins about users and the audit in the OpenAPI document. Used by api/openapiAuth.ts.
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { auditList, auditQuery } from '../contracts/http/audit.js';
import { madeUser, newUserRequest, user, userChange, userList } from '../contracts/http/auth.js';
import { badBody, body, idPath, json, problems } from './openapiParts.js';

/** And what all of them did. */
export const userPaths: ZodOpenApiPathsObject = {
  '/api/v1/users': {
    get: {
      summary: 'List users',
      tags: ['access'],
      responses: { '200': json('All users.', userList), ...problems('503') },
    },
    post: {
      summary: 'Make a user, also where registration is closed',
      description:
        'Answers a password for his first login, which he has to change before anything else. It is shown this once.',
      tags: ['access'],
      requestBody: { ...body(newUserRequest), required: true },
      responses: {
        '201': json('The user and his one-time password.', madeUser),
        ...problems(...badBody, '409', '503'),
      },
    },
  },
  '/api/v1/users/{id}': {
    patch: {
      summary: 'Change the role of a user, his e-mail, or whether he is active',
      description:
        'Counts from the next request on. One who is not active has no login and no key any more. His username stays: the audit knows him by it. Of a changed e-mail he is told, also at the one that he had. Your own is changed by PATCH /api/v1/auth/me.',
      tags: ['access'],
      requestParams: idPath,
      requestBody: { ...body(userChange), required: true },
      responses: { '200': json('The user.', user), ...problems(...badBody, '404', '409', '503') },
    },
  },
  '/api/v1/users/{id}/password': {
    post: {
      summary: 'Give another user who has lost his password a one-time password',
      description:
        'His logins end, his keys are revoked, and his identity at a provider is unlinked. It is shown this once.',
      tags: ['access'],
      requestParams: idPath,
      responses: {
        '200': json('The user and his one-time password.', madeUser),
        ...problems('404', '503'),
      },
    },
  },
  '/api/v1/audit': {
    get: {
      summary: 'Who did what to what',
      description: 'Newest first. `keel audit verify` checks that nobody has changed it.',
      tags: ['access'],
      requestParams: { query: auditQuery },
      responses: { '200': json('Rows of the audit trail.', auditList), ...problems('422', '503') },
    },
  },
};
