// Input that can not be used, with every field at fault. Thrown by services and routes, mapped by api/errors.ts.
import type { FieldProblem } from '../../contracts/http/problem.js';
import { KeelError } from '../../ports/errors.js';

export class InvalidInputError extends KeelError {
  readonly problems: readonly FieldProblem[];

  constructor(problems: readonly FieldProblem[], code = 'INVALID_INPUT') {
    const count = problems.length === 1 ? '1 field' : `${problems.length} fields`;
    super(
      code,
      `The request was refused because of ${count}; correct what "errors" names and send it again.`,
    );
    this.name = 'InvalidInputError';
    this.problems = problems;
  }
}
