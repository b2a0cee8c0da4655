/** `dream node`: one process of a network. Serves peers and clients on one port until it is told to stop. */
import { rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Logger } from "pino";
import type { Clock } from "#core";
import { CommandFailure, EXIT } from "../exit.ts";
import { type Duties, takeUpDuties } from "./duties.ts";
import { PID_FILE, runningPid, writeWhole } from "./folder.ts";
import { LiveDirectory } from "./live-directory.ts";
import { marketplaceOf } from "./marketplace-duty.ts";
import { resolvePath } from "./node-config.ts";
import { type NodeIdentity, readIdentity } from "./node-identity.ts";
import { openNodeLog } from "./node-log.ts";
import { type NodeServer, openServer } from "./node-server.ts";
import { openParty, type Party } from "./party.ts";
import { SystemTimers, systemClock } from "./system-timers.ts";
import { readTls } from "./tls.ts";
import { openPeers } from "./transport.ts";

export type NodeIo = {
  /** Resolves when the process is asked to stop. */
  readonly stopped: Promise<unknown>;
};

/** Runs a node until it is told to stop. @throws CommandFailure when it can't start. */
export async function runNode(configFile: string, { stopped }: NodeIo): Promise<void> {
  const identity = readIdentity(configFile);
  const releasePid = claimPid(identity.folder);
  const log = openNodeLog(
    resolvePath(identity.folder, identity.config.log.file),
    identity.config.log.level,
    identity.config.name,
  );
  try {
    const node = await startNode(identity, log.logger);
    log.logger.info({ address: identity.certificate.address, roles: identity.certificate.roles }, "up");
    await stopped;
    log.logger.info("stopping");
    await node.stop();
    log.logger.info("down");
  } catch (error) {
    log.logger.fatal({ error: textOf(error) }, "failed");
    throw error;
  } finally {
    log.close();
    releasePid();
  }
}

/** Two processes on one store would each think that they are the node. */
function claimPid(folder: string): () => void {
  const running = runningPid(dirname(folder), basename(folder));
  if (running !== undefined && running !== process.pid)
    throw new CommandFailure(
      EXIT.error,
      `${folder}: this node runs already, as process ${running}; stop that one first`,
    );
  const file = join(folder, PID_FILE);
  writeWhole(file, `${process.pid}\n`);
  return () => rmSync(file, { force: true });
}

type RunningNode = { readonly stop: () => Promise<void> };

/** Opens the stores, serves, and takes up the duties: in this order, so that who asks back while a flow runs is answered. */
async function startNode(identity: NodeIdentity, logger: Logger): Promise<RunningNode> {
  const { config, certificate } = identity;
  const clock = systemClock(config.clock.offsetMs);
  const timers = new SystemTimers(clock, (source, error) =>
    logger.error({ source, error: textOf(error) }, "task failed"),
  );
  const directory = liveDirectory(identity, clock, logger);
  const opened: { party?: Party } = {};
  const peers = openPeers(identity, directory, clock, (member) => opened.party?.aggregatorOf(member));
  const stopping = new AbortController();
  const party = await openParty(identity, { transport: peers.transport, clock, logger });
  opened.party = party;
  const node = party.ledger?.node;
  const marketplace = node === undefined ? undefined : marketplaceOf(node, config, clock);
  const running: { duties?: Duties; server?: NodeServer } = {};
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running.server?.close();
    await timers.stop();
    await running.duties?.stop();
    peers.transport.close();
    await party.close();
  };
  try {
    running.server = await openServer({ identity, party, peers, directory, clock, logger, marketplace });
    party.start(stopping.signal);
    if (party.ledger !== undefined)
      running.duties = await takeUpDuties({
        ...party.ledger,
        marketplace,
        roles: certificate.roles,
        config,
        folder: identity.folder,
        clock,
        timers,
        logger,
      });
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

function liveDirectory(identity: NodeIdentity, clock: Clock, logger: Logger): LiveDirectory {
  const { config, signer, directory, directoryFile } = identity;
  return new LiveDirectory({
    file: resolve(directoryFile),
    networkId: config.network.id,
    gridAuthority: config.network.gridAuthority,
    own: signer.publicKey,
    first: directory,
    nowMs: () => clock.nowMs(),
    tls: readTls(identity),
    report: (problem) => logger.warn({ problem }, "directory"),
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
