//! The description of the API, and the parts of it that many routes share.

use std::collections::BTreeMap;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::answer::Failure;

/// The frame that the routes are put into.
#[derive(OpenApi)]
#[openapi(
    info(title = "Trailgate", description = "Logs, sessions and queries of the gateway, under the names of Helicone's API."),
    components(schemas(Failure)),
    tags(
        (name = "sessions", description = "what an agent did, call by call"),
        (name = "requests", description = "single calls and their bodies"),
        (name = "properties", description = "custom properties"),
        (name = "users", description = "who made the calls, and what they cost"),
        (name = "gaps", description = "calls that could not be recorded"),
        (name = "account", description = "who is asking; signing in and out"),
        (name = "figures", description = "figures of calls over time and by what they have in common"),
        (name = "live", description = "what happens now"),
        (name = "settings", description = "the organisation, what it keeps, how the server is"),
        (name = "keys", description = "API keys"),
        (name = "dead letters", description = "records that the store refused, for administrators"),
        (name = "manual logger", description = "calls and events that did not go through the gateway"),
        (name = "health", description = "open to everybody"),
    ),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
pub struct Frame;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A key of the gateway. Not asked for where `auth.mode` is open."));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
    }
}

fn failure(description: &str) -> RefOr<Response> {
    let schema = RefOr::Ref(Ref::from_schema_name("Failure"));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    RefOr::T(ResponseBuilder::new().description(description).content("application/json", content).build())
}

/// The failures that any route with a key may answer.
pub struct Faults;

impl IntoResponses for Faults {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            ("400", "A field is wrong; the error names its JSON path and what is allowed."),
            ("401", "No key was given, or one that is not known."),
            ("403", "The key does not have the right."),
            ("413", "The body is too large."),
            ("503", "The database or the journal is not available; see `Retry-After`."),
        ]
        .into_iter()
        .map(|(status, text)| (status.to_owned(), failure(text)))
        .collect()
    }
}

/// There is nothing of that id.
pub struct Missing;

impl IntoResponses for Missing {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([("404".to_owned(), failure("There is nothing of that id in the caller's organisation."))])
    }
}
