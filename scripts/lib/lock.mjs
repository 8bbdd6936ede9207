// One process at a time, across processes: used around npm ci, the build and the building of servers.
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say, SetupError } from './say.mjs';

/** When the process began, in ticks since boot: tells it from a later one with the same pid. Empty where unknown. */
const startTime = async (pid) => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
};

const isAlive = async (owner) => {
  const [pid, started] = owner.split(' ');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  const now = await startTime(pid);
  return started === '' || now === '' || now === started;
};

const read = (file) => readFile(file, 'utf8').catch(() => null);

/** Moves a dead owner's lock away; puts it back when a living one took it in between. */
const takeAway = async (file, owner, own) => {
  const aside = `${own}.stale`;
  await rename(file, aside).catch(() => undefined);
  const moved = await read(aside);
  if (moved !== null && moved !== owner) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
};

/** Makes the folder and the first file in it. @throws SetupError where that may not be */
const begin = async (file, purpose, write) => {
  const folder = path.dirname(file);
  try {
    await mkdir(folder, { recursive: true });
    await write();
  } catch (error) {
    throw new SetupError(
      `${folder} cannot be written (${error.code ?? error.message}), and ${purpose} needs it: make it writable. The cache of built servers moves with XDG_CACHE_HOME.`,
    );
  }
};

let counter = 0;

/**
 * @template T
 * @param {string} file the lock; its folder is made
 * @param {string} purpose what a waiting process says it waits for
 * @param {() => Promise<T>} work
 * @param {number} [waitMs] how long to wait for another owner at most
 * @returns {Promise<T>}
 */
export const withLock = async (file, purpose, work, waitMs = 30 * 60_000) => {
  const me = `${process.pid} ${await startTime(process.pid)} ${(counter += 1)}`;
  const own = `${file}.${process.pid}.${counter}`;
  const deadline = performance.now() + waitMs;
  let told = false;
  await begin(file, purpose, () => writeFile(own, me));
  try {
    // A hard link appears at once and with its content: nobody ever sees a lock without an owner.
    for (;;) {
      const taken = await link(own, file).then(
        () => true,
        (error) => {
          if (error.code !== 'EEXIST') throw error;
          return false;
        },
      );
      if (taken) break;
      const owner = await read(file);
      if (owner !== null && !(await isAlive(owner))) {
        await takeAway(file, owner, own);
        continue;
      }
      if (performance.now() > deadline) {
        throw new SetupError(
          `waited ${Math.round(waitMs / 60_000)} minutes for process ${owner?.split(' ')[0]} (${purpose}). End it, or delete ${file}.`,
        );
      }
      if (!told) say(`· waiting for process ${owner?.split(' ')[0] ?? '?'}: ${purpose}`);
      told = true;
      await sleep(200);
    }
    try {
      return await work();
    } finally {
      if ((await read(file)) === me) await rm(file, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
};
