// Every way in which @helicone/helpers posts a log, each endpoint form that it accepts, and the envelope of the old
// client of @helicone/helicone, whose host cannot be set, posted by hand.
import { HeliconeManualLogger } from "@helicone/helpers";

const url = process.env.TRAILGATE_URL!;
const apiKey = process.env.HELICONE_API_KEY!;
const session = "typescript-logs";
const tags = (path: string) => ({
  "Helicone-Session-Id": session,
  "Helicone-Session-Path": path,
  "Helicone-User-Id": "bob",
});
const request = { model: "gpt-4o", messages: [{ role: "user", content: "hi" }] } as any;
const completion = (prompt: number, output: number) => ({
  id: "chatcmpl-logged",
  object: "chat.completion",
  model: "gpt-4o",
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output },
});
const chunk = (choices: unknown[], usage: unknown = null) =>
  ({ id: "c", object: "chat.completion.chunk", model: "gpt-4o", choices, usage });
const chunks = [
  chunk([{ index: 0, delta: { content: "hello" } }]),
  chunk([], completion(11, 6).usage),
];
const bytes = () => new Blob([chunks.map((c) => `data: ${JSON.stringify(c)}\n\n`).join("") + "data: [DONE]\n\n"]).stream();
async function* objects() {
  yield* chunks;
}

const logger = new HeliconeManualLogger({ apiKey, loggingEndpoint: url });
const now = Date.now();
await logger.sendLog(request, completion(10, 5), {
  startTime: now - 1500,
  endTime: now,
  timeToFirstToken: 12,
  additionalHeaders: tags("/sendLog"),
});
await logger.sendLog(request, { error: { message: "busy" } }, {
  startTime: now,
  endTime: now,
  status: 503,
  additionalHeaders: tags("/status"),
});
await logger.logStream({ ...request, stream: true }, async (recorder) => recorder.attachStream(bytes()), tags("/logStream"));
await logger.logSingleStream({ ...request, stream: true }, bytes(), tags("/logSingleStream"));
await logger.logSingleRequest(request, JSON.stringify(completion(4, 2)), {
  additionalHeaders: tags("/logSingleRequest"),
  latencyMs: 1000,
});

const whole = logger.logBuilder(request, tags("/builder/whole"));
whole.setResponse(JSON.stringify(completion(3, 1)));
await whole.sendLog();
const failed = logger.logBuilder(request, tags("/builder/error"));
failed.setError(new Error("tool broke"));
await failed.sendLog();
const streamed = logger.logBuilder({ ...request, stream: true }, tags("/builder/stream"));
await streamed.attachStream(objects() as any);
await streamed.sendLog();
const cancelled = logger.logBuilder({ ...request, stream: true }, tags("/builder/cancelled"));
const reader = cancelled.toReadableStream(objects() as any).getReader();
await reader.read();
await reader.cancel();
await cancelled.sendLog();

const endpoints = ["/", "/custom/v1/log", "/oai/v1/log", "/v1/trace", "/v1/trace/custom/log", "/v1/trace/custom/v1/log"];
for (const [n, endpoint] of endpoints.entries()) {
  const based = new HeliconeManualLogger({ apiKey, loggingEndpoint: url + endpoint });
  await based.logRequest(
    { _type: "tool", toolName: "based", input: { n } },
    async (recorder) => recorder.appendResults({ ok: true }),
    tags(`/endpoint/${n}`),
  );
}
let raised = false;
try {
  await logger.logRequest(
    { _type: "tool", toolName: "boom", input: {} },
    async () => {
      throw new Error("boom");
    },
    tags("/never"),
  );
} catch {
  raised = true;
}

const seconds = (ms: number) => ({ seconds: Math.trunc(ms / 1000), milliseconds: ms % 1000 });
const old = await fetch(`${url}/custom/v1/log`, {
  method: "POST",
  headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
  body: JSON.stringify({
    providerRequest: { url: "custom-model-nopath", json: request, meta: tags("/old-client") },
    providerResponse: { json: completion(2, 1), status: 200, headers: {} },
    timing: { startTime: seconds(now - 10), endTime: seconds(now) },
  }),
});
console.log(JSON.stringify({ session, raised, old: [old.status, await old.text(), old.headers.has("helicone-id")] }));
