/**
 * Bodies of model calls as messages, whatever provider's shape they have: OpenAI chat and responses, Anthropic, Gemini,
 * manual logs. What is not understood stays visible as JSON; nothing is dropped, nothing throws.
 */

import { readJson, writeJson } from "./json";

export type Part =
  | { type: "text"; text: string }
  | { type: "thinking"; text: string }
  | { type: "image"; src: string | null; media: string; bytes: number; from: string }
  | { type: "call"; id: string; name: string; args: unknown }
  | { type: "result"; id: string; name: string; value: unknown; failed: boolean }
  | { type: "json"; label: string; value: unknown };

export interface Message {
  role: string;
  parts: Part[];
}

export interface ToolOffer {
  name: string;
  about: string;
  schema: unknown;
}

export interface Reading {
  messages: Message[];
  answer: Message[];
  tools: ToolOffer[];
  /** Everything else that was asked: temperature, limits, formats. */
  params: Record<string, unknown>;
  /** The provider's own error, where the answer is one. */
  error: string | null;
}

type Obj = Record<string, unknown>;

const obj = (value: unknown): Obj | null => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Obj) : null);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const str = (value: unknown): string => (typeof value === "string" ? value : "");

const KNOWN = new Set(["messages", "input", "contents", "system", "instructions", "systemInstruction", "system_instruction", "tools", "functions", "model", "prompt"]);

export function read(request: unknown, response: unknown): Reading {
  const asked = obj(request);
  const answered = obj(response);
  const reading: Reading = { messages: [], answer: [], tools: [], params: {}, error: errorText(answered?.["error"]) };
  if (asked?.["_type"] !== undefined || answered?.["_type"] !== undefined) {
    const { _type: _kind, toolName: _tool, ...input } = asked ?? {};
    if (asked) reading.messages.push({ role: "input", parts: [{ type: "json", label: "input", value: "input" in input && Object.keys(input).length === 1 ? input["input"] : input }] });
    const { _type: _kind2, toolName: _tool2, ...result } = answered ?? {};
    if (answered) reading.answer.push({ role: "result", parts: [{ type: "json", label: "result", value: result }] });
    else if (response != null) reading.answer.push({ role: "result", parts: [{ type: "json", label: "result", value: response }] });
    return reading;
  }
  if (asked) readRequest(asked, reading);
  else if (request != null) reading.messages.push({ role: "request", parts: [blob("request", request)] });
  if (answered) readAnswer(answered, reading);
  else if (response != null) reading.answer.push({ role: "answer", parts: [blob("response", response)] });
  return reading;
}

function blob(label: string, value: unknown): Part {
  return typeof value === "string" ? { type: "text", text: value } : { type: "json", label, value };
}

function readRequest(body: Obj, reading: Reading): void {
  const instruction = body["systemInstruction"] ?? body["system_instruction"];
  const system = body["system"] ?? body["instructions"] ?? (typeof instruction === "string" ? instruction : obj(instruction)?.["parts"]);
  if (system != null) reading.messages.push({ role: "system", parts: parts(system) });
  const input = body["messages"] ?? body["input"] ?? body["contents"] ?? body["prompt"];
  if (typeof input === "string") reading.messages.push({ role: "user", parts: [{ type: "text", text: input }] });
  else if (Array.isArray(input)) for (const item of input) reading.messages.push(...messageOf(item));
  else if (input != null) reading.messages.push({ role: "input", parts: [{ type: "json", label: "input", value: input }] });
  for (const tool of [...list(body["tools"]), ...list(body["functions"])]) reading.tools.push(...offers(tool));
  for (const [key, value] of Object.entries(body)) if (!KNOWN.has(key)) reading.params[key] = value;
  if (reading.messages.length === 0 && reading.tools.length === 0) {
    reading.messages.push({ role: "request", parts: [{ type: "json", label: "request", value: body }] });
    reading.params = {};
  }
}

function offers(raw: unknown): ToolOffer[] {
  const tool = obj(raw);
  if (!tool) return [];
  const inner = list(tool["functionDeclarations"] ?? tool["function_declarations"]);
  if (inner.length) return inner.flatMap(offers);
  const body = obj(tool["function"]) ?? tool;
  const name = str(body["name"]) || str(tool["type"]) || Object.keys(tool)[0] || "tool";
  return [{ name, about: str(body["description"]), schema: body["parameters"] ?? body["input_schema"] ?? null }];
}

