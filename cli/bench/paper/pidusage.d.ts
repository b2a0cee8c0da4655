/** What is used of pidusage, which has no types of its own. */
declare module "pidusage" {
  /** Resident bytes, and milliseconds of a core since its begin, for each process that runs. Rejects when none does. */
  function pidusage(
    pids: number[],
  ): Promise<Record<string, { readonly memory: number; readonly ctime: number } | undefined>>;
  export = pidusage;
}
