// Liveness of the API process.
import { z } from 'zod';
import { mode } from './fields.js';

export const health = z
  .strictObject({ status: z.literal('ok'), mode, version: z.string().meta({ example: '0.1.0' }) })
  .meta({ id: 'Health', description: 'The process answers. It says nothing of PostgreSQL or Temporal.' });
