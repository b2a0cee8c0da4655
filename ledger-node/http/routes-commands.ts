/** Commands: an owner's, which the node signs, and a delegate's, which are proposed, then approved by the delegate's signature. */
import type { FastifyRequest } from "fastify";
import type { ClientCommand, NodeEndpoint } from "#contracts";
import type { PublicKey } from "#core";
import {
  API_PATHS,
  type Approval,
  approvalSchema,
  clientCommandSchema,
  emptySchema,
  type ProposalParameters,
  type ProposalRequest,
  proposalParametersSchema,
  proposalRequestSchema,
  proposedSchema,
  receiptSchema,
} from "#ledger-api";
import { RequestRefused } from "./problems.ts";
import { answer, LEDGER_REFUSED, REFUSED, type RouteContext, SIGNED } from "./route.ts";

/** A clearing of all the trades that a transaction holds. */
const COMMAND_BYTES_MAX = 4 * 1_048_576;
/** A node keeps fewer proposals than this, and each for minutes only. */
const PROPOSERS_MAX = 2_000;
const tags = ["commands"];
const security = SIGNED;

export function commandRoutes({ scope, authentication }: RouteContext): void {
  const proposers = new Map<string, PublicKey>();
  const mayActOn = (request: FastifyRequest, proposalId: string): void => {
    const key = authentication.keyOf(request);
    const proposer = proposers.get(proposalId);
    if (proposer !== undefined && proposer !== key && !authentication.partyOf(request).access.isOwner(key))
      throw new RequestRefused("request_forbidden");
  };
  const nodeOf = (request: FastifyRequest): NodeEndpoint => authentication.ledgerOf(request).node;

  scope.post<{ Body: ClientCommand }>(
    API_PATHS.commands,
    {
      ...authentication.guard("own", true),
      bodyLimit: COMMAND_BYTES_MAX,
      schema: {
        summary: "Carries out a command that the node signs with its party's key. For owners.",
        description:
          "A repeat of a command that was carried out answers `exists`, so an answer that was lost is asked for again.",
        tags,
        security,
        body: clientCommandSchema,
        response: { 200: receiptSchema, ...LEDGER_REFUSED },
      },
    },
    async (request, reply) => answer(reply, await nodeOf(request).submit(request.body)),
  );

  scope.post<{ Body: ProposalRequest }>(
    API_PATHS.proposals,
    {
      ...authentication.guard("act", true),
      bodyLimit: COMMAND_BYTES_MAX,
      schema: {
        summary: "Builds the transaction of a command for a delegate to sign. For the delegate, and for owners.",
        description: "Answers the transaction, or the receipt of a command that was carried out before.",
        tags,
        security,
        body: proposalRequestSchema,
        response: { 200: proposedSchema, ...LEDGER_REFUSED },
      },
    },
    async (request, reply) => {
      const { command, delegate } = request.body;
      const key = authentication.keyOf(request);
      const { access } = authentication.partyOf(request);
      if (delegate !== key && !access.isOwner(key)) throw new RequestRefused("request_forbidden");
      const proposed = await nodeOf(request).propose(command, delegate);
      if (proposed.ok && "proposalId" in proposed.value) remember(proposers, proposed.value.proposalId, delegate);
      return answer(reply, proposed);
    },
  );

  scope.post<{ Body: Approval; Params: ProposalParameters }>(
    API_PATHS.approval,
    {
      ...authentication.guard("act", true),
      schema: {
        summary: "Carries out a proposal with the delegate's signature over its transaction.",
        tags,
        security,
        params: proposalParametersSchema,
        body: approvalSchema,
        response: { 200: receiptSchema, ...LEDGER_REFUSED },
      },
    },
    async (request, reply) => {
      const { proposalId } = request.params;
      mayActOn(request, proposalId);
      return answer(reply, await nodeOf(request).approve(proposalId, request.body.signature));
    },
  );

  scope.delete<{ Params: ProposalParameters }>(
    API_PATHS.proposal,
    {
      ...authentication.guard("act", true),
      schema: {
        summary: "Drops a proposal and frees what it had reserved; one that is gone is dropped already.",
        tags,
        security,
        params: proposalParametersSchema,
        response: { 200: emptySchema, ...REFUSED },
      },
    },
    async (request) => {
      mayActOn(request, request.params.proposalId);
      await nodeOf(request).withdraw(request.params.proposalId);
      return {};
    },
  );
}

/** The oldest are forgotten: they were decided long ago. */
function remember(proposers: Map<string, PublicKey>, proposalId: string, delegate: PublicKey): void {
  const [oldest] = proposers.keys();
  if (proposers.size >= PROPOSERS_MAX && oldest !== undefined) proposers.delete(oldest);
  proposers.set(proposalId, delegate);
}