function messageOf(raw: unknown): Message[] {
  const message = obj(raw);
  if (!message) return [{ role: "user", parts: [blob("message", raw)] }];
  const type = str(message["type"]);
  switch (type) {
    case "function_call":
    case "custom_tool_call":
      return [{ role: "assistant", parts: [{ type: "call", id: str(message["call_id"]) || str(message["id"]), name: str(message["name"]), args: parsed(message["arguments"] ?? message["input"]) }] }];
    case "function_call_output":
    case "custom_tool_call_output":
      return [{ role: "tool", parts: [result(str(message["call_id"]), "", message["output"])] }];
    case "reasoning":
    case "thought":
      return [{ role: "assistant", parts: [{ type: "thinking", text: [...list(message["summary"]), ...list(message["content"])].map((s) => str(obj(s)?.["text"])).join("\n") || "(not shown by the provider)" }] }];
    // Google's interactions.
    case "user_input":
      return [{ role: "user", parts: parts(message["content"]) }];
    case "model_output":
      return [{ role: "assistant", parts: parts(message["content"]) }];
    case "text":
    case "image":
    case "audio":
    case "video":
    case "document":
      return [{ role: "user", parts: [partOf(message)] }];
    case "function_result":
      return [{ role: "tool", parts: [{ ...result(str(message["call_id"]), str(message["name"]), message["result"]), failed: message["is_error"] === true || failed(message["result"]) }] }];
  }
  if (type.endsWith("_call") && "arguments" in message) {
    const found: Message[] = [{ role: "assistant", parts: [{ type: "call", id: str(message["id"]), name: str(message["name"]) || type, args: parsed(message["arguments"]) }] }];
    const back = message["error"] ?? message["output"];
    if (back != null) found.push({ role: "tool", parts: [{ ...result(str(message["id"]), str(message["name"]), back), failed: message["error"] != null || failed(back) }] });
    return found;
  }
  if (type.endsWith("_result") && "call_id" in message && "result" in message) return [{ role: "tool", parts: [{ ...result(str(message["call_id"]), str(message["name"]), message["result"]), failed: message["is_error"] === true }] }];
  const role = str(message["role"]) || (type && type !== "message" ? type : "user");
  const found: Part[] = [];
  const thought = str(message["reasoning_content"]) || str(message["reasoning"]) || str(message["thinking"]) || str(message["tool_plan"]);
  if (thought) found.push({ type: "thinking", text: thought });
  if (role === "tool" || role === "function") {
    found.push(result(str(message["tool_call_id"]), str(message["name"]), message["content"]));
  } else {
    found.push(...parts(message["content"] ?? message["parts"]));
  }
  if (str(message["refusal"])) found.push({ type: "text", text: str(message["refusal"]) });
  for (const one of list(message["tool_calls"])) {
    const item = obj(one);
    const fn = obj(item?.["function"]) ?? obj(item?.["custom"]) ?? {};
    found.push({ type: "call", id: str(item?.["id"]), name: str(fn["name"]), args: parsed(fn["arguments"] ?? fn["input"]) });
  }
  const legacy = obj(message["function_call"]);
  if (legacy) found.push({ type: "call", id: "", name: str(legacy["name"]), args: parsed(legacy["arguments"]) });
  if (found.length === 0 && !type && !("content" in message) && !("role" in message)) found.push({ type: "json", label: "message", value: raw });
  return [{ role: role === "model" ? "assistant" : role, parts: found }];
}

function parts(content: unknown): Part[] {
  if (content == null) return [];
  if (typeof content === "string") return content ? [{ type: "text", text: content }] : [];
  if (!Array.isArray(content)) return [{ type: "json", label: "content", value: content }];
  return content.map(partOf);
}

