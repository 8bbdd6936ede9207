// Takes the README's picture of a run in the Temporal Web UI. Look at it before you commit. With `npm start` running:
// node scripts/web-ui-picture.mjs "<the run's link>" [file]      needs Chromium: on PATH, or CHROMIUM_PATH
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { onPath } from './lib/executables.mjs';
import { runMain, say, SetupError } from './lib/say.mjs';

const deadlineMs = 60_000;
const flags = [
  ...['--headless', '--disable-gpu', '--no-first-run', '--disable-sync', '--disable-component-update'],
  ...['--disable-background-networking', '--remote-debugging-pipe', '--window-size=1400,1600'],
];

/** Commands and answers of the browser, JSON between zero bytes on its fourth and fifth file descriptor. */
const connect = (browser) => {
  const waiting = new Map();
  let text = '';
  browser.stdio[4].setEncoding('utf8').on('data', (piece) => {
    const messages = (text + piece).split('\0');
    text = messages.pop();
    for (const message of messages.map((each) => JSON.parse(each))) waiting.get(message.id)?.(message);
  });
  return (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      const id = waiting.size + 1;
      waiting.set(id, ({ error, result }) =>
        error === undefined ? resolve(result) : reject(new Error(`${method}: ${error.message}`)),
      );
      browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
};

/** Runs in the page: once the run's last step is drawn, opens the timeline to its full height and measures it. */
const prepare = async () => {
  const until = async (find) => {
    for (;;) {
      const found = find();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const isLastStep = (text) => text.textContent.includes('closeRun');
  const lastStep = () => [...document.querySelectorAll('svg text')].find(isLastStep);
  await until(lastStep);
  (await until(() => document.querySelector('[data-testid="expandAll"]'))).click();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const { top } = document.querySelector('h1').getBoundingClientRect();
  let chart = lastStep().closest('svg');
  while (chart.parentElement.closest('svg') !== null) chart = chart.parentElement.closest('svg');
  const { left, right, bottom } = chart.getBoundingClientRect();
  return { x: left - 20, y: top - 16, width: right - left + 40, height: bottom - top + 16, scale: 1 };
};

const takePicture = async (call, url) => {
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
  const source = `localStorage.setItem('eventFilterSort', '"ascending"')`;
  await call('Page.enable', {}, sessionId);
  await call('Page.addScriptToEvaluateOnNewDocument', { source }, sessionId);
  await call('Page.navigate', { url }, sessionId);
  const expression = `(${prepare.toString()})()`;
  const evaluate = { expression, awaitPromise: true, returnByValue: true };
  const { result } = await call('Runtime.evaluate', evaluate, sessionId);
  const shot = { clip: result.value, captureBeyondViewport: true };
  const { data } = await call('Page.captureScreenshot', shot, sessionId);
  return Buffer.from(data, 'base64');
};

await runMain(async () => {
  const [url, file = 'docs/images/run-temporal.png'] = process.argv.slice(2);
  const chromium = process.env.CHROMIUM_PATH ?? onPath('chromium');
  if (url === undefined) throw new SetupError('give the link of the run, as npm start prints it');
  if (chromium === null) throw new SetupError('no chromium on PATH: install it, or set CHROMIUM_PATH');
  const profile = await mkdtemp(path.join(tmpdir(), 'keel-browser-'));
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const args = [...flags, ...sandbox, `--user-data-dir=${profile}`];
  const browser = spawn(chromium, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const gone = new Promise((resolve) => browser.once('exit', resolve));
  const timer = setTimeout(() => browser.kill('SIGKILL'), deadlineMs);
  try {
    const failed = gone.then(() =>
      Promise.reject(new SetupError(`no picture: ${chromium} ended, or took 60 s`)),
    );
    const png = await Promise.race([takePicture(connect(browser), url), failed]);
    const { width, height, size } = await sharp(png).png({ palette: true, colours: 64 }).toFile(file);
    say(`✓ ${file}: ${width}×${height} pixels, ${size} bytes`);
    return 0;
  } finally {
    clearTimeout(timer);
    browser.kill();
    await gone;
    await rm(profile, { recursive: true, force: true });
  }
});
