// Users and logins on the HTTP API. Used by api/routes/auth.ts, the CLI and the OpenAPI document.
import { z } from 'zod';
import { passwordCharacters } from '../../domain/access/password.js';
import { roles } from '../../domain/access/roles.js';
import { instant } from './fields.js';

export const role = z
  .enum(roles)
  .meta({ description: 'What the user may do: each role includes those before it.' });

/** Raw length only: one that is given is compared, and a new one is checked after it is composed. */
const rawPassword = z.string().min(1).max(1024);
const password = rawPassword.meta({
  description: 'The password as it was set, or a one-time password.',
  format: 'password',
});
const { least, most } = passwordCharacters;
const newPassword = rawPassword.meta({
  description: `${String(least)} to ${String(most)} characters of any script, once composed (NFC); nothing is cut off.`,
  format: 'password',
  minLength: least,
  maxLength: most,
});

/** In lower case, as it is stored. Also taken by `keel admin`. */
export const emailAddress = z
  .email()
  .max(254)
  .transform((text) => text.toLowerCase())
  .meta({ example: 'maria@example.com' });

const username = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(
    z.string().regex(/^[a-z0-9][a-z0-9._-]{1,31}$/, '2 to 32 letters, digits, dots, dashes or underscores'),
  )
  .meta({ description: 'Names the user in the audit, for ever.', example: 'maria' });

const code = z.string().min(1).max(40).meta({
  description: 'Six digits of the authenticator, or a recovery code where one is taken.',
  example: '123456',
});

const token = z.string().min(1).max(200);

export const registerRequest = z
  .strictObject({ email: emailAddress, username, password: newPassword })
  .meta({ id: 'RegisterRequest' });

export const loginRequest = z
  .strictObject({
    login: z.string().min(1).max(254).meta({ description: 'E-mail or username.', example: 'maria' }),
    password,
    code: code.optional(),
  })
  .meta({ id: 'LoginRequest' });

export const refreshRequest = z.strictObject({ refreshToken: token }).meta({ id: 'RefreshRequest' });

export const passwordRequest = z
  .strictObject({ current: password, next: newPassword })
  .meta({ id: 'PasswordRequest' });

export const passwordChanged = z
  .strictObject({
    goodKeys: z.int().nonnegative().meta({ description: 'API keys of yours that are good still.' }),
    message: z.string(),
  })
  .meta({ id: 'PasswordChanged' });

export const user = z
  .strictObject({
    id: z.uuid(),
    email: z.string(),
    username: z.string(),
    role,
    active: z.boolean(),
    mustChangePassword: z.boolean().meta({ description: 'Nothing else is allowed until it is changed.' }),
    secondFactor: z.boolean().meta({ description: 'Whether a second factor is asked for.' }),
    createdAt: instant,
  })
  .meta({ id: 'User' });

export const totpRequest = z
  .strictObject({ password: password.optional() })
  .meta({ id: 'TotpRequest', description: 'The password, by one who has one.' });

export const totpSecret = z
  .strictObject({
    secret: z.string().meta({ description: 'In base32, for typing it in. Shown this once.' }),
    uri: z.string().meta({ description: 'The same as an otpauth address, for a QR code.' }),
  })
  .meta({ id: 'TotpSecret' });

export const codeRequest = z.strictObject({ code }).meta({ id: 'CodeRequest' });

export const recoveryCodeList = z
  .strictObject({
    recoveryCodes: z
      .array(z.string())
      .meta({ description: 'Each lets you in once without the authenticator. Shown this once.' }),
  })
  .meta({ id: 'RecoveryCodes' });

export const proofAnswer = z
  .strictObject({ seconds: z.int().meta({ description: 'For so long this login may act.', example: 300 }) })
  .meta({ id: 'Proof' });

export const linkRequest = z.strictObject({ password: password.optional(), code: code.optional() }).meta({
  id: 'LinkRequest',
  description: 'The password, by one who has one; a code of the second factor, by one who has that.',
});

export const oidcStart = z
  .strictObject({ url: z.string().meta({ description: 'Where to send the browser.' }) })
  .meta({ id: 'OidcStart' });

export const tokens = z
  .strictObject({
    accessToken: z.string().meta({ description: 'A JWT for Authorization: Bearer.' }),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().meta({ description: 'Seconds that the access token is good for.', example: 1800 }),
    refreshToken: z.string().meta({ description: 'Good once: each refresh gives the next.' }),
    user,
  })
  .meta({ id: 'Tokens' });

export type RegisterRequest = z.output<typeof registerRequest>;

export const userList = z.strictObject({ users: z.array(user) }).meta({ id: 'UserList' });

export const newUserRequest = z
  .strictObject({ email: emailAddress, username, role })
  .meta({ id: 'NewUserRequest', example: { email: 'maria@example.com', username: 'maria', role: 'trader' } });

export type NewUserRequest = z.output<typeof newUserRequest>;

export const madeUser = z
  .strictObject({
    user,
    oneTimePassword: z.string().meta({
      description: 'Good until it is used to set another. Shown this once: give it to the user.',
      format: 'password',
    }),
  })
  .meta({ id: 'MadeUser' });

export const emailRequest = z.strictObject({ email: emailAddress, password }).meta({ id: 'EmailRequest' });

export type EmailRequest = z.output<typeof emailRequest>;

export const userChange = z
  .strictObject({ role: role.optional(), active: z.boolean().optional(), email: emailAddress.optional() })
  .refine((change) => Object.keys(change).length > 0, 'names nothing to change')
  .meta({ id: 'UserChange', example: { role: 'trader' } });

export type UserChange = z.output<typeof userChange>;
