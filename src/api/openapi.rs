//! The description of the API, and the parts of it that many routes share.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Content, ContentBuilder, OpenApi as Document, PathItem, Ref, RefOr, Response, ResponseBuilder, Schema,
};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::answer::Failure;
use super::live::LiveCall;

/// The frame that the routes are put into.
#[derive(OpenApi)]
#[openapi(
    info(title = "Trailgate", description = "Logs, sessions and queries of the gateway, under the names of Helicone's API."),
    components(schemas(Failure, LiveCall)),
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

/// Says of every field of an answer that may be null that it is always there, as it is: what is left out where there is
/// nothing to tell is never null. A question may leave out what it does not ask, so what questions are made of is left alone.
pub fn complete(document: &mut Document) {
    let mut open: Vec<String> = document.paths.paths.values().flat_map(questions).collect();
    let Some(components) = &mut document.components else { return };
    let mut asked = BTreeSet::new();
    while let Some(name) = open.pop() {
        if let Some(schema) = components.schemas.get_mut(&name)
            && asked.insert(name)
        {
            each(schema, &mut |schema| open.extend(name_of(schema)));
        }
    }
    for (_, schema) in components.schemas.iter_mut().filter(|(name, _)| !asked.contains(*name)) {
        each(schema, &mut require);
    }
}

/// Names of the bodies that a path's operations take.
fn questions(path: &PathItem) -> Vec<String> {
    let operations = [&path.get, &path.put, &path.post, &path.patch, &path.delete];
    let bodies = operations.into_iter().flatten().filter_map(|operation| match &operation.request_body {
        Some(RefOr::T(body)) => Some(body.content.values()),
        _ => None,
    });
    let schema = |content: &RefOr<Content>| match content {
        RefOr::T(content) => content.schema.as_ref().and_then(name_of),
        RefOr::Ref(_) => None,
    };
    bodies.flatten().filter_map(schema).collect()
}

fn name_of(schema: &RefOr<Schema>) -> Option<String> {
    match schema {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next().map(str::to_owned),
        RefOr::T(_) => None,
    }
}

/// Hands on a schema and everything in it.
fn each(schema: &mut RefOr<Schema>, hand: &mut dyn FnMut(&mut RefOr<Schema>)) {
    hand(schema);
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            object.properties.values_mut().for_each(|part| each(part, hand));
            if let Some(AdditionalProperties::RefOr(part)) = object.additional_properties.as_deref_mut() {
                each(part, hand);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(part) = &mut array.items {
                each(part, hand);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(|part| each(part, hand)),
        Schema::AllOf(all) => all.items.iter_mut().for_each(|part| each(part, hand)),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(|part| each(part, hand)),
        _ => {}
    }
}

fn require(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    for (name, _) in object.properties.iter().filter(|(_, part)| may_be_null(part)) {
        if !object.required.contains(name) {
            object.required.push(name.clone());
        }
    }
}

fn may_be_null(schema: &RefOr<Schema>) -> bool {
    let of = |kind: &SchemaType| match kind {
        SchemaType::Type(kind) => *kind == Type::Null,
        SchemaType::Array(kinds) => kinds.contains(&Type::Null),
        SchemaType::AnyValue => false,
    };
    match schema {
        RefOr::T(Schema::Object(object)) => of(&object.schema_type),
        RefOr::T(Schema::Array(array)) => of(&array.schema_type),
        RefOr::T(Schema::OneOf(one)) => one.items.iter().any(may_be_null),
        _ => false,
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
            ("415", "The body came with a `Content-Encoding`."),
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
