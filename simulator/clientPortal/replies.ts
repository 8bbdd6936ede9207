// The broker's questions: an order waits for one answer after the other, only the newest order can wait, and any other request
// in between discards it. Called by app.ts and orders.ts.
import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import type { RequestHandler, Response } from 'express';
import type { Portal, Question } from './portal.js';
import { fieldsOf } from './portal.js';

const MOST_SUPPRESSED = 51;

/**
 * Asks the questions one by one and acts after the last yes; without a question at once. An order that still waits is
 * discarded.
 */
export function ask(
  { session }: Portal,
  response: Response,
  questions: readonly Question[],
  act: (response: Response) => void,
): void {
  const [question] = questions;
  session.pending = null;
  if (question === undefined) {
    act(response);
    return;
  }
  const id = randomUUID();
  session.pending = { id, questions, act };
  const { text, messageId } = question;
  response.json([
    { id, message: [text], isSuppressed: false, messageIds: [messageId], messageOptions: ['Yes', 'No'] },
  ]);
}

/** Stands before all routers. */
export const discardPending =
  ({ session }: Portal): RequestHandler =>
  (request, _response, next) => {
    if (!request.path.startsWith('/iserver/reply/')) session.pending = null;
    next();
  };

export function repliesRouter(portal: Portal): Router {
  const { session, faults } = portal;
  const router = Router();
  router.post('/iserver/reply/:reply', (request, response) => {
    const { reply } = request.params;
    const { pending } = session;
    if (pending?.id !== reply) {
      response.status(400).json({ error: `reply id not found: '${reply}'` });
      return;
    }
    session.pending = null;
    const { confirmed } = fieldsOf(request.body);
    if (typeof confirmed !== 'boolean') {
      response.status(400).json({ error: 'Bad Request: confirmed must be a boolean', statusCode: 400 });
      return;
    }
    const trouble = faults.take('reply-503', 'reply');
    if (trouble !== null) {
      // What would have been answered is thrown away; the order is taken all the same where the fault says so.
      const json = response.json.bind(response);
      const abort = (): Response => json({ error: 'request aborted', statusCode: 503 });
      if (trouble.accepted && confirmed) {
        response.json = () => abort();
        pending.act(response.status(503));
      } else {
        response.status(503);
        abort();
      }
      return;
    }
    if (confirmed) ask(portal, response, pending.questions.slice(1), pending.act);
    else response.json({ error: 'Order not confirmed ' });
  });
  router.post('/iserver/questions/suppress', (request, response) => {
    const { messageIds } = fieldsOf(request.body);
    const ids: readonly unknown[] = Array.isArray(messageIds) ? messageIds : [];
    if (ids.length === 0 || ids.length > MOST_SUPPRESSED || ids.some((id) => typeof id !== 'string')) {
      response.status(400).json({ error: 'Bad Request: messageIds must be 1 to 51 ids', statusCode: 400 });
      return;
    }
    for (const id of ids) session.suppressed.add(String(id));
    response.json({ status: 'submitted' });
  });
  router.post('/iserver/questions/suppress/reset', (_request, response) => {
    session.suppressed.clear();
    response.json({ status: 'submitted' });
  });
  return router;
}
