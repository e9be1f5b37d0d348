/** Made from openapi.json by `npm run types`. */

export interface paths {
    "/anthropic/v1/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Logs an Anthropic call */
        post: operations["logAnthropic"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/custom/v1/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Logs an event or a call to any provider
         * @description The same under any path that ends like this one.
         */
        post: operations["logCustom"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/googleapis/v1/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Logs a Google call */
        post: operations["logGoogle"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthcheck": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process answers, in the original's words */
        get: operations["healthcheck"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process answers */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/helicone/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A greeting with the custom properties of the request, to try headers with */
        get: operations["heliconeTest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Figures of the process for Prometheus */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oai/v1/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Logs an OpenAI call */
        post: operations["logOpenai"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This description */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether calls can be accepted and recorded
         * @description A database that is away does not make it unready: calls are forwarded and wait in the journal. It is unready where the
         *     journal is full and `journal.on_full` is `reject`, where the disk does not finish a sync in ten seconds, or where records
         *     are not moved to a database that answers.
         */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The keys, revoked ones included */
        get: operations["listApiKeys"];
        put?: never;
        /** Makes a key */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revokes a key */
        delete: operations["revokeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letter": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Records that the store refused, newest first */
        get: operations["listDeadLetters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letter/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The frames of a letter, byte for byte */
        get: operations["getDeadLetter"];
        put?: never;
        post?: never;
        /** Drops a letter for good */
        delete: operations["dropDeadLetter"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letter/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries a letter again
         * @description The record is read from its frames as if it came now, and stored at most once.
         */
        post: operations["retryDeadLetter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/export/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Requests as a file
         * @description Newest first. `X-Total-Rows` says how many there were at the start.
         */
        get: operations["exportRequests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/export/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sessions as a file
         * @description Newest first. `X-Total-Rows` says how many there were at the start.
         */
        get: operations["exportSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/feedback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Judges a request, in the proxy's form */
        post: operations["rateRequestByHeliconeId"];
        delete?: never;
        /** What a browser asks before it lets a page judge a request */
        options: operations["preflightRateRequest"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/gaps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Calls that were served without a record, by minute */
        get: operations["listGaps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * New calls and calls in flight, as server-sent events
         * @description `calls` (rows that are new in the store), `running` (all calls in flight, when they change), `refetch` (some rows were
         *     missed: ask anew), `end` (with `reason` `shutdown` or `signed_out`; nothing follows).
         */
        get: operations["watch"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/live/running": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Calls in flight in this process, newest first, at most 1000 */
        get: operations["getRunning"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Logs an event or a call to any provider, under the short path */
        post: operations["logShort"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Signs a browser in
         * @description By a key or by the link printed at start. The session is a cookie that scripts cannot read.
         */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs the browser out */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is asking */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/metrics/attention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What needs attention */
        post: operations["queryAttention"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/metrics/breakdown": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Figures by what calls have in common */
        post: operations["breakDown"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/metrics/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Figures over time
         * @description Calls, errors, cost, tokens, percentiles of wall times and sessions that began, in buckets and in total, with the window
         *     before to compare.
         */
        post: operations["queryMetrics"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/org": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organisation */
        get: operations["getOrg"];
        /** Names the organisation */
        put: operations["setOrg"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/path/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Decision points of many sessions as one tree */
        post: operations["queryPaths"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/property/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keys of properties */
        post: operations["queryProperties"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/property/{key}/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Values of a property, at most 25 */
        post: operations["searchPropertyValues"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/request/count/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** How many requests match; only `filter` has an effect */
        post: operations["countRequests"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/request/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Requests, under the name of the original's older store */
        post: operations["queryRequestsLegacy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/request/query-clickhouse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Requests */
        post: operations["queryRequests"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/request/query-ids": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Requests by id, newest first; ids that do not exist are left out */
        post: operations["queryRequestsByIds"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/request/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One request
         * @description Bodies are JSON where they parse as such, else text: a streamed answer is the text of its events. Bytes that are no
         *     UTF-8 come in `request_body_base64` and `response_body_base64` as well.
         */
        get: operations["getRequest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/request/{id}/body/{which}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The bytes of a body as they passed
         * @description `which` is `request` or `response`. The stored content type and encoding come in `x-stored-content-type` and
         *     `x-stored-content-encoding`: a browser must never run what a provider or client sent.
         */
        get: operations["getRequestBody"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/request/{id}/feedback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Judges a request
         * @description Kept as score `helicone-score-feedback`, 1 or 0.
         */
        post: operations["rateRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/request/{id}/property": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Adds or replaces a property of a request */
        put: operations["setRequestProperty"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/request/{id}/score": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Adds or replaces scores of a request */
        post: operations["scoreRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How long calls are kept */
        get: operations["getRetention"];
        /**
         * Sets how long calls are kept
         * @description What is older is deleted in the background, by the age of each call's start.
         */
        put: operations["setRetention"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/saved-filter": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Saved filters, by page and name */
        get: operations["listSavedFilters"];
        put?: never;
        /** Saves a filter; one of the same page and name is replaced */
        post: operations["saveFilter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/saved-filter/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes a saved filter */
        delete: operations["deleteSavedFilter"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/count": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sums over all sessions of a query
         * @description `offset`, `limit` and `cursor` have no effect.
         */
        post: operations["countSessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/metrics/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Histograms of calls, duration and cost of sessions */
        post: operations["querySessionMetrics"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/name/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Session names, at most 50
         * @description Times are shifted as in the session list (the original shifts them the other way for zones east of Greenwich).
         */
        post: operations["querySessionNames"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sessions, newest first
         * @description A filter on calls selects the sessions that have a matching call. The totals are the whole session's; the `matching_*`
         *     fields are those of the calls that matched.
         */
        post: operations["querySessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/sparks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Calls and errors of sessions over their time, and how many run now; by session id */
        post: operations["querySparks"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/top": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sessions by cost, errors, wall time, calls, tokens or start
         * @description The rows of a session query in another order; every session of the window is looked at.
         */
        post: operations["queryTopSessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One session with its tree
         * @description An id that holds a slash comes percent-encoded (`%2F`).
         */
        get: operations["getSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/{id}/digest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Steps of a session in short, by request id */
        post: operations["digestSteps"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/{id}/feedback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Judges a session
         * @description Kept as property `Helicone-Session-Feedback` (`1` or `0`) of its first call.
         */
        post: operations["rateSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/{id}/find": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which calls of a session hold a text
         * @description Looked for in both bodies (streams put together), the path, the model and the error's message.
         */
        get: operations["findInSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/{id}/markdown": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A session as Markdown */
        get: operations["getSessionMarkdown"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/{id}/tag": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The session's newest tag, or null */
        get: operations["getSessionTag"];
        put?: never;
        /** Tags a session; the newest tag counts */
        post: operations["tagSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/{id}/tool-calls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The tool calls of a session
         * @description As `tool_calls` of `GET /v1/session/{id}`, in order of time. A result is told by a later request, so a node changes while
         *     its session runs.
         */
        get: operations["getSessionToolCalls"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the server, its database and its journal are */
        get: operations["getSystem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tool/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tools with their uses, failures and times
         * @description Uses are tool calls in answers, and manual logs of tools; a call and its log are one use. Of very many the newest count.
         */
        post: operations["queryTools"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/trace/custom/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Logs a call; the envelope's `provider` names the provider */
        post: operations["logTraceShort"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/trace/custom/log/typed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Logs a call; faults come as a list */
        post: operations["logTraceTyped"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/trace/custom/v1/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Logs a call; the envelope's `provider` names the provider */
        post: operations["logTrace"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/metrics-overview/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Histograms of calls and cost of users */
        post: operations["queryUserOverview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/metrics/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Users with their sums */
        post: operations["queryUserMetrics"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Users by id, at most 100, those with most calls first */
        post: operations["queryUsers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Attention: {
            data: {
                /** @description Most severe first; empty: nothing got worse. */
                items: components["schemas"]["Item"][];
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_BTreeMap_String_Digest: {
            data: {
                [key: string]: {
                    /** @description Messages that were sent before and are not in `input`. */
                    history: number;
                    /** @description Messages that are new. */
                    input: components["schemas"]["Said"][];
                    answer: components["schemas"]["Said"][];
                    tool_calls: components["schemas"]["ToolCallShown"][];
                    /** @description True: the bodies are too large to be read for a list. */
                    too_large: boolean;
                };
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_BTreeMap_String_SparkResult: {
            data: {
                [key: string]: {
                    calls: number[];
                    errors: number[];
                    /**
                     * Format: int64
                     * @description Calls in flight now: the session is live if there are any.
                     */
                    running: number;
                };
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Breakdown: {
            /** @description Groups of calls. */
            data: {
                rows: components["schemas"]["BreakdownRow"][];
                /** @description Groups before `limit`. */
                total: number;
                /** @description Whether percentiles are exact. */
                exact: boolean;
                /** @description True: there are more groups than are looked at (5000, those with most calls). */
                truncated: boolean;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Found: {
            data: {
                /** @description Calls with hits, in order of start. */
                hits: components["schemas"]["Hit"][];
                /** @description Hits in all calls. */
                total: number;
                /** @description True: not everything was looked through (10,000 calls, 64 MB of bodies). */
                truncated: boolean;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Gaps: {
            data: {
                /** @description Newest first; at most the newest 1,440. */
                minutes: components["schemas"]["GapMinute"][];
                /**
                 * Format: int64
                 * @description Calls without a record that are counted in the gateway's memory and not in `minutes` yet, whenever they came.
                 */
                waiting: number;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_HeliconeRequest: {
            /**
             * @description One call.
             *
             *     Costs are null where no price is known, tokens where no usage was reported. `total_tokens` is `input_tokens` +
             *     `output_tokens`, cached input and reasoning included; the other token fields are disjoint parts.
             */
            data: {
                request_id: string;
                /** @description The same as `request_id`. */
                response_id: string;
                /** @description ISO 8601, UTC, microseconds. */
                request_created_at: string;
                response_created_at: string;
                /**
                 * @description JSON where it parses as such, a stream assembled to the answer that it adds up to (its chunks are in
                 *     `streamed_data`), else text, as is what is nested deeper than 100 levels; a placeholder object where
                 *     `storage_location` is `s3`.
                 */
                request_body: unknown;
                response_body: unknown;
                /** @description The stored bytes, where they are no UTF-8 text. */
                request_body_base64?: string;
                response_body_base64?: string;
                /** @description How much of the body was kept, its length and, where not all was kept, the SHA-256 of all that passed. */
                request_body_facts?: components["schemas"]["FactsResult"];
                response_body_facts?: components["schemas"]["FactsResult"];
                /** @description As they passed, lower case, credentials replaced; where the bodies were read. */
                request_headers?: string[][];
                response_headers?: string[][];
                /** @description Where the bodies are, if they are not here; relative to this API. */
                body_url?: string;
                /**
                 * Format: int32
                 * @description The status that the answer began with, also where it broke off later: `outcome` says how the call ended. 0 where there
                 *     was none. A manual log has what it says itself, which may be one of the original's codes: -2 timeout, -3 client gone.
                 */
                response_status: number;
                request_path: string;
                target_url: string;
                request_user_id: string | null;
                helicone_user: string | null;
                /** @description Custom properties and the session's, keys as first sent. */
                request_properties: {
                    [key: string]: string;
                };
                properties: {
                    [key: string]: string;
                };
                provider: string;
                model: string | null;
                request_model: string | null;
                response_model: string | null;
                model_override: string | null;
                /**
                 * Format: int64
                 * @description Milliseconds, whole.
                 */
                delay_ms: number;
                /**
                 * Format: double
                 * @description Milliseconds; null where nothing was streamed.
                 */
                time_to_first_token: number | null;
                /** Format: int64 */
                prompt_tokens: number | null;
                /** Format: int64 */
                completion_tokens: number | null;
                /** Format: int64 */
                reasoning_tokens: number | null;
                /** Format: int64 */
                prompt_cache_read_tokens: number | null;
                /** Format: int64 */
                prompt_cache_write_tokens: number | null;
                /**
                 * Format: int64
                 * @description Of the written ones, those that are kept for an hour.
                 */
                prompt_cache_write_1h_tokens: number | null;
                /** Format: int64 */
                prompt_audio_tokens: number | null;
                /** Format: int64 */
                completion_audio_tokens: number | null;
                /** Format: int64 */
                prompt_image_tokens: number | null;
                /** Format: int64 */
                completion_image_tokens: number | null;
                /**
                 * Format: int64
                 * @description Web searches that the provider ran and counted.
                 */
                web_searches: number | null;
                /**
                 * Format: int64
                 * @description Other runs of the provider's own tools that it counted.
                 */
                tool_units: number | null;
                /**
                 * Format: int64
                 * @description Searches counted by the unit (reranking, sources).
                 */
                search_units: number | null;
                /** Format: int64 */
                input_tokens: number | null;
                /** Format: int64 */
                output_tokens: number | null;
                /** Format: int64 */
                total_tokens: number | null;
                /**
                 * Format: double
                 * @description US dollars.
                 */
                cost: number | null;
                /** Format: double */
                costUSD: number | null;
                cache_enabled: boolean;
                /**
                 * Format: uuid
                 * @description The zero UUID: no answer comes from a cache.
                 */
                cache_reference_id: string;
                country_code: string;
                scores: {
                    [key: string]: number;
                };
                asset_ids: string[];
                assets: string[];
                asset_urls: {
                    [key: string]: string;
                };
                prompt_id: string | null;
                prompt_version: string;
                /** @description Null while nobody judged it. */
                feedback_rating: boolean | null;
                request_referrer: string;
                /** @description `clickhouse`: the bodies are with the row; `s3`: they are behind `body_url`. */
                storage_location: string;
                /**
                 * Format: int64
                 * @description Of both bodies, as they passed.
                 */
                size_bytes: number;
                llmSchema: Record<string, never> | null;
                kind: components["schemas"]["CallKind"];
                /** @description `proxy` or `manual`. */
                source: string;
                method: string;
                streamed: boolean;
                finish_reason: string | null;
                /** Format: int32 */
                tool_calls: number;
                session_id: string | null;
                session_name: string | null;
                session_path: string | null;
                /** @description How the call ended, seen from the gateway. */
                outcome: string;
                /** @description Null unless the call counts as failed: which rule says so. */
                error_rule: string | null;
                error_message: string | null;
                /**
                 * @description Where the usage comes from: `reported`, `partial` (what had been reported when a stream broke off) or `estimated`
                 *     (counted from the texts of such a stream); null without a usage.
                 */
                usage_source: string | null;
                /** @description Why there is no usage. */
                usage_missing: string | null;
                /** @description Who says what it cost: `provider`, `genai-prices` or `overlay`. */
                cost_source: string | null;
                price_version: string | null;
                /** @description As the provider reported it. */
                service_tier: string | null;
                /** @description What the sender should know about this call. */
                notes: components["schemas"]["NoteResult"][];
                /** Format: int64 */
                request_bytes: number;
                /** Format: int64 */
                response_bytes: number;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Me: {
            /** @description Who is asking and where. */
            data: {
                organization: components["schemas"]["Organization"];
                key: components["schemas"]["KeyName"] | null;
                rights: components["schemas"]["RightsResult"];
                /** @description `open`: no key is needed; `keys`: one is. */
                auth: components["schemas"]["AuthMode"];
                /** @description Whether it is a browser's session that speaks. */
                signed_in: boolean;
                version: string;
                /** @description This server's address as the asker knows it. */
                url: string;
                /** @description Whether the organisation has any call. */
                has_data: boolean;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Metrics: {
            /** @description Figures over time. */
            data: {
                /**
                 * Format: int64
                 * @description The window that was read: with many calls it is widened to whole hours.
                 */
                from_ms: number;
                /** Format: int64 */
                to_ms: number;
                /** Format: int64 */
                bucket_ms: number;
                /** @description Whether percentiles are exact; else from histograms. */
                exact: boolean;
                totals: components["schemas"]["FiguresResult"];
                /** @description Of the window of the same length before. */
                previous: components["schemas"]["FiguresResult"];
                series: components["schemas"]["Series"];
                /** @description With `group`: the eight that come first by `group_sort`. */
                groups: components["schemas"]["GroupSeries"][];
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Option_String: {
            data: null | string;
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_OrgResult: {
            data: {
                id: string;
                name: string;
                /** Format: int64 */
                created_ms: number;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Paths: {
            data: {
                root: components["schemas"]["DecisionPoint"];
                sessions: number;
                /** Format: int64 */
                calls: number;
                /** @description True: only the newest 2000 sessions are in it. */
                truncated: boolean;
                compare: components["schemas"]["Compared"] | null;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_RetentionDays: {
            /** @description How many days calls and their bodies are kept; null: for good. */
            data: {
                /**
                 * Format: int64
                 * @description 1 to 36500.
                 */
                calls_days: number | null;
                /**
                 * Format: int64
                 * @description 1 to 36500, not more than `calls_days`.
                 */
                bodies_days: number | null;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_RetryResult: {
            /** @description What became of a letter. */
            data: {
                /**
                 * @description `stored`: it is a request now and no letter any more. `known`: the record is stored already. `unreadable`, `refused`:
                 *     as before. In these cases the letter stays.
                 */
                outcome: string;
                /** @description The request that it became. */
                request_id: string | null;
                reason: string | null;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_SavedResult: {
            data: {
                id: string;
                page: string;
                name: string;
                query: string;
                /** Format: int64 */
                created_ms: number;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_SessionCountResult: {
            /** @description Sums over all sessions of a query. */
            data: {
                /** Format: int64 */
                count: number;
                /**
                 * Format: double
                 * @description US dollars.
                 */
                total_cost: number;
                /**
                 * Format: double
                 * @description US dollars a session.
                 */
                avg_cost: number;
                /**
                 * Format: double
                 * @description Sum of the calls' wall times, a session, milliseconds.
                 */
                avg_latency: number;
                /**
                 * Format: double
                 * @description Calls a session.
                 */
                avg_requests: number;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_SessionDetail: {
            /** @description A session with its calls as light rows and its tree. */
            data: components["schemas"]["SessionResult"] & {
                tree: components["schemas"]["TreeNode"];
                /** @description In order of start. */
                calls: components["schemas"]["CallLight"][];
                /** @description Tool calls that the answers of the session's calls ask for, in order of time. */
                tool_calls: components["schemas"]["ToolCallNode"][];
                /** @description True where the session has more calls than were asked for; the tree is then that of the calls in `calls`. */
                truncated: boolean;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_SessionMetrics: {
            /** @description Histograms over sessions. */
            data: {
                /** @description Calls a session. */
                session_count: components["schemas"]["HistogramRow"][];
                /** @description Seconds from the first start to the last end. */
                session_duration: components["schemas"]["HistogramRow"][];
                /** @description US dollars. */
                session_cost: components["schemas"]["HistogramRow"][];
                average: components["schemas"]["SessionAverages"];
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_System: {
            /** @description How the server is. */
            data: {
                version: string;
                /** Format: int64 */
                started_ms: number;
                database: components["schemas"]["DatabaseState"];
                journal: components["schemas"]["JournalState"];
                prices: components["schemas"]["PricesInfo"];
                counts: components["schemas"]["Counts"];
                /** @description Calls of the organisation in flight. */
                running: number;
                /** @description `open` or `keys`. */
                auth: components["schemas"]["AuthMode"];
                /** @description `durable` or `fast`. */
                durability: string;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Tools: {
            data: {
                rows: components["schemas"]["ToolRow"][];
                /** @description Groups before `limit`. */
                total: number;
                /** @description Percentiles are always read from the uses themselves. */
                exact: boolean;
                /** @description True: only the newest uses are counted, those that began at `from_ms` or later. */
                truncated: boolean;
                /** Format: int64 */
                from_ms: number;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_UserMetricsResult: {
            /** @description A page of users. */
            data: {
                users: components["schemas"]["UserMetrics"][];
                /**
                 * Format: int64
                 * @description Users on all pages.
                 */
                count: number;
                /** @description Whether any call carries a user's id, whatever the filter. */
                hasUsers: boolean;
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_UserOverview: {
            /** @description Histograms over users. */
            data: {
                /** @description Calls a user. */
                request_count: components["schemas"]["HistogramRow"][];
                /** @description US dollars a user. */
                user_cost: components["schemas"]["HistogramRow"][];
            };
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Vec_HeliconeRequest: {
            data: {
                request_id: string;
                /** @description The same as `request_id`. */
                response_id: string;
                /** @description ISO 8601, UTC, microseconds. */
                request_created_at: string;
                response_created_at: string;
                /**
                 * @description JSON where it parses as such, a stream assembled to the answer that it adds up to (its chunks are in
                 *     `streamed_data`), else text, as is what is nested deeper than 100 levels; a placeholder object where
                 *     `storage_location` is `s3`.
                 */
                request_body: unknown;
                response_body: unknown;
                /** @description The stored bytes, where they are no UTF-8 text. */
                request_body_base64?: string;
                response_body_base64?: string;
                /** @description How much of the body was kept, its length and, where not all was kept, the SHA-256 of all that passed. */
                request_body_facts?: components["schemas"]["FactsResult"];
                response_body_facts?: components["schemas"]["FactsResult"];
                /** @description As they passed, lower case, credentials replaced; where the bodies were read. */
                request_headers?: string[][];
                response_headers?: string[][];
                /** @description Where the bodies are, if they are not here; relative to this API. */
                body_url?: string;
                /**
                 * Format: int32
                 * @description The status that the answer began with, also where it broke off later: `outcome` says how the call ended. 0 where there
                 *     was none. A manual log has what it says itself, which may be one of the original's codes: -2 timeout, -3 client gone.
                 */
                response_status: number;
                request_path: string;
                target_url: string;
                request_user_id: string | null;
                helicone_user: string | null;
                /** @description Custom properties and the session's, keys as first sent. */
                request_properties: {
                    [key: string]: string;
                };
                properties: {
                    [key: string]: string;
                };
                provider: string;
                model: string | null;
                request_model: string | null;
                response_model: string | null;
                model_override: string | null;
                /**
                 * Format: int64
                 * @description Milliseconds, whole.
                 */
                delay_ms: number;
                /**
                 * Format: double
                 * @description Milliseconds; null where nothing was streamed.
                 */
                time_to_first_token: number | null;
                /** Format: int64 */
                prompt_tokens: number | null;
                /** Format: int64 */
                completion_tokens: number | null;
                /** Format: int64 */
                reasoning_tokens: number | null;
                /** Format: int64 */
                prompt_cache_read_tokens: number | null;
                /** Format: int64 */
                prompt_cache_write_tokens: number | null;
                /**
                 * Format: int64
                 * @description Of the written ones, those that are kept for an hour.
                 */
                prompt_cache_write_1h_tokens: number | null;
                /** Format: int64 */
                prompt_audio_tokens: number | null;
                /** Format: int64 */
                completion_audio_tokens: number | null;
                /** Format: int64 */
                prompt_image_tokens: number | null;
                /** Format: int64 */
                completion_image_tokens: number | null;
                /**
                 * Format: int64
                 * @description Web searches that the provider ran and counted.
                 */
                web_searches: number | null;
                /**
                 * Format: int64
                 * @description Other runs of the provider's own tools that it counted.
                 */
                tool_units: number | null;
                /**
                 * Format: int64
                 * @description Searches counted by the unit (reranking, sources).
                 */
                search_units: number | null;
                /** Format: int64 */
                input_tokens: number | null;
                /** Format: int64 */
                output_tokens: number | null;
                /** Format: int64 */
                total_tokens: number | null;
                /**
                 * Format: double
                 * @description US dollars.
                 */
                cost: number | null;
                /** Format: double */
                costUSD: number | null;
                cache_enabled: boolean;
                /**
                 * Format: uuid
                 * @description The zero UUID: no answer comes from a cache.
                 */
                cache_reference_id: string;
                country_code: string;
                scores: {
                    [key: string]: number;
                };
                asset_ids: string[];
                assets: string[];
                asset_urls: {
                    [key: string]: string;
                };
                prompt_id: string | null;
                prompt_version: string;
                /** @description Null while nobody judged it. */
                feedback_rating: boolean | null;
                request_referrer: string;
                /** @description `clickhouse`: the bodies are with the row; `s3`: they are behind `body_url`. */
                storage_location: string;
                /**
                 * Format: int64
                 * @description Of both bodies, as they passed.
                 */
                size_bytes: number;
                llmSchema: Record<string, never> | null;
                kind: components["schemas"]["CallKind"];
                /** @description `proxy` or `manual`. */
                source: string;
                method: string;
                streamed: boolean;
                finish_reason: string | null;
                /** Format: int32 */
                tool_calls: number;
                session_id: string | null;
                session_name: string | null;
                session_path: string | null;
                /** @description How the call ended, seen from the gateway. */
                outcome: string;
                /** @description Null unless the call counts as failed: which rule says so. */
                error_rule: string | null;
                error_message: string | null;
                /**
                 * @description Where the usage comes from: `reported`, `partial` (what had been reported when a stream broke off) or `estimated`
                 *     (counted from the texts of such a stream); null without a usage.
                 */
                usage_source: string | null;
                /** @description Why there is no usage. */
                usage_missing: string | null;
                /** @description Who says what it cost: `provider`, `genai-prices` or `overlay`. */
                cost_source: string | null;
                price_version: string | null;
                /** @description As the provider reported it. */
                service_tier: string | null;
                /** @description What the sender should know about this call. */
                notes: components["schemas"]["NoteResult"][];
                /** Format: int64 */
                request_bytes: number;
                /** Format: int64 */
                response_bytes: number;
            }[];
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Vec_KeyResult: {
            data: {
                id: string;
                organization_id: string;
                api_key_name: string;
                key_permissions: string;
                created_at: string;
                /** @description True: revoked. */
                soft_delete: boolean;
                revoked_at: string | null;
            }[];
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Vec_PropertyResult: {
            data: {
                /** @description As first sent. */
                property: string;
            }[];
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Vec_RunningResult: {
            data: {
                /** @description The id that its row will have. */
                request_id: string;
                session_id: string | null;
                session_name: string | null;
                path: string | null;
                provider: string;
                /** @description Where the request names it at its start. */
                model: string | null;
                /**
                 * Format: int64
                 * @description Milliseconds since 1970.
                 */
                started_ms: number;
            }[];
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Vec_SavedResult: {
            data: {
                id: string;
                page: string;
                name: string;
                query: string;
                /** Format: int64 */
                created_ms: number;
            }[];
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Vec_SessionNameResult: {
            data: {
                name: string;
                /** @description Start of the first call under this name, in the form of the session list. */
                created_at: string;
                /** @description Start of the latest call. */
                last_used: string;
                /** @description As `created_at`. */
                first_used: string;
                /** Format: int64 */
                session_count: number;
                /** Format: int64 */
                total_requests: number;
                /**
                 * Format: double
                 * @description Mean of the calls' wall times, milliseconds.
                 */
                avg_latency: number;
            }[];
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Vec_SessionResult: {
            data: {
                /** @description Start of the first call, `YYYY-MM-DD HH:MM:SS.mmm`, shifted by `timezoneDifference`. */
                created_at: string;
                /** @description Start of the call that started last, in the same form. */
                latest_request_created_at: string;
                /** @description End of the call that ended last, in the same form. */
                latest_ended_at: string;
                session_id: string;
                /** @description Empty if no call gave one. */
                session_name: string;
                /**
                 * Format: double
                 * @description US dollars, over the calls whose cost is known.
                 */
                total_cost: number;
                /**
                 * Format: int64
                 * @description Calls of all kinds.
                 */
                total_requests: number;
                /**
                 * Format: int64
                 * @description Input without cached, audio and images.
                 */
                prompt_tokens: number;
                /**
                 * Format: int64
                 * @description Output without reasoning, audio and images.
                 */
                completion_tokens: number;
                /**
                 * Format: int64
                 * @description `input_tokens` + `output_tokens`.
                 */
                total_tokens: number;
                /**
                 * Format: double
                 * @description Mean of the calls' wall times, milliseconds.
                 */
                avg_latency: number;
                user_ids: string[];
                /**
                 * Format: int64
                 * @description Calls that failed.
                 */
                errors: number;
                outcome: components["schemas"]["SessionState"];
                /**
                 * Format: double
                 * @description From the first start to the last end.
                 */
                wall_ms: number;
                /**
                 * Format: double
                 * @description The part of it in which a call was running.
                 */
                busy_ms: number;
                /**
                 * Format: int64
                 * @description All input, cached included.
                 */
                input_tokens: number;
                /**
                 * Format: int64
                 * @description All output, reasoning included.
                 */
                output_tokens: number;
                /** Format: int64 */
                prompt_cache_read_tokens: number;
                /** Format: int64 */
                prompt_cache_write_tokens: number;
                /** Format: int64 */
                prompt_audio_tokens: number;
                /** Format: int64 */
                completion_audio_tokens: number;
                /** Format: int64 */
                reasoning_tokens: number;
                /** Format: int64 */
                prompt_image_tokens: number;
                /** Format: int64 */
                completion_image_tokens: number;
                /**
                 * Format: int64
                 * @description Web searches that providers ran and counted.
                 */
                web_searches: number;
                /**
                 * Format: int64
                 * @description Other runs of providers' own tools that they counted.
                 */
                tool_units: number;
                /**
                 * Format: int64
                 * @description Searches counted by the unit (reranking, sources).
                 */
                search_units: number;
                /**
                 * Format: int64
                 * @description Model calls whose cost is not known; not those that failed without any usage.
                 */
                unpriced_requests: number;
                /** @description The newest tag. */
                tag: string | null;
                /**
                 * Format: int64
                 * @description Calls that matched the filter on calls; null where it named no field of a call. The same holds below.
                 */
                matching_requests: number | null;
                /** Format: int64 */
                matching_errors: number | null;
                /**
                 * Format: double
                 * @description US dollars.
                 */
                matching_cost: number | null;
                /** Format: int64 */
                matching_tokens: number | null;
                /** Format: int64 */
                matching_input_tokens: number | null;
                /** Format: int64 */
                matching_output_tokens: number | null;
                /** Format: double */
                matching_avg_latency: number | null;
            }[];
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Vec_String: {
            data: string[];
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Vec_ToolCallNode: {
            data: {
                /** @description `<request id>/<position>` */
                node: string;
                /** @description The call whose answer asks for it. */
                request_id: string;
                /**
                 * Format: int32
                 * @description Where it stands in the answer, from 0.
                 */
                position: number;
                /** @description The provider's id of it; null where it has none. */
                tool_call_id: string | null;
                name: string;
                /** @description The provider's word: `function`, `tool_use`, `mcp_call`, … */
                form: string;
                /** @description It ran at the provider. */
                at_provider: boolean;
                /** @description As the model wrote them, the first 4 kB; the first 200 bytes where the session has very many. */
                arguments: string;
                /** Format: int64 */
                arguments_bytes: number;
                /** @description Of the call that asks for it. */
                path: string | null;
                /** @description The end of the answer that asks for it; of a manual log, the tool's own start. */
                started_at: string;
                /** Format: double */
                offset_ms: number;
                /**
                 * Format: double
                 * @description Null where not known.
                 */
                duration_ms: number | null;
                duration_source: components["schemas"]["DurationSource"] | null;
                /**
                 * Format: double
                 * @description The gap, where a person was in it: no duration of the tool.
                 */
                wait_ms: number | null;
                /** @description `user_message`: the request with the result carries a person's words too. `over_limit`: longer than ten minutes. */
                wait_rule: string | null;
                /** @description Null where not known yet. */
                ok: boolean | null;
                /** @description Which rule says so (docs/SESSIONS.md). */
                ok_rule: string | null;
                /** Format: int64 */
                result_bytes: number | null;
                /** @description Its first 500 characters. */
                result_preview: string | null;
                /** @description The call whose request tells the result. */
                result_request_id: string | null;
                /** @description The manual log of the tool. */
                log_request_id: string | null;
            }[];
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_Vec_UserResult: {
            data: {
                user_id: string;
                /**
                 * Format: int64
                 * @description Calls.
                 */
                count: number;
                /** Format: int64 */
                prompt_tokens: number;
                /** Format: int64 */
                completion_tokens: number;
                /**
                 * Format: double
                 * @description US dollars.
                 */
                cost: number;
            }[];
            error: string | null;
        };
        /** @description The wrapper of every answer: `error` is null exactly when there is an answer. */
        Answer_i64: {
            /** Format: int64 */
            data: number;
            error: string | null;
        };
        Attention: {
            /** @description Most severe first; empty: nothing got worse. */
            items: components["schemas"]["Item"][];
        };
        AttentionBody: {
            /** Format: int64 */
            from_ms: number;
            /** Format: int64 */
            to_ms: number;
            /** @description Items, at most 100; default 20. */
            limit?: number | null;
        };
        /**
         * @description Whether the gateway asks for a key.
         * @enum {string}
         */
        AuthMode: "open" | "keys";
        Average: {
            /** Format: double */
            average: number;
        };
        /** @description Groups of calls. */
        Breakdown: {
            rows: components["schemas"]["BreakdownRow"][];
            /** @description Groups before `limit`. */
            total: number;
            /** @description Whether percentiles are exact. */
            exact: boolean;
            /** @description True: there are more groups than are looked at (5000, those with most calls). */
            truncated: boolean;
        };
        /** @description What a breakdown is by and how it is ordered. */
        BreakdownBody: {
            /**
             * @description `model`, `provider`, `kind`, `tool`, `path`, `status`, `error_rule`, `user`, `session_name` or `property:<Key>`.
             *     `tool` is by manual logs of tools; all uses of tools are in `/v1/tool/query`.
             */
            by: string;
            /** Format: int64 */
            from_ms: number;
            /** Format: int64 */
            to_ms: number;
            filter: unknown;
            /** @description Part of the value, without case. */
            search?: string;
            sort?: components["schemas"]["Sorting"];
            /** @description Default true. */
            descending?: boolean | null;
            /** @description Rows, at most 500; default 50. */
            limit?: number | null;
            /**
             * Format: int64
             * @description Buckets of `trend`, 0 to 60; default 12.
             */
            trend?: number | null;
        };
        /** @description One group. */
        BreakdownRow: components["schemas"]["FiguresResult"] & {
            /** @description Empty: not given. */
            value: string;
            /**
             * Format: int64
             * @description Start of the latest call.
             */
            last_seen_ms: number;
            previous: components["schemas"]["FiguresResult"] | null;
            /** @description Calls in equal parts of the window. */
            trend: number[];
            trend_errors: number[];
        };
        /**
         * @description What rows of tools are by.
         * @enum {string}
         */
        By: "tool" | "path";
        /**
         * @description What a call was.
         * @enum {string}
         */
        CallKind: "llm" | "tool" | "vector_db" | "data" | "other";
        /** @description A call without its bodies. */
        CallLight: {
            request_id: string;
            kind: components["schemas"]["CallKind"];
            /** @description As sent; null if none was. */
            path: string | null;
            /** @description ISO 8601, UTC, microseconds. */
            started_at: string;
            ended_at: string;
            /**
             * Format: double
             * @description From the session's start to this call's.
             */
            offset_ms: number;
            /** Format: double */
            duration_ms: number;
            /**
             * Format: double
             * @description Null where the answer was not streamed.
             */
            time_to_first_token: number | null;
            /** Format: int32 */
            status: number;
            /** @description `complete`, `unreachable`, `upstream_reset`, `client_gone`, `timeout`, `refused` or `interrupted`. */
            outcome: string;
            /** @description Null unless the call counts as failed: which rule says so. */
            error_rule: string | null;
            error_message: string | null;
            provider: string;
            model: string | null;
            streamed: boolean;
            finish_reason: string | null;
            /**
             * Format: int32
             * @description Tool calls that the answer asks for.
             */
            tool_calls: number;
            user_id: string | null;
            /**
             * Format: double
             * @description US dollars; null where not known.
             */
            cost: number | null;
            /**
             * Format: int64
             * @description Tokens are null where no usage was reported.
             */
            prompt_tokens: number | null;
            /** Format: int64 */
            completion_tokens: number | null;
            /** Format: int64 */
            prompt_cache_read_tokens: number | null;
            /** Format: int64 */
            prompt_cache_write_tokens: number | null;
            /** Format: int64 */
            reasoning_tokens: number | null;
            /** Format: int64 */
            input_tokens: number | null;
            /** Format: int64 */
            output_tokens: number | null;
            /** Format: int64 */
            total_tokens: number | null;
            /** @description `proxy` or `manual`. */
            source: string;
            /**
             * Format: int64
             * @description Bytes of the bodies, as they passed.
             */
            request_bytes: number;
            /** Format: int64 */
            response_bytes: number;
            /** @description Who made the call: its property `Agent-Name`, else `Agent`; null if it has neither. */
            agent: string | null;
            /** @description Null where the sender named the session: by which rule the call is in it (docs/SESSIONS.md). */
            session_rule: string | null;
            /**
             * Format: int32
             * @description Messages of the request; null where it carries no conversation.
             */
            messages: number | null;
            /** @description The call of this session that this one continues. */
            previous_call_id: string | null;
            /**
             * Format: int32
             * @description Index of the first message that is new since then: 0 where the conversation begins, null where that is not known.
             */
            new_from_message: number | null;
            /** @description Whether the system prompt is another one than the previous call's; null without one. */
            system_changed: boolean | null;
            /** @description Whether the tool definitions are. */
            tools_changed: boolean | null;
        };
        /** @description Two values of a property. */
        CompareBody: {
            property: string;
            a: string;
            b: string;
        };
        Compared: {
            a: components["schemas"]["SideTotals"];
            b: components["schemas"]["SideTotals"];
        };
        /** @description What the organisation has; null while the database is away. */
        Counts: {
            /** Format: int64 */
            calls: number | null;
            /** Format: int64 */
            sessions: number | null;
            /**
             * Format: int64
             * @description The hour of the first call.
             */
            first_ms: number | null;
            /**
             * Format: int64
             * @description Start of the latest call.
             */
            last_ms: number | null;
        };
        DatabaseState: {
            /** @description `sqlite` or `postgres`. */
            kind: string;
            ok: boolean;
            /**
             * Format: double
             * @description How long it took to answer; null where it did not.
             */
            ping_ms: number | null;
            /**
             * Format: int64
             * @description Of the whole database; for keys that may administer.
             */
            bytes: number | null;
        };
        /** @description A path with all calls that sessions made there. */
        DecisionPoint: components["schemas"]["Side"] & {
            /** @description Empty for the root. */
            segment: string;
            path: string;
            a: components["schemas"]["Side"] | null;
            b: components["schemas"]["Side"] | null;
            /** @description Those with most inclusive cost first, then most time. */
            children: components["schemas"]["DecisionPoint"][];
        };
        /** @description A step in short. */
        Digest: {
            /** @description Messages that were sent before and are not in `input`. */
            history: number;
            /** @description Messages that are new. */
            input: components["schemas"]["Said"][];
            answer: components["schemas"]["Said"][];
            tool_calls: components["schemas"]["ToolCallShown"][];
            /** @description True: the bodies are too large to be read for a list. */
            too_large: boolean;
        };
        DigestBody: {
            /** @description Calls of the session, at most 40. */
            request_ids: string[];
        };
        /** @description It was done; there is nothing to tell. */
        Done: {
            /** @description Always null. */
            data: string | null;
            /** @description Always null. */
            error: string | null;
        };
        /**
         * @description Who tells how long a tool ran.
         * @enum {string}
         */
        DurationSource: "manual" | "gap";
        /** @description What is known of a body beside its bytes. */
        FactsResult: {
            /**
             * Format: int64
             * @description Bytes that passed, kept or not.
             */
            len: number;
            kept: components["schemas"]["KeptResult"];
            content_type?: string;
            content_encoding?: string;
            /** @description In hex, over all bytes that passed; where not all were kept. */
            sha256?: string;
        };
        /** @description Why there is no answer. */
        Failure: {
            /** @description Always null. */
            data: string | null;
            /** @description What was wrong, with the JSON path of the field where there is one. */
            error: string;
        };
        /** @description A judgement. */
        FeedbackBody: {
            /** @description True: good. */
            rating: boolean;
        };
        /** @description Figures of calls. */
        FiguresResult: {
            /** Format: int64 */
            calls: number;
            /** Format: int64 */
            errors: number;
            /**
             * Format: double
             * @description Between these shares the rate of errors lies with 95 % certainty; null of no calls.
             */
            error_low: number | null;
            /** Format: double */
            error_high: number | null;
            /**
             * Format: double
             * @description US dollars, over the calls whose cost is known.
             */
            cost: number;
            /**
             * Format: int64
             * @description Model calls whose cost is not known; not those that failed without any usage.
             */
            unpriced_calls: number;
            /**
             * Format: int64
             * @description All input, cached included.
             */
            input_tokens: number;
            /** Format: int64 */
            cached_tokens: number;
            /**
             * Format: int64
             * @description All output, reasoning included.
             */
            output_tokens: number;
            /**
             * Format: double
             * @description Wall times; null of no calls.
             */
            mean_ms: number | null;
            /** Format: double */
            p50_ms: number | null;
            /** Format: double */
            p95_ms: number | null;
            /**
             * Format: int64
             * @description Null where sessions were not counted.
             */
            sessions: number | null;
        };
        Found: {
            /** @description Calls with hits, in order of start. */
            hits: components["schemas"]["Hit"][];
            /** @description Hits in all calls. */
            total: number;
            /** @description True: not everything was looked through (10,000 calls, 64 MB of bodies). */
            truncated: boolean;
        };
        GapMinute: {
            /** @description The start of the minute. */
            minute: string;
            /**
             * Format: int64
             * @description Calls that were served without a record.
             */
            calls: number;
            /** @description `journal_full` */
            reason: string;
        };
        Gaps: {
            /** @description Newest first; at most the newest 1,440. */
            minutes: components["schemas"]["GapMinute"][];
            /**
             * Format: int64
             * @description Calls without a record that are counted in the gateway's memory and not in `minutes` yet, whenever they came.
             */
            waiting: number;
        };
        GroupSeries: {
            value: string;
            calls: number[];
            errors: number[];
            cost: number[];
            p95_ms: (number | null)[];
        };
        /**
         * @description What puts groups in order, the largest first.
         * @enum {string}
         */
        GroupSort: "calls" | "errors" | "cost" | "p95_ms";
        HeliconeFeedbackAnswer: {
            message: string;
            helicone_id: string;
        };
        HeliconeFeedbackBody: {
            "helicone-id": string;
            rating: boolean;
        };
        /**
         * @description One call.
         *
         *     Costs are null where no price is known, tokens where no usage was reported. `total_tokens` is `input_tokens` +
         *     `output_tokens`, cached input and reasoning included; the other token fields are disjoint parts.
         */
        HeliconeRequest: {
            request_id: string;
            /** @description The same as `request_id`. */
            response_id: string;
            /** @description ISO 8601, UTC, microseconds. */
            request_created_at: string;
            response_created_at: string;
            /**
             * @description JSON where it parses as such, a stream assembled to the answer that it adds up to (its chunks are in
             *     `streamed_data`), else text, as is what is nested deeper than 100 levels; a placeholder object where
             *     `storage_location` is `s3`.
             */
            request_body: unknown;
            response_body: unknown;
            /** @description The stored bytes, where they are no UTF-8 text. */
            request_body_base64?: string;
            response_body_base64?: string;
            /** @description How much of the body was kept, its length and, where not all was kept, the SHA-256 of all that passed. */
            request_body_facts?: components["schemas"]["FactsResult"];
            response_body_facts?: components["schemas"]["FactsResult"];
            /** @description As they passed, lower case, credentials replaced; where the bodies were read. */
            request_headers?: string[][];
            response_headers?: string[][];
            /** @description Where the bodies are, if they are not here; relative to this API. */
            body_url?: string;
            /**
             * Format: int32
             * @description The status that the answer began with, also where it broke off later: `outcome` says how the call ended. 0 where there
             *     was none. A manual log has what it says itself, which may be one of the original's codes: -2 timeout, -3 client gone.
             */
            response_status: number;
            request_path: string;
            target_url: string;
            request_user_id: string | null;
            helicone_user: string | null;
            /** @description Custom properties and the session's, keys as first sent. */
            request_properties: {
                [key: string]: string;
            };
            properties: {
                [key: string]: string;
            };
            provider: string;
            model: string | null;
            request_model: string | null;
            response_model: string | null;
            model_override: string | null;
            /**
             * Format: int64
             * @description Milliseconds, whole.
             */
            delay_ms: number;
            /**
             * Format: double
             * @description Milliseconds; null where nothing was streamed.
             */
            time_to_first_token: number | null;
            /** Format: int64 */
            prompt_tokens: number | null;
            /** Format: int64 */
            completion_tokens: number | null;
            /** Format: int64 */
            reasoning_tokens: number | null;
            /** Format: int64 */
            prompt_cache_read_tokens: number | null;
            /** Format: int64 */
            prompt_cache_write_tokens: number | null;
            /**
             * Format: int64
             * @description Of the written ones, those that are kept for an hour.
             */
            prompt_cache_write_1h_tokens: number | null;
            /** Format: int64 */
            prompt_audio_tokens: number | null;
            /** Format: int64 */
            completion_audio_tokens: number | null;
            /** Format: int64 */
            prompt_image_tokens: number | null;
            /** Format: int64 */
            completion_image_tokens: number | null;
            /**
             * Format: int64
             * @description Web searches that the provider ran and counted.
             */
            web_searches: number | null;
            /**
             * Format: int64
             * @description Other runs of the provider's own tools that it counted.
             */
            tool_units: number | null;
            /**
             * Format: int64
             * @description Searches counted by the unit (reranking, sources).
             */
            search_units: number | null;
            /** Format: int64 */
            input_tokens: number | null;
            /** Format: int64 */
            output_tokens: number | null;
            /** Format: int64 */
            total_tokens: number | null;
            /**
             * Format: double
             * @description US dollars.
             */
            cost: number | null;
            /** Format: double */
            costUSD: number | null;
            cache_enabled: boolean;
            /**
             * Format: uuid
             * @description The zero UUID: no answer comes from a cache.
             */
            cache_reference_id: string;
            country_code: string;
            scores: {
                [key: string]: number;
            };
            asset_ids: string[];
            assets: string[];
            asset_urls: {
                [key: string]: string;
            };
            prompt_id: string | null;
            prompt_version: string;
            /** @description Null while nobody judged it. */
            feedback_rating: boolean | null;
            request_referrer: string;
            /** @description `clickhouse`: the bodies are with the row; `s3`: they are behind `body_url`. */
            storage_location: string;
            /**
             * Format: int64
             * @description Of both bodies, as they passed.
             */
            size_bytes: number;
            llmSchema: Record<string, never> | null;
            kind: components["schemas"]["CallKind"];
            /** @description `proxy` or `manual`. */
            source: string;
            method: string;
            streamed: boolean;
            finish_reason: string | null;
            /** Format: int32 */
            tool_calls: number;
            session_id: string | null;
            session_name: string | null;
            session_path: string | null;
            /** @description How the call ended, seen from the gateway. */
            outcome: string;
            /** @description Null unless the call counts as failed: which rule says so. */
            error_rule: string | null;
            error_message: string | null;
            /**
             * @description Where the usage comes from: `reported`, `partial` (what had been reported when a stream broke off) or `estimated`
             *     (counted from the texts of such a stream); null without a usage.
             */
            usage_source: string | null;
            /** @description Why there is no usage. */
            usage_missing: string | null;
            /** @description Who says what it cost: `provider`, `genai-prices` or `overlay`. */
            cost_source: string | null;
            price_version: string | null;
            /** @description As the provider reported it. */
            service_tier: string | null;
            /** @description What the sender should know about this call. */
            notes: components["schemas"]["NoteResult"][];
            /** Format: int64 */
            request_bytes: number;
            /** Format: int64 */
            response_bytes: number;
        };
        /** @description One bin. */
        HistogramRow: {
            /** @description A number as text, inclusive. */
            range_start: string;
            /** @description A number as text, exclusive. */
            range_end: string;
            /**
             * Format: int64
             * @description Sessions in it.
             */
            value: number;
        };
        Hit: {
            request_id: string;
            count: number;
        };
        IdsBody: {
            /** @description At most 1000. */
            requestIds: string[];
        };
        /** @description One thing that got worse. */
        Item: {
            kind: components["schemas"]["Subject"];
            /** @description Of a session its id. */
            value: string;
            label: string;
            reason: components["schemas"]["Reason"];
            /** @description For a person. */
            text: string;
            /**
             * Format: double
             * @description 0 to 1.
             */
            severity: number;
            /** Format: double */
            now: number;
            /** Format: double */
            before: number;
            unit: components["schemas"]["Unit"];
            /** Format: int64 */
            calls: number;
            /**
             * Format: int64
             * @description Null for sessions.
             */
            previous_calls: number | null;
            link: components["schemas"]["Link"];
        };
        /** @description How the journal and the drain behind it stand. */
        JournalState: {
            /**
             * @description How full it is: `normal`, `warning` (70 %), `shedding` (85 %: calls are recorded without bodies), `full` (95 %, or the
             *     disk takes no writes: calls are not recorded).
             */
            step: string;
            /** Format: int32 */
            fill_percent: number;
            /** @description Whether records are accepted. */
            writable: boolean;
            /** @description Whether calls are forwarded: always, unless it is full and `journal.on_full` is `reject`. */
            serving: boolean;
            /** @description Whether the drain makes headway: false where records wait too long although the database answers. */
            draining: boolean;
            /** Format: int64 */
            bytes_on_disk: number;
            /** Format: int64 */
            max_bytes: number;
            /**
             * Format: int64
             * @description Age of the oldest record that is not in the database yet.
             */
            oldest_waiting_ms: number | null;
            /**
             * Format: int64
             * @description Frames that were not taken since the start: the journal was full or could not write.
             */
            frames_refused: number;
            /**
             * Format: int64
             * @description Frames lost to damage on disk.
             */
            frames_lost: number;
            /**
             * Format: int64
             * @description Bytes cut from a dirty end at the start.
             */
            bytes_cut: number;
            /**
             * Format: int64
             * @description How long the last sync to disk took.
             */
            last_sync_us: number;
            /**
             * Format: int64
             * @description How long the sync that is under way has taken until now.
             */
            syncing_ms: number | null;
            /**
             * Format: int64
             * @description Tries to write to the database that failed, since the start.
             */
            drain_failures: number;
            /**
             * Format: int64
             * @description Records that were put aside as dead letters since the start.
             */
            dead: number;
            /** @description What organisations miss since the start of the process; without those that miss nothing. */
            missing: {
                [key: string]: {
                    [key: string]: number;
                };
            };
        };
        /**
         * @description How much of a body was kept.
         * @enum {string}
         */
        KeptResult: "whole" | "truncated" | "shed" | "omitted";
        KeyName: {
            id: string;
            name: string;
        };
        KeyResult: {
            id: string;
            organization_id: string;
            api_key_name: string;
            key_permissions: string;
            created_at: string;
            /** @description True: revoked. */
            soft_delete: boolean;
            revoked_at: string | null;
        };
        LetterResult: {
            /** @description The record's id. */
            id: string;
            /** @description When it was put aside. */
            created_at: string;
            /** @description `call`, `log`, or `unknown` for what a later version wrote. */
            kind: string;
            reason: string;
            /**
             * Format: int64
             * @description Length of its frames.
             */
            bytes: number;
        };
        /** @description Where the dashboard shows more. */
        Link: {
            page: components["schemas"]["Page"];
            params: {
                [key: string]: string;
            };
        };
        /** @description A call that is new in the store; `offset_ms` is 0. */
        LiveCall: components["schemas"]["CallLight"] & {
            session_id: string | null;
            session_name: string | null;
        };
        /** @description A key, or the token of the link that was printed at start. */
        LoginBody: {
            key?: string | null;
            /** @description Works once, within an hour of the start. */
            token?: string | null;
        };
        /** @description Who is asking and where. */
        Me: {
            organization: components["schemas"]["Organization"];
            key: components["schemas"]["KeyName"] | null;
            rights: components["schemas"]["RightsResult"];
            /** @description `open`: no key is needed; `keys`: one is. */
            auth: components["schemas"]["AuthMode"];
            /** @description Whether it is a browser's session that speaks. */
            signed_in: boolean;
            version: string;
            /** @description This server's address as the asker knows it. */
            url: string;
            /** @description Whether the organisation has any call. */
            has_data: boolean;
        };
        /** @description Figures over time. */
        Metrics: {
            /**
             * Format: int64
             * @description The window that was read: with many calls it is widened to whole hours.
             */
            from_ms: number;
            /** Format: int64 */
            to_ms: number;
            /** Format: int64 */
            bucket_ms: number;
            /** @description Whether percentiles are exact; else from histograms. */
            exact: boolean;
            totals: components["schemas"]["FiguresResult"];
            /** @description Of the window of the same length before. */
            previous: components["schemas"]["FiguresResult"];
            series: components["schemas"]["Series"];
            /** @description With `group`: the eight that come first by `group_sort`. */
            groups: components["schemas"]["GroupSeries"][];
        };
        /** @description Which figures over time. */
        MetricsBody: {
            /**
             * Format: int64
             * @description Milliseconds since 1970.
             */
            from_ms: number;
            /**
             * Format: int64
             * @description Not in the window.
             */
            to_ms: number;
            /**
             * Format: int64
             * @description Length of a bucket, milliseconds; absent: a fitting one. At most 2000 buckets.
             */
            bucket_ms?: number | null;
            /**
             * Format: int64
             * @description Minutes east of Greenwich where days begin, -1440 to 1440; default 0.
             */
            utc_offset_minutes?: number;
            /** @description Which calls; as in a request query. */
            filter: unknown;
            /** @description What groups are by; as `by` of a breakdown. */
            group?: string | null;
            /** @description Which groups are told: those with the most of it. Default `calls`. */
            group_sort?: components["schemas"]["GroupSort"];
        };
        /** @description A new key. Not in the wrapper, as in the original. */
        NewKey: {
            id: string;
            /** @description The secret; it is not kept and cannot be shown again. */
            apiKey: string;
            /** @description What is kept of it, in hex. */
            hashedKey: string;
        };
        NewKeyBody: {
            /** @description At most 256 bytes. */
            api_key_name: string;
            /** @description `rw` (default), `r`, `w` or `admin`. Never more than the maker has. */
            key_permissions?: components["schemas"]["Permissions"];
        };
        /** @description Sums over calls. */
        NodeTotals: {
            /** Format: int64 */
            requests: number;
            /** Format: int64 */
            errors: number;
            /**
             * Format: double
             * @description US dollars, over the calls whose cost is known.
             */
            cost: number;
            /** Format: int64 */
            unpriced_requests: number;
            /** Format: int64 */
            input_tokens: number;
            /** Format: int64 */
            output_tokens: number;
            /** Format: int64 */
            total_tokens: number;
            /**
             * Format: double
             * @description Time in which at least one of the calls was running.
             */
            busy_ms: number;
            /**
             * Format: double
             * @description Sum of the calls' wall times.
             */
            latency_ms: number;
        };
        /** @description What the sender should know about a call. */
        NoteResult: {
            /** @description A stable, dotted name. */
            code: string;
            text: string;
        };
        OrgBody: {
            /** @description At most 256 bytes. */
            name: string;
        };
        OrgResult: {
            id: string;
            name: string;
            /** Format: int64 */
            created_ms: number;
        };
        Organization: {
            id: string;
            name: string;
        };
        /**
         * @description Where the tail is cut off.
         * @enum {string}
         */
        PSize: "p50" | "p75" | "p95" | "p99" | "p99.9";
        /**
         * @description A page of the dashboard.
         * @enum {string}
         */
        Page: "models" | "paths" | "tools" | "session";
        /** @description A page of a list. */
        PageAnswer_HeliconeRequest: {
            data: {
                request_id: string;
                /** @description The same as `request_id`. */
                response_id: string;
                /** @description ISO 8601, UTC, microseconds. */
                request_created_at: string;
                response_created_at: string;
                /**
                 * @description JSON where it parses as such, a stream assembled to the answer that it adds up to (its chunks are in
                 *     `streamed_data`), else text, as is what is nested deeper than 100 levels; a placeholder object where
                 *     `storage_location` is `s3`.
                 */
                request_body: unknown;
                response_body: unknown;
                /** @description The stored bytes, where they are no UTF-8 text. */
                request_body_base64?: string;
                response_body_base64?: string;
                /** @description How much of the body was kept, its length and, where not all was kept, the SHA-256 of all that passed. */
                request_body_facts?: components["schemas"]["FactsResult"];
                response_body_facts?: components["schemas"]["FactsResult"];
                /** @description As they passed, lower case, credentials replaced; where the bodies were read. */
                request_headers?: string[][];
                response_headers?: string[][];
                /** @description Where the bodies are, if they are not here; relative to this API. */
                body_url?: string;
                /**
                 * Format: int32
                 * @description The status that the answer began with, also where it broke off later: `outcome` says how the call ended. 0 where there
                 *     was none. A manual log has what it says itself, which may be one of the original's codes: -2 timeout, -3 client gone.
                 */
                response_status: number;
                request_path: string;
                target_url: string;
                request_user_id: string | null;
                helicone_user: string | null;
                /** @description Custom properties and the session's, keys as first sent. */
                request_properties: {
                    [key: string]: string;
                };
                properties: {
                    [key: string]: string;
                };
                provider: string;
                model: string | null;
                request_model: string | null;
                response_model: string | null;
                model_override: string | null;
                /**
                 * Format: int64
                 * @description Milliseconds, whole.
                 */
                delay_ms: number;
                /**
                 * Format: double
                 * @description Milliseconds; null where nothing was streamed.
                 */
                time_to_first_token: number | null;
                /** Format: int64 */
                prompt_tokens: number | null;
                /** Format: int64 */
                completion_tokens: number | null;
                /** Format: int64 */
                reasoning_tokens: number | null;
                /** Format: int64 */
                prompt_cache_read_tokens: number | null;
                /** Format: int64 */
                prompt_cache_write_tokens: number | null;
                /**
                 * Format: int64
                 * @description Of the written ones, those that are kept for an hour.
                 */
                prompt_cache_write_1h_tokens: number | null;
                /** Format: int64 */
                prompt_audio_tokens: number | null;
                /** Format: int64 */
                completion_audio_tokens: number | null;
                /** Format: int64 */
                prompt_image_tokens: number | null;
                /** Format: int64 */
                completion_image_tokens: number | null;
                /**
                 * Format: int64
                 * @description Web searches that the provider ran and counted.
                 */
                web_searches: number | null;
                /**
                 * Format: int64
                 * @description Other runs of the provider's own tools that it counted.
                 */
                tool_units: number | null;
                /**
                 * Format: int64
                 * @description Searches counted by the unit (reranking, sources).
                 */
                search_units: number | null;
                /** Format: int64 */
                input_tokens: number | null;
                /** Format: int64 */
                output_tokens: number | null;
                /** Format: int64 */
                total_tokens: number | null;
                /**
                 * Format: double
                 * @description US dollars.
                 */
                cost: number | null;
                /** Format: double */
                costUSD: number | null;
                cache_enabled: boolean;
                /**
                 * Format: uuid
                 * @description The zero UUID: no answer comes from a cache.
                 */
                cache_reference_id: string;
                country_code: string;
                scores: {
                    [key: string]: number;
                };
                asset_ids: string[];
                assets: string[];
                asset_urls: {
                    [key: string]: string;
                };
                prompt_id: string | null;
                prompt_version: string;
                /** @description Null while nobody judged it. */
                feedback_rating: boolean | null;
                request_referrer: string;
                /** @description `clickhouse`: the bodies are with the row; `s3`: they are behind `body_url`. */
                storage_location: string;
                /**
                 * Format: int64
                 * @description Of both bodies, as they passed.
                 */
                size_bytes: number;
                llmSchema: Record<string, never> | null;
                kind: components["schemas"]["CallKind"];
                /** @description `proxy` or `manual`. */
                source: string;
                method: string;
                streamed: boolean;
                finish_reason: string | null;
                /** Format: int32 */
                tool_calls: number;
                session_id: string | null;
                session_name: string | null;
                session_path: string | null;
                /** @description How the call ended, seen from the gateway. */
                outcome: string;
                /** @description Null unless the call counts as failed: which rule says so. */
                error_rule: string | null;
                error_message: string | null;
                /**
                 * @description Where the usage comes from: `reported`, `partial` (what had been reported when a stream broke off) or `estimated`
                 *     (counted from the texts of such a stream); null without a usage.
                 */
                usage_source: string | null;
                /** @description Why there is no usage. */
                usage_missing: string | null;
                /** @description Who says what it cost: `provider`, `genai-prices` or `overlay`. */
                cost_source: string | null;
                price_version: string | null;
                /** @description As the provider reported it. */
                service_tier: string | null;
                /** @description What the sender should know about this call. */
                notes: components["schemas"]["NoteResult"][];
                /** Format: int64 */
                request_bytes: number;
                /** Format: int64 */
                response_bytes: number;
            }[];
            error: string | null;
            /** @description Give it back as `cursor` for the next page; null on the last one. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        PageAnswer_LetterResult: {
            data: {
                /** @description The record's id. */
                id: string;
                /** @description When it was put aside. */
                created_at: string;
                /** @description `call`, `log`, or `unknown` for what a later version wrote. */
                kind: string;
                reason: string;
                /**
                 * Format: int64
                 * @description Length of its frames.
                 */
                bytes: number;
            }[];
            error: string | null;
            /** @description Give it back as `cursor` for the next page; null on the last one. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        PageAnswer_SessionResult: {
            data: {
                /** @description Start of the first call, `YYYY-MM-DD HH:MM:SS.mmm`, shifted by `timezoneDifference`. */
                created_at: string;
                /** @description Start of the call that started last, in the same form. */
                latest_request_created_at: string;
                /** @description End of the call that ended last, in the same form. */
                latest_ended_at: string;
                session_id: string;
                /** @description Empty if no call gave one. */
                session_name: string;
                /**
                 * Format: double
                 * @description US dollars, over the calls whose cost is known.
                 */
                total_cost: number;
                /**
                 * Format: int64
                 * @description Calls of all kinds.
                 */
                total_requests: number;
                /**
                 * Format: int64
                 * @description Input without cached, audio and images.
                 */
                prompt_tokens: number;
                /**
                 * Format: int64
                 * @description Output without reasoning, audio and images.
                 */
                completion_tokens: number;
                /**
                 * Format: int64
                 * @description `input_tokens` + `output_tokens`.
                 */
                total_tokens: number;
                /**
                 * Format: double
                 * @description Mean of the calls' wall times, milliseconds.
                 */
                avg_latency: number;
                user_ids: string[];
                /**
                 * Format: int64
                 * @description Calls that failed.
                 */
                errors: number;
                outcome: components["schemas"]["SessionState"];
                /**
                 * Format: double
                 * @description From the first start to the last end.
                 */
                wall_ms: number;
                /**
                 * Format: double
                 * @description The part of it in which a call was running.
                 */
                busy_ms: number;
                /**
                 * Format: int64
                 * @description All input, cached included.
                 */
                input_tokens: number;
                /**
                 * Format: int64
                 * @description All output, reasoning included.
                 */
                output_tokens: number;
                /** Format: int64 */
                prompt_cache_read_tokens: number;
                /** Format: int64 */
                prompt_cache_write_tokens: number;
                /** Format: int64 */
                prompt_audio_tokens: number;
                /** Format: int64 */
                completion_audio_tokens: number;
                /** Format: int64 */
                reasoning_tokens: number;
                /** Format: int64 */
                prompt_image_tokens: number;
                /** Format: int64 */
                completion_image_tokens: number;
                /**
                 * Format: int64
                 * @description Web searches that providers ran and counted.
                 */
                web_searches: number;
                /**
                 * Format: int64
                 * @description Other runs of providers' own tools that they counted.
                 */
                tool_units: number;
                /**
                 * Format: int64
                 * @description Searches counted by the unit (reranking, sources).
                 */
                search_units: number;
                /**
                 * Format: int64
                 * @description Model calls whose cost is not known; not those that failed without any usage.
                 */
                unpriced_requests: number;
                /** @description The newest tag. */
                tag: string | null;
                /**
                 * Format: int64
                 * @description Calls that matched the filter on calls; null where it named no field of a call. The same holds below.
                 */
                matching_requests: number | null;
                /** Format: int64 */
                matching_errors: number | null;
                /**
                 * Format: double
                 * @description US dollars.
                 */
                matching_cost: number | null;
                /** Format: int64 */
                matching_tokens: number | null;
                /** Format: int64 */
                matching_input_tokens: number | null;
                /** Format: int64 */
                matching_output_tokens: number | null;
                /** Format: double */
                matching_avg_latency: number | null;
            }[];
            error: string | null;
            /** @description Give it back as `cursor` for the next page; null on the last one. */
            next_cursor: string | null;
        };
        PathBody: {
            /**
             * Format: int64
             * @description Sessions that began in the window.
             */
            from_ms: number;
            /** Format: int64 */
            to_ms: number;
            /** @description Which calls, as in a request query. */
            filter: unknown;
            /** @description Whether numbers and ids in paths are folded (`/iteration/3` to `/iteration/:n`); default true. */
            fold?: boolean | null;
            compare?: components["schemas"]["CompareBody"] | null;
        };
        PathSums: {
            /** Format: int64 */
            calls: number;
            /** Format: int64 */
            errors: number;
            /**
             * Format: double
             * @description Between these shares the rate of errors lies with 95 % certainty; null of no calls.
             */
            error_low: number | null;
            /** Format: double */
            error_high: number | null;
            /**
             * Format: double
             * @description US dollars.
             */
            cost: number;
            /**
             * Format: double
             * @description Sum of the calls' wall times.
             */
            time_ms: number;
            /** Format: int64 */
            input_tokens: number;
            /** Format: int64 */
            output_tokens: number;
        };
        Paths: {
            root: components["schemas"]["DecisionPoint"];
            sessions: number;
            /** Format: int64 */
            calls: number;
            /** @description True: only the newest 2000 sessions are in it. */
            truncated: boolean;
            compare: components["schemas"]["Compared"] | null;
        };
        /**
         * @description What a key may do: `r` asks the API, `w` writes logs and sends calls, `rw` both, `admin` makes keys as well.
         * @enum {string}
         */
        Permissions: "rw" | "r" | "w" | "admin";
        PricesInfo: {
            source: string;
            version: string;
            /** @description Whether prices of the operator win over these. */
            overlay: boolean;
        };
        PropertyBody: {
            /** @description 1 to 256 bytes; compared without case. Not `Helicone-Session-Id`, `-Name` or `-Path`: a call stays in its session. */
            key: string;
            /** @description At most 64 KiB. */
            value: string;
        };
        /** @description Nothing can be asked for. */
        PropertyQueryBody: Record<string, never>;
        PropertyResult: {
            /** @description As first sent. */
            property: string;
        };
        PropertySearchBody: {
            /** @description Part of the value, without case; empty or absent: all. */
            searchTerm?: string;
        };
        Readiness: {
            ready: boolean;
            /** @description What does not go as it should although calls are served; `null` where all is well. */
            degraded: string | null;
            store: components["schemas"]["StoreState"];
            journal: components["schemas"]["JournalState"];
        };
        /**
         * @description In what.
         * @enum {string}
         */
        Reason: "error_rate" | "p95" | "cost" | "failed";
        /** @description Which requests, in which order. */
        RequestQueryBody: {
            /** @description `"all"`, `{}`, a leaf or a branch; absent: all. */
            filter?: unknown;
            /**
             * Format: double
             * @description Rows to skip; default 0.
             * @default null
             */
            offset: number | null;
            /**
             * Format: double
             * @description Rows to answer, 0 to 1000; default 10.
             * @default null
             */
            limit: number | null;
            /** @description One key with `asc` or `desc`, default `{"created_at": "desc"}`; or `{"random": true}`. */
            sort?: unknown;
            /**
             * @description True: only answers from a cache, of which there are none.
             * @default null
             */
            isCached: boolean | null;
            /**
             * @description Without effect: prompt inputs are not kept apart.
             * @default null
             */
            includeInputs: boolean | null;
            /**
             * @description True: only requests of experiments, of which there are none.
             * @default null
             */
            isPartOfExperiment: boolean | null;
            /**
             * @description Only `false` is taken; filter by `scores` instead.
             * @default null
             */
            isScored: boolean | null;
            /**
             * @description `next_cursor` of the page before, with the same order by `created_at`.
             * @default null
             */
            cursor: string | null;
            /**
             * @description False: rows without their bodies; default true.
             * @default null
             */
            includeBodies: boolean | null;
        };
        /** @description How many days calls and their bodies are kept; null: for good. */
        RetentionDays: {
            /**
             * Format: int64
             * @description 1 to 36500.
             */
            calls_days: number | null;
            /**
             * Format: int64
             * @description 1 to 36500, not more than `calls_days`.
             */
            bodies_days: number | null;
        };
        /** @description What became of a letter. */
        RetryResult: {
            /**
             * @description `stored`: it is a request now and no letter any more. `known`: the record is stored already. `unreadable`, `refused`:
             *     as before. In these cases the letter stays.
             */
            outcome: string;
            /** @description The request that it became. */
            request_id: string | null;
            reason: string | null;
        };
        RightsResult: {
            read: boolean;
            write: boolean;
            admin: boolean;
        };
        RuleCount: {
            rule: string;
            /** Format: int64 */
            calls: number;
        };
        /** @description A call in flight. */
        RunningResult: {
            /** @description The id that its row will have. */
            request_id: string;
            session_id: string | null;
            session_name: string | null;
            path: string | null;
            provider: string;
            /** @description Where the request names it at its start. */
            model: string | null;
            /**
             * Format: int64
             * @description Milliseconds since 1970.
             */
            started_ms: number;
        };
        Said: {
            role: string;
            /** @description At most 2000 characters. */
            text: string;
            /** @description Of a tool's result: the tool, where the message names it. */
            tool: string | null;
            /** @description Whether the text goes on. */
            cut: boolean;
        };
        SavedBody: {
            /** @description At most 64 bytes. */
            page: string;
            /** @description At most 256 bytes; one of the same page and name is replaced. */
            name: string;
            /** @description At most 8 kB. */
            query: string;
        };
        SavedResult: {
            id: string;
            page: string;
            name: string;
            query: string;
            /** Format: int64 */
            created_ms: number;
        };
        ScoresBody: {
            /** @description By name: a whole number, or true or false, which is kept as 1 or 0 under `<name>-hcone-bool`. */
            scores: {
                [key: string]: number;
            };
        };
        /** @description A stretch of time, in seconds since 1970 (UTC). */
        SecondsFilter: {
            /** Format: double */
            startTimeUnixSeconds: number;
            /** Format: double */
            endTimeUnixSeconds: number;
        };
        /** @description Each list has one element a bucket. */
        Series: {
            /** @description Where buckets begin. */
            at_ms: number[];
            calls: number[];
            errors: number[];
            cost: number[];
            input_tokens: number[];
            cached_tokens: number[];
            output_tokens: number[];
            p50_ms: (number | null)[];
            p95_ms: (number | null)[];
            /** @description Sessions that began. */
            sessions: number[];
        };
        /** @description Means over all sessions, the cut-off ones included. Each list has one element. */
        SessionAverages: {
            session_count: components["schemas"]["Average"][];
            session_duration: components["schemas"]["Average"][];
            session_cost: components["schemas"]["Average"][];
        };
        /** @description Sums over all sessions of a query. */
        SessionCountResult: {
            /** Format: int64 */
            count: number;
            /**
             * Format: double
             * @description US dollars.
             */
            total_cost: number;
            /**
             * Format: double
             * @description US dollars a session.
             */
            avg_cost: number;
            /**
             * Format: double
             * @description Sum of the calls' wall times, a session, milliseconds.
             */
            avg_latency: number;
            /**
             * Format: double
             * @description Calls a session.
             */
            avg_requests: number;
        };
        /** @description A session with its calls as light rows and its tree. */
        SessionDetail: components["schemas"]["SessionResult"] & {
            tree: components["schemas"]["TreeNode"];
            /** @description In order of start. */
            calls: components["schemas"]["CallLight"][];
            /** @description Tool calls that the answers of the session's calls ask for, in order of time. */
            tool_calls: components["schemas"]["ToolCallNode"][];
            /** @description True where the session has more calls than were asked for; the tree is then that of the calls in `calls`. */
            truncated: boolean;
        };
        /** @description Histograms over sessions. */
        SessionMetrics: {
            /** @description Calls a session. */
            session_count: components["schemas"]["HistogramRow"][];
            /** @description Seconds from the first start to the last end. */
            session_duration: components["schemas"]["HistogramRow"][];
            /** @description US dollars. */
            session_cost: components["schemas"]["HistogramRow"][];
            average: components["schemas"]["SessionAverages"];
        };
        /** @description Which sessions, for lists of names and histograms. */
        SessionNameQueryBody: {
            /**
             * @description `name/query`: part of the name, without case. `metrics/query`: the exact name. Empty: all.
             * @default null
             */
            nameContains: string | null;
            /**
             * Format: double
             * @description As in a session query.
             * @default null
             */
            timezoneDifference: number | null;
            /** @default null */
            pSize: components["schemas"]["PSize"] | null;
            /**
             * @description Cuts off the other end as well; default false.
             * @default null
             */
            useInterquartile: boolean | null;
            /** @default null */
            timeFilter: components["schemas"]["TimeFilter"] | null;
            filter?: unknown;
        };
        /** @description One name. */
        SessionNameResult: {
            name: string;
            /** @description Start of the first call under this name, in the form of the session list. */
            created_at: string;
            /** @description Start of the latest call. */
            last_used: string;
            /** @description As `created_at`. */
            first_used: string;
            /** Format: int64 */
            session_count: number;
            /** Format: int64 */
            total_requests: number;
            /**
             * Format: double
             * @description Mean of the calls' wall times, milliseconds.
             */
            avg_latency: number;
        };
        /** @description Which sessions. */
        SessionQueryBody: {
            /**
             * @description Part of the session's id or name, without case; empty: all.
             * @default null
             */
            search: string | null;
            /** @default null */
            timeFilter: components["schemas"]["TimeFilter"] | null;
            /**
             * Format: double
             * @description Minutes that are added to the times in the answer, -1440 to 1440; default 0.
             * @default null
             */
            timezoneDifference: number | null;
            /** @description `"all"`, `{}`, a leaf or a branch; also the short form `{"properties": {"Key": "value"}}`. */
            filter?: unknown;
            /**
             * @description The session's exact name.
             * @default null
             */
            nameEquals: string | null;
            /**
             * Format: double
             * @description Rows to skip; default 0.
             * @default null
             */
            offset: number | null;
            /**
             * Format: double
             * @description Rows to answer, at most 1000; default 50.
             * @default null
             */
            limit: number | null;
            /**
             * @description `next_cursor` of the page before; better than `offset` on long lists.
             * @default null
             */
            cursor: string | null;
        };
        /** @description One session. */
        SessionResult: {
            /** @description Start of the first call, `YYYY-MM-DD HH:MM:SS.mmm`, shifted by `timezoneDifference`. */
            created_at: string;
            /** @description Start of the call that started last, in the same form. */
            latest_request_created_at: string;
            /** @description End of the call that ended last, in the same form. */
            latest_ended_at: string;
            session_id: string;
            /** @description Empty if no call gave one. */
            session_name: string;
            /**
             * Format: double
             * @description US dollars, over the calls whose cost is known.
             */
            total_cost: number;
            /**
             * Format: int64
             * @description Calls of all kinds.
             */
            total_requests: number;
            /**
             * Format: int64
             * @description Input without cached, audio and images.
             */
            prompt_tokens: number;
            /**
             * Format: int64
             * @description Output without reasoning, audio and images.
             */
            completion_tokens: number;
            /**
             * Format: int64
             * @description `input_tokens` + `output_tokens`.
             */
            total_tokens: number;
            /**
             * Format: double
             * @description Mean of the calls' wall times, milliseconds.
             */
            avg_latency: number;
            user_ids: string[];
            /**
             * Format: int64
             * @description Calls that failed.
             */
            errors: number;
            outcome: components["schemas"]["SessionState"];
            /**
             * Format: double
             * @description From the first start to the last end.
             */
            wall_ms: number;
            /**
             * Format: double
             * @description The part of it in which a call was running.
             */
            busy_ms: number;
            /**
             * Format: int64
             * @description All input, cached included.
             */
            input_tokens: number;
            /**
             * Format: int64
             * @description All output, reasoning included.
             */
            output_tokens: number;
            /** Format: int64 */
            prompt_cache_read_tokens: number;
            /** Format: int64 */
            prompt_cache_write_tokens: number;
            /** Format: int64 */
            prompt_audio_tokens: number;
            /** Format: int64 */
            completion_audio_tokens: number;
            /** Format: int64 */
            reasoning_tokens: number;
            /** Format: int64 */
            prompt_image_tokens: number;
            /** Format: int64 */
            completion_image_tokens: number;
            /**
             * Format: int64
             * @description Web searches that providers ran and counted.
             */
            web_searches: number;
            /**
             * Format: int64
             * @description Other runs of providers' own tools that they counted.
             */
            tool_units: number;
            /**
             * Format: int64
             * @description Searches counted by the unit (reranking, sources).
             */
            search_units: number;
            /**
             * Format: int64
             * @description Model calls whose cost is not known; not those that failed without any usage.
             */
            unpriced_requests: number;
            /** @description The newest tag. */
            tag: string | null;
            /**
             * Format: int64
             * @description Calls that matched the filter on calls; null where it named no field of a call. The same holds below.
             */
            matching_requests: number | null;
            /** Format: int64 */
            matching_errors: number | null;
            /**
             * Format: double
             * @description US dollars.
             */
            matching_cost: number | null;
            /** Format: int64 */
            matching_tokens: number | null;
            /** Format: int64 */
            matching_input_tokens: number | null;
            /** Format: int64 */
            matching_output_tokens: number | null;
            /** Format: double */
            matching_avg_latency: number | null;
        };
        /**
         * @description How a session stands.
         * @enum {string}
         */
        SessionState: "success" | "recovered" | "error";
        Side: {
            /** @description Over the calls at exactly this path. */
            own: components["schemas"]["PathSums"];
            /** @description Over the calls at this path and below. */
            inclusive: components["schemas"]["PathSums"];
            /** @description Sessions with a call here or below. */
            sessions: number;
            /** @description Sessions whose last call is exactly here. */
            exits: number;
        };
        SideTotals: {
            sessions: number;
            /** Format: int64 */
            calls: number;
        };
        /**
         * @description What groups are ordered by. `error_rate` goes by the lower end of its interval, so that one failure of one call does not
         *     come before 300 of 1000.
         * @enum {string}
         */
        Sorting: "calls" | "errors" | "error_rate" | "cost" | "tokens" | "p50" | "p95" | "sessions" | "last_seen" | "value";
        /** @description A session's calls over its time. */
        SparkResult: {
            calls: number[];
            errors: number[];
            /**
             * Format: int64
             * @description Calls in flight now: the session is live if there are any.
             */
            running: number;
        };
        SparksBody: {
            /** @description At most 200. */
            session_ids: string[];
            /** @description Parts of each session's time, 4 to 60; default 16. */
            buckets?: number | null;
        };
        StoreState: {
            /** @description `sqlite` or `postgres`. */
            backend: string;
            /** @description Whether it answered just now. */
            available: boolean;
        };
        /**
         * @description What got worse.
         * @enum {string}
         */
        Subject: "model" | "path" | "tool" | "session";
        /** @description How the server is. */
        System: {
            version: string;
            /** Format: int64 */
            started_ms: number;
            database: components["schemas"]["DatabaseState"];
            journal: components["schemas"]["JournalState"];
            prices: components["schemas"]["PricesInfo"];
            counts: components["schemas"]["Counts"];
            /** @description Calls of the organisation in flight. */
            running: number;
            /** @description `open` or `keys`. */
            auth: components["schemas"]["AuthMode"];
            /** @description `durable` or `fast`. */
            durability: string;
        };
        TagBody: {
            /** @description At most 1024 bytes. */
            tag: string;
        };
        /** @description A stretch of time, in milliseconds since 1970 (UTC). */
        TimeFilter: {
            /** Format: double */
            startTimeUnixMs: number;
            /** Format: double */
            endTimeUnixMs: number;
        };
        /** @description Which uses of tools, and in which order their groups. */
        ToolBody: {
            /** Format: int64 */
            from_ms: number;
            /** Format: int64 */
            to_ms: number;
            /** @description Which calls: those whose answers ask for tools, and manual logs of tools. */
            filter: unknown;
            /** @description What rows are by; default `tool`. */
            by?: components["schemas"]["By"];
            /** @description By path: whether numbers and ids in it are folded (`/iteration/3` to `/iteration/:n`); default true. */
            fold?: boolean | null;
            /** @description Part of the tool's name, or of the path, without case. */
            search?: string;
            sort?: components["schemas"]["Sorting"];
            /** @description Default true. */
            descending?: boolean | null;
            /** @description Rows, at most 500; default 50. */
            limit?: number | null;
            /**
             * Format: int64
             * @description Buckets of `trend`, 0 to 60; default 12.
             */
            trend?: number | null;
        };
        /** @description A tool call that an answer asks for, or that ran at the provider. */
        ToolCallNode: {
            /** @description `<request id>/<position>` */
            node: string;
            /** @description The call whose answer asks for it. */
            request_id: string;
            /**
             * Format: int32
             * @description Where it stands in the answer, from 0.
             */
            position: number;
            /** @description The provider's id of it; null where it has none. */
            tool_call_id: string | null;
            name: string;
            /** @description The provider's word: `function`, `tool_use`, `mcp_call`, … */
            form: string;
            /** @description It ran at the provider. */
            at_provider: boolean;
            /** @description As the model wrote them, the first 4 kB; the first 200 bytes where the session has very many. */
            arguments: string;
            /** Format: int64 */
            arguments_bytes: number;
            /** @description Of the call that asks for it. */
            path: string | null;
            /** @description The end of the answer that asks for it; of a manual log, the tool's own start. */
            started_at: string;
            /** Format: double */
            offset_ms: number;
            /**
             * Format: double
             * @description Null where not known.
             */
            duration_ms: number | null;
            duration_source: components["schemas"]["DurationSource"] | null;
            /**
             * Format: double
             * @description The gap, where a person was in it: no duration of the tool.
             */
            wait_ms: number | null;
            /** @description `user_message`: the request with the result carries a person's words too. `over_limit`: longer than ten minutes. */
            wait_rule: string | null;
            /** @description Null where not known yet. */
            ok: boolean | null;
            /** @description Which rule says so (docs/SESSIONS.md). */
            ok_rule: string | null;
            /** Format: int64 */
            result_bytes: number | null;
            /** @description Its first 500 characters. */
            result_preview: string | null;
            /** @description The call whose request tells the result. */
            result_request_id: string | null;
            /** @description The manual log of the tool. */
            log_request_id: string | null;
        };
        ToolCallShown: {
            id: string | null;
            name: string;
            /** @description At most 2000 characters. */
            arguments: string;
        };
        /** @description One tool, or the tools below one path. */
        ToolRow: components["schemas"]["FiguresResult"] & {
            /** @description The tool's name; the path, where rows are by path. */
            tool: string;
            /**
             * Format: int64
             * @description Uses that a manual log tells of.
             */
            logged: number;
            /**
             * Format: int64
             * @description Uses whose outcome is known.
             */
            judged: number;
            duration_source: components["schemas"]["DurationSource"] | null;
            /**
             * Format: int64
             * @description Uses with a person in the gap, and the sum of these gaps; in no other time.
             */
            waits: number;
            /** Format: double */
            wait_ms: number;
            /**
             * Format: double
             * @description US dollars, over the calls that the results were handed to, each once.
             */
            turn_cost: number;
            /**
             * Format: int64
             * @description Those of them whose cost is not known.
             */
            unpriced_turns: number;
            /** @description By which rule uses failed, most first. */
            rules: components["schemas"]["RuleCount"][];
            /**
             * Format: int64
             * @description Bytes of a result.
             */
            mean_result_bytes: number | null;
            /** Format: int64 */
            max_result_bytes: number | null;
            /**
             * Format: int64
             * @description Start of the latest use.
             */
            last_seen_ms: number;
            previous: components["schemas"]["FiguresResult"] | null;
            /** @description Uses in equal parts of the window. */
            trend: number[];
            trend_errors: number[];
        };
        Tools: {
            rows: components["schemas"]["ToolRow"][];
            /** @description Groups before `limit`. */
            total: number;
            /** @description Percentiles are always read from the uses themselves. */
            exact: boolean;
            /** @description True: only the newest uses are counted, those that began at `from_ms` or later. */
            truncated: boolean;
            /** Format: int64 */
            from_ms: number;
        };
        TopBody: {
            /**
             * Format: int64
             * @description Sessions that overlap the window; milliseconds since 1970.
             */
            from_ms?: number | null;
            /** Format: int64 */
            to_ms?: number | null;
            /** @description As in a session query. */
            filter: unknown;
            /** @description Part of the id or the name, without case. */
            search?: string;
            sort?: components["schemas"]["TopSort"];
            /** @description Default true. */
            descending?: boolean | null;
            /**
             * Format: int64
             * @description Rows to skip.
             */
            offset?: number;
            /**
             * Format: int64
             * @description Rows, at most 200; default 50.
             */
            limit?: number | null;
        };
        /** @enum {string} */
        TopSort: "total_cost" | "errors" | "wall_ms" | "total_requests" | "total_tokens" | "created_at";
        /**
         * @description A path with the calls made at exactly this path, and the paths below it.
         *
         *     A call without a path is at `/`; a leading slash is added; empty segments count for nothing. Below 48 levels the rest
         *     of a path is one segment.
         */
        TreeNode: {
            /** @description The last segment as sent; empty for the root. */
            segment: string;
            /** @description From the root, with a leading slash. */
            path: string;
            /** @description Over the calls at exactly this path. */
            own: components["schemas"]["NodeTotals"];
            /** @description Over the calls at this path and below. */
            inclusive: components["schemas"]["NodeTotals"];
            /** @description Start of the first call here or below. */
            started_at: string;
            /** @description End of the last call here or below. */
            ended_at: string;
            /**
             * Format: double
             * @description From `started_at` to `ended_at`.
             */
            span_ms: number;
            /** @description Ids of the calls at exactly this path, in order of start. */
            calls: string[];
            /** @description Nodes of the tool calls that these calls ask for. */
            tool_calls: string[];
            /** @description In order of first appearance. */
            children: components["schemas"]["TreeNode"][];
        };
        /**
         * @description What `now` and `before` are.
         * @enum {string}
         */
        Unit: "ratio" | "ms" | "usd" | "count";
        /** @description One user: sums over the calls that the filter chose. */
        UserMetrics: {
            /** @description The same as `user_id`. */
            id: string;
            user_id: string;
            /**
             * Format: int64
             * @description Days with a call.
             */
            active_for: number;
            /** @description Start of the first call: ISO 8601, UTC. */
            first_active: string;
            /** @description Start of the last call. */
            last_active: string;
            /** Format: int64 */
            total_requests: number;
            /** Format: double */
            average_requests_per_day_active: number;
            /**
             * Format: double
             * @description All input and output, a request.
             */
            average_tokens_per_request: number;
            /**
             * Format: int64
             * @description Output without reasoning and audio.
             */
            total_completion_tokens: number;
            /**
             * Format: int64
             * @description Input without cached and audio.
             */
            total_prompt_tokens: number;
            /**
             * Format: double
             * @description US dollars, over the calls whose cost is known.
             */
            cost: number;
        };
        /** @description Which users, in which order. */
        UserMetricsQueryBody: {
            /** @description `"all"`, `{}`, a leaf or a branch; tables `users_view` and `request_response_rmt`. */
            filter?: unknown;
            /**
             * Format: double
             * @description Rows to skip; default 0.
             * @default null
             */
            offset: number | null;
            /**
             * Format: double
             * @description Rows to answer, 0 to 1000; default 50.
             * @default null
             */
            limit: number | null;
            /** @default null */
            timeFilter: components["schemas"]["SecondsFilter"] | null;
            /**
             * Format: double
             * @description Where days begin: minutes east of Greenwich, -1440 to 1440; default 0.
             * @default null
             */
            timeZoneDifferenceMinutes: number | null;
            /** @description One key of the answer's rows with `asc` or `desc`; default `{"last_active": "desc"}`. */
            sort?: unknown;
        };
        /** @description A page of users. */
        UserMetricsResult: {
            users: components["schemas"]["UserMetrics"][];
            /**
             * Format: int64
             * @description Users on all pages.
             */
            count: number;
            /** @description Whether any call carries a user's id, whatever the filter. */
            hasUsers: boolean;
        };
        /** @description Histograms over users. */
        UserOverview: {
            /** @description Calls a user. */
            request_count: components["schemas"]["HistogramRow"][];
            /** @description US dollars a user. */
            user_cost: components["schemas"]["HistogramRow"][];
        };
        /** @description Which users, for histograms. */
        UserOverviewQueryBody: {
            filter?: unknown;
            /** @default null */
            pSize: components["schemas"]["PSize"] | null;
            /**
             * @description Cuts off the other end as well; default false.
             * @default null
             */
            useInterquartile: boolean | null;
        };
        /** @description Which users, by id. */
        UserQueryBody: {
            /**
             * @description Absent or empty: all; at most 1000.
             * @default null
             */
            userIds: string[] | null;
            /** @default null */
            timeFilter: components["schemas"]["SecondsFilter"] | null;
        };
        /** @description A user's sums. */
        UserResult: {
            user_id: string;
            /**
             * Format: int64
             * @description Calls.
             */
            count: number;
            /** Format: int64 */
            prompt_tokens: number;
            /** Format: int64 */
            completion_tokens: number;
            /**
             * Format: double
             * @description US dollars.
             */
            cost: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    logAnthropic: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description the envelope: providerRequest, providerResponse, timing */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description the id of the request that was logged */
                    "helicone-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    logCustom: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description the envelope: providerRequest, providerResponse, timing */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description the id of the request that was logged */
                    "helicone-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    logGoogle: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description the envelope: providerRequest, providerResponse, timing */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description the id of the request that was logged */
                    "helicone-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    healthcheck: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    heliconeTest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain; version=0.0.4": string;
                };
            };
        };
    };
    logOpenai: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description the envelope: providerRequest, providerResponse, timing */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description the id of the request that was logged */
                    "helicone-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Vec_KeyResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewKeyBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewKey"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    revokeApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    listDeadLetters: {
        parameters: {
            query?: {
                /** @description 1 to 1000; 100 if absent. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAnswer_LetterResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getDeadLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    dropDeadLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    retryDeadLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_RetryResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    exportRequests: {
        parameters: {
            query?: {
                /** @description `csv` (default) or `jsonl`. */
                format?: "csv" | "jsonl";
                /** @description A filter as JSON text, as in a query. */
                filter?: string;
                /** @description Milliseconds since 1970. */
                from_ms?: number;
                /** @description Not in the window. */
                to_ms?: number;
                /** @description Of sessions: part of the id or name. */
                search?: string;
                /** @description Of requests as lines of JSON: with bodies. */
                bodies?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    exportSessions: {
        parameters: {
            query?: {
                /** @description `csv` (default) or `jsonl`. */
                format?: "csv" | "jsonl";
                /** @description A filter as JSON text, as in a query. */
                filter?: string;
                /** @description Milliseconds since 1970. */
                from_ms?: number;
                /** @description Not in the window. */
                to_ms?: number;
                /** @description Of sessions: part of the id or name. */
                search?: string;
                /** @description Of requests as lines of JSON: with bodies. */
                bodies?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    rateRequestByHeliconeId: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HeliconeFeedbackBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HeliconeFeedbackAnswer"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    preflightRateRequest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Pages of any origin may, with a key in a header. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    listGaps: {
        parameters: {
            query?: {
                /** @description An instant such as `2026-11-24T04:30:00Z`; minutes that start before it are left out. */
                from?: string;
                /** @description Minutes that start after it are left out. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Gaps"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    watch: {
        parameters: {
            query?: {
                /** @description Only of this session. */
                session?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getRunning: {
        parameters: {
            query?: {
                /** @description Only of this session. */
                session?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Vec_RunningResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    logShort: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description the envelope: providerRequest, providerResponse, timing */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description the id of the request that was logged */
                    "helicone-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Me"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Me"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryAttention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AttentionBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Attention"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    breakDown: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BreakdownBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Breakdown"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MetricsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Metrics"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getOrg: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_OrgResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    setOrg: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrgBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_OrgResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryPaths: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PathBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Paths"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryProperties: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PropertyQueryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Vec_PropertyResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    searchPropertyValues: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description compared without case */
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PropertySearchBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Vec_String"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    countRequests: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RequestQueryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_i64"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryRequestsLegacy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RequestQueryBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAnswer_HeliconeRequest"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryRequests: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RequestQueryBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAnswer_HeliconeRequest"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryRequestsByIds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IdsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Vec_HeliconeRequest"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getRequest: {
        parameters: {
            query?: {
                /** @description True: with bodies of any size. False: without bodies. Absent: with bodies that fit a page. */
                includeBody?: boolean;
                /** @description With `includeBody=true`: bodies of more bytes than this, both together and decoded, are left out. */
                max_bytes?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_HeliconeRequest"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getRequestBody: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                /** @description `request` or `response` */
                which: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    rateRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FeedbackBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    setRequestProperty: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PropertyBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    scoreRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScoresBody"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getRetention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_RetentionDays"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    setRetention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetentionDays"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_RetentionDays"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    listSavedFilters: {
        parameters: {
            query?: {
                /** @description Only those of this page. */
                page?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Vec_SavedResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    saveFilter: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SavedBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_SavedResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    deleteSavedFilter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    countSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionQueryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_SessionCountResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    querySessionMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionNameQueryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_SessionMetrics"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    querySessionNames: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionNameQueryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Vec_SessionNameResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    querySessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionQueryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageAnswer_SessionResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    querySparks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SparksBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_BTreeMap_String_SparkResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryTopSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TopBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Vec_SessionResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getSession: {
        parameters: {
            query?: {
                /** @description Calls to answer at most, oldest first: 1 to 50000, default 10000. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description the session's id, percent-encoded */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_SessionDetail"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    digestSteps: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description the session's id, percent-encoded */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DigestBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_BTreeMap_String_Digest"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    rateSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FeedbackBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    findInSession: {
        parameters: {
            query: {
                /** @description What to find, without case, 1 to 200 characters. */
                q: string;
            };
            header?: never;
            path: {
                /** @description the session's id, percent-encoded */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Found"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getSessionMarkdown: {
        parameters: {
            query?: {
                /** @description Only this call. */
                request_id?: string;
            };
            header?: never;
            path: {
                /** @description the session's id, percent-encoded */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/markdown": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getSessionTag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Option_String"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    tagSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TagBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getSessionToolCalls: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description the session's id, percent-encoded */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Vec_ToolCallNode"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description There is nothing of that id in the caller's organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    getSystem: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_System"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryTools: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ToolBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Tools"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    logTraceShort: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description the envelope: providerRequest, providerResponse, timing */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description the id of the request that was logged */
                    "helicone-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    logTraceTyped: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description the envelope: providerRequest, providerResponse, timing */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description the id of the request that was logged */
                    "helicone-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    logTrace: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description the envelope: providerRequest, providerResponse, timing */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description the id of the request that was logged */
                    "helicone-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryUserOverview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserOverviewQueryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_UserOverview"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryUserMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserMetricsQueryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_UserMetricsResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    queryUsers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserQueryBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer_Vec_UserResult"];
                };
            };
            /** @description A field is wrong; the error names its JSON path and what is allowed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description No key was given, or one that is not known. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The key does not have the right. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The body came with a `Content-Encoding`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The database or the journal is not available; see `Retry-After`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
}
