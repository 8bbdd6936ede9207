// Draws one chart in the thread that calls it: indicators, Chart.js, PNG. Called by renderThread.ts, by `keel chart`
// and by unit tests; a server uses createChartRenderer, which keeps the work off its main thread.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
import sharp from 'sharp';
import { computeIndicators } from '../../domain/indicators/compute.js';
import type { IndicatorSet } from '../../domain/indicators/types.js';
import { toColumns } from '../../domain/market/columns.js';
import { KeelError } from '../../ports/errors.js';
import type { ChartRequest, RenderedChart } from '../../ports/chartRenderer.js';
import { configurationOf } from './configuration.js';
import { pictureOf } from './picture.js';
import { checkRequest } from './request.js';
import { fontFamily, size } from './theme.js';

export type Render = (request: ChartRequest) => Promise<RenderedChart>;

/** Copied beside the compiled file by the build. */
function fontFile(): string {
  const file = fileURLToPath(new URL('./fonts/Roboto-Regular.ttf', import.meta.url));
  if (!existsSync(file))
    throw new KeelError(
      'CHART_FONT_MISSING',
      `The chart font ${file} is missing: restore it and build again.`,
    );
  return file;
}

/** Indicators of every bar given, so that those of the drawn bars are warmed up. */
function indicatorsOf(request: ChartRequest): IndicatorSet {
  try {
    return computeIndicators(toColumns(request.bars), request.indicators);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const { symbol, timeframe } = request;
    const message = `No chart of ${symbol} (${timeframe}): an indicator parameter is wrong: ${error.message}.`;
    throw new KeelError('CHART_INPUT', message, { facts: { symbol, timeframe }, cause: error });
  }
}

/** Drops the fourth byte of each pixel; four times cheaper than to let sharp remove the channel. */
function withoutAlpha(rgba: Uint8Array): Uint8Array {
  const rgb = Buffer.allocUnsafe((rgba.byteLength / 4) * 3);
  const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.byteLength / 4);
  let at = 0;
  for (const pixel of pixels) {
    rgb[at] = pixel & 255;
    rgb[at + 1] = (pixel >>> 8) & 255;
    rgb[at + 2] = (pixel >>> 16) & 255;
    at += 3;
  }
  return rgb;
}

/**
 * @returns a function that draws 1200×900 PNGs, one after the other. The same request gives the same bytes on the
 * same machine. It throws KeelError CHART_INPUT (final) for bars that can not be drawn truthfully.
 */
export function createRender(): Render {
  const canvas = new ChartJSNodeCanvas({ ...size });
  canvas.registerFont(fontFile(), { family: fontFamily });
  sharp.cache(false);
  return async (request) => {
    checkRequest(request);
    const picture = pictureOf(request, indicatorsOf(request));
    // 'raw' is known to the canvas and unknown to the types: RGBA, 8 bits each, without the detour of a PNG.
    const rgb = withoutAlpha(canvas.renderToBufferSync(configurationOf(picture), 'raw' as 'image/png'));
    const png = await sharp(rgb, { raw: { ...size, channels: 3 } })
      .png({ compressionLevel: 3, adaptiveFiltering: false, palette: false })
      .toBuffer();
    return { png, ...size };
  };
}
