"""The tracked agent of Helicone's agent-tracing page, as published; only the base URL is ours."""
from openai import OpenAI
import time
import random
import string
import os
import json


class TrackedAgent:
    def __init__(self):
        self.client = OpenAI(
            api_key=os.getenv("OPENAI_API_KEY"),
            base_url=os.environ["TRAILGATE_URL"] + "/v1",
            default_headers={
                "Helicone-Auth": f"Bearer {os.getenv('HELICONE_API_KEY')}"
            }
        )
        random_id = ''.join(random.choices(string.ascii_lowercase + string.digits, k=9))
        self.session_id = f"agent-{int(time.time())}-{random_id}"

    def make_request(self, path: str, messages: list):
        return self.client.chat.completions.create(
            model="gpt-4o",
            messages=messages,
            extra_headers={
                "Helicone-Session-Id": self.session_id,
                "Helicone-Session-Name": "AI Agent",
                "Helicone-Session-Path": path,
                "Helicone-Property-Agent-Version": "v1.0"
            }
        )


if __name__ == "__main__":
    agent = TrackedAgent()
    answers = [
        agent.make_request(path, [{"role": "user", "content": path}]).choices[0].message.content
        for path in ("/classify-query", "/tools/search-database", "/tools/search-database/format-results")
    ]
    print(json.dumps({"session": agent.session_id, "answers": answers}))