function partOf(raw: unknown): Part {
  if (typeof raw === "string") return { type: "text", text: raw };
  const part = obj(raw);
  if (!part) return { type: "json", label: "part", value: raw };
  const type = str(part["type"]);
  switch (type) {
    case "thinking":
      return { type: "thinking", text: str(part["thinking"]) };
    case "redacted_thinking":
      return { type: "thinking", text: "(redacted by the provider)" };
    case "tool_use":
    case "server_tool_use":
      return { type: "call", id: str(part["id"]), name: str(part["name"]), args: part["input"] };
    case "tool_result":
      return { ...result(str(part["tool_use_id"]), "", part["content"]), failed: part["is_error"] === true || failed(part["content"]) };
    case "image_url":
    case "input_image": {
      const from = part["image_url"];
      return image(typeof from === "string" ? from : str(obj(from)?.["url"]), "");
    }
    case "image": {
      const source = obj(part["source"]) ?? part;
      const data = str(source["data"]);
      return data ? base64(data, str(source["media_type"]) || str(source["mimeType"]) || str(source["mime_type"])) : image(str(source["url"]) || str(source["uri"]), "");
    }
  }
  if (typeof part["text"] === "string") return part["thought"] === true ? { type: "thinking", text: part["text"] } : { type: "text", text: part["text"] };
  const inline = obj(part["inlineData"] ?? part["inline_data"]);
  if (inline) return base64(str(inline["data"]), str(inline["mimeType"]) || str(inline["mime_type"]));
  const fn = obj(part["functionCall"] ?? part["function_call"]);
  if (fn) return { type: "call", id: str(fn["id"]), name: str(fn["name"]), args: fn["args"] };
  const use = obj(part["toolUse"]);
  if (use) return { type: "call", id: str(use["toolUseId"]), name: str(use["name"]), args: use["input"] };
  const told = obj(part["toolResult"]);
  if (told) {
    const inner = list(told["content"]);
    const only = inner.length === 1 ? obj(inner[0])?.["json"] : undefined;
    const read = result(str(told["toolUseId"]), "", only ?? told["content"]);
    return { ...read, failed: read.failed || told["status"] === "error" };
  }
  const reasoning = obj(obj(part["reasoningContent"])?.["reasoningText"]);
  if (reasoning) return { type: "thinking", text: str(reasoning["text"]) };
  const back = obj(part["functionResponse"] ?? part["function_response"]);
  if (back) return result(str(back["id"]), str(back["name"]), back["response"]);
  return { type: "json", label: type || "part", value: raw };
}

const IMAGE = /^data:(image\/(?:png|jpeg|gif|webp|avif));base64,([A-Za-z0-9+/=\s]+)$/;

function image(url: string, media: string): Part {
  const data = IMAGE.exec(url);
  if (data) return { type: "image", src: url, media: data[1]!, bytes: Math.floor((data[2]!.length * 3) / 4), from: "in the message" };
  if (url.startsWith("data:")) return { type: "image", src: null, media: url.slice(5, 40).split(/[;,]/)[0] ?? media, bytes: url.length, from: "in the message" };
  // A picture elsewhere is named, never loaded.
  return { type: "image", src: null, media, bytes: 0, from: url };
}

function base64(data: string, media: string): Part {
  return image(`data:${media || "application/octet-stream"};base64,${data}`, media);
}

function result(id: string, name: string, content: unknown): Extract<Part, { type: "result" }> {
  const value = typeof content === "string" ? parsed(content) : flatten(content);
  return { type: "result", id, name, value, failed: failed(value) };
}

/** A list of text blocks as their text. */
function flatten(content: unknown): unknown {
  if (Array.isArray(content) && content.length && content.every((c) => typeof obj(c)?.["text"] === "string")) {
    return parsed(content.map((c) => str(obj(c)?.["text"])).join("\n"));
  }
  return content;
}

/** Whether a tool's result says that it failed. */
export function failed(value: unknown): boolean {
  const body = obj(value);
  if (body) {
    if (body["error"] != null && body["error"] !== false && body["error"] !== "") return true;
    return body["success"] === false || body["status"] === "error" || body["isError"] === true;
  }
  return typeof value === "string" && /^(error\b|traceback|exception\b|.{0,40}permission denied)/i.test(value.trim());
}

/** JSON in a string as what it says, anything else as it is. */
export function parsed(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return readJson(value);
  } catch {
    return value;
  }
}

