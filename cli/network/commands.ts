/** The bodies of `dream network init|up|status|down|add`. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Clock, toJson } from "#core";
import { CommandFailure, EXIT, type ExitCode } from "../exit.ts";
import { progressBar } from "../progress.ts";
import type { Certificate } from "./certificate.ts";
import { type Directory, holderOf } from "./directory.ts";
import { enrolServedMembers } from "./enrolment.ts";
import { readNetwork, runningPid } from "./folder.ts";
import { initNetwork } from "./init.ts";
import { joinMember, ownerOf, prepareMember } from "./late-member.ts";
import { parseMemberFile, parseMembersFile } from "./members-file.ts";
import { CONFIG_FILE } from "./node-config.ts";
import { readIdentity } from "./node-identity.ts";
import { clientOf } from "./operator-client.ts";
import { networkStatus, renderStatus } from "./status.ts";
import { startNodes, stopNodes } from "./supervisor.ts";
import { systemClock } from "./system-timers.ts";
import { operatorTls } from "./tls-files.ts";
import { type ConfigProblem, describeConfigProblems } from "./yaml-config.ts";

export type NetworkIo = {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** The script of the `dream` command, and what a node's process may know of this one's environment. */
  readonly program: string;
  readonly nodeEnv: Readonly<Record<string, string>>;
  readonly clock: Clock;
};

type Json = { readonly json?: boolean };

export async function init(
  folder: string,
  flags: Json & { readonly members: string; readonly force?: boolean; readonly tls?: boolean; readonly seed?: string },
  io: NetworkIo,
): Promise<void> {
  const members = parsed(flags.members, parseMembersFile);
  const made = await initNetwork({
    folder: resolve(folder),
    members,
    isForced: flags.force === true,
    hasTls: flags.tls === true,
    seed: flags.seed,
    nowMs: io.clock.nowMs(),
  });
  if (flags.seed !== undefined)
    io.stderr.write("The keys come from the seed: whoever knows it has them all. For rehearsals only.\n");
  const parties = made.map(({ certificate: { name, key, roles, address } }) => ({ name, key, roles, address }));
  const text =
    flags.json === true
      ? toJson({ folder: resolve(folder), networkId: members.network.id, parties }, 2)
      : `${members.network.id}: ${parties.length} nodes in ${folder}. Start them with: dream network up ${folder}`;
  io.stdout.write(`${text}\n`);
}

export async function up(
  folder: string,
  flags: Json & { readonly timeoutSeconds: number },
  io: NetworkIo,
): Promise<ExitCode> {
  const directory = readNetwork(folder);
  const { parties, networkId } = directory;
  const problems = await start(folder, parties, flags, io);
  const joined = problems.length === 0 ? await enrol(folder, directory, flags, io) : 0;
  if (flags.json === true) {
    const nodes = parties.map(({ name, address }) => ({
      name,
      address,
      pid: runningPid(resolve(folder), name) ?? null,
    }));
    io.stdout.write(`${toJson({ networkId, nodes, joined, problems }, 2)}\n`);
  } else if (problems.length === 0) {
    const joining = joined === 0 ? "" : ` ${joined} members joined under their aggregators.`;
    io.stdout.write(`${networkId}: ${parties.length} nodes are up.${joining}\n`);
  }
  for (const { name, problem } of problems) io.stderr.write(`dream: ${name}: ${problem}\n`);
  if (problems.length === 0) return EXIT.ok;
  return problems.some(({ isTimeout }) => !isTimeout) ? EXIT.error : EXIT.timedOut;
}

/** Members without nodes of their own join when the network is up. */
async function enrol(
  folder: string,
  directory: Directory,
  flags: Json & { readonly timeoutSeconds: number },
  { stderr }: NetworkIo,
): Promise<number> {
  const root = resolve(folder);
  const grid = holderOf(directory, "grid-authority");
  if (directory.served === undefined || grid === undefined) return 0;
  // By its clock, which a rehearsal may have set.
  const clock = systemClock(readIdentity(join(root, grid.name, CONFIG_FILE)).config.clock.offsetMs);
  const gridAuthority = clientOf(grid, { signer: ownerOf(root, grid.name), clock, tls: operatorTls(root) });
  const progress = progressBar(stderr, "members", flags.json === true);
  try {
    return await enrolServedMembers({
      folder: root,
      directory,
      gridAuthority,
      clock,
      timeoutMs: flags.timeoutSeconds * 1_000,
      onFault: (error) => stderr.write(`dream: ${error instanceof Error ? error.message : String(error)}\n`),
      onProgress: (done, total) => progress.update(done, total),
    });
  } finally {
    progress.stop();
    gridAuthority.close();
  }
}

