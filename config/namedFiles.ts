// The files that settings name: each can be read, and holds what it should, before a process that needs it is started.
// Called by load.ts, for those who are about to read them.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getPath, type Tree } from './layers.js';
import type { Problem } from './problems.js';
import { variableOf } from './variables.js';

const oauthFiles = [
  'broker.oauth.signatureKeyFile',
  'broker.oauth.encryptionKeyFile',
  'broker.oauth.dhParamFile',
];

/** Paths of the settings; a file that is relative is one of the working directory. */
export const settingsOfFiles: readonly string[] = [
  'broker.caFile',
  ...oauthFiles,
  'temporal.tlsCaFile',
  'temporal.tlsCertFile',
  'temporal.tlsKeyFile',
];

/** @param isRead whether the files of a section are looked at. Nothing of what they hold is told. */
export const fileProblems = (tree: Tree, isRead: (section: string) => boolean): Problem[] =>
  settingsOfFiles.filter((path) => isRead(path.replace(/\..*/, ''))).flatMap((path) => problemOf(path, tree));

function problemOf(path: string, tree: Tree): Problem[] {
  const file = getPath(tree, path.split('.'));
  if (typeof file !== 'string' || file === '') return [];
  // A gateway needs none of them, and nobody reads them then.
  if (oauthFiles.includes(path) && getPath(tree, ['broker', 'connection']) !== 'oauth') return [];
  const variable = variableOf(path) ?? path;
  const refuse = (problem: string, fix: string): Problem[] => [
    { path, given: JSON.stringify(file), from: variable, problem, fix },
  ];
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    return refuse(`can not be read (${code})`, `correct ${variable}, or the file's rights`);
  }
  if (path !== 'broker.caFile' || holdsCertificate(text)) return [];
  const fix = `name the PEM file of the gateway's certificate in ${variable}; keel ibkr trust writes one`;
  return refuse('holds no certificate in PEM', fix);
}

function holdsCertificate(text: string): boolean {
  // Two older names of the same, which OpenSSL takes as well.
  if (/-----BEGIN (X509|TRUSTED) CERTIFICATE-----/.test(text)) return true;
  if (!text.includes('-----BEGIN CERTIFICATE-----')) return false;
  try {
    return new X509Certificate(text).fingerprint256 !== '';
  } catch {
    return false;
  }
}
