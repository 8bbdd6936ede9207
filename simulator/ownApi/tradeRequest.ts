// What a trade request may hold. Numbers may be JSON numbers or decimal texts; what is not exact is refused, never rounded.
// Called by routes.ts and document.ts.
import { z } from 'zod';

const decimal = (whole: number, places: number) =>
  z
    .union([z.number(), z.string()])
    .transform(String)
    .pipe(
      z
        .string()
        .regex(
          new RegExp(`^\\d{1,${whole}}(\\.\\d{1,${places}})?$`),
          `must be a positive number of at most ${whole} digits and ${places} decimals`,
        )
        .refine((text) => Number(text) > 0, 'must be above zero'),
    );

export const tradeRequest = z.strictObject({
  ticker: z.string().regex(/^[A-Za-z0-9./-]{1,12}$/, 'must be a ticker such as AAPL'),
  action: z.enum(['buy', 'sell']),
  quantity: decimal(11, 4),
  price: decimal(11, 2),
});
