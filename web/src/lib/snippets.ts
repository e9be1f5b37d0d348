/** The lines to change in a client, with this server's address and, where one is needed, a key. */

export interface Snippet {
  id: string;
  label: string;
  file: string;
  /** Lines that begin with `+ ` are the ones to add or change. */
  lines: string[];
}

export function snippets(url: string, key: string | null): Snippet[] {
  const auth = (indent: string): string[] => (key === null ? [] : [`+ ${indent}"Helicone-Auth": "Bearer ${key}",`]);
  return [
    {
      id: "python",
      label: "Python",
      file: "agent.py",
      lines: [
        "from openai import OpenAI",
        "",
        "client = OpenAI(",
        `+     base_url="${url}/v1",`,
        ")",
        "client.chat.completions.create(",
        '    model="gpt-4o-mini",',
        '    messages=[{"role": "user", "content": "Hello"}],',
        "+     extra_headers={",
        ...auth("        "),
        '+         "Helicone-Session-Id": "first-steps",',
        '+         "Helicone-Session-Name": "First steps",',
        '+         "Helicone-Session-Path": "/hello",',
        "+     },",
        ")",
      ],
    },
    {
      id: "typescript",
      label: "TypeScript",
      file: "agent.ts",
      lines: [
        'import { OpenAI } from "openai";',
        "",
        "const client = new OpenAI({",
        `+   baseURL: "${url}/v1",`,
        "});",
        "await client.chat.completions.create(",
        '  { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello" }] },',
        "+   {",
        "+     headers: {",
        ...auth("      "),
        '+       "Helicone-Session-Id": "first-steps",',
        '+       "Helicone-Session-Name": "First steps",',
        '+       "Helicone-Session-Path": "/hello",',
        "+     },",
        "+   },",
        ");",
      ],
    },
    {
      id: "curl",
      label: "curl",
      file: "terminal",
      lines: [
        `+ curl ${url}/v1/chat/completions \\`,
        '  -H "Authorization: Bearer $OPENAI_API_KEY" \\',
        "  -H 'Content-Type: application/json' \\",
        ...(key === null ? [] : [`+   -H 'Helicone-Auth: Bearer ${key}' \\`]),
        "+   -H 'Helicone-Session-Id: first-steps' \\",
        "+   -H 'Helicone-Session-Name: First steps' \\",
        "+   -H 'Helicone-Session-Path: /hello' \\",
        `  -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}'`,
      ],
    },
    {
      id: "tools",
      label: "Tool calls",
      file: "terminal",
      lines: [
        `+ curl ${url}/custom/v1/log -H 'Content-Type: application/json' \\`,
        ...(key === null ? [] : [`+   -H 'Authorization: Bearer ${key}' \\`]),
        "+   -H 'Helicone-Session-Id: first-steps' -H 'Helicone-Session-Path: /tools/search' \\",
        "  -d '{",
        `    "providerRequest": {"url": "custom-model-nopath", "json": {"_type": "tool", "toolName": "search", "input": {"q": "shoes"}}, "meta": {}},`,
        `    "providerResponse": {"status": 200, "headers": {}, "json": {"_type": "tool", "toolName": "search", "hits": 3}},`,
        `    "timing": {"startTime": {"seconds": 1760000000, "milliseconds": 0}, "endTime": {"seconds": 1760000000, "milliseconds": 240}}`,
        "  }'",
      ],
    },
  ];
}

/** What is copied: the lines without their marks. */
export const plainLines = (snippet: Snippet): string => snippet.lines.map((line) => (line.startsWith("+ ") ? line.slice(2) : line)).join("\n");
