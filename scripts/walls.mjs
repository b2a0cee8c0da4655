/**
 * Who may import whom: the table of rooms, and the rules for dependency-cruiser that are made from it.
 * A new folder or a new arrow is one line in `ROOMS`; nothing else in the repository repeats the table.
 */

/**
 * One folder with one door, `index.ts`.
 * @typedef {object} Room
 * @property {readonly string[]} imports - Rooms that its code may import, each by its door.
 * @property {boolean} [io] - Whether it may touch files, the network and other processes (default: no).
 * @property {boolean} [ambient] - Whether it may read `process` (default: no).
 */

/** Everything that a backtest puts together. */
const SERVICES = [
  "core",
  "contracts",
  "ledger-api",
  "marketplace",
  "ledger-node",
  "ledger-client",
  "forecast",
  "strategies",
  "agents",
  "data",
  "payments",
];

/** @type {Readonly<Record<string, Room>>} */
export const ROOMS = {
  core: { imports: [] },
  contracts: { imports: ["core"] },
  "ledger-api": { imports: ["core", "contracts"] },
  "ledger-client": { imports: ["core", "contracts", "ledger-api"], io: true },
  marketplace: { imports: ["core", "contracts", "ledger-client"] },
  "ledger-node": { imports: ["core", "contracts", "ledger-api"], io: true },
  data: { imports: ["core"], io: true },
  forecast: { imports: ["core", "data"] },
  strategies: { imports: ["core"] },
  agents: { imports: ["core", "contracts", "ledger-client", "strategies", "forecast"] },
  payments: { imports: ["core", "contracts"], io: true },
  backtest: {
    imports: SERVICES,
    io: true,
  },
  dashboard: { imports: ["ledger-client"] },
  cli: {
    imports: [...SERVICES, "backtest"],
    io: true,
    ambient: true,
  },
  testkit: {
    imports: [...SERVICES, "backtest"],
    io: true,
  },
};

/** Folders that cross the rooms: their code may import any door, and some may use the test kit. */
export const CROSSING = ["test", "bench", "examples", "scripts"];

/** Folders without ambient time, randomness, environment or I/O: time and randomness are injected. */
export const DETERMINISTIC = ["core", "contracts", "marketplace/clearing", "strategies", "backtest/kernel"];

/** Node's modules that reach files, the network, other processes or a terminal. */
const IO_BUILTINS = [
  "fs",
  "net",
  "http",
  "https",
  "http2",
  "tls",
  "dgram",
  "dns",
  "child_process",
  "cluster",
  "readline",
  "repl",
  "sqlite",
  "tty",
];

const TESTS = "[.]test[.]ts$";
const roomNames = Object.keys(ROOMS);
/** @param {readonly string[]} names */
const inside = (names) => `^(?:${names.join("|")})/`;
const builtin = (/** @type {readonly string[]} */ names) => `^(?:node:)?(?:${names.join("|")})(?:/|$)`;

/** The arrows: for each room, the rooms and folders that it may not import. */
function arrowRules() {
  return Object.entries(ROOMS).map(([room, { imports }]) => {
    const refused = [...roomNames, "bench", "examples", "scripts"].filter(
      (name) => name !== room && name !== "testkit" && !imports.includes(name),
    );
    return forbid(
      `arrow-from-${room}`,
      `${room} may import ${imports.length === 0 ? "no other folder" : imports.join(", ")}: turn the arrow round, or move what both need down to a folder that both may import`,
      { path: `^${room}/`, pathNot: TESTS },
      { path: inside(refused) },
    );
  });
}

/** One door per folder, and only by its name; tests may look behind it. */
const doorRules = [
  forbid(
    "door",
    "another folder is imported by its door only: export the name from that folder's index.ts and import it as #folder",
    { path: "^([^/]+)/", pathNot: [TESTS, "^test/"] },
    { path: inside(roomNames), pathNot: ["^$1/", "^[^/]+/index[.]ts$"] },
  ),
  forbid(
    "door-name",
    "another folder's door is imported by its name, #folder, never by a path",
    { path: "^([^/]+)/", pathNot: [TESTS, "^test/"] },
    { path: `${inside(roomNames)}index[.]ts$`, pathNot: "^$1/", dependencyTypesNot: ["aliased-subpath-import"] },
  ),
  forbid(
    "own-door",
    "inside a folder, import the file, not the folder's own door",
    { path: "^([^/]+)/", pathNot: [TESTS, "^test/"] },
    { path: "^$1/index[.]ts$", dependencyTypes: ["aliased-subpath-import"] },
  ),
  forbid("built", "import the source: what is built into dist/ is for running only", {}, { path: "^dist/" }),
];

