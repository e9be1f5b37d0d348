// The tool logger of Helicone's agent-tracing page, as published; the logging endpoint is ours, and the class comes from
// @helicone/helpers, since the one of @helicone/helicone has no logRequest.
import { HeliconeManualLogger } from "@helicone/helpers";

class AgentWithTools {
  private logger: HeliconeManualLogger;
  public sessionId: string;

  constructor() {
    this.logger = new HeliconeManualLogger({
      apiKey: process.env.HELICONE_API_KEY!,
      headers: {},
      loggingEndpoint: process.env.TRAILGATE_URL,
    });
    this.sessionId = `agent-${Date.now()}`;
  }

  async executeTool(toolName: string, parameters: any) {
    return await this.logger.logRequest(
      {
        _type: "tool",
        toolName,
        input: parameters,
      },
      async (resultRecorder) => {
        try {
          let result;
          switch (toolName) {
            case "search_database":
              result = await this.searchDatabase(parameters);
              break;
            case "fetch_weather":
              result = await this.fetchWeather(parameters);
              break;
            default:
              result = { error: `Unknown tool: ${toolName}` };
          }
          resultRecorder.appendResults(result);
          return result;
        } catch (e) {
          const error = { error: String(e) };
          resultRecorder.appendResults(error);
          return error;
        }
      },
      {
        "Helicone-Session-Id": this.sessionId,
        "Helicone-Session-Path": `/tools/${toolName}`,
        "Helicone-Property-Tool-Category": this.getToolCategory(toolName),
      }
    );
  }

  private async searchDatabase(params: any) {
    // Your database logic
    return { results: [], count: 0 };
  }

  private async fetchWeather(params: any) {
    // Your weather API logic
    return { temp: 72, condition: "sunny" };
  }

  private getToolCategory(toolName: string): string {
    const categories: Record<string, string> = {
      search_database: "data",
      fetch_weather: "external-api",
      send_email: "notification",
    };
    return categories[toolName] || "general";
  }
}

const agent = new AgentWithTools();
const results = [];
for (const tool of ["search_database", "fetch_weather", "send_email"]) {
  results.push(await agent.executeTool(tool, { query: "shoes", location: "Paris" }));
}
console.log(JSON.stringify({ session: agent.sessionId, results }));
