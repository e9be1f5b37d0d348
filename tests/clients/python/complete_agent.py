"""The complete agent loop of Helicone's agent-tracing page, as published; only the base URL is ours."""
from agent_with_tools import AgentWithTools
from openai import OpenAI
import json
import os
import time


class CompleteAgent:
    def __init__(self):
        self.client = OpenAI(
            api_key=os.getenv("OPENAI_API_KEY"),
            base_url=os.environ["TRAILGATE_URL"] + "/v1",
            default_headers={
                "Helicone-Auth": f"Bearer {os.getenv('HELICONE_API_KEY')}"
            }
        )
        self.tool_executor = AgentWithTools()
        self.session_id = f"agent-{int(time.time())}"
        self.conversation_history = []

    def run(self, user_query: str) -> str:
        """Main agent loop with full tracing"""
        self.conversation_history.append({
            "role": "user",
            "content": user_query
        })

        max_iterations = 5
        for i in range(max_iterations):
            # Get LLM decision
            response = self.client.chat.completions.create(
                model="gpt-4o",
                messages=self.conversation_history,
                tools=self.get_tool_definitions(),
                extra_headers={
                    "Helicone-Session-Id": self.session_id,
                    "Helicone-Session-Name": "Complete Agent",
                    "Helicone-Session-Path": f"/iteration/{i}",
                    "Helicone-Property-Iteration": str(i)
                }
            )

            message = response.choices[0].message

            # If no tool calls, we have final answer
            if not message.tool_calls:
                return message.content

            # Execute tool calls
            self.conversation_history.append(message)

            for tool_call in message.tool_calls:
                tool_result = self.tool_executor.execute_tool(
                    tool_call.function.name,
                    json.loads(tool_call.function.arguments)
                )

                self.conversation_history.append({
                    "role": "tool",
                    "tool_call_id": tool_call.id,
                    "content": json.dumps(tool_result)
                })

        return "Agent exceeded maximum iterations"

    def get_tool_definitions(self):
        return [
            {
                "type": "function",
                "function": {
                    "name": "search_database",
                    "description": "Search the product database",
                    "parameters": {
                        "type": "object",
                        "properties": {
                            "query": {"type": "string"},
                            "limit": {"type": "integer"}
                        },
                        "required": ["query"]
                    }
                }
            },
            {
                "type": "function",
                "function": {
                    "name": "fetch_weather",
                    "description": "Get current weather for a location",
                    "parameters": {
                        "type": "object",
                        "properties": {
                            "location": {"type": "string"}
                        },
                        "required": ["location"]
                    }
                }
            }
        ]


if __name__ == "__main__":
    # Agent and tool executor each take the second's number as their session: make them within one second.
    agent = CompleteAgent()
    while agent.session_id != agent.tool_executor.session_id:
        agent = CompleteAgent()
    result = agent.run("What's the weather like in San Francisco?")
    print(json.dumps({"session": agent.session_id, "answer": result}))
