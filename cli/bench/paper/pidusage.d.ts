/** What is used of pidusage, which has no types of its own. */
declare module "pidusage" {
  /** Resident memory of each process in bytes. Rejects when one of them has ended. */
  function pidusage(pids: number[]): Promise<Record<string, { readonly memory: number }>>;
  export = pidusage;
}
