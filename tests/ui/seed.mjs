// Realistic sessions, made over the public wire only: manual logs whose times lie in the past, and calls through the proxy
// to a scripted provider of its own. The same seed makes the same sessions.
import { Agent, createServer, request as open } from "node:http";
import { pathToFileURL } from "node:url";

/** A small, repeatable generator of numbers between 0 and 1. */
export function dice(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Posts over HTTP/1.1 with the headers' names as they are written. */
function send(url, headers, body) {
  return new Promise((resolve, reject) => {
    const sent = open(url, { method: "POST", agent, headers: { ...headers, "Content-Length": Buffer.byteLength(body) } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk) => (text += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode, text }));
    });
    sent.on("error", reject);
    // As bytes: text would be sent in one piece with the head, and turn the head's bytes into UTF-8 once more.
    sent.end(Buffer.from(body));
  });
}

export class Seeder {
  constructor(url, key = process.env.HELICONE_API_KEY ?? "open") {
    this.url = url;
    this.key = key;
    this.queue = [];
    this.posted = 0;
  }

  /** One manual log. `at` and `ms` in milliseconds. */
  log({ session, name, path, user, properties = {}, at, ms, first, status = 200, request, response, route = "/custom/v1/log", text }) {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${this.key}` };
    if (session !== undefined) headers["Helicone-Session-Id"] = encode(session);
    if (name !== undefined) headers["Helicone-Session-Name"] = encode(name);
    if (path !== undefined) headers["Helicone-Session-Path"] = encode(path);
    if (user) headers["Helicone-User-Id"] = encode(user);
    for (const [key, value] of Object.entries(properties)) headers[`Helicone-Property-${key}`] = encode(value);
    const time = (t) => ({ seconds: Math.floor(t / 1000), milliseconds: t % 1000 });
    const body = JSON.stringify({
      providerRequest: { url: "custom-model-nopath", json: request, meta: {} },
      providerResponse: text === undefined ? { headers: {}, status, json: response } : { headers: {}, status, textBody: text },
      timing: { startTime: time(at), endTime: time(at + ms), ...(first === undefined ? {} : { timeToFirstToken: first }) },
    });
    this.queue.push({ route, headers, body });
  }

  /** Sends what is queued, a bounded number at a time. */
  async flush(wide = 24) {
    const queue = this.queue;
    this.queue = [];
    let next = 0;
    const worker = async () => {
      while (next < queue.length) {
        const { route, headers, body } = queue[next++];
        const { status, text } = await send(this.url + route, headers, body);
        if (status !== 200) throw new Error(`${route} answered ${status}: ${text.slice(0, 300)}`);
        this.posted += 1;
      }
    };
    await Promise.all(Array.from({ length: Math.min(wide, queue.length) }, worker));
  }
}

/** Header values are bytes: text beyond ASCII travels as UTF-8. */
function encode(text) {
  return Buffer.from(text.replace(/[\r\n\0]/g, " "), "utf8").toString("latin1");
}

const TOOLS = {
  search_flights: { about: "Find flights between two cities on a day", args: (r) => ({ from: pick(r, CITIES), to: pick(r, CITIES), day: `2026-12-${10 + Math.floor(r() * 18)}` }), result: (r) => ({ flights: Array.from({ length: 3 }, (_, i) => ({ code: `LH${100 + Math.floor(r() * 800)}`, departs: `0${6 + i}:40`, price_eur: 80 + Math.floor(r() * 300) })) }), ms: [180, 900] },
  get_weather: { about: "The forecast for a place", args: (r) => ({ place: pick(r, CITIES), days: 3 }), result: (r) => ({ sky: pick(r, ["clear", "rain", "snow", "clouds"]), temperature_c: Math.round(r() * 30 - 6), wind_kmh: Math.round(r() * 40) }), ms: [40, 220] },
  book_hotel: { about: "Book a room", args: (r) => ({ city: pick(r, CITIES), nights: 1 + Math.floor(r() * 6) }), result: (r) => ({ booked: true, reference: `H-${1000 + Math.floor(r() * 9000)}` }), ms: [400, 2600], fails: 0.22, error: "the hotel's system did not answer within 2 s" },
  search_docs: { about: "Search the knowledge base", args: (r) => ({ query: pick(r, ["refund policy", "reset a device", "invoice address", "warranty length"]), limit: 5 }), result: (r) => ({ hits: Array.from({ length: 4 }, (_, i) => ({ id: `kb-${Math.floor(r() * 900)}`, title: `Article ${i + 1}`, score: +(0.9 - i * 0.13).toFixed(2) })) }), ms: [90, 460] },
  create_ticket: { about: "Open a ticket", args: (r) => ({ priority: pick(r, ["low", "normal", "high"]), subject: "Device does not start" }), result: (r) => ({ id: `T-${Math.floor(r() * 90000)}` }), ms: [120, 340], fails: 0.05, error: "permission denied: queue 'hardware' is read-only" },
  read_file: { about: "Read a file of the repository", args: (r) => ({ path: pick(r, ["src/main.rs", "src/store/mod.rs", "README.md", "Cargo.toml"]) }), result: () => ({ lines: 214, text: "//! The entry point.\n\nfn main() -> anyhow::Result<()> {\n    cli::run()\n}\n" }), ms: [4, 40] },
  run_tests: { about: "Run the test suite", args: () => ({ filter: "store::" }), result: (r) => ({ passed: 120 + Math.floor(r() * 40), failed: 0, seconds: +(4 + r() * 9).toFixed(1) }), ms: [4000, 14000], fails: 0.3, error: "2 tests failed: store::pages_are_stable, store::ids_are_unique" },
  web_search: { about: "Search the web", args: (r) => ({ q: pick(r, ["grid storage costs 2026", "sodium ion density", "pumped hydro capacity", "iron air pilot plants"]) }), result: (r) => ({ results: Array.from({ length: 5 }, (_, i) => ({ title: `Result ${i + 1}`, url: `https://example.org/${Math.floor(r() * 1000)}` })) }), ms: [300, 1900], fails: 0.08, error: "Error: upstream timeout" },
  fetch_page: { about: "Read a page", args: (r) => ({ url: `https://example.org/${Math.floor(r() * 1000)}` }), result: () => ({ title: "Annual outlook", words: 4312, text: "Costs fell for the ninth year in a row. ".repeat(18) }), ms: [200, 2400], fails: 0.1, error: "HTTP 403" },
};
const CITIES = ["Tromsø", "Lisboa", "Wien", "København", "Zürich", "Málaga", "Kraków", "Bergen"];
const USERS = ["ada", "grace", "edsger", "barbara", "alan", "katherine", "margaret"];
const PRICES = { "gpt-4o": 1, "gpt-4o-mini": 0.2, "claude-sonnet-4-5": 1.2 };

const KINDS = [
  { name: "Trip planner", model: "gpt-4o", branches: [["plan", []], ["research/flights", ["search_flights"]], ["research/weather", ["get_weather"]], ["booking", ["book_hotel"]], ["answer", []]],
    ask: ["I want to see the northern lights next weekend, leaving on Friday after work. Two people, not more than 900 € all in.", "A quiet week by the sea in February, please; the flat must allow a dog.", "Plan three days of museums for my parents."],
    say: { plan: "I will look for flights and the weather first, then book a room that can be cancelled.", answer: "**Fly to Tromsø on Friday at 17:40**, back on Monday.\n\n- Room near the harbour, two nights, free cancellation\n- The sky should be clear on Saturday night\n\nAll in 842 € for two." } },
  { name: "Support triage", model: "gpt-4o-mini", branches: [["classify", []], ["lookup", ["search_docs"]], ["resolve", ["create_ticket"]]],
    ask: ["My device does not start since the last update. I tried another cable. Order 88-2041.", "Where do I change the invoice address?"], say: { classify: "hardware / does not start / priority high", resolve: "Hold the power button for 20 seconds. If the light stays red I have opened a ticket for you: a colleague calls you today." } },
  { name: "Code reviewer", model: "claude-sonnet-4-5", branches: [["read", ["read_file"]], ["check", ["run_tests"]], ["review", []]],
    ask: ["Review the change to the store's paging and tell me whether pages stay stable while rows arrive."], say: { read: "Let me read the store's code before I judge.", review: "The cursor holds time **and** id, so pages are stable.\n\n1. `after()` should reject a cursor from another order.\n2. The test covers ties; good.\n\n```rust\nassert_eq!(first.rows.len() + second.rows.len(), 3);\n```" } },
  { name: "Deep research", model: "gpt-4o", branches: [["supervisor", []], ["researcher-1/search", ["web_search"]], ["researcher-1/read", ["fetch_page"]], ["researcher-2/search", ["web_search"]], ["researcher-2/read", ["fetch_page"]], ["writer", []]],
    ask: ["What will grid storage cost in 2030? Compare lithium, sodium and iron-air, with sources."], say: { supervisor: "I split the question into two parts and hand them to two researchers.", writer: "Sodium-ion reaches parity with LFP in 2028 at current learning rates; iron-air wins above ten hours of storage." } },
];

const pick = (r, list) => list[Math.floor(r() * list.length)];
const between = (r, [low, high]) => Math.round(low + (high - low) * r() ** 2);

/** A session of one kind that began at `at`; answers its id and end. */
export function session(seeder, r, kind, at, n, { rounds = 1, version, user = pick(r, USERS), worse = 1 } = {}) {
  const id = `${kind.name.toLowerCase().replace(/ /g, "-")}-${(0x10000 + n * 7919).toString(16)}`;
  const anthropic = kind.model.startsWith("claude");
  const properties = { "Agent-Version": version ?? (r() < 0.5 ? "v1.0" : "v1.1"), Environment: r() < 0.8 ? "production" : "staging" };
  const common = { session: id, name: kind.name, user, properties };
  const system = `You are the ${kind.name.toLowerCase()} of Example Travel. Answer briefly. Today is a Tuesday.`;
  const messages = [{ role: "user", content: pick(r, kind.ask) }];
  const offered = [...new Set(kind.branches.flatMap(([, tools]) => tools))];
  const tools = offered.map((name) => anthropic
    ? { name, description: TOOLS[name].about, input_schema: { type: "object", properties: {} } }
    : { type: "function", function: { name, description: TOOLS[name].about, parameters: { type: "object", properties: {} } } });
  let t = at;
  let call = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [branch, names] of kind.branches) {
      const agent = branch.split("/")[0];
      const path = rounds > 1 ? `/${branch}/iteration-${round}` : `/${branch}`;
      const wanted = names.map((name) => ({ id: `call_${n}_${call++}`, name, args: TOOLS[name].args(r) }));
      const text = wanted.length ? (r() < 0.4 ? `Let me use ${wanted[0].name}.` : null) : (kind.say[branch] ?? "Done.");
      const size = 200 + messages.reduce((sum, m) => sum + JSON.stringify(m).length, 0) / 4;
      const out = Math.round(30 + r() * (wanted.length ? 60 : 380));
      const cached = messages.length > 2 ? Math.round(size * 0.7) : 0;
      const ms = Math.round((500 + out * 14 + r() * 900) * worse * (PRICES[kind.model] > 0.5 ? 1.5 : 1));
      const request = anthropic
        ? { model: kind.model, max_tokens: 2048, system, messages: [...messages], tools }
        : { model: kind.model, temperature: 0.2, messages: [{ role: "system", content: system }, ...messages], tools };
      if (r() < 0.07 * worse) {
        const busy = { error: { message: "Rate limit reached for requests. Please try again in 1.2 s.", type: "requests", code: "rate_limit_exceeded" } };
        seeder.log({ ...common, path, at: t, ms: 130, status: 429, route: anthropic ? "/anthropic/v1/log" : "/oai/v1/log", request, response: busy, properties: { ...properties, "Agent-Name": agent } });
        t += 1330;
      }
      const response = anthropic ? claude(kind.model, text, wanted, Math.round(size), cached, out) : chat(kind.model, text, wanted, Math.round(size), cached, out);
      seeder.log({ ...common, path, at: t, ms, first: Math.round(ms * 0.3), route: anthropic ? "/anthropic/v1/log" : "/oai/v1/log", request, response, properties: { ...properties, "Agent-Name": agent } });
      t += ms + 6;
      messages.push(anthropic ? { role: "assistant", content: response.content } : response.choices[0].message);
      let end = t;
      for (const { id: callId, name, args } of wanted) {
        const tool = TOOLS[name];
        let tries = 0;
        let result;
        let failed;
        do {
          failed = r() < (tool.fails ?? 0) * worse && tries < 2;
          result = failed ? { error: tool.error } : tool.result(r);
          const took = between(r, tool.ms) * (failed ? 1.4 : 1);
          seeder.log({ ...common, path: rounds > 1 ? `/${agent}/tools/${name}` : `/${branch}/${name}`, at: t, ms: Math.round(took), status: failed && r() < 0.6 ? 502 : 200,
            request: { _type: "tool", toolName: name, input: args }, response: { _type: "tool", toolName: name, ...result }, properties: { ...properties, "Agent-Name": agent } });
          end = Math.max(end, t + Math.round(took));
          t = failed ? end + 40 : t;
          tries += 1;
        } while (failed && tries < 2);
        messages.push(anthropic
          ? { role: "user", content: [{ type: "tool_result", tool_use_id: callId, content: JSON.stringify(result), ...(failed ? { is_error: true } : {}) }] }
          : { role: "tool", tool_call_id: callId, content: JSON.stringify(result) });
      }
      t = end + 8;
    }
    if (round + 1 < rounds) {
      messages.push({ role: "user", content: pick(r, ["Cheaper, please.", "And on the way back?", "Thanks. Check that again, it looks wrong.", "Go on."]) });
      t += 4000 + Math.round(r() * 60_000);
    }
  }
  return { id, end: t };
}

