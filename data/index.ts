/** Feeds, data-set manifests, downloads and the generator of communities. */
export type { BatterySpec, Community, CommunityMember, CommunityRole } from "./community.ts";
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
