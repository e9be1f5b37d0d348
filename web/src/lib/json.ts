/**
 * JSON whose whole numbers keep all of their digits: an id of 64 bits is not what a double makes of it. Numbers beyond what
 * a double holds become `bigint` where the browser tells how they were written, else they stay doubles.
 */

const LONG = /[[:,\s]-?\d{16,}/;

function revive(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  return /^-?\d+$/.test(context?.source ?? "") ? BigInt(context!.source!) : value;
}

/** Throws as `JSON.parse` does. */
export function readJson(text: string): unknown {
  return LONG.test(text) ? JSON.parse(text, revive) : JSON.parse(text);
}

const exactly = (JSON as { rawJSON?: (text: string) => unknown }).rawJSON ?? String;

export function writeJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, null, indent);
  } catch {
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? exactly(String(inner)) : inner), indent);
  }
}
