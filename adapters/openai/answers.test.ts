import { describe, expect, it } from 'vitest';
import {
  decisionAnswer,
  parseAnswer,
  readingAnswer,
  reviewAnswer,
  strictSchema,
  verdictAnswer,
} from './answers.js';

const reading = {
  ...{ trend: 'up', momentum: 'flat', volatility: 'low', support: [90], resistance: [] },
  ...{ signals: [], confidence: 50, invalidation: 'a', summary: 'b' },
};

describe('strictSchema', () => {
  it.each([readingAnswer, decisionAnswer, reviewAnswer, verdictAnswer])(
    'requires every key, adds none, and holds no keyword of limits',
    (schema) => {
      const visit = (node: unknown): void => {
        if (typeof node !== 'object' || node === null) return;
        const { type, properties, required, additionalProperties } = node as Record<string, unknown>;
        if (type === 'object') {
          expect(required).toEqual(Object.keys(properties as object));
          expect(additionalProperties).toBe(false);
        }
        Object.values(node).forEach(visit);
      };
      const made = strictSchema(schema);
      visit(made);
      expect(JSON.stringify(made)).not.toMatch(
        /"(maxLength|minimum|maximum|exclusiveMinimum|maxItems|\$schema|default)"/,
      );
    },
  );
});

describe('parseAnswer', () => {
  it('takes what fits, without hidden characters', () => {
    const text = JSON.stringify({ ...reading, summary: 'up\u202e\u0000!' });
    expect(parseAnswer(readingAnswer, text)).toMatchObject({ kind: 'ok', value: { summary: 'up!' } });
  });

  it.each([
    ['invalid_json', 'Sure! Here it is: {}'],
    ['invalid_json', JSON.stringify(reading).slice(0, -3)],
    ['invalid_json', '```json\n{}\n```'],
    ['schema_invalid', '{}'],
    ['schema_invalid', 'null'],
    ['schema_invalid', JSON.stringify({ ...reading, tool: 'place_order' })],
    ['schema_invalid', JSON.stringify({ ...reading, confidence: 101 })],
    ['schema_invalid', JSON.stringify({ ...reading, confidence: '50' })],
    ['schema_invalid', JSON.stringify({ ...reading, summary: 'x'.repeat(70_000) })],
    ['schema_invalid', JSON.stringify({ ...reading, support: [-1] })],
  ])('says %s, and what is wrong, of %j', (outcome, text) => {
    const parsed = parseAnswer(readingAnswer, text);
    expect(parsed).toMatchObject({ kind: 'bad', outcome });
    expect(parsed.kind === 'bad' && parsed.complaints.length).toBeGreaterThan(0);
  });
});
