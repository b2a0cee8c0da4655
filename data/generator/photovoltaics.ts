/** Energy of one photovoltaic plant from the weather at its site, per quarter-hour, in whole watt-hours. */
import { seededPrng } from "#core";
import { diffuseShare } from "../solar-geometry.ts";
import type { StepCalendar } from "./calendar.ts";
import type { Seed } from "./clouds.ts";
import { wholeWattHours } from "./energy.ts";
import type { PlantParameters } from "./parameters.ts";
import type { SiteWeather } from "./weather.ts";

const DEGREES = Math.PI / 180;
/** Share of light that the ground reflects, as is usual for grass and soil. */
const GROUND_REFLECTION = 0.2;
/** Below this height of the sun (cosine of the zenith) all light counts as diffuse. */
const BEAM_COS_ZENITH_MIN = 0.06;
/** Loss of power per °C above 25 °C for crystalline silicon: Dobos, PVWatts Version 5 Manual, NREL/TP-6A20-62641 (2014). */
const POWER_PER_CELSIUS = -0.004;
/** °C per W/m² on the panel, from a nominal cell temperature of 45 °C at 800 W/m² and 20 °C: Ross, 12th IEEE PVSC (1976). */
const CELSIUS_PER_IRRADIANCE = 0.031;

export type Plant = {
  /** Names the plant's own random streams. */
  readonly name: string;
  readonly nameplateW: number;
  readonly systemFactor: number;
  readonly tiltDegrees: number;
  /** Clockwise from north. */
  readonly azimuthDegrees: number;
};

/** Draws what a plant is like. */
export function drawPlant(
  seed: Seed,
  name: string,
  nameplateW: number,
  latitude: number,
  parameters: PlantParameters,
): Plant {
  const prng = seededPrng(seed, `generator/plant/${name}/traits`);
  const uniform = ([low, high]: readonly [number, number]): number => low + (high - low) * prng.nextFloat();
  const systemFactor = uniform(parameters.systemFactor);
  const tiltDegrees = uniform(parameters.tiltDegrees);
  const [mean, deviation] = parameters.azimuthDegrees;
  const fromEquator = mean + deviation * prng.nextNormal();
  const azimuthDegrees = latitude < 0 ? -fromEquator : 180 + fromEquator;
  return { name, nameplateW, systemFactor, tiltDegrees, azimuthDegrees };
}

/** Whole watt-hours per quarter-hour; never above the nameplate, zero while the sun is down. */
export function plantEnergy(
  seed: Seed,
  plant: Plant,
  weather: SiteWeather,
  calendar: StepCalendar,
  { dayNoise, lightNoise, lightNoiseCorrelation }: PlantParameters,
): Float64Array {
  const light = seededPrng(seed, `generator/plant/${plant.name}/light`);
  const days = seededPrng(seed, `generator/plant/${plant.name}/days`);
  const innovation = Math.sqrt(1 - lightNoiseCorrelation ** 2);
  const irradianceOn = panelIrradiance(plant, weather);
  const powerW = new Float64Array(calendar.steps);
  let noise = light.nextNormal();
  for (const { firstStep, endStep } of calendar.days) {
    const dayFactor = 1 + dayNoise * days.nextNormal();
    for (let step = firstStep; step < endStep; step++) {
      if ((weather.sun.cosZenith[step] ?? 0) <= 0) continue; // Nothing is drawn for the night.
      noise = lightNoiseCorrelation * noise + innovation * light.nextNormal();
      const irradiance = irradianceOn(step) * dayFactor * Math.max(0, 1 + lightNoise * noise);
      powerW[step] = acPower(plant, irradiance, weather.temperature[step] ?? 25);
    }
  }
  return wholeWattHours(powerW);
}

function acPower(plant: Plant, irradiance: number, airCelsius: number): number {
  const cellCelsius = airCelsius + CELSIUS_PER_IRRADIANCE * irradiance;
  const power =
    plant.nameplateW * plant.systemFactor * (irradiance / 1000) * (1 + POWER_PER_CELSIUS * (cellCelsius - 25));
  return Math.max(0, Math.min(plant.nameplateW, power));
}

/**
 * Irradiance on the panel from global irradiance: beam by its angle, diffuse light alike from all of the sky, and the
 * ground's reflection (Liu & Jordan, Solar Energy 7 (1963) 53).
 */
function panelIrradiance(plant: Plant, weather: SiteWeather): (step: number) => number {
  const { sun, ghi } = weather;
  const [sinTilt, cosTilt] = [Math.sin(plant.tiltDegrees * DEGREES), Math.cos(plant.tiltDegrees * DEGREES)];
  const [faceNorth, faceEast] = [Math.cos(plant.azimuthDegrees * DEGREES), Math.sin(plant.azimuthDegrees * DEGREES)];
  return (step) => {
    const global = ghi[step] ?? 0;
    const cosZenith = sun.cosZenith[step] ?? 0;
    const share =
      cosZenith < BEAM_COS_ZENITH_MIN ? 1 : diffuseShare(global / ((sun.extraterrestrial[step] ?? 1) * cosZenith));
    const towards = faceNorth * (sun.north[step] ?? 0) + faceEast * (sun.east[step] ?? 0);
    const cosIncidence = Math.max(0, cosZenith * cosTilt + sinTilt * towards);
    const beam = share === 1 ? 0 : (global * (1 - share) * cosIncidence) / cosZenith;
    return beam + (global * share * (1 + cosTilt)) / 2 + (global * GROUND_REFLECTION * (1 - cosTilt)) / 2;
  };
}
