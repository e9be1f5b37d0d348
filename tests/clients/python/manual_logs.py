"""Every way in which helicone-helpers for Python posts a log. Prints the paths whose rows the test looks up."""
import asyncio
import json
import os
import time

from helicone_helpers import HeliconeManualLogger

URL = os.environ["TRAILGATE_URL"]
KEY = os.environ["HELICONE_API_KEY"]
SESSION = "python-logs"


def tags(path):
    return {"Helicone-Session-Id": SESSION, "Helicone-Session-Path": path, "Helicone-User-Id": "ann"}


def completion(text, prompt, completion):
    return {
        "id": "chatcmpl-logged", "object": "chat.completion", "model": "gpt-4o",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
    }


REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
logger = HeliconeManualLogger(api_key=KEY, logging_endpoint=URL)
now = time.time()

logger.send_log("openai", REQUEST, completion("hello", 10, 5),
                {"start_time": now - 2, "end_time": now - 0.5, "additional_headers": tags("/openai"),
                 "time_to_first_token_ms": 12.5})
logger.send_log("anthropic", {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": REQUEST["messages"]},
                {"id": "msg", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
                 "content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn",
                 "usage": {"input_tokens": 7, "output_tokens": 3}},
                {"start_time": now, "end_time": now, "additional_headers": tags("/anthropic")})
logger.send_log(None, REQUEST, "plain text", {"start_time": now, "end_time": now, "additional_headers": tags("/text")})
logger.log_request(
    {"_type": "vector_db", "operation": "search", "text": "shoes", "topK": 3},
    lambda recorder: recorder.append_results({"matches": [{"id": "a", "score": 0.5}]}),
    tags("/vector"))
logger.log_request({"_type": "data", "name": "load-user"}, lambda recorder: recorder.append_results({"rows": 1}),
                   tags("/data"))

try:
    logger.log_request({"_type": "tool", "toolName": "boom"}, lambda recorder: 1 / 0, tags("/never"))
    raised = False
except ZeroDivisionError:
    raised = True


async def builders():
    chunks = logger.log_builder({**REQUEST, "stream": True}, tags("/builder/stream"))
    for word in ("he", "llo"):
        chunks.add_chunk({"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o",
                          "choices": [{"index": 0, "delta": {"content": word}}]})
    await chunks.send_log()
    whole = logger.new_builder(REQUEST, tags("/builder/whole"))
    whole.add_model("gpt-4o-mini")
    whole.add_response(completion("whole", 4, 2))
    await whole.send_log()
    failed = logger.log_builder(REQUEST, tags("/builder/error"))
    failed.set_error(ValueError("tool broke"))
    await failed.send_log()


asyncio.run(builders())
for base in ("/some/base", "/v1/trace"):
    HeliconeManualLogger(api_key=KEY, logging_endpoint=URL + base).log_request(
        {"_type": "tool", "toolName": "based"}, lambda recorder: recorder.append_results({"ok": True}), tags(f"/base{base}"))
print(json.dumps({"session": SESSION, "raised": raised}))
