/** The one typed way to nodes: in process now, over HTTP with the same interface. */
export { delegateClient, type DelegateOptions, type LedgerClient, ownerClient } from "./client.ts";
