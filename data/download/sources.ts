/**
 * Where the measured sets come from: each file at one commit of a public repository, with its length and SHA-256.
 * A file that arrives with another hash is refused: either the source changed or somebody on the way changed it.
 */

export type PinnedFile = {
  /** Name in the set's folder. */
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Length of the public file where only its first `bytes` bytes are taken. */
  readonly ofBytes?: number;
};

export type PinnedSet = {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  /** Where people read about it and whom they cite. */
  readonly source: string;
  /** Files that `dream data get` fetches; none for a set that only `DREAM_DATA` can give. */
  readonly files: readonly PinnedFile[];
  /** Files of the set that it cannot fetch, and why. */
  readonly otherFiles: readonly { readonly name: string; readonly why: string }[];
};

/** A file's address at a commit; the parts of the path are escaped. */
function at(repository: string, commit: string, path: string): string {
  return `https://raw.githubusercontent.com/${repository}/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

const cityLearn = (path: string): string =>
  at(
    "intelligent-environments-lab/CityLearn",
    "b8bad3141f5efca1a78ed94090af1820b541e467",
    `data/datasets/citylearn_challenge_2022_phase_all/${path}`,
  );
const pvod = (path: string): string =>
  at("origami00/DGB", "fed81bad3bc6eb3f9ef013e242075d2de3934e11", `PVODdatasets/${path}`);
const openStef = (path: string): string =>
  at("OpenSTEF/openstef-offline-example", "841f04577985825de4479a57ceda329fedc8f844", `examples/data/${path}`);
const epf = (path: string): string =>
  at("tony-schumacher/epft", "85ae77fb42f10cd4e523917197d6a6273c738781", `datasets/${path}`);

/** All measured sets, in the order of their names. */
export const PINNED_SETS: readonly PinnedSet[] = [
  {
    name: "citylearn2022",
    title: "17 net-zero homes in California, hourly load and solar production for a year (8 of them here)",
    licence: "MIT",
    source: "https://github.com/intelligent-environments-lab/CityLearn",
    files: [
      {
        name: "Building_1.csv",
        url: cityLearn("Building_1.csv"),
        bytes: 349_473,
        sha256: "7c80028c65f636dfdaea168447fddc1cd71da4cc16329e2e0fba1f723d2c916e",
      },
      {
        name: "Building_2.csv",
        url: cityLearn("Building_2.csv"),
        bytes: 349_891,
        sha256: "9742af5be4e83606b0f0c9a83ecc6312b860a049cbced7e6142a169769b57cf9",
      },
      {
        name: "Building_3.csv",
        url: cityLearn("Building_3.csv"),
        bytes: 351_295,
        sha256: "981b24cd13fdfc1ffc688fa7a96e83e138be073b5ec3e27cd4ce3e457bbe87f1",
      },
      {
        name: "Building_4.csv",
        url: cityLearn("Building_4.csv"),
        bytes: 349_144,
        sha256: "eff80b585e2e839b95f591914c83e6daefad01884ab8acdd381cc0ba5134a530",
      },
      {
        name: "Building_5.csv",
        url: cityLearn("Building_5.csv"),
        bytes: 351_598,
        sha256: "0579790ee34c11b8ba6b7430e1b85d0506353399da76621d018b552f8d5d62d9",
      },
      {
        name: "Building_6.csv",
        url: cityLearn("Building_6.csv"),
        bytes: 352_804,
        sha256: "ead9a4c2a6c5ca2526dbf747584a84c06d5990eb62c9482db607dc5719c02176",
      },
      {
        name: "Building_7.csv",
        url: cityLearn("Building_7.csv"),
        bytes: 355_960,
        sha256: "d140651d84c05dbd1f9a32a17fba5aaa21204685d37d508ebd17398783ccd1dc",
      },
      {
        name: "Building_8.csv",
        url: cityLearn("Building_8.csv"),
        bytes: 350_323,
        sha256: "a912f82d8e11aef7e40f6e1af087ac975c5d41dd570dbba50eb5ac0a5f715db5",
      },
      {
        name: "pricing.csv",
        url: cityLearn("pricing.csv"),
        bytes: 169_776,
        sha256: "bb94629d83146658c38015ebf8dade815c2557cd8a6c1abb7e1edc5012a483c6",
      },
      {
        name: "schema.json",
        url: cityLearn("schema.json"),
        bytes: 17_828,
        sha256: "b1c3546de688298f428ca61d6300826dba0f73147534d3953b9378db789db6c3",
      },
    ],
    otherFiles: [],
  },
  {
    name: "emhass_home",
    title: "One home with solar panels in the French Alps, every 30 minutes for a year",
    licence: "MIT",
    source: "https://github.com/davidusb-geek/emhass",
    files: [],
    otherFiles: [{ name: "home_30min.csv", why: "the source has it as a Python pickle, which is not read here" }],
  },
  {
    name: "monash",
    title: "Monash campus, Melbourne: buildings and solar arrays every 15 minutes (IEEE-CIS 2021)",
    licence: "CC-BY-4.0",
    source: "https://doi.org/10.21227/1x9c-0161",
    files: [],
    otherFiles: [
      ...["Building1.json", "Building6.json", "Solar1.json", "Solar5.json"].map((name) => ({
        name,
        why: "the source has all series in one file of another format",
      })),
      ...["09", "10"].map((month) => ({
        name: `PRICE_AND_DEMAND_2020${month}_VIC1.csv`,
        why: "of no use without the series",
      })),
    ],
  },
  {
    name: "openstef",
    title: "OpenSTEF examples: Dutch net load and day-ahead prices with weather forecasts, every 15 minutes",
    licence: "MPL-2.0",
    source: "https://github.com/OpenSTEF/openstef-offline-example",
    files: [
      {
        name: "get_model_input_pid_287.csv",
        url: openStef("get_model_input_pid_287.csv"),
        bytes: 4_016_666,
        sha256: "fcb601011c4888c602369601354e8dcc7b92ee01f924bf71a97cb374d8a588a7",
      },
      {
        name: "get_model_input_pid_307.csv",
        url: openStef("get_model_input_pid_307.csv"),
        bytes: 4_033_988,
        sha256: "5cce5e96b5fe78e2b080cbfc6786b86e13c1ee324882fae50e00758dcce61799",
      },
    ],
    otherFiles: ["components_HAL.csv", "components_HFDP.csv"].map((name) => ({
      name,
      why: "the source has it with a further column",
    })),
  },
  {
    name: "prices",
    title: "German day-ahead prices with forecasts of load and of wind and sun, hourly, 2012-2016",
    licence: "CC-BY-4.0",
    source: "https://doi.org/10.5281/zenodo.4624805",
    // The public file goes on to the end of 2017; its first five years are what is used here.
    files: [
      {
        name: "DE_day_ahead_2012_2016.csv",
        url: epf("DE.csv"),
        bytes: 1_971_977,
        sha256: "d7abd5a324e2d558ec72288817398f85369d808a929563775982904a33e0b224",
        ofBytes: 2_372_462,
      },
    ],
    otherFiles: [],
  },
  {
    name: "pvod",
    title:
      "PVOD 1.0: solar plants in Hebei, China, every 15 minutes for a year, with day-ahead weather forecasts (3 of 10)",
    licence: "CC-BY-4.0",
    source: "https://doi.org/10.11922/sciencedb.01094",
    files: [
      {
        name: "metadata.csv",
        url: pvod("metadata.csv"),
        bytes: 7_211,
        sha256: "00b27b0c51fa5cd84b74698171d5fa9a34a610c15a7612f2a1f4038f32878695",
      },
      // The copy is the untouched original; the file that is named station01.csv at the source was edited.
      {
        name: "station01.csv",
        url: pvod("station01 - 副本.csv"),
        bytes: 3_872_299,
        sha256: "a3229d0d3b92e10e8db7563617ac219bda6c7359c613cc8998d778ca291bc12a",
      },
      {
        name: "station02.csv",
        url: pvod("station02.csv"),
        bytes: 3_010_731,
        sha256: "f6e9c788f90cdaaa087a9b3c30772b3fc30277b587096497f6a32cbdf68fee34",
      },
      {
        name: "station07.csv",
        url: pvod("station07.csv"),
        bytes: 3_281_435,
        sha256: "a5a07ac699c1b9bfcf80acb6c1475a0e5488bf5d4ac3607ab6f8cfce656aa1aa",
      },
    ],
    otherFiles: [],
  },
];

export function pinnedSet(name: string): PinnedSet | undefined {
  return PINNED_SETS.find((set) => set.name === name);
}
