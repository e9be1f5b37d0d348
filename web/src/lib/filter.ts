/**
 * Filters as people write them, and as the API takes them.
 *
 * Conditions stand side by side and all must hold: `model:gpt-4o cost>0.01 -user:ada prop.Agent-Version:v1.0 planner`.
 * `:` is, `~` contains, `>` `>=` `<` `<=` compare, a leading `-` negates, commas mean either, quotes keep spaces together,
 * a word alone searches. Durations take `ms`, `s`, `m`, `h`.
 */

export type Target = "sessions" | "requests";
type Shape = "text" | "number" | "money" | "duration" | "flag";

export interface FieldInfo {
  name: string;
  label: string;
  shape: Shape;
  /** Table and column per target; absent where the field means nothing there. */
  sessions?: [string, string];
  requests?: [string, string];
  /** Values that are worth offering. */
  values?: string[];
}

const CALL = "request_response_rmt";
const SESSION = "sessions_request_response_rmt";
const call = (column: string): Pick<FieldInfo, "sessions" | "requests"> => ({ sessions: [CALL, column], requests: [CALL, column] });

export const FIELDS: readonly FieldInfo[] = [
  { name: "name", label: "Session name", shape: "text", sessions: [SESSION, "session_session_name"], requests: [CALL, "session_name"] },
  { name: "id", label: "Session id", shape: "text", sessions: [SESSION, "session_session_id"], requests: [CALL, "session_id"] },
  { name: "outcome", label: "Outcome", shape: "text", sessions: [SESSION, "session_outcome"], values: ["success", "recovered", "error"] },
  { name: "ended", label: "How the call ended", shape: "text", requests: [CALL, "outcome"], values: ["complete", "unreachable", "upstream_reset", "client_gone", "timeout", "refused", "interrupted"] },
  { name: "tag", label: "Tag", shape: "text", sessions: [SESSION, "session_tag"] },
  { name: "errors", label: "Errors", shape: "number", sessions: [SESSION, "session_errors"] },
  { name: "calls", label: "Calls", shape: "number", sessions: [SESSION, "session_total_requests"] },
  { name: "wall", label: "Wall time", shape: "duration", sessions: [SESSION, "session_wall_time_ms"] },
  { name: "cost", label: "Cost", shape: "money", sessions: [SESSION, "session_total_cost"], requests: [CALL, "cost"] },
  { name: "tokens", label: "Tokens", shape: "number", sessions: [SESSION, "session_total_tokens"], requests: [CALL, "total_tokens"] },
  { name: "model", label: "Model", shape: "text", ...call("model") },
  { name: "provider", label: "Provider", shape: "text", ...call("provider") },
  { name: "user", label: "User", shape: "text", ...call("user_id") },
  { name: "tool", label: "Tool", shape: "text", ...call("model") },
  { name: "path", label: "Path", shape: "text", ...call("session_path") },
  { name: "kind", label: "Kind", shape: "text", ...call("kind"), values: ["llm", "tool", "vector_db", "data", "other"] },
  { name: "status", label: "HTTP status", shape: "number", ...call("status") },
  { name: "error", label: "Failed", shape: "flag", ...call("error"), values: ["true", "false"] },
  { name: "message", label: "Error message", shape: "text", ...call("error_message") },
  { name: "latency", label: "Latency", shape: "duration", ...call("latency") },
  { name: "ttft", label: "Time to first token", shape: "duration", ...call("time_to_first_token") },
  { name: "finish", label: "Finish reason", shape: "text", ...call("finish_reason") },
  { name: "streamed", label: "Streamed", shape: "flag", ...call("streamed"), values: ["true", "false"] },
];

export const fieldsOf = (target: Target): FieldInfo[] => FIELDS.filter((field) => field[target]);

export type Op = ":" | "~" | ">" | ">=" | "<" | "<=";

export interface Term {
  /** Empty: a word to search for. `prop.<Key>`: a property. */
  field: string;
  op: Op;
  values: string[];
  not: boolean;
  /** As it is written. */
  text: string;
  /** Why it cannot be applied. */
  fault: string | null;
}

const TOKEN = /(-?)(?:([A-Za-z]+(?:\.(?:"[^"]*"|[^\s:~<>"]+))?)(:|~|>=|<=|>|<))?((?:"(?:[^"\\]|\\.)*"?|[^\s"])*)/y;

export function parse(text: string, target: Target): Term[] {
  const terms: Term[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      continue;
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match || match[0] === "") {
      at++;
      continue;
    }
    at = TOKEN.lastIndex;
    const [whole, minus, field = "", op = ":", rest = ""] = match;
    if (!field) {
      const word = unquote(rest);
      if (word) terms.push({ field: "", op: "~", values: [word], not: minus === "-", text: whole, fault: minus === "-" ? "a word cannot be excluded: name a field" : null });
      continue;
    }
    const values = splitValues(rest);
    const term: Term = { field: field.replace(/"/g, ""), op: op as Op, values, not: minus === "-", text: whole, fault: null };
    term.fault = faultOf(term, target);
    terms.push(term);
  }
  return terms;
}

function splitValues(text: string): string[] {
  const found: string[] = [];
  for (const part of text.match(/(?:"(?:[^"\\]|\\.)*"?|[^,"])+/g) ?? []) found.push(unquote(part));
  return found.length ? found : [""];
}

function unquote(text: string): string {
  return text.replace(/"((?:[^"\\]|\\.)*)"?/g, (_, inside: string) => inside.replace(/\\(.)/g, "$1"));
}