export function errorText(error: unknown): string | null {
  if (error == null || error === false) return null;
  if (typeof error === "string") return error;
  const body = obj(error);
  return str(body?.["message"]) || writeJson(error);
}

function readAnswer(body: Obj, reading: Reading): void {
  const choices = list(body["choices"]);
  for (const choice of choices) {
    const item = obj(choice);
    if (item?.["message"] != null) reading.answer.push(...messageOf(item["message"]));
    else if (item?.["delta"] != null) reading.answer.push(...messageOf(item["delta"]));
    else if (typeof item?.["text"] === "string") reading.answer.push({ role: "assistant", parts: [{ type: "text", text: item["text"] }] });
  }
  if (choices.length) return;
  const output = body["output"];
  if (Array.isArray(output) && (body["object"] === "response" || output.some((item) => obj(item)?.["type"] !== undefined))) {
    for (const item of output) reading.answer.push(...messageOf(obj(item)?.["type"] === "message" || obj(item)?.["role"] ? { role: "assistant", ...obj(item) } : item));
    return;
  }
  // Bedrock, Cohere, Ollama.
  const message = obj(obj(output)?.["message"]) ?? obj(body["message"]);
  if (message) {
    reading.answer.push(...messageOf({ role: "assistant", ...message }));
    return;
  }
  if (typeof body["response"] === "string" && "done" in body) {
    reading.answer.push({ role: "assistant", parts: [{ type: "text", text: body["response"] }] });
    return;
  }
  // Before revision 2026-05-20 `outputs`, which are bare contents.
  const steps = list(body["steps"] ?? body["outputs"]).filter((step) => obj(step)?.["type"] !== "user_input");
  for (const step of steps) reading.answer.push(...messageOf(step).map((said) => (said.role === "user" ? { ...said, role: "assistant" } : said)));
  if (steps.length) return;
  const candidates = list(body["candidates"]);
  for (const candidate of candidates) {
    const content = obj(obj(candidate)?.["content"]);
    if (content) reading.answer.push({ role: "assistant", parts: parts(content["parts"]) });
  }
  if (candidates.length) return;
  if (Array.isArray(body["content"]) && (body["role"] === "assistant" || body["type"] === "message")) {
    reading.answer.push({ role: "assistant", parts: parts(body["content"]) });
    return;
  }
  if (reading.error !== null && Object.keys(body).length <= 3) return;
  reading.answer.push({ role: "answer", parts: [{ type: "json", label: "response", value: body }] });
}

/** How many messages two requests begin with in common. */
export function sharedPrefix(before: Message[], now: Message[]): number {
  const most = Math.min(before.length, now.length);
  let n = 0;
  while (n < most && same(before[n]!, now[n]!)) n++;
  return n;
}

function same(a: Message, b: Message): boolean {
  return a.role === b.role && a.parts.length === b.parts.length && writeJson(a.parts) === writeJson(b.parts);
}

/** The words of a message for one line. */
export function gist(message: Message, most = 400): string {
  let text = "";
  for (const part of message.parts) {
    if (text.length > most) break;
    if (part.type === "text") text += `${part.text} `;
    else if (part.type === "call") text += `${part.name}(${short(part.args)}) `;
    else if (part.type === "result") text += `${short(part.value)} `;
    else if (part.type === "image") text += "[image] ";
    else if (part.type === "json") text += `${short(part.value)} `;
  }
  return text.replace(/\s+/g, " ").trim().slice(0, most);
}

/** A value in a few words, however large it is. */
export function short(value: unknown, most = 160): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value.slice(0, most);
  const body = obj(value);
  if (body) {
    let text = "";
    for (const [key, inner] of Object.entries(body)) {
      if (text.length > most) break;
      const shown = typeof inner === "string" ? JSON.stringify(inner.slice(0, 80)) : Array.isArray(inner) ? `[${inner.length}]` : obj(inner) ? "{…}" : String(inner);
      text += `${text ? ", " : ""}${key}: ${shown}`;
    }
    return text.slice(0, most);
  }
  if (Array.isArray(value)) return `[${value.length} ${value.length === 1 ? "item" : "items"}]`;
  return String(value);
}
