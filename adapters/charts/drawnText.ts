// Draws text with the font of the charts and looks at the pixels, so that a missing or broken font is found before a
// chart shows boxes. Called by `keel doctor`.
import { fileURLToPath } from 'node:url';
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
import type { Pen } from './types.js';

const family = 'Keel Doctor';
const area = { width: 64, height: 48 } as const;
const samples = ['A', 'B', '0', '8', 'i', 'W'] as const;

/** Copied beside the compiled file by the build. */
export const chartFont = (): string => fileURLToPath(new URL('./fonts/Roboto-Regular.ttf', import.meta.url));

/**
 * @returns null when every sample has pixels of its own, else what is wrong
 * @throws Error when the canvas itself fails
 */
export function problemOfFont(fontFile: string): string | null {
  const canvas = new ChartJSNodeCanvas({ ...area });
  canvas.registerFont(fontFile, { family });
  const pictures = samples.map((text) => pixelsOf(canvas, text));
  const empty = samples.filter((_text, index) => !pictures[index]?.some((byte) => byte !== 0));
  if (empty.length > 0) return `${empty.join(', ')} left no pixel`;
  const different = new Set(pictures.map((picture) => picture.toString('base64')));
  return different.size === samples.length ? null : 'different letters gave the same picture';
}

/** RGBA, 8 bits each. */
function pixelsOf(canvas: ChartJSNodeCanvas, text: string): Buffer {
  return canvas.renderToBufferSync(
    {
      type: 'bar',
      data: { labels: [], datasets: [] },
      options: { animation: false, scales: { x: { display: false }, y: { display: false } } },
      plugins: [
        {
          id: 'text',
          afterDraw: (chart: { ctx: unknown }) => {
            const pen = chart.ctx as Pen;
            // Without another family behind it: a font of the machine must not stand in for ours.
            pen.font = `32px "${family}"`;
            pen.fillStyle = '#000000';
            pen.fillText(text, 8, 36);
          },
        },
      ],
    },
    // Known to the canvas and unknown to the types.
    'raw' as 'image/png',
  );
}
