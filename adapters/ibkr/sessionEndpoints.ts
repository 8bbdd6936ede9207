// What is asked of IBKR about the session itself; none of these wants a brokerage session. Used by session.ts, login.ts,
// socket/sessionId.ts and oauth/liveSession.ts.
export const statusEndpoint = { method: 'POST', path: '/iserver/auth/status' } as const;
/** Opens the brokerage session. */
export const initEndpoint = { method: 'POST', path: '/iserver/auth/ssodh/init' } as const;
export const tickleEndpoint = { method: 'POST', path: '/tickle', gate: 'tickle' } as const;
