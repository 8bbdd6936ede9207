// One question to a model, independent of the API that carries it, and the key under which its answer is found again.
import { createHash } from 'node:crypto';
import type { PictureRef } from '../../contracts/wire/object.js';
import type { JsonSchema } from './answers.js';
import type { ModelProfile } from './profile.js';

/** A committed template. */
export interface Prompt {
  /** File name without extension, such as `daily-1`. */
  readonly name: string;
  readonly sha256: string;
  readonly text: string;
}

export interface Picture {
  /** Such as `daily chart`. */
  readonly label: string;
  readonly object: PictureRef;
  /** The data URL, encoded once a question however often it is sent. */
  readonly dataUrl: () => Promise<string>;
}

export interface ModelRequest {
  readonly purpose: string;
  readonly prompts: readonly Prompt[];
  readonly text: string;
  /** Of the data in the text. */
  readonly inputSha256: string;
  readonly pictures: readonly Picture[];
  readonly schemaName: string;
  readonly schema: JsonSchema;
  /** The picture was left out because the model takes none. */
  readonly numbersOnly: boolean;
  /** The answer to mend and what is wrong with it, in the one repair turn. */
  readonly repair: { readonly answer: string; readonly complaints: string } | null;
}

export const instructionsOf = (request: ModelRequest): string =>
  request.prompts.map(({ text }) => text.trim()).join('\n\n');

const numbersOnlyNote =
  '\n\nYou are given numbers only: this model takes no pictures. Read the table and the levels.';

/** The same question for a model that takes no pictures. */
export const withoutPictures = (request: ModelRequest): ModelRequest => ({
  ...request,
  text: request.text + numbersOnlyNote,
  pictures: [],
  numbersOnly: true,
});

export const parametersOf = (profile: ModelProfile) => ({
  maxOutputTokens: profile.maxOutputTokens,
  pictureDetail: profile.pictureDetail,
  strict: true,
});

/** The whole question without the bytes of the pictures: stored, and hashed to the content key. */
export const canonical = (profile: ModelProfile, request: ModelRequest) => ({
  format: 1,
  api: profile.api,
  baseUrl: profile.baseUrl,
  model: profile.model,
  parameters: parametersOf(profile),
  purpose: request.purpose,
  prompts: request.prompts.map(({ name, sha256 }) => ({ name, sha256 })),
  instructions: instructionsOf(request),
  text: request.text,
  pictures: request.pictures.map(({ label, object }) => ({ label, sha256: object.sha256 })),
  schemaName: request.schemaName,
  schema: request.schema,
  repair: request.repair,
});

export const sha256Of = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

export const contentKey = (profile: ModelProfile, request: ModelRequest): string =>
  sha256Of(JSON.stringify(canonical(profile, request)));
