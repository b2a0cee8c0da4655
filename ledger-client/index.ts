/** The one typed way to nodes: in process, and over HTTP with the same interface. */
export { type DelegateOptions, delegateClient, type LedgerClient, ownerClient, principalClient } from "./client.ts";
export { EndpointError, fetchStatus, type HttpEndpoint, httpEndpoint } from "./http-endpoint.ts";
export { type HttpMarketplaceFeed, httpMarketplaceFeed } from "./http-marketplace-feed.ts";
export type { HttpClientOptions, HttpProblem } from "./http-requests.ts";
export {
  type Carrier,
  carryBy,
  type PrincipalCommand,
  type SignedElsewhere,
  type SigningOptions,
  signElsewhere,
} from "./principal.ts";
