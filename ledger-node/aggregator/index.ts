/** An aggregator's node and the members that it serves. */

export { enrolmentOf, type HostTerms, type MemberToServe } from "./enrolment.ts";
export { AggregatorHost, type HostOptions } from "./host.ts";
export { consentOf, type Newcomer } from "./newcomer.ts";
export { type ServedByLedger, serveByLedger } from "./served-members.ts";
