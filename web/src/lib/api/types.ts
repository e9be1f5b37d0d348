/** The API's shapes, made from its description (`npm run types`), under the names that the pages use. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type ApiKey = Schemas["KeyResult"];
export type Attention = Schemas["Attention"];
export type AttentionItem = Schemas["Item"];
export type Breakdown = Schemas["Breakdown"];
export type Found = Schemas["Found"];
export type Kind = Schemas["CallKind"];
export type Light = Schemas["CallLight"];
export type LiveCall = Schemas["LiveCall"];
export type Me = Schemas["Me"];
export type Metrics = Schemas["Metrics"];
export type NewKey = Schemas["NewKey"];
export type Org = Schemas["OrgResult"];
export type PathNode = Schemas["DecisionPoint"];
export type PathSide = Schemas["Side"];
export type Paths = Schemas["Paths"];
export type Property = Schemas["PropertyResult"];
export type RequestRow = Schemas["HeliconeRequest"];
export type Retention = Schemas["RetentionDays"];
export type Running = Schemas["RunningResult"];
export type SavedFilter = Schemas["SavedResult"];
export type SessionDetail = Schemas["SessionDetail"];
export type SessionCount = Schemas["SessionCountResult"];
export type SessionRow = Schemas["SessionResult"];
export type Spark = Schemas["SparkResult"];
export type Sums = Schemas["PathSums"];
export type System = Schemas["System"];
/** A tool call that an answer asks for, with what is known of its result. */
export type ToolNode = Schemas["ToolCallNode"];
export type ToolRow = Schemas["ToolRow"];
export type Tools = Schemas["Tools"];
