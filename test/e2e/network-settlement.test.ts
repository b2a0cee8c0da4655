/** After a slot: the grid authority records meters, and its node settles by itself, also when it is killed before it could. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { invariant, localDayAt, microsPerKwh, nextLocalDay, type Slot, slotsOfLocalDay, wattHours, zone } from "#core";
import { ProcessNetwork } from "#testkit";

const MEMBERS = `network: { id: test/settlement, slotMinutes: 15, timeZone: UTC }
members:
  - { name: grid, roles: [grid-authority, meter-operator, payment-provider, marketplace] }
  - { name: power, roles: [power-company, verifier] }
  - { name: wind, roles: [producer], capacityWhPerSlot: 100000, openingFundsPieces: 10 }
  - { name: shop, roles: [consumer], openingFundsPieces: 10 }
`;
const UTC = zone("UTC");
let network: ProcessNetwork;

beforeAll(async () => {
  network = await ProcessNetwork.start({
    members: MEMBERS,
    host: process,
    configure: (_name, config) => config.replace("retrySeconds: 30", "retrySeconds: 1"),
  });
  await Promise.all(["grid", "power", "wind", "shop"].map((name) => network.funded(name)));
}, 120_000);
afterAll(() => network?.stop(), 60_000);

test("a slot is settled once its meters are recorded", async () => {
  const day = nextLocalDay(localDayAt(UTC, Date.now()));
  const slots = slotsOfLocalDay(UTC, day, 15);
  const [first] = slots;
  invariant(first !== undefined, "a day has slots");
  const prices = (price: bigint): ReturnType<typeof microsPerKwh>[] => slots.map(() => microsPerKwh(price));
  await network.run("power", {
    tag: "publish-tariff",
    commandId: "tariff",
    day,
    feedIn: prices(60_000n),
    retail: prices(300_000n),
  });
  const id: Slot["id"] = first.id;
  await network.run("wind", {
    tag: "create-promises",
    commandId: "promise",
    promises: [{ slot: id, energy: wattHours(2_000n) }],
  });
  await network.setClocks(first.endMs + 60_000 - Date.now());
  const readings = [
    { member: network.key("wind"), produced: wattHours(1_500n), consumed: wattHours(0n) },
    { member: network.key("shop"), produced: wattHours(0n), consumed: wattHours(700n) },
  ];
  // Without the shop nobody can settle its slot: the node tries again until it is back, and after its own restart too.
  await network.kill("shop");
  await network.run("grid", { tag: "record-meters", commandId: `record-meters/${id}`, slot: id, readings });
  const settled = async (name: string): Promise<boolean> => (await network.states(name, "slot-settlement")).length > 0;
  await network.eventually("the wind park is settled", () => settled("wind"));
  expect(await network.states("grid", "meter-reading")).toHaveLength(1);
  await network.kill("grid");
  await network.restart("shop");
  await network.eventually("the shop is settled", () => settled("shop"), 60_000);
  const [ofWind] = await network.states("wind", "delivery-record");
  const [ofShop] = await network.states("shop", "slot-settlement");
  expect(ofShop).toMatchObject({ consumed: 700n, retailEnergy: 700n, retailAmount: 210_000n });
  // A settlement consumes the record of the delivery.
  expect(ofWind).toBeUndefined();
  await network.eventually(
    "no reading is left",
    async () => (await network.states("grid", "meter-reading")).length === 0,
  );
  await network.down();
  expect(network.audit()).toMatchObject({ ok: true, value: { violations: [] } });
}, 180_000);
