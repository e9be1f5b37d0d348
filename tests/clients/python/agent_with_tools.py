"""The tool logger of Helicone's agent-tracing page, as published; only the logging endpoint is ours, and the `...` that
stands for rows is an empty list, since JSON has no ellipsis."""
from helicone_helpers import HeliconeManualLogger
import json
import os
import time


class AgentWithTools:
    def __init__(self):
        self.logger = HeliconeManualLogger(
            api_key=os.getenv("HELICONE_API_KEY"),
            headers={},
            logging_endpoint=os.environ["TRAILGATE_URL"]
        )
        self.session_id = f"agent-{int(time.time())}"

    def execute_tool(self, tool_name: str, parameters: dict):
        """Track custom tool execution"""
        def tool_operation(result_recorder):
            try:
                # Execute your tool logic here
                if tool_name == "search_database":
                    result = self.search_database(**parameters)
                elif tool_name == "fetch_weather":
                    result = self.fetch_weather(**parameters)
                else:
                    result = {"error": f"Unknown tool: {tool_name}"}

                result_recorder.append_results(result)
                return result
            except Exception as e:
                error = {"error": str(e)}
                result_recorder.append_results(error)
                return error

        return self.logger.log_request(
            request={
                "_type": "tool",
                "toolName": tool_name,
                "input": parameters
            },
            operation=tool_operation,
            additional_headers={
                "Helicone-Session-Id": self.session_id,
                "Helicone-Session-Path": f"/tools/{tool_name}",
                "Helicone-Property-Tool-Category": self.get_tool_category(tool_name)
            }
        )

    def search_database(self, query: str, limit: int = 10):
        # Your database search logic
        return {"results": [], "count": limit}

    def fetch_weather(self, location: str):
        # Your weather API logic
        return {"temp": 72, "condition": "sunny"}

    def get_tool_category(self, tool_name: str) -> str:
        categories = {
            "search_database": "data",
            "fetch_weather": "external-api",
            "send_email": "notification"
        }
        return categories.get(tool_name, "general")


if __name__ == "__main__":
    agent = AgentWithTools()
    results = [
        agent.execute_tool("search_database", {"query": "shoes", "limit": 2}),
        agent.execute_tool("fetch_weather", {"location": "Paris"}),
        agent.execute_tool("send_email", {}),
        agent.execute_tool("search_database", {"wrong": 1}),
    ]
    print(json.dumps({"session": agent.session_id, "results": results}))
