/** A progress bar with time left, on standard error, only where somebody watches it. */
import { SingleBar } from "cli-progress";

export type Progress = { update(done: number, total: number): void; stop(): void };

/** Where nobody watches. */
const SILENT: Progress = { update: () => undefined, stop: () => undefined };

/** @param unit - What is counted, such as `slots`. */
export function progressBar(stream: NodeJS.WriteStream, unit: string, isQuiet: boolean): Progress {
  if (isQuiet || !stream.isTTY) return SILENT;
  const bar = new SingleBar({
    stream,
    format: `{bar} {percentage} % · {value} of {total} ${unit} · {eta_formatted} left`,
    hideCursor: true,
    etaBuffer: 40,
    barsize: 30,
    fps: 10,
  });
  let isStarted = false;
  return {
    update(done, total) {
      if (!isStarted) bar.start(total, done);
      isStarted = true;
      bar.update(done);
    },
    stop() {
      if (isStarted) bar.stop();
    },
  };
}
