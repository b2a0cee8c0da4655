/** What a member asks with its own key: its data, and that what it has signed be made final, also by a node that is not its own. */
import { decodeSignedTransaction } from "#contracts";
import { API_PATHS, type CarryRequest, carryRequestSchema, exportAnswerSchema, receiptSchema } from "#ledger-api";
import { RequestRefused } from "./problems.ts";
import { answer, LEDGER_REFUSED, REFUSED, type RouteContext, SIGNED } from "./route.ts";

const CARRIED_BYTES_MAX = 4 * 1_048_576;
const tags = ["members"];
const security = SIGNED;

export function principalRoutes({ scope, authentication }: RouteContext): void {
  scope.post<{ Body: CarryRequest }>(
    API_PATHS.carried,
    {
      ...authentication.guard("carry", true),
      bodyLimit: CARRIED_BYTES_MAX,
      schema: {
        summary:
          "Makes final what a member has signed alone: a mandate, the end of one, or a move. For the member that signed.",
        description: "Any node takes it, so that a member need not rely on the aggregator that serves it.",
        tags,
        security,
        body: carryRequestSchema,
        response: { 200: receiptSchema, ...LEDGER_REFUSED },
      },
    },
    async (request, reply) => {
      const { transaction, proofs } = request.body;
      const decoded = decodeSignedTransaction(transaction);
      const isOwn = decoded.ok && decoded.value.transaction.content.signers.includes(authentication.keyOf(request));
      if (decoded.ok && !isOwn) throw new RequestRefused("request_forbidden");
      return answer(reply, await authentication.ledgerOf(request).node.carry(transaction, proofs));
    },
  );

  scope.get(
    API_PATHS.export,
    {
      ...authentication.guard("own", false),
      schema: {
        summary:
          "All that the node keeps of its party, as a file that another node can take over. For the party's own key.",
        tags,
        security,
        response: { 200: exportAnswerSchema, ...REFUSED },
      },
    },
    (request) => {
      const file = authentication.ledgerOf(request).node.exportFor(authentication.keyOf(request));
      if (!file.ok) throw new RequestRefused("request_forbidden");
      return { lines: file.value.trimEnd().split("\n") };
    },
  );
}
