// The query of Helicone's agent-tracing page, as published; only the base URL is ours.
const HELICONE_API_KEY = process.env.HELICONE_API_KEY;

const response = await fetch(`${process.env.TRAILGATE_URL}/v1/session/query`, {
  method: "POST",
  headers: {
    "Authorization": `Bearer ${HELICONE_API_KEY}`,
    "Content-Type": "application/json",
  },
  body: JSON.stringify({
    filter: {
      properties: {
        "Agent-Version": "v1.0",
      },
    },
  }),
});

const sessions = await response.json();
console.log(JSON.stringify({ status: response.status, sessions }));