function chat(model, text, calls, prompt, cached, completion) {
  const message = { role: "assistant", content: text };
  if (calls.length) message.tool_calls = calls.map(({ id, name, args }) => ({ id, type: "function", function: { name, arguments: JSON.stringify(args) } }));
  return { id: "chatcmpl-seed", object: "chat.completion", created: 1760000000, model,
    choices: [{ index: 0, message, finish_reason: calls.length ? "tool_calls" : "stop" }],
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion, prompt_tokens_details: { cached_tokens: cached }, completion_tokens_details: { reasoning_tokens: 0 } } };
}

function claude(model, text, calls, prompt, cached, completion) {
  const content = [];
  if (text) content.push({ type: "text", text });
  for (const { id, name, args } of calls) content.push({ type: "tool_use", id, name, input: args });
  return { id: "msg_seed", type: "message", role: "assistant", model, content, stop_reason: calls.length ? "tool_use" : "end_turn",
    usage: { input_tokens: prompt - cached, cache_read_input_tokens: cached, cache_creation_input_tokens: 0, output_tokens: completion } };
}

/** Sessions over the last days; the newest day is a little worse than the ones before. */
export async function history(seeder, { sessions = 90, days = 6, now = Date.now() } = {}) {
  const r = dice(7);
  const ids = [];
  for (let n = 0; n < sessions; n++) {
    const age = ((sessions - n - 0.5) / sessions) ** 1.3;
    const at = Math.round(now - 120_000 - age * days * 86_400_000);
    const kind = KINDS[n % 3 === 2 ? 3 : n % KINDS.length];
    const fresh = age < 0.12;
    ids.push(session(seeder, r, kind, at, n, { rounds: r() < 0.35 ? 2 + Math.floor(r() * 4) : 1, worse: fresh ? 1.9 : 1 }).id);
  }
  await seeder.flush();
  return ids;
}

