// Runs in each test file before its tests: property tests try the same cases each time, so that a run says of the code that
// it is of and of nothing else. FAST_CHECK_SEED=<number> tries others; a failure names the seed that it was found with.
import fc from 'fast-check';

const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_128);
if (!Number.isSafeInteger(seed)) throw new Error('FAST_CHECK_SEED is no whole number');
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
