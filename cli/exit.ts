/** Exit codes of every command, and an error that carries one. */
export const EXIT = { ok: 0, error: 1, notFound: 2, notRunning: 3, badInput: 4, timedOut: 5 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command: `message` says what, where and how to mend it. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
