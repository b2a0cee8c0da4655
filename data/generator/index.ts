/** The generator of communities: used when no measured data are at hand, and to draw as many scenarios as one likes. */
export { generateCommunity } from "./community.ts";
export { type FitReport, fitReport } from "./fit-report.ts";
export {
  checkGeneratorOptions,
  type GeneratorOptionError,
  type GeneratorOptions,
  type GeneratorSettings,
} from "./options.ts";
export { type ClimateName, GENERATOR_PARAMETERS, type GeneratorParameters } from "./parameters.ts";
export type { Statistics } from "./series-grids.ts";
export { communityStatistics } from "./statistics.ts";
