// Types of setup.mjs for the tests, which are TypeScript.
export function ensureDependencies(): Promise<void>;
export function ensureBuild(): Promise<void>;
export function ensureTemporal(options?: {
  env?: NodeJS.ProcessEnv;
  evenWithAddress?: boolean;
}): Promise<string | null>;
export function ensureS3Server(
  env?: NodeJS.ProcessEnv,
): Promise<
  | null
  | { kind: 'running'; endpoint: string; accessKey: string; secretKey: string }
  | { kind: 'binary'; path: string }
>;
