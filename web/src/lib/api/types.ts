/** The API's shapes, as the gateway describes them in `/openapi.json`, under the names that the pages use. */

export interface Me {
  organization: { id: string; name: string };
  key: { id: string; name: string } | null;
  rights: { read: boolean; write: boolean; admin: boolean };
  auth: "open" | "keys";
  signed_in: boolean;
  version: string;
  url: string;
  has_data: boolean;
}

export interface Figures {
  calls: number;
  errors: number;
  error_low: number | null;
  error_high: number | null;
  cost: number;
  unpriced_calls: number;
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  mean_ms: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  sessions: number | null;
}

export interface Series {
  at_ms: number[];
  calls: number[];
  errors: number[];
  cost: number[];
  input_tokens: number[];
  cached_tokens: number[];
  output_tokens: number[];
  p50_ms: (number | null)[];
  p95_ms: (number | null)[];
  sessions: number[];
}

export interface Metrics {
  from_ms: number;
  to_ms: number;
  bucket_ms: number;
  exact: boolean;
  totals: Figures;
  previous: Figures;
  series: Series;
}

export interface BreakdownRow extends Figures {
  value: string;
  last_seen_ms: number | null;
  previous: Figures | null;
  trend: number[];
  trend_errors: number[];
}

export interface Breakdown {
  rows: BreakdownRow[];
  total: number;
  exact: boolean;
  truncated: boolean;
}

export interface ToolRow extends Figures {
  tool: string;
  /** Of `calls`, those that a manual log tells of, and those whose outcome is known. */
  logged: number;
  judged: number;
  /** `gap`: times are upper bounds. */
  duration_source: "manual" | "gap" | null;
  waits: number;
  wait_ms: number;
  /** Of the calls that used the results. */
  turn_cost: number;
  unpriced_turns: number;
  rules: { rule: string; calls: number }[];
  mean_result_bytes: number | null;
  max_result_bytes: number | null;
  last_seen_ms: number | null;
  previous: Figures | null;
  trend: number[];
  trend_errors: number[];
}

export interface Tools {
  rows: ToolRow[];
  total: number;
  exact: boolean;
  /** Only uses since `from_ms` are counted. */
  truncated: boolean;
  from_ms: number;
}

export interface AttentionItem {
  kind: "model" | "path" | "tool" | "session";
  value: string;
  label: string;
  reason: "error_rate" | "p95" | "cost" | "failed";
  text: string;
  severity: number;
  now: number;
  before: number;
  unit: "ratio" | "ms" | "usd" | "count";
  calls: number;
  previous_calls: number | null;
  link: { page: "models" | "paths" | "tools" | "session"; params: Record<string, string> };
}

export interface Sums {
  calls: number;
  errors: number;
  error_low: number | null;
  error_high: number | null;
  cost: number;
  time_ms: number;
  input_tokens: number;
  output_tokens: number;
}

export interface PathSide {
  own: Sums;
  inclusive: Sums;
  sessions: number;
  exits: number;
}

export interface PathNode extends PathSide {
  segment: string;
  path: string;
  a: PathSide | null;
  b: PathSide | null;
  children: PathNode[];
}

export interface Paths {
  root: PathNode;
  sessions: number;
  calls: number;
  truncated: boolean;
  compare: { a: { sessions: number; calls: number }; b: { sessions: number; calls: number } } | null;
}

export interface SessionRow {
  session_id: string;
  session_name: string;
  created_at: string;
  latest_request_created_at: string;
  latest_ended_at: string;
  total_cost: number;
  total_requests: number;
  total_tokens: number;
  input_tokens: number;
  output_tokens: number;
  prompt_cache_read_tokens: number;
  reasoning_tokens: number;
  unpriced_requests: number;
  errors: number;
  outcome: "success" | "recovered" | "error";
  wall_ms: number;
  busy_ms: number;
  avg_latency: number;
  user_ids: string[];
  tag: string | null;
  matching_requests: number | null;
}

export interface Spark {
  calls: number[];
  errors: number[];
  running: number;
}

export type Kind = "llm" | "tool" | "vector_db" | "data" | "other";

