// JSON with every digit of its numbers. Called by what reads the gateway (adapters/ibkr) and by the simulator's own API.

/** A string of the JSON text, or a number that a double may not hold to the last digit. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d[\d.]{15,}(?:[eE][+-]?\d+)?/g;
const longNumber = /\d[\d.]{15}/;

/**
 * The body, or undefined when it is no JSON. A number of more than 15 characters arrives as the text of its digits, all
 * others as numbers, which hold so many digits exactly. The schemas take both.
 */
export function parseJson(text: string): unknown {
  try {
    if (!longNumber.test(text)) return JSON.parse(text) as unknown;
    // What is no JSON must stay none, whatever quoting would make of it.
    JSON.parse(text);
    return JSON.parse(
      text.replace(tokens, (token) => (token.startsWith('"') ? token : `"${token}"`)),
    ) as unknown;
  } catch {
    return undefined;
  }
}
