// Draws the golden picture of the chart's tests anew, and the example of the README. Look at both before you commit.
// Run after a build: node dist/scripts/chart-golden.js
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createRender } from '../adapters/charts/render.js';
import { aapl, requestOf } from '../adapters/charts/testing/samples.js';

const render = createRender();
const pictures: readonly (readonly [string, string])[] = [
  ['adapters/charts/goldens/aapl-daily.png', 'test'],
  ['docs/images/chart-aapl-daily.png', 'simulator'],
];
for (const [file, source] of pictures) {
  await mkdir(path.dirname(file), { recursive: true });
  const { png } = await render(requestOf(aapl(), { source }));
  await writeFile(file, png);
  process.stdout.write(`${file}: ${png.byteLength} bytes\n`);
}
