/** Fakes and builders for tests: hand-written, deterministic, used by everyone. */
export {
  evenQuantiles,
  FakeStrategyContext,
  fakeContextFor,
  NO_POSITION,
  surplusForecast,
  USUAL_RULES,
} from "./strategy-context.ts";
export { StrategyStage } from "./strategy-stage.ts";
