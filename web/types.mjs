/**
 * Makes `src/lib/api/schema.d.ts` from `openapi.json`, the description that the gateway serves.
 *
 *   npm run types                            what is in openapi.json
 *   npm run types -- http://127.0.0.1:8787   asks that gateway for it first
 *   npm run types -- --check                 fails where the types are not those of openapi.json
 */

import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const description = new URL("openapi.json", import.meta.url);
const types = new URL("src/lib/api/schema.d.ts", import.meta.url);
const wish = process.argv[2];

if (wish && wish !== "--check") {
  const answer = await fetch(new URL("/openapi.json", wish));
  if (!answer.ok) throw new Error(`${wish} answered ${answer.status}`);
  await writeFile(description, `${JSON.stringify(await answer.json(), null, 1)}\n`);
}

const made = `/** Made from openapi.json by \`npm run types\`. */\n\n${astToString(await openapiTS(description))}`;
if (wish === "--check") {
  if ((await readFile(types, "utf8").catch(() => "")) !== made) {
    console.error("src/lib/api/schema.d.ts is not what openapi.json gives: run `npm run types` in web/ and commit it");
    process.exit(1);
  }
} else {
  await writeFile(types, made);
}
