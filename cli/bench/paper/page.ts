export function paperPage(_summary: unknown): string {
  return "";
}