/** A session of `steps` calls: five agents, tools, errors, one long pause. */
export async function long(seeder, steps = 10_000, id = "long-haul", now = Date.now()) {
  const r = dice(11);
  const agents = ["planner", "crawler", "extractor", "judge", "writer"];
  let t = now - 9 * 3_600_000;
  for (let n = 0; n < steps; n++) {
    const agent = agents[Math.floor(n / 12) % agents.length];
    const common = { session: id, name: "Long haul", user: "katherine", properties: { "Agent-Version": "v2.0", "Agent-Name": agent }, at: t };
    if (n % 3 === 0) {
      const ms = 300 + Math.round(r() * 2600);
      const failed = r() < 0.01;
      seeder.log({ ...common, path: `/${agent}/iteration-${Math.floor(n / 60)}`, ms, route: "/oai/v1/log", status: failed ? 500 : 200,
        request: { model: "gpt-4o-mini", messages: [{ role: "user", content: `Step ${n}: read the next page and note what is new.` }] },
        response: failed ? { error: { message: "The server had an error while processing your request." } } : chat("gpt-4o-mini", `Noted ${n}.`, [], 400 + (n % 900), 200, 20 + (n % 70)) });
      t += ms + 4;
    } else {
      const name = n % 3 === 1 ? "fetch_page" : "web_search";
      const ms = between(r, [30, 900]);
      const failed = r() < 0.02;
      seeder.log({ ...common, path: `/${agent}/tools/${name}`, ms, status: failed ? 504 : 200, request: { _type: "tool", toolName: name, input: TOOLS[name].args(r) },
        response: { _type: "tool", toolName: name, ...(failed ? { error: "Error: upstream timeout" } : { ok: true, words: n }) } });
      t += ms + 2;
    }
    if (n === Math.floor(steps / 2)) t += 1_800_000;
  }
  await seeder.flush(48);
  return id;
}

