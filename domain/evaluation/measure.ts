// From what an analyst said and what came of it to figures, with how sure they are. Called by cli/eval. Pure.
import type { Action } from '../decision/decision.js';
import type { Regime } from '../market/regime.js';
import { includes, rateOf, rounded, type Rate } from './wilson.js';

/** What was said at one decision; a failed call is no opinion and counts as none. */
export type Said =
  | {
      readonly kind: 'said';
      readonly action: Action;
      /** 0 to 1: as the model states it, or the size of the rules' score; null where nothing is stated. */
      readonly strength: number | null;
    }
  | { readonly kind: 'failed'; readonly code: string };

/** One decision and what came after. */
export interface Judged {
  readonly said: Said;
  readonly regime: Regime;
  /** From the next open to the close of the horizon, as a share; without costs. */
  readonly outcome: number;
}

export interface Figures {
  readonly decisions: number;
  readonly buys: number;
  readonly sells: number;
  readonly holds: number;
  readonly failed: Readonly<Record<string, number>>;
  /** Of buys and sells: whether the price went that way. A price that did not move is no hit. */
  readonly accuracy: Rate;
  readonly buyAccuracy: Rate;
  readonly sellAccuracy: Rate;
  /** What guessing with the same share of buys would hit: it knows which side is more common, and nothing else. */
  readonly chance: number | null;
  readonly includesChance: boolean | null;
  readonly includesHalf: boolean | null;
  /** Always saying "up" on the decisions with an opinion. */
  readonly alwaysUp: Rate;
  /** Share of buys among opinions less share of rises after them: above 0 leans to buy. */
  readonly bias: number | null;
  /** Accuracy of buys less that of sells. */
  readonly accuracyGap: number | null;
  /** Mean outcome of a decision, turned round for a sell and 0 for a hold; without costs. */
  readonly meanReturn: number | null;
}

const isOpinion = ({ said }: Judged): boolean => said.kind === 'said' && said.action !== 'hold';
const isAction = ({ said }: Judged, action: Action): boolean =>
  said.kind === 'said' && said.action === action;

/** 1 for a buy, -1 for a sell, 0 for a hold or a failed call. */
export const sideOf = (said: Said): number =>
  said.kind === 'failed' ? 0 : { buy: 1, sell: -1, hold: 0 }[said.action];

const isHit = (judged: Judged): boolean => sideOf(judged.said) * judged.outcome > 0;
const hitRate = (judged: readonly Judged[]): Rate => rateOf(judged.filter(isHit).length, judged.length);
const gap = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : rounded(a - b);

export function figuresOf(judged: readonly Judged[]): Figures {
  const opinions = judged.filter(isOpinion);
  const buys = judged.filter((each) => isAction(each, 'buy'));
  const sells = judged.filter((each) => isAction(each, 'sell'));
  const up = opinions.filter(({ outcome }) => outcome > 0).length;
  const down = opinions.filter(({ outcome }) => outcome < 0).length;
  const accuracy = hitRate(opinions);
  const count = opinions.length;
  const chance = count === 0 ? null : rounded((buys.length * up + sells.length * down) / (count * count));
  const failed: Record<string, number> = {};
  for (const { said } of judged) {
    if (said.kind === 'failed') failed[said.code] = (failed[said.code] ?? 0) + 1;
  }
  const total = judged.reduce((sum, each) => sum + sideOf(each.said) * each.outcome, 0);
  const buyAccuracy = hitRate(buys);
  const sellAccuracy = hitRate(sells);
  return {
    decisions: judged.length,
    buys: buys.length,
    sells: sells.length,
    holds: judged.filter((each) => isAction(each, 'hold')).length,
    failed,
    accuracy,
    buyAccuracy,
    sellAccuracy,
    chance,
    includesChance: chance === null ? null : includes(accuracy, chance),
    includesHalf: includes(accuracy, 0.5),
    alwaysUp: rateOf(up, count),
    bias: count === 0 ? null : rounded((buys.length - up) / count),
    accuracyGap: gap(buyAccuracy.share, sellAccuracy.share),
    meanReturn: judged.length === 0 ? null : rounded(total / judged.length),
  };
}

export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  /** Mean of what was stated in the bin; null of an empty one. */
  readonly stated: number | null;
  readonly observed: Rate;
}

export interface Calibration {
  readonly bins: readonly CalibrationBin[];
  /** Mean squared distance of the stated confidence from what came true (1 or 0); 0.25 is what "50 %" always gets. */
  readonly brier: number | null;
}

const binCount = 5;

/** Bins of equal width over what was stated with each opinion. */
export function calibrationOf(judged: readonly Judged[]): Calibration {
  const stated = judged
    .filter(isOpinion)
    .flatMap((each) =>
      each.said.kind === 'said' && each.said.strength !== null
        ? [{ strength: each.said.strength, hit: isHit(each) }]
        : [],
    );
  const bins = Array.from({ length: binCount }, (_, at) => {
    const inside = stated.filter(
      ({ strength }) => Math.min(binCount - 1, Math.floor(strength * binCount)) === at,
    );
    const sum = inside.reduce((total, { strength }) => total + strength, 0);
    return {
      from: rounded(at / binCount),
      to: rounded((at + 1) / binCount),
      stated: inside.length === 0 ? null : rounded(sum / inside.length),
      observed: rateOf(inside.filter(({ hit }) => hit).length, inside.length),
    };
  });
  const squared = stated.reduce((sum, { strength, hit }) => sum + (strength - (hit ? 1 : 0)) ** 2, 0);
  return { bins, brier: stated.length === 0 ? null : rounded(squared / stated.length) };
}

export interface Flips {
  /** Of opinions on the true chart, what was said of the mirrored one. */
  readonly flipped: Rate;
  readonly sameSide: Rate;
  readonly toHold: Rate;
  /** Of holds, how many stayed holds. */
  readonly holdsKept: Rate;
}

/** Who has no lean to a side flips with the chart. Pairs with a failed call are left out. */
export function flipsOf(pairs: readonly (readonly [Said, Said])[]): Flips {
  const asked = pairs.filter(([plain, turned]) => plain.kind === 'said' && turned.kind === 'said');
  const sides = asked.map(([plain, turned]) => [sideOf(plain), sideOf(turned)] as const);
  const opinions = sides.filter(([plain]) => plain !== 0);
  const holds = sides.filter(([plain]) => plain === 0);
  const of = (list: typeof sides, holdsFor: (plain: number, turned: number) => boolean): Rate =>
    rateOf(list.filter(([plain, turned]) => holdsFor(plain, turned)).length, list.length);
  return {
    flipped: of(opinions, (plain, turned) => turned === -plain),
    sameSide: of(opinions, (plain, turned) => turned === plain),
    toHold: of(opinions, (_plain, turned) => turned === 0),
    holdsKept: of(holds, (_plain, turned) => turned === 0),
  };
}

/** How often all answers to one question name one action. A question with a failed answer is left out. */
export function agreementOf(questions: readonly (readonly Said[])[]): Rate {
  const whole = questions.filter(
    (answers) => answers.length > 1 && answers.every(({ kind }) => kind === 'said'),
  );
  const agreed = whole.filter((answers) => new Set(answers.map(sideOf)).size === 1);
  return rateOf(agreed.length, whole.length);
}
