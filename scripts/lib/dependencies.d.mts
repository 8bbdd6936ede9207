// Types of dependencies.mjs for its test.
export function checkNode(version?: string): void;
export function isInstalled(lockText: string, recordText: string): boolean;
