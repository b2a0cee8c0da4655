import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PINNED_SETS } from "#data";
import { defaultCacheDir } from "./cache-dir.ts";
import { type DataCommandIo, dataCheck, dataGet, dataList } from "./data.ts";

let folder: string;
let server: FastifyInstance | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dream-cli-data-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** A command's surroundings, and what it wrote. */
function surroundings(change: { readonly tty?: boolean; readonly dreamData?: string } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const stderr = Object.assign(new PassThrough(), { isTTY: change.tty === true, columns: 120 });
  stderr.on("data", (chunk: Buffer) => err.push(chunk.toString()));
  const io: DataCommandIo = {
    stdout: { write: (text) => out.push(text) },
    stderr,
    env: change.dreamData === undefined ? {} : { DREAM_DATA: change.dreamData },
    cacheDir: join(folder, "cache"),
  };
  return { io, out: () => out.join(""), err: () => err.join("") };
}

/** A mirror whose files have the pinned length but another content. */
async function wrongMirror(): Promise<string> {
  server = fastify();
  server.get<{ Params: { set: string; file: string } }>("/:set/:file", (request) => {
    const file = PINNED_SETS.find(({ name }) => name === request.params.set)?.files.find(
      ({ name }) => name === request.params.file,
    );
    return Buffer.alloc(file?.bytes ?? 0);
  });
  await Promise.resolve(server.listen({ port: 0, host: "127.0.0.1" }));
  const address = server.server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

test("the cache is in XDG_CACHE_HOME, else in the home folder", () => {
  expect(defaultCacheDir({ XDG_CACHE_HOME: "/x" }, "/home/me")).toBe("/x/dream");
  expect(defaultCacheDir({ XDG_CACHE_HOME: "" }, "/home/me")).toBe("/home/me/.cache/dream");
  expect(defaultCacheDir({}, "/home/me")).toBe("/home/me/.cache/dream");
});

describe("data get", () => {
  test("says which sets there are when none or an unknown one is named", async () => {
    const none = surroundings();
    expect(await dataGet([], {}, none.io)).toBe(4);
    expect(none.err()).toBe("Name at least one set: citylearn2022, openstef, prices, pvod.\n");
    const unknown = surroundings();
    expect(await dataGet(["pvdo"], {}, unknown.io)).toBe(2);
    expect(unknown.err()).toContain('no set named "pvdo"');
    const closed = surroundings();
    expect(await dataGet(["emhass_home"], {}, closed.io)).toBe(1);
    expect(closed.err()).toBe(
      "emhass_home cannot be fetched: the source has it as a Python pickle, which is not read here. Name a folder that has it in DREAM_DATA.\n",
    );
  });

  test("refuses a mirror that serves another content, and keeps nothing", async () => {
    const { io, out, err } = surroundings();
    expect(await dataGet(["prices"], { baseUrl: await wrongMirror() }, io)).toBe(1);
    expect(err()).toMatch(/bytes instead of|SHA-256/);
    expect(out()).toBe("");
    expect(existsSync(join(folder, "cache", "data", "prices", "DE_day_ahead_2012_2016.csv"))).toBe(false);
  });

  test("draws a bar with the time left on a terminal only", async () => {
    const baseUrl = await wrongMirror();
    const terminal = surroundings({ tty: true });
    await dataGet(["openstef"], { baseUrl }, terminal.io);
    expect(terminal.err()).toMatch(/openstef \[.*\] \d+ % of 8\.1 MB, .* left/);
    const pipe = surroundings();
    await dataGet(["openstef"], { baseUrl }, pipe.io);
    expect(pipe.err()).not.toMatch(/%|\[/);
    expect(pipe.err()).toContain("SHA-256");
  });
});

const shared = process.env["DREAM_DATA"] ?? fileURLToPath(new URL("../../shared/data", import.meta.url));
const isHere = existsSync(join(shared, "openstef"));
if (!isHere) console.warn("measured data are not here: the test of a whole data get is skipped");

test.skipIf(!isHere)("data get brings a set, says where it is, and finds it there the next time", async () => {
  server = fastify();
  server.get<{ Params: { set: string; file: string } }>("/:set/:file", ({ params }) =>
    readFileSync(join(shared, params.set, params.file)),
  );
  await Promise.resolve(server.listen({ port: 0, host: "127.0.0.1" }));
  const address = server.server.address();
  const baseUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const first = surroundings();
  expect(await dataGet(["openstef"], { baseUrl }, first.io)).toBe(0);
  const place = join(folder, "cache", "data", "openstef");
  expect(first.out()).toBe(
    `openstef: 2 fetched, 0 already there, in ${place} (MPL-2.0, https://github.com/OpenSTEF/openstef-offline-example)\n`,
  );
  expect(first.err()).toContain("openstef/components_HAL.csv is not fetched: the source has it with a further column.");
  expect(readdirSync(place).sort()).toEqual(["get_model_input_pid_287.csv", "get_model_input_pid_307.csv"]);
  const second = surroundings();
  expect(await dataGet(["openstef"], { baseUrl, json: true }, second.io)).toBe(0);
  expect(JSON.parse(second.out())).toMatchObject({ sets: [{ set: "openstef", fetched: [], present: { length: 2 } }] });
});

describe("data list", () => {
  test("prints sets with licence, size and whether they are here", () => {
    mkdirSync(join(folder, "mine", "emhass_home"), { recursive: true });
    writeFileSync(join(folder, "mine", "emhass_home", "home_30min.csv"), "x");
    mkdirSync(join(folder, "cache", "data", "pvod"), { recursive: true });
    writeFileSync(join(folder, "cache", "data", "pvod", "station01.csv"), "x");
    const text = surroundings({ dreamData: join(folder, "mine") });
    expect(dataList({}, text.io)).toBe(0);
    expect(text.out()).toMatch(/emhass_home.*MIT.*yes, DREAM_DATA/);
    expect(text.out()).toMatch(/pvod .*CC-BY-4\.0.*10\.2.*in part, cache/);
    expect(text.out()).toMatch(/citylearn2022.*MIT.*no \(dream data get\)/);
    const json = surroundings({ dreamData: join(folder, "mine") });
    expect(dataList({ json: true }, json.io)).toBe(0);
    const { sets } = JSON.parse(json.out()) as { sets: { name: string; presence: string; from?: string }[] };
    expect(sets.map(({ name, presence, from }) => [name, presence, from])).toEqual([
      ["citylearn2022", "absent", undefined],
      ["emhass_home", "complete", "DREAM_DATA"],
      ["monash", "absent", undefined],
      ["openstef", "absent", undefined],
      ["prices", "absent", undefined],
      ["pvod", "in part", "cache"],
    ]);
  });
});

describe("data check", () => {
  const manifest =
    "name: mine\nlicence: none\nsource: me\ntimeZone: UTC\ntimestamps: { column: t }\nresolutionMinutes: 60\nseries:\n  - { name: use, kind: load, file: a.csv, column: w, unit: W }\n";
  const write = (csv: string, text = manifest): string => {
    writeFileSync(join(folder, "dataset.yaml"), text);
    writeFileSync(join(folder, "a.csv"), csv);
    return join(folder, "dataset.yaml");
  };

  test("a good set: its series and exit 0", () => {
    const { io, out } = surroundings();
    expect(dataCheck(write("t,w\n2031-06-01T10:00,5000\n2031-06-01T12:00,7000\n"), {}, io)).toBe(0);
    expect(out()).toMatch(/warning .*a\.csv:2 t: 1 step is missing/);
    expect(out()).toMatch(/use.*load.*60 min.*2031-06-01.*3.*1.*12/);
    expect(out()).toMatch(/mine can be used: 0 errors, 1 warnings\.\n$/);
  });

  test("a bad set: file, line, field, mend and exit 4, in JSON too", () => {
    const path = write("t,w\n2031-06-01T10:00,x\n");
    const text = surroundings();
    expect(dataCheck(path, {}, text.io)).toBe(4);
    expect(text.out()).toMatch(/error .*a\.csv:2 w: "x" is not a number\. Mend: /);
    const json = surroundings();
    expect(dataCheck(path, { json: true }, json.io)).toBe(4);
    expect(JSON.parse(json.out())).toMatchObject({
      ok: false,
      errors: 1,
      problems: [{ severity: "error", file: join(folder, "a.csv"), line: 2, field: "w" }],
    });
    const broken = surroundings();
    expect(dataCheck(write("t,w\n", manifest.replace("unit: W", "unit: watt")), {}, broken.io)).toBe(4);
    expect(broken.out()).toMatch(/dataset\.yaml:8 series\[0\]\.unit: "watt" is not one of/);
  });

  test("files elsewhere than the manifest says", () => {
    const { io } = surroundings();
    const path = write("t,w\n2031-06-01T10:00,5\n");
    mkdirSync(join(folder, "else"));
    writeFileSync(join(folder, "else", "a.csv"), "t,w\n2031-06-01T10:00,broken\n");
    expect(dataCheck(path, { root: join(folder, "else") }, io)).toBe(4);
  });

  test("a measured set by its name, and names of nothing", () => {
    mkdirSync(join(folder, "mine", "emhass_home"), { recursive: true });
    writeFileSync(
      join(folder, "mine", "emhass_home", "home_30min.csv"),
      "slot_start_utc,load_w,pv_w\n2024-03-01T10:00:00Z,400,1200\n",
    );
    const here = surroundings({ dreamData: join(folder, "mine") });
    expect(dataCheck("emhass_home", {}, here.io)).toBe(0);
    expect(here.out()).toContain("emhass_home can be used");
    const absent = surroundings();
    expect(dataCheck("pvod", {}, absent.io)).toBe(2);
    expect(absent.err()).toContain("run dream data get pvod");
    expect(dataCheck("nothing.yaml", {}, absent.io)).toBe(2);
    expect(absent.err()).toContain("nothing.yaml does not exist");
  });
});

test("the hash of nothing is not among the pinned ones", () => {
  const empty = createHash("sha256").digest("hex");
  expect(PINNED_SETS.flatMap(({ files }) => files).some(({ sha256 }) => sha256 === empty)).toBe(false);
});
