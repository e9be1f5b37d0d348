// The tracked agent of Helicone's agent-tracing page, as published; only the base URL is ours.
import { OpenAI } from "openai";

class TrackedAgent {
  private client: OpenAI;
  public sessionId: string;

  constructor() {
    this.client = new OpenAI({
      baseURL: `${process.env.TRAILGATE_URL}/v1`,
      apiKey: process.env.OPENAI_API_KEY,
      defaultHeaders: {
        "Helicone-Auth": `Bearer ${process.env.HELICONE_API_KEY}`,
      },
    });
    this.sessionId = `agent-${Date.now()}-${Math.random().toString(36).substr(2, 9)}`;
  }

  async makeRequest(path: string, messages: any[]) {
    return await this.client.chat.completions.create(
      {
        model: "gpt-4o",
        messages,
      },
      {
        headers: {
          "Helicone-Session-Id": this.sessionId,
          "Helicone-Session-Name": "AI Agent",
          "Helicone-Session-Path": path,
          "Helicone-Property-Agent-Version": "v1.0",
        },
      }
    );
  }
}

const agent = new TrackedAgent();
const answers = [];
for (const path of ["/classify-query", "/tools/search-database", "/tools/search-database/format-results"]) {
  const response = await agent.makeRequest(path, [{ role: "user", content: path }]);
  answers.push(response.choices[0].message.content);
}
console.log(JSON.stringify({ session: agent.sessionId, answers }));
