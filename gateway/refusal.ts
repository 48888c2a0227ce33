import { type FailureType, PawlError } from '../contracts/failures.ts';

/** A request that is not answered, where HTTP has a word for it that the catalogue of failures has not. */
export class HttpRefusal extends PawlError {
  readonly status: number;
  constructor(status: number, type: FailureType, message: string, hint: string) {
    super(type, message, { hint });
    this.status = status;
  }
}
