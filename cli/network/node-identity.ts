/** Who a node is: its configuration, key, certificate and directory, each checked against the others before anything starts. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Signer } from "#core";
import { CommandFailure, EXIT } from "../exit.ts";
import { type Certificate, isCertificateValid, parseCertificate } from "./certificate.ts";
import { type Directory, parseDirectory } from "./directory.ts";
import { readKeyFile } from "./keys.ts";
import { type NodeConfig, parseNodeConfig, resolvePath } from "./node-config.ts";
import { describeConfigProblems } from "./yaml-config.ts";

export type NodeIdentity = {
  readonly config: NodeConfig;
  readonly folder: string;
  readonly signer: Signer;
  readonly certificate: Certificate;
  readonly directory: Directory;
  readonly directoryFile: string;
};

/** @throws CommandFailure that names the file, what is wrong and how to mend it; never a secret. */
export function readIdentity(configFile: string): NodeIdentity {
  const config = readConfig(configFile);
  const folder = dirname(resolve(configFile));
  const path = (named: string): string => resolvePath(folder, named);
  const key = readKeyFile(path(config.key));
  if (!key.ok) throw badInput(path(config.key), key.error.problem, key.error.mend);
  const certificate = readCertificate(path(config.certificate), config, key.value);
  const directoryFile = path(config.network.directory);
  return {
    config,
    folder,
    signer: key.value,
    certificate,
    directory: readDirectory(directoryFile, config),
    directoryFile,
  };
}

function readConfig(file: string): NodeConfig {
  if (!existsSync(file))
    throw new CommandFailure(EXIT.notFound, `${file}: there is no such file; give the config.yaml of a node`);
  const parsed = parseNodeConfig(file, readFileSync(file, "utf8"));
  if (!parsed.ok) throw new CommandFailure(EXIT.badInput, describeConfigProblems(parsed.error));
  return parsed.value;
}

function readCertificate(file: string, { name, network }: NodeConfig, { publicKey }: Signer): Certificate {
  const text = read(file, "the grid authority issues it");
  const parsed = parseCertificate(text);
  const mend = "use the certificate that the grid authority issued for this node";
  if (!parsed.ok) throw badInput(file, "is no certificate of membership", mend);
  const certificate = parsed.value;
  if (!isCertificateValid(certificate, network.gridAuthority))
    throw badInput(file, "was not signed by the grid authority of this network", mend);
  if (certificate.networkId !== network.id)
    throw badInput(file, `is for the network ${certificate.networkId}, not for ${network.id}`, mend);
  if (certificate.key !== publicKey) throw badInput(file, "is for another key than the node's", mend);
  if (certificate.name !== name) throw badInput(file, `is for ${certificate.name}, not for ${name}`, mend);
  return certificate;
}

function readDirectory(file: string, { network }: NodeConfig): Directory {
  const mend = "get a copy from another node of the network";
  const parsed = parseDirectory(read(file, mend), { networkId: network.id, gridAuthority: network.gridAuthority });
  if (parsed.ok) return parsed.value;
  const problems = {
    malformed: "is no directory of a network",
    foreign_network: `is of another network than ${network.id}`,
    signature_invalid: "was not signed by the grid authority as it is",
  };
  throw badInput(file, problems[parsed.error], mend);
}

function read(file: string, mend: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw badInput(file, `can't be read (${code})`, mend);
  }
}

function badInput(file: string, problem: string, mend: string): CommandFailure {
  return new CommandFailure(EXIT.badInput, `${file}: ${problem}; ${mend}`);
}
