// What is left to the network between Keel and the gateway. Turns are counted where a request is sent, limits where it arrives.
// Used by slots.ts and sharedTurns.ts.

/**
 * By how much one request may be longer on its way than the next, milliseconds at IBKR's own limits: a connection that is made
 * anew, a packet that is sent twice. A gateway stands on the same machine or beside it; a tenth of the second is dear already,
 * because no request goes out in it.
 */
export const jitterMs = 100;
