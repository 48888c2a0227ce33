/** What PawlError('SetupFailed') is to the rest of Pawl, for the code that runs before TypeScript can. */
export class SetupError extends Error {
  type = 'SetupFailed';
  exitCode = 12;
  /** @param {string} message @param {string} hint */
  constructor(message, hint) {
    super(message);
    this.name = 'SetupError';
    this.hint = hint;
  }
}
