// The OpenAI SDK for JavaScript through the gateway: answers, streams, and the exceptions that callers catch.
import { createServer } from "node:net";
import { OpenAI } from "openai";

const tags = { "Helicone-Session-Id": "typescript-sdk", "Helicone-Session-Name": "TypeScript SDK" };
const client = new OpenAI({
  baseURL: `${process.env.TRAILGATE_URL}/v1`,
  defaultHeaders: { "Helicone-Auth": `Bearer ${process.env.HELICONE_API_KEY}`, ...tags },
  maxRetries: 0,
  timeout: 30_000,
});
const messages = [{ role: "user" as const, content: "What's the weather like?" }];

/** The exception's class, its status, and the message of the provider's error object. */
async function raised(model: string, headers: Record<string, string> = {}) {
  try {
    await client.chat.completions.create({ model, messages }, { headers });
  } catch (error: any) {
    return [error.constructor.name, error.status ?? null, error.error?.message ?? null];
  }
  return ["nothing", null, null];
}

async function streamed() {
  const stream = await client.chat.completions.create({
    model: "gpt-4o",
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  const words: string[] = [];
  let usage = 0;
  for await (const chunk of stream) {
    usage = chunk.usage?.total_tokens ?? usage;
    words.push(...chunk.choices.flatMap((choice) => choice.delta.content ?? []));
  }
  return { chunks: words.length, text: words.join(""), usage };
}

/** Reads one chunk, then leaves. */
async function abandoned() {
  const stream = await client.chat.completions.create(
    { model: "slow", messages, stream: true },
    { headers: { "Helicone-Session-Path": "/abandoned" } },
  );
  for await (const _ of stream) {
    stream.controller.abort();
    break;
  }
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

const { data, response } = await client.chat.completions.create({ model: "gpt-4o", messages }).withResponse();
const seen = {
  id: response.headers.get("helicone-id"),
  text: data.choices[0].message.content,
  stream: await streamed(),
  errors: {
    provider_400: await raised("fail-400"),
    provider_401: await raised("fail-401"),
    provider_429: await raised("fail-429"),
    provider_500: await raised("fail-500"),
    bad_key: await raised("gpt-4o", { "Helicone-Auth": "Bearer sk-helicone-nobody0-nobody0-nobody0-nobody0" }),
    unreachable: await raised("gpt-4o", { "Helicone-Target-URL": `http://127.0.0.1:${await closedPort()}` }),
    timeout: await raised("stall"),
  },
};
await abandoned();
console.log(JSON.stringify(seen));
