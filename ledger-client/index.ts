/** The one typed way to nodes: in process now, over HTTP with the same interface. */
export { type DelegateOptions, delegateClient, type LedgerClient, ownerClient } from "./client.ts";