async function start(
  folder: string,
  parties: readonly Certificate[],
  flags: Json & { readonly timeoutSeconds: number },
  io: NetworkIo,
): ReturnType<typeof startNodes> {
  const progress = progressBar(io.stderr, "nodes", flags.json === true);
  try {
    return await startNodes(parties, flags.timeoutSeconds * 1_000, {
      folder: resolve(folder),
      program: io.program,
      env: io.nodeEnv,
      onProgress: (done, total) => progress.update(done, total),
    });
  } finally {
    progress.stop();
  }
}

export async function status(folder: string, flags: Json, io: NetworkIo): Promise<ExitCode> {
  const report = await networkStatus(resolve(folder), readNetwork(folder), io.clock);
  io.stdout.write(flags.json === true ? `${toJson(report, 2)}\n` : renderStatus(report));
  return report.nodes.every(({ status: each }) => each !== null) ? EXIT.ok : EXIT.notRunning;
}

export async function down(
  folder: string,
  flags: Json & { readonly timeoutSeconds: number },
  io: NetworkIo,
): Promise<ExitCode> {
  const { parties, networkId } = readNetwork(folder);
  const progress = progressBar(io.stderr, "nodes", flags.json === true);
  const { stopped, killed } = await stopNodes(
    parties.map(({ name }) => name),
    flags.timeoutSeconds * 1_000,
    { folder: resolve(folder), onProgress: (done, total) => progress.update(done, total) },
  );
  progress.stop();
  io.stdout.write(
    flags.json === true
      ? `${toJson({ networkId, stopped, killed }, 2)}\n`
      : `${networkId}: ${stopped.length === 0 ? "no node was running" : `${stopped.length} nodes stopped`}.\n`,
  );
  for (const name of killed)
    io.stderr.write(`dream: ${name}: did not stop in time and was killed; it recovers at its next start\n`);
  return killed.length === 0 ? EXIT.ok : EXIT.timedOut;
}

export async function add(
  folder: string,
  flags: Json & { readonly member: string; readonly seed?: string; readonly timeoutSeconds: number },
  io: NetworkIo,
): Promise<ExitCode> {
  const member = parsed(flags.member, parseMemberFile);
  const root = resolve(folder);
  const directory = readNetwork(folder);
  const needed = directory.parties.filter(({ roles }) =>
    roles.some((role) => ["grid-authority", "payment-provider", "notary"].includes(role)),
  );
  const lacking = needed.filter(({ name }) => runningPid(root, name) === undefined).map(({ name }) => name);
  if (lacking.length > 0)
    throw new CommandFailure(
      EXIT.notRunning,
      `${folder}: ${lacking.join(", ")} must run to let a member join; start the network with 'dream network up ${folder}'`,
    );
  const options = { folder: root, directory, member, seed: flags.seed, nowMs: io.clock.nowMs() };
  const certificate = await prepareMember(options);
  const [problem] = await start(folder, [certificate], flags, io);
  if (problem !== undefined) throw new CommandFailure(EXIT.error, `${problem.name}: ${problem.problem}`);
  await joinMember(options, certificate, (party) =>
    clientOf(party, { signer: ownerOf(root, party.name), clock: io.clock, tls: operatorTls(root) }),
  );
  const { name, key, address } = certificate;
  io.stdout.write(
    flags.json === true
      ? `${toJson({ name, key, address }, 2)}\n`
      : `${name} joined ${directory.networkId} at ${address}.\n`,
  );
  return EXIT.ok;
}

function parsed<T>(
  file: string,
  parse: (
    file: string,
    text: string,
  ) => { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: readonly ConfigProblem[] },
): T {
  if (!existsSync(file))
    throw new CommandFailure(EXIT.notFound, `${file}: there is no such file; examples/network has one to start from`);
  const result = parse(file, readFileSync(file, "utf8"));
  if (!result.ok) throw new CommandFailure(EXIT.badInput, describeConfigProblems(result.error));
  return result.value;
}