export interface Light {
  request_id: string;
  kind: Kind;
  path: string | null;
  started_at: string;
  ended_at: string;
  offset_ms?: number;
  duration_ms: number;
  time_to_first_token: number | null;
  status: number;
  outcome: string;
  error_rule: string | null;
  error_message: string | null;
  provider: string;
  model: string | null;
  streamed: boolean;
  finish_reason: string | null;
  tool_calls: number;
  user_id: string | null;
  cost: number | null;
  prompt_tokens: number | null;
  completion_tokens: number | null;
  prompt_cache_read_tokens: number | null;
  prompt_cache_write_tokens: number | null;
  reasoning_tokens: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  total_tokens: number | null;
  agent?: string | null;
  request_bytes?: number;
  response_bytes?: number;
  session_id?: string | null;
  session_name?: string | null;
  session_rule?: string | null;
  messages?: number | null;
  previous_call_id?: string | null;
  new_from_message?: number | null;
  system_changed?: boolean | null;
  tools_changed?: boolean | null;
}

/** A tool call that an answer asks for, with what is known of its result. */
export interface ToolNode {
  /** `<request id>/<position>` */
  node: string;
  request_id: string;
  position: number;
  tool_call_id: string | null;
  name: string;
  form: string;
  at_provider: boolean;
  arguments: string;
  arguments_bytes: number;
  path: string | null;
  started_at: string;
  offset_ms: number;
  duration_ms: number | null;
  /** `gap`: an upper bound. */
  duration_source: "manual" | "gap" | null;
  wait_ms: number | null;
  wait_rule: string | null;
  ok: boolean | null;
  ok_rule: string | null;
  result_bytes: number | null;
  result_preview: string | null;
  result_request_id: string | null;
  log_request_id: string | null;
}

export interface SessionDetail extends SessionRow {
  calls: Light[];
  tool_calls: ToolNode[];
  truncated: boolean;
}

export interface Running {
  request_id: string;
  session_id: string | null;
  session_name: string | null;
  path: string | null;
  provider: string | null;
  model: string | null;
  started_ms: number;
}

export interface Note {
  rule?: string;
  code?: string;
  message?: string;
  text?: string;
}

export interface RequestRow {
  request_id: string;
  request_created_at: string;
  response_created_at: string;
  request_body: unknown;
  response_body: unknown;
  request_body_base64?: string;
  response_body_base64?: string;
  request_body_facts?: Record<string, unknown>;
  response_body_facts?: Record<string, unknown>;
  body_url?: string;
  response_status: number;
  request_path: string;
  target_url: string;
  request_user_id: string | null;
  properties: Record<string, string>;
  provider: string;
  model: string | null;
  request_model: string | null;
  response_model: string | null;
  model_override: string | null;
  delay_ms: number;
  time_to_first_token: number | null;
  prompt_tokens: number | null;
  completion_tokens: number | null;
  reasoning_tokens: number | null;
  prompt_cache_read_tokens: number | null;
  prompt_cache_write_tokens: number | null;
  prompt_audio_tokens: number | null;
  completion_audio_tokens: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  total_tokens: number | null;
  cost: number | null;
  scores: Record<string, number>;
  feedback_rating: boolean | null;
  kind: Kind;
  source: string;
  method: string;
  streamed: boolean;
  finish_reason: string | null;
  tool_calls: number;
  session_id: string | null;
  session_name: string | null;
  session_path: string | null;
  outcome: string;
  error_rule: string | null;
  error_message: string | null;
  usage_missing: string | null;
  cost_source: string | null;
  price_version: string | null;
  notes: Note[];
  request_bytes: number;
  response_bytes: number;
  request_headers?: [string, string][] | Record<string, string>;
  response_headers?: [string, string][] | Record<string, string>;
}

export interface ApiKey {
  id: string;
  organization_id: string;
  api_key_name: string;
  key_permissions: "admin" | "rw" | "r" | "w" | "";
  created_at: string;
  soft_delete: boolean;
  revoked_at: string | null;
}

export interface NewKey {
  id: string;
  apiKey: string;
}

export interface SavedFilter {
  id: string;
  page: string;
  name: string;
  query: string;
  created_ms: number;
}

export interface Retention {
  calls_days: number | null;
  bodies_days: number | null;
}

export interface System {
  version: string;
  started_ms: number;
  database: { kind: string; ok: boolean; ping_ms: number | null; bytes: number | null };
  journal: { writable: boolean; draining: boolean; bytes_on_disk: number; max_bytes: number; oldest_waiting_ms: number | null };
  prices: { source: string; version: string; overlay: boolean };
  counts: { calls: number | null; sessions: number | null; first_ms: number | null; last_ms: number | null };
  running: number;
  auth: "open" | "keys";
  durability: string;
}
