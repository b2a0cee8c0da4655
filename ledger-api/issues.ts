/** All that is wrong with what came from outside, each with its place and how to mend it; and decoding that never throws. */
import { z } from "zod";
import { err, ok, type Result } from "#core";
import { ISSUE_TEXT_MAX, ISSUES_MAX, type RequestIssue } from "./refusals.ts";
import type { Schema } from "./scalars.ts";

/** Decodes a value that JSON was parsed to. */
export function decodeValue<T>(schema: Schema<T>, value: unknown): Result<T, readonly RequestIssue[]> {
  const decoded = z.safeDecode(schema as z.ZodType<T>, value as T);
  return decoded.success ? ok(decoded.data) : err(requestIssuesOf(decoded.error));
}

/** Decodes JSON text. */
export function decodeJson<T>(schema: Schema<T>, text: string): Result<T, readonly RequestIssue[]> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err([{ path: "", mend: "give JSON" }]);
  }
  return decodeValue(schema, value);
}

/** What travels as JSON for a value of our own. @throws z.ZodError when it is not of the schema: a bug. */
export function encodeValue<T>(schema: Schema<T>, value: T): unknown {
  return z.encode(schema, value);
}

/** JSON text of a value of our own. @throws z.ZodError when it is not of the schema: a bug. */
export function encodeJson<T>(schema: Schema<T>, value: T): string {
  return JSON.stringify(encodeValue(schema, value));
}

/** Zod's issues as ours, in the order in which they were found; a list that is too long is cut. */
export function requestIssuesOf(error: z.core.$ZodError, root = ""): readonly RequestIssue[] {
  const issues: RequestIssue[] = [];
  for (const issue of error.issues) {
    const keys = issue.code === "unrecognized_keys" ? issue.keys : [undefined];
    for (const key of keys) {
      if (issues.length >= ISSUES_MAX) return issues;
      const path = [...(root === "" ? [] : [root]), ...issue.path, ...(key === undefined ? [] : [key])];
      issues.push({ path: plain(path.map(String).join(".")), mend: plain(issue.message) });
    }
  }
  return issues;
}

/** Short, and without characters that a client may have put in to upset a reader of the answer. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e…]/gu, "?").slice(0, ISSUE_TEXT_MAX);
}
