"""The OpenAI and Anthropic SDKs through the gateway: answers, streams, and the exceptions that callers catch."""
import json
import os
import socket

import anthropic
import openai

URL = os.environ["TRAILGATE_URL"]
TAGS = {"Helicone-Session-Id": "python-sdk", "Helicone-Session-Name": "Python SDK"}
AUTH = {"Helicone-Auth": f"Bearer {os.environ['HELICONE_API_KEY']}"}
MESSAGES = [{"role": "user", "content": "What's the weather like?"}]

client = openai.OpenAI(base_url=f"{URL}/v1", default_headers=AUTH | TAGS, max_retries=0, timeout=30)
claude = anthropic.Anthropic(
    base_url=f"{URL}/v1/gateway/anthropic", default_headers=AUTH | TAGS, max_retries=0, timeout=30
)


def raised(call):
    """The exception's class, the status that it carries, and the message in the provider's error object."""
    try:
        call()
    except (openai.APIError, anthropic.APIError) as error:
        body = error.body if isinstance(error.body, dict) else {}
        return [type(error).__name__, getattr(error, "status_code", None), body.get("message") or body.get("error")]
    return ["nothing", None, None]


def ask(**options):
    return client.chat.completions.create(**({"model": "gpt-4o", "messages": MESSAGES} | options))


def streamed():
    usage, words = None, []
    for chunk in ask(stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        words += [choice.delta.content for choice in chunk.choices if choice.delta.content]
    return {"chunks": len(words), "text": "".join(words), "usage": usage.total_tokens}


def usage_asked_by_header():
    chunks = list(ask(stream=True, extra_headers={"Helicone-Stream-Usage": "true"}))
    return [chunk.usage.total_tokens for chunk in chunks if chunk.usage]


def cut():
    words = []
    try:
        for chunk in ask(model="cut", stream=True):
            words += [choice.delta.content for choice in chunk.choices]
    except Exception as error:
        return {"class": type(error).__module__.split(".")[0] + "." + type(error).__name__, "words": len(words)}
    return {"class": "nothing", "words": len(words)}


def claude_stream():
    with claude.messages.stream(model="claude-sonnet-4-5", max_tokens=64, messages=MESSAGES) as stream:
        text = "".join(stream.text_stream)
        return {"text": text, "output_tokens": stream.get_final_message().usage.output_tokens}


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES)
unreachable = {"Helicone-Target-URL": f"http://127.0.0.1:{closed_port()}"}
forbidden = {"Helicone-Target-URL": "http://169.254.169.254"}
print(json.dumps({
    "id": raw.headers["helicone-id"],
    "provider_request_id": raw.headers["x-request-id"],
    "text": raw.parse().choices[0].message.content,
    "stream": streamed(),
    "usage_by_header": usage_asked_by_header(),
    "cut": cut(),
    "claude": claude.messages.create(model="claude-sonnet-4-5", max_tokens=64, messages=MESSAGES).content[0].text,
    "claude_stream": claude_stream(),
    "errors": {
        "provider_400": raised(lambda: ask(model="fail-400")),
        "provider_401": raised(lambda: ask(model="fail-401")),
        "provider_429": raised(lambda: ask(model="fail-429")),
        "provider_500": raised(lambda: ask(model="fail-500")),
        "bad_key": raised(lambda: ask(extra_headers={"Helicone-Auth": "Bearer sk-helicone-nobody0-nobody0-nobody0-nobody0"})),
        "unreachable": raised(lambda: ask(extra_headers=unreachable)),
        "forbidden_target": raised(lambda: ask(extra_headers=forbidden)),
        "timeout": raised(lambda: ask(model="stall")),
        "claude_unreachable": raised(lambda: claude.messages.create(
            model="claude-sonnet-4-5", max_tokens=64, messages=MESSAGES, extra_headers=unreachable)),
        "claude_529": raised(lambda: claude.messages.create(model="fail-529", max_tokens=64, messages=MESSAGES)),
    },
}))
