/** Feeds, data-set manifests, downloads and the generator of communities. */
export type { BatterySpec, Community, CommunityMember, CommunityRole } from "./community.ts";
export { type DownloadOptions, type DownloadProgress, type DownloadReport, downloadSet } from "./download/download.ts";
export { type DownloadError, describeDownloadError } from "./download/errors.ts";
export { type ListedSet, listSets } from "./download/list.ts";
export { PINNED_SETS, type PinnedFile, type PinnedSet, pinnedSet } from "./download/sources.ts";
export {
  type ClimateName,
  checkGeneratorOptions,
  communityStatistics,
  type FitReport,
  fitReport,
  GENERATOR_PARAMETERS,
  type GeneratorOptionError,
  type GeneratorOptions,
  type GeneratorParameters,
  type GeneratorSettings,
  generateCommunity,
  type Statistics,
} from "./generator/index.ts";
export { createKnownView } from "./known-view.ts";
export { type CheckedSeries, checkDataSet, type DataSetReport } from "./manifest/check.ts";
export { type DataSet, type DataSetSeries, type LoadOptions, loadDataSet, type PriceSeries } from "./manifest/load.ts";
export { type DataProblem, describeProblem } from "./manifest/problems.ts";
export { isShippedSet, SHIPPED_SETS, type ShippedSet, shippedManifest } from "./manifest/shipped.ts";
export { composeMeasuredCommunity, type DataError, type MeasuredOptions } from "./measured/compose.ts";
export { completeDays, sunniestCompletePeriod } from "./measured/days.ts";
export { cacheRoot, findMeasuredData, type MeasuredData, missingMeasuredFiles } from "./measured/find.ts";
export { type ScrambledPart, scrambleAfter } from "./scramble.ts";
export type {
  DataStore,
  KnownView,
  MeterHistory,
  MeterSeries,
  TariffVintage,
  WeatherAtSlot,
  WeatherForecastSeries,
  WeatherVariable,
  WeatherVintage,
} from "./series.ts";
export { clearSkyGhi, diffuseShare, type SunPosition, sunPosition } from "./solar-geometry.ts";
