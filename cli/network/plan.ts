/** Which processes a network has: the members, and one for each role that nobody holds and a network needs. */
import { createServer } from "node:net";
import type { Role } from "#contracts";
import { invariant } from "#core";
import { type MemberEntry, type MembersFile, SHARED_ROLES, SINGLE_ROLES, USUAL_MEMBER } from "./members-file.ts";

export type PlannedParty = MemberEntry & { readonly host: string; readonly port: number };

/** The grid authority and the power company pay and are paid in settlements. */
const FUNDED: readonly Role[] = ["grid-authority", "power-company"];

/** The processes, infrastructure first. A grid authority that nobody is reads the meters too; who is served has none. */
export function partiesOf({ members }: MembersFile): readonly MemberEntry[] {
  const held = new Set(members.flatMap(({ roles }) => roles));
  const made = [...SINGLE_ROLES, ...SHARED_ROLES]
    .filter((role) => !held.has(role))
    .map(
      (role): MemberEntry => ({
        ...USUAL_MEMBER,
        name: role,
        roles: role === "grid-authority" && !held.has("meter-operator") ? [role, "meter-operator"] : [role],
        openingFundsMicros: FUNDED.includes(role) ? USUAL_MEMBER.openingFundsMicros : 0n,
      }),
    );
  return [...made, ...members.filter(({ servedBy }) => servedBy === undefined)];
}

/** Where members that are served sign when they join: at a port that no process has. */
export async function deskAddress(
  parties: readonly PlannedParty[],
  { host, basePort }: MembersFile["network"],
): Promise<{ readonly host: string; readonly port: number }> {
  const taken = new Set(parties.map(({ port }) => port));
  const [port] = basePort === undefined ? await freePorts(1, taken, host) : portsFrom(basePort, 1, taken);
  invariant(port !== undefined, "there is a port for the desk");
  return { host, port };
}

/** Gives each process its address: its own port, the next one from the base port, or one that is free now. */
export async function withAddresses(
  parties: readonly MemberEntry[],
  { host, basePort }: MembersFile["network"],
): Promise<readonly PlannedParty[]> {
  const taken = new Set(parties.flatMap(({ port }) => port ?? []));
  const lacking = parties.filter(({ port }) => port === undefined).length;
  const ports = basePort === undefined ? await freePorts(lacking, taken, host) : portsFrom(basePort, lacking, taken);
  return parties.map((party) => {
    const port = party.port ?? ports.shift();
    invariant(port !== undefined, "there is a port for each process");
    return { ...party, host: party.host ?? host, port };
  });
}

function portsFrom(basePort: number, count: number, taken: ReadonlySet<number>): number[] {
  const ports: number[] = [];
  for (let port = basePort; ports.length < count; port++) if (!taken.has(port)) ports.push(port);
  return ports;
}

/** Ports that nobody listens on now. All are held open until the last is found, so that none comes twice. */
export async function freePorts(count: number, taken: ReadonlySet<number>, host: string): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count + taken.size }, () => listenAnywhere(host)));
  const ports = servers.flatMap((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null && !taken.has(address.port) ? [address.port] : [];
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports.slice(0, count);
}

function listenAnywhere(host: string): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, host, () => resolve(server));
  });
}
