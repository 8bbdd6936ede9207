// The calls of users, logins and keys in the OpenAPI document. Used by api/openapi.ts.
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { apiKeyList, madeApiKey, newApiKey } from '../contracts/http/apiKey.js';
import {
  codeRequest,
  emailRequest,
  linkRequest,
  loginRequest,
  oidcStart,
  passwordChanged,
  passwordRequest,
  proofAnswer,
  recoveryCodeList,
  refreshRequest,
  registerRequest,
  tokens,
  totpRequest,
  totpSecret,
  user,
} from '../contracts/http/auth.js';
import { badBody, body, idPath, json, problems } from './openapiParts.js';
import { userPaths } from './openapiUsers.js';

const done = (description: string) => ({ '204': { description } });

const authPaths: ZodOpenApiPathsObject = {
  '/api/v1/auth/register': {
    post: {
      summary: 'Become a user',
      description: 'A viewer at first; an admin gives more. Refused where registration is closed.',
      tags: ['access'],
      requestBody: { ...body(registerRequest), required: true },
      responses: { '201': json('The user.', user), ...problems(...badBody, '409', '429', '503') },
    },
  },
  '/api/v1/auth/login': {
    post: {
      summary: 'Log in',
      tags: ['access'],
      requestBody: { ...body(loginRequest), required: true },
      responses: { '200': json('Tokens.', tokens), ...problems(...badBody, '401', '429', '503') },
    },
  },
  '/api/v1/auth/refresh': {
    post: {
      summary: 'Get the next tokens',
      description: 'A refresh token is good once. One that comes back later ends its whole login.',
      tags: ['access'],
      requestBody: { ...body(refreshRequest), required: true },
      responses: { '200': json('Tokens.', tokens), ...problems(...badBody, '401', '503') },
    },
  },
  '/api/v1/auth/logout': {
    post: {
      summary: 'Log out',
      description: 'Its access and refresh tokens are worth nothing from then on.',
      tags: ['access'],
      responses: { ...done('Logged out.'), ...problems('503') },
    },
  },
  '/api/v1/auth/password': {
    post: {
      summary: 'Change your password',
      description:
        'Ends every other login of yours. API keys and what is linked at an identity provider stay good: whoever knew the old password may have made them.',
      tags: ['access'],
      requestBody: { ...body(passwordRequest), required: true },
      responses: { '200': json('Changed.', passwordChanged), ...problems(...badBody, '503') },
    },
  },
  '/api/v1/auth/me': {
    get: {
      summary: 'Who you are',
      tags: ['access'],
      responses: { '200': json('You.', user), ...problems('503') },
    },
    patch: {
      summary: 'Change your e-mail',
      description: 'What comes to you by e-mail at the old address goes to the new one.',
      tags: ['access'],
      requestBody: { ...body(emailRequest), required: true },
      responses: { '200': json('You.', user), ...problems(...badBody, '403', '409', '503') },
    },
  },
};

const withCode = { requestBody: { ...body(codeRequest), required: true } };
const codeProblems = [...badBody, '403', '404', '429', '503'] as const;

const totpPaths: ZodOpenApiPathsObject = {
  '/api/v1/auth/totp': {
    post: {
      summary: 'Begin a second factor',
      description: 'Nothing is asked for before it is confirmed.',
      tags: ['access'],
      requestBody: body(totpRequest),
      responses: { '201': json('For the authenticator.', totpSecret), ...problems(...codeProblems, '409') },
    },
  },
  '/api/v1/auth/totp/confirm': {
    post: {
      summary: 'Confirm it with a first code',
      description: 'Ends every other login of yours.',
      tags: ['access'],
      ...withCode,
      responses: { '200': json('Keep them.', recoveryCodeList), ...problems(...codeProblems, '409') },
    },
  },
  '/api/v1/auth/totp/prove': {
    post: {
      summary: 'Prove it, so that this login may act in live mode',
      tags: ['access'],
      ...withCode,
      responses: { '200': json('For how long.', proofAnswer), ...problems(...codeProblems) },
    },
  },
  '/api/v1/auth/totp/recovery-codes': {
    post: {
      summary: 'Get new recovery codes in place of the old ones',
      tags: ['access'],
      ...withCode,
      responses: { '200': json('Keep them.', recoveryCodeList), ...problems(...codeProblems) },
    },
  },
  '/api/v1/auth/totp/disable': {
    post: {
      summary: 'Disable it, with a code or a recovery code',
      description: 'Ends every other login of yours. In live mode you act no more.',
      tags: ['access'],
      ...withCode,
      responses: { ...done('Disabled.'), ...problems(...codeProblems) },
    },
  },
  '/api/v1/users/{id}/totp': {
    delete: {
      summary: 'Take away the second factor of a user who has lost it',
      description: 'His logins end.',
      tags: ['access'],
      requestParams: idPath,
      responses: { ...done('Taken away.'), ...problems('404', '503') },
    },
  },
};

const oidcPaths: ZodOpenApiPathsObject = {
  '/api/v1/auth/oidc/login': {
    get: {
      summary: 'Log in by the identity provider: sends the browser there',
      tags: ['access'],
      responses: {
        '303': { description: 'To the provider; a cookie remembers the way.' },
        ...problems('404', '429', '503'),
      },
    },
  },
  '/api/v1/auth/oidc/callback': {
    get: {
      summary: 'Where the provider sends the browser back',
      tags: ['access'],
      responses: {
        '200': {
          description: 'Tokens; where a link was begun, a sentence that says that it is done.',
          content: {
            'application/json': { schema: tokens },
            'text/plain': { schema: { type: 'string' } },
          },
        },
        ...problems('401', '404', '409', '503'),
      },
    },
  },
  '/api/v1/auth/oidc/code': {
    post: {
      summary: 'Give the code of the second factor after coming back',
      tags: ['access'],
      ...withCode,
      responses: { '200': json('Tokens.', tokens), ...problems(...codeProblems) },
    },
  },
  '/api/v1/auth/oidc/link': {
    post: {
      summary: 'Link your identity at the provider to you',
      description: 'Without a password it is for a login of the last ten minutes.',
      tags: ['access'],
      requestBody: body(linkRequest),
      responses: { '200': json('Where to send the browser.', oidcStart), ...problems(...codeProblems) },
    },
    delete: {
      summary: 'Take away what links you to identities',
      tags: ['access'],
      responses: { ...done('Taken away.'), ...problems('404', '409', '503') },
    },
  },
};

const keyPaths: ZodOpenApiPathsObject = {
  '/api/v1/auth/keys': {
    get: {
      summary: 'List your API keys',
      tags: ['access'],
      responses: { '200': json('Also those that are no longer good.', apiKeyList), ...problems('503') },
    },
    post: {
      summary: 'Make an API key',
      description: 'The key is shown once. It never does more than you may.',
      tags: ['access'],
      requestBody: { ...body(newApiKey), required: true },
      responses: { '201': json('The key.', madeApiKey), ...problems(...badBody, '503') },
    },
  },
  '/api/v1/auth/keys/{id}': {
    delete: {
      summary: 'Revoke an API key',
      tags: ['access'],
      requestParams: idPath,
      responses: { ...done('Revoked.'), ...problems('404', '503') },
    },
  },
};

export const accessPaths: ZodOpenApiPathsObject = {
  ...authPaths,
  ...totpPaths,
  ...oidcPaths,
  ...keyPaths,
  ...userPaths,
};