/** Tests and the test kit are used by tests only. */
const testRules = [
  forbid(
    "testkit",
    "only tests, test/, bench/ and the test kit itself may import the test kit",
    { pathNot: [TESTS, inside(["testkit", "test", "bench"])] },
    { path: "^testkit/" },
  ),
  forbid("test-code", "nothing imports a test file: what tests share belongs in testkit/", {}, { path: TESTS }),
  forbid(
    "test-folder",
    "only test/ may import from test/: what tests share belongs in testkit/",
    { pathNot: "^test/" },
    { path: "^test/" },
  ),
];

/** Which npm packages and which of Node's modules a folder may use. */
const powerRules = [
  forbid(
    "package-declared",
    "the package is not declared in package.json: npm install --save-exact it, or do without",
    {},
    { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
  ),
  forbid(
    "package-for-development",
    "code that users run may not need a devDependency: declare the package under dependencies",
    { path: inside(roomNames), pathNot: [TESTS, "^testkit/"] },
    { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
  ),
  forbid(
    "package-in-core",
    "core uses no package: every party must be able to run it on the same bytes",
    { path: "^core/", pathNot: [TESTS] },
    { path: "node_modules/" },
  ),
  forbid(
    "package-in-contracts",
    "contracts and marketplace/clearing use no package: every party must be able to run them on the same bytes",
    { path: inside(["contracts", "marketplace/clearing"]), pathNot: TESTS },
    { path: "node_modules/" },
  ),
  forbid(
    "package-in-strategies",
    "strategies use one package, zod, for their configuration",
    { path: "^strategies/", pathNot: TESTS },
    { path: "node_modules/", pathNot: "node_modules/zod/" },
  ),
  forbid(
    "clearing",
    "marketplace/clearing is pure: it may import core only",
    { path: "^marketplace/clearing/", pathNot: TESTS },
    { dependencyTypes: ["local"], pathNot: ["^core/index[.]ts$", "^marketplace/clearing/"] },
  ),
  forbid(
    "deterministic",
    "a deterministic folder uses none of Node's modules: time, randomness and data are passed in (node:crypto stands behind core/hash.ts and core/keys.ts)",
    { path: inside(DETERMINISTIC), pathNot: [TESTS, "^core/(?:hash|keys)[.]ts$"] },
    { dependencyTypes: ["core"] },
  ),
  forbid(
    "crypto-door",
    "core/hash.ts and core/keys.ts are the doors to node:crypto and to no other of Node's modules",
    { path: "^core/(?:hash|keys)[.]ts$" },
    { dependencyTypes: ["core"], pathNot: builtin(["crypto"]) },
  ),
  forbid(
    "powers",
    `files, network and processes are used in ${roomNames.filter((name) => ROOMS[name]?.io).join(", ")} only: take what you need as an argument`,
    { path: inside(roomNames.filter((name) => !ROOMS[name]?.io)), pathNot: TESTS },
    { path: builtin(IO_BUILTINS), dependencyTypes: ["core"] },
  ),
  forbid(
    "process",
    "the process is read in cli/ only: take what you need as an argument",
    { path: inside(roomNames.filter((name) => !ROOMS[name]?.ambient)), pathNot: TESTS },
    { path: builtin(["process"]), dependencyTypes: ["core"] },
  ),
];

/** What holds for every file. */
const graphRules = [
  forbid(
    "resolvable",
    "the import leads nowhere: a misspelt path, a file that is missing, or a package that is not installed",
    {},
    { couldNotResolve: true },
  ),
  forbid(
    "cycle",
    "files may not import each other in a circle: move what they share into a third file",
    {},
    { circular: true },
  ),
];

/**
 * @param {string} name
 * @param {string} comment
 * @param {object} from
 * @param {object} to
 * @returns {import("dependency-cruiser").IForbiddenRuleType}
 */
function forbid(name, comment, from, to) {
  return /** @type {import("dependency-cruiser").IForbiddenRuleType} */ ({
    name,
    comment,
    severity: "error",
    from,
    to,
  });
}

/** The rules, in the order in which they stand above. */
export const RULES = [...graphRules, ...arrowRules(), ...doorRules, ...testRules, ...powerRules];

/** @type {import("dependency-cruiser").ICruiseOptions} */
export const OPTIONS = {
  parser: "swc",
  moduleSystems: ["es6", "cjs"],
  doNotFollow: { path: ["(?:^|/)node_modules/", "^dist/"] },
  preserveSymlinks: true,
  enhancedResolveOptions: {
    conditionNames: ["dream-source", "node", "import", "default"],
    exportsFields: ["exports"],
    extensions: [".ts", ".mjs", ".js", ".json"],
  },
};