function quote(text: string): string {
  return text === "" || /[\s",\\]/.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : text;
}

export function infoOf(term: Pick<Term, "field">, target: Target): FieldInfo | null {
  if (term.field.startsWith("prop.")) return { name: term.field, label: term.field.slice(5), shape: "text" };
  return fieldsOf(target).find((field) => field.name === term.field) ?? null;
}

function faultOf(term: Term, target: Target): string | null {
  const info = infoOf(term, target);
  if (!info) return `there is no field “${term.field}” here`;
  if (info.shape === "text") return term.op === ":" || term.op === "~" ? null : `“${term.field}” is text: use : or ~`;
  if (info.shape === "flag") return term.op === ":" && ["true", "false"].includes(term.values[0]!) ? null : `“${term.field}” is true or false`;
  if (term.op === "~") return `“${term.field}” is a number: use : > >= < <=`;
  const wrong = term.values.find((value) => readNumber(value, info.shape) === null);
  if (wrong !== undefined) return info.shape === "duration" ? `“${wrong}” is no duration: write 250ms, 2s or 5m` : `“${wrong}” is no number`;
  return null;
}

function readNumber(text: string, shape: Shape): number | null {
  const match = /^\$?(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|m|h|k)?$/.exec(text.trim());
  if (!match) return null;
  const n = Number(match[1]);
  const unit = match[2];
  if (shape === "duration") return n * (unit === "h" ? 3.6e6 : unit === "m" ? 6e4 : unit === "s" ? 1000 : 1);
  if (unit === "k") return n * 1000;
  return unit ? null : n;
}

/** A term's text. */
export function write(field: string, op: Op, value: string | string[], not = false): string {
  const key = field.startsWith("prop.") && /[\s:~<>"]/.test(field) ? `prop."${field.slice(5)}"` : field;
  const values = Array.isArray(value) ? value : [value];
  return `${not ? "-" : ""}${key}${op}${values.map(quote).join(",")}`;
}

/** The filter's text with one more term; a term of the same field and operator gives way. */
export function withTerm(text: string, term: string, target: Target): string {
  const added = parse(term, target)[0];
  const kept = parse(text, target).filter((t) => !(added && t.field === added.field && t.field !== "" && t.op === added.op && t.not === added.not));
  return [...kept.map((t) => t.text), term].join(" ");
}

export function withoutTerm(text: string, index: number, target: Target): string {
  return parse(text, target)
    .filter((_, i) => i !== index)
    .map((t) => t.text)
    .join(" ");
}

/** The filter's text with the term, or without it where it is set. */
export function toggled(text: string, term: string, target: Target): string {
  const set = parse(text, target).findIndex((one) => one.text === term);
  return set < 0 ? withTerm(text, term, target) : withoutTerm(text, set, target);
}

type Json = { [key: string]: unknown };

/** What the API is asked: its filter, and the words that are searched for. Terms that are faulty are left out. */
export function compile(text: string, target: Target): { filter: unknown; search: string } {
  const terms = parse(text, target).filter((term) => term.fault === null);
  const words = terms.filter((term) => term.field === "").map((term) => term.values[0]!);
  const leaves = terms.filter((term) => term.field !== "").map((term) => branch(term, target));
  if (target === "requests") {
    for (const word of words) {
      leaves.push(
        join(
          ["model", "session_id", "session_name", "session_path", "error_message"].map((column) => ({ [CALL]: { [column]: { contains: word } } })),
          "or",
        ),
      );
    }
  }
  return { filter: leaves.length ? join(leaves, "and") : "all", search: target === "sessions" ? words.join(" ") : "" };
}

/** A balanced tree: its depth stays small however many terms there are. */
export function join(nodes: Json[], operator: "and" | "or"): Json {
  if (nodes.length === 1) return nodes[0]!;
  const half = nodes.length >> 1;
  return { left: join(nodes.slice(0, half), operator), operator, right: join(nodes.slice(half), operator) };
}

function branch(term: Term, target: Target): Json {
  const leaves = term.values.map((value) => leaf(term, value, target));
  return join(leaves, term.not ? "and" : "or");
}

const OPERATORS: Record<Op, [string, string]> = {
  ":": ["equals", "not-equals"],
  "~": ["contains", "not-contains"],
  ">": ["gt", "lte"],
  ">=": ["gte", "lt"],
  "<": ["lt", "gte"],
  "<=": ["lte", "gt"],
};

function leaf(term: Term, value: string, target: Target): Json {
  const operator = OPERATORS[term.op][term.not ? 1 : 0];
  if (term.field.startsWith("prop.")) return { [CALL]: { properties: { [term.field.slice(5)]: { [operator]: value } } } };
  const info = infoOf(term, target)!;
  const [table, column] = info[target]!;
  let operand: unknown = value;
  if (info.shape === "flag") operand = value === "true";
  else if (info.shape !== "text") operand = readNumber(value, info.shape);
  else if (value === "" && term.op === ":") operand = "null"; // not given
  else if (term.field === "tool") operand = term.op === ":" ? `tool:${value}` : value;
  return { [table]: { [column]: { [operator]: operand } } };
}

/** A condition on the time that calls started. */
export function during(filter: unknown, from: number, to: number): unknown {
  const window = { [CALL]: { request_created_at: { gte: new Date(from).toISOString(), lt: new Date(to).toISOString() } } };
  return filter === "all" ? window : { left: filter, operator: "and", right: window };
}