export const PAYLOADS = [
  `<script>alert(1)</script>`, `<img src=x onerror=alert(2)>`, `"><svg onload=alert(3)>`, `javascript:alert(4)`, `'"><iframe src="javascript:alert(5)"></iframe>`,
  `<a href="javascript:alert(6)">x</a>`, `<style>*{background:url(http://outside.example/7)}</style>`, `<img src="http://outside.example/8.png">`,
  `</textarea><script>alert(9)</script>`, `{{constructor.constructor('alert(10)')()}}`, `\${alert(11)}`, `<math><mi xlink:href="data:x,<script>alert(12)</script>">`,
  `<link rel=stylesheet href=http://outside.example/13.css>`, `![x](http://outside.example/14.png)`, `[x](javascript:alert(15))`, `<details open ontoggle=alert(16)>`,
  `<object data="data:text/html,<script>alert(17)</script>">`, `<form action=http://outside.example><button>x</button></form>`, `\u202Egnp.exe`, `<meta http-equiv=refresh content="0;url=http://outside.example/20">`,
];

/** What strangers send: markup in every field, odd bodies, odd shapes. */
export async function odd(seeder, now = Date.now()) {
  const t = now - 300_000;
  const hostile = { session: `evil-"><img src=x onerror=alert(0)>`, name: PAYLOADS[0], user: PAYLOADS[1] };
  PAYLOADS.forEach((payload, n) => {
    seeder.log({ ...hostile, path: `/${payload.replace(/\//g, "∕")}`, at: t + n * 900, ms: 400, route: "/oai/v1/log", properties: { Payload: payload, [`X-${n}`]: payload },
      request: { model: n % 4 ? "gpt-4o" : payload, messages: [{ role: "system", content: payload }, { role: "user", content: payload }], tools: [{ type: "function", function: { name: payload, description: payload } }] },
      response: chat("gpt-4o", payload, [{ id: payload, name: payload, args: { q: payload } }], 90, 0, 12) });
    seeder.log({ ...hostile, path: "/tools", at: t + n * 900 + 450, ms: 60, status: n % 3 ? 200 : 500, request: { _type: "tool", toolName: payload, input: { html: payload } }, response: { _type: "tool", toolName: payload, error: payload, [payload]: payload } });
  });
  const base = { at: t, ms: 900, route: "/oai/v1/log" };
  seeder.log({ ...base, session: "rtl", name: "مساعد السفر", path: "/خطة/بحث", user: "ليلى", request: { model: "gpt-4o", messages: [{ role: "user", content: "أريد رحلة إلى طنجة في نهاية الأسبوع القادم، لشخصين، مع فندق قريب من البحر." }] },
    response: chat("gpt-4o", "يمكنك السفر يوم الجمعة الساعة 09:40. الفندق `Dar Nour` محجوز لليلتين.", [], 120, 0, 60) });
  seeder.log({ ...base, session: "rtl", name: "مساعد السفر", path: "/תשובה", at: t + 1200, request: { model: "gpt-4o", messages: [{ role: "user", content: "תודה רבה! מה מזג האוויר?" }] }, response: chat("gpt-4o", "בהיר, 18 מעלות.", [], 140, 60, 20) });
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAEAAAAAwCAIAAAAuKetIAAAAQElEQVR42u3PMQ0AAAgDsGFm/g3hBB0c0Cqp6un4lQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgL3AgOYAAGP7aNzAAAAAElFTkSuQmCC";
  seeder.log({ ...base, session: "pictures", name: "Picture reader", path: "/look", request: { model: "gpt-4o", messages: [{ role: "user", content: [{ type: "text", text: "What is in these?" }, { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } }, { type: "image_url", image_url: { url: "http://outside.example/cat.png" } }] }] },
    response: chat("gpt-4o", "A grey rectangle; the other picture I cannot open.", [], 800, 0, 18) });
  seeder.log({ ...base, session: "heavy", name: "Heavy bodies", path: "/read", request: { model: "gpt-4o", messages: [{ role: "user", content: "Summarise this log.\n" + "2026-11-20T10:00:00Z worker 17 took 12 ms for item 4711, all well\n".repeat(72_000) }] }, response: chat("gpt-4o", "Nothing unusual.", [], 900_000, 0, 5) });
  seeder.log({ ...base, session: "heavy", name: "Heavy bodies", path: "/broken", at: t + 2000, status: 200, request: { model: "gpt-4o", messages: [{ role: "user", content: "Answer in JSON." }] }, text: `{"choices":[{"message":{"role":"assistant","content":"{\\"a\\": 1, ` });
  seeder.log({ ...base, session: "deep", name: "Deep path", path: `/${Array.from({ length: 50 }, (_, i) => `level-${i + 1}`).join("/")}`, request: { model: "gpt-4o-mini", messages: [{ role: "user", content: "How deep?" }] }, response: chat("gpt-4o-mini", "Fifty.", [], 20, 0, 2) });
  seeder.log({ ...base, session: "lonely", name: "One step", path: "/only", request: { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello" }] }, response: chat("gpt-4o-mini", "Hello!", [], 8, 0, 3) });
  for (let n = 0; n < 4; n++) seeder.log({ ...base, session: "all-wrong", name: "Errors only", path: `/try-${n}`, at: t + n * 2000, status: [500, 503, 429, 401][n], request: { model: "gpt-4o", messages: [{ role: "user", content: "Is anybody there?" }] }, response: { error: { message: ["The server had an error.", "Overloaded.", "Rate limit reached.", "Incorrect API key provided."][n] } } });
  seeder.log({ ...base, session: undefined, name: undefined, path: undefined, user: "alan", request: { model: "gpt-4o-mini", messages: [{ role: "user", content: "A call without a session." }] }, response: chat("gpt-4o-mini", "Recorded all the same.", [], 12, 0, 6) });
  await seeder.flush();
}

/** A provider of our own, on a free port. `hold` in a model's name keeps the call open until `release()`, `tool` has it ask for one. */
export async function provider() {
  let release;
  let held = new Promise((resolve) => (release = resolve));
  const server = createServer((request, answer) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", async () => {
      const body = JSON.parse(text || "{}");
      if (String(body.model).includes("hold")) await held;
      answer.setHeader("Content-Type", "application/json");
      const tools = String(body.model).includes("tool") ? [{ id: "call_live", name: "look_around", args: { where: "here" } }] : [];
      answer.end(JSON.stringify(chat(body.model ?? "gpt-4o-mini", tools.length ? null : "From the provider.", tools, 40, 0, 6)));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    release: () => {
      release();
      held = new Promise((resolve) => (release = resolve));
    },
    close: () => server.close(),
  };
}

/** A call through the proxy; answers its status. */
export async function proxied(url, upstream, { model = "gpt-4o-mini", session: id, name, path, key = process.env.HELICONE_API_KEY ?? "open", content = "Hello" }) {
  const headers = {
    "Content-Type": "application/json",
    Authorization: "Bearer sk-provider",
    "Helicone-Auth": `Bearer ${key}`,
    "Helicone-Target-URL": upstream,
    "Helicone-Session-Id": id,
    "Helicone-Session-Name": name,
    "Helicone-Session-Path": path,
  };
  return (await send(`${url}/v1/chat/completions`, headers, JSON.stringify({ model, messages: [{ role: "user", content }] }))).status;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [url = "http://127.0.0.1:8787", part = "all"] = process.argv.slice(2);
  const seeder = new Seeder(url);
  if (part === "all" || part === "history") await history(seeder);
  if (part === "all" || part === "odd") await odd(seeder);
  if (part === "all" || part === "long") await long(seeder);
  console.log(JSON.stringify({ posted: seeder.posted }));
  agent.destroy();
}
