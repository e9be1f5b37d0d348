//! From the JSON of a query to a [`Filter`].
//!
//! A superset of what Helicone takes (PROTOCOL section 6): several tables, columns, keys and operators in one leaf are all
//! applied, a top-level `properties` object is the short form, its bare strings mean `equals`. Nothing is dropped in silence:
//! what has no meaning here is an error that names its JSON path and says what is allowed there.

use serde_json::{Map, Value};

use super::columns::{Column, Kind, NO_BODIES, NO_SUMS_OF_USERS, Table, columns_of, tables_of};
use super::{Field, Filter, Leaf, NumberOp, Test, TextOp};
use crate::model::units::Micros;

/// How deep branches may nest.
const MOST_DEPTH: usize = 64;
/// How many conditions a filter may have.
const MOST_LEAVES: usize = 1_000;
/// How long a pattern of `like` and `ilike` may be, in bytes: matching takes time proportional to pattern times text.
const MOST_PATTERN: usize = 4_096;

/// Which route asks: it decides which tables a filter may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `session/*`
    Sessions,
    /// `request/*`
    Requests,
    /// `user/*`
    Users,
    /// `metrics/*`
    Metrics,
}

/// Where a filter is wrong and what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct FilterError {
    /// Such as `filter.left.request_response_rmt.cost.gte`.
    pub path: String,
    /// One sentence.
    pub message: String,
}

impl Filter {
    /// Reads a filter; `value` is what stands under `filter` in the request.
    ///
    /// # Errors
    /// [`FilterError`] for anything that cannot be applied exactly as written.
    pub fn parse(value: &Value, scope: Scope) -> Result<Self, FilterError> {
        let mut parser = Parser { scope, leaves: 0, path: vec!["filter".to_owned()] };
        parser.node(value, 0)
    }
}

struct Parser {
    scope: Scope,
    leaves: usize,
    path: Vec<String>,
}

type Parsed = Result<Filter, FilterError>;

impl Parser {
    fn node(&mut self, value: &Value, depth: usize) -> Parsed {
        if depth > MOST_DEPTH {
            return self.fail(format!("branches may nest {MOST_DEPTH} deep"));
        }
        match value {
            Value::String(text) if text == "all" => Ok(Filter::ALL),
            Value::Object(map) if map.is_empty() => Ok(Filter::ALL),
            Value::Object(map) if ["left", "operator", "right"].iter().any(|key| map.contains_key(*key)) => {
                self.branch(map, depth)
            }
            Value::Object(map) => self.every(map, Self::table),
            _ => self.fail(
                "expected \"all\", {}, a leaf {table: {column: {operator: value}}} or a branch {left, operator, right}",
            ),
        }
    }

    fn branch(&mut self, map: &Map<String, Value>, depth: usize) -> Parsed {
        if let Some(other) = map.keys().find(|key| !matches!(key.as_str(), "left" | "operator" | "right")) {
            return self.under(other, |p| p.fail("a branch has `left`, `operator` and `right` and nothing else"));
        }
        let (Some(left), Some(operator), Some(right)) = (map.get("left"), map.get("operator"), map.get("right")) else {
            return self.fail("a branch needs `left`, `operator` and `right`");
        };
        let and = match operator.as_str() {
            Some("and") => true,
            Some("or") => false,
            _ => return self.under("operator", |p| p.fail("allowed: \"and\", \"or\"")),
        };
        let left = self.under("left", |p| p.node(left, depth + 1))?;
        let right = self.under("right", |p| p.node(right, depth + 1))?;
        Ok(if and { Filter::And(vec![left, right]) } else { Filter::Or(vec![left, right]) })
    }

    /// All members of an object, each applied.
    fn every(&mut self, map: &Map<String, Value>, one: impl Fn(&mut Self, &str, &Value) -> Parsed) -> Parsed {
        let mut parts = Vec::with_capacity(map.len());
        for (key, value) in map {
            parts.push(self.under(key, |p| one(p, key, value))?);
        }
        Ok(match parts.pop() {
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Filter::And(parts)
            }
            None => Filter::ALL,
        })
    }

    fn table(&mut self, name: &str, value: &Value) -> Parsed {
        let Some((_, table)) = tables_of(self.scope).iter().find(|(known, _)| *known == name) else {
            let known = tables_of(self.scope).iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
            return self.fail(format!("no such table here; allowed: {known}"));
        };
        let Value::Object(map) = value else {
            return self.fail("expected an object of columns");
        };
        if map.is_empty() {
            return self.fail("expected at least one column");
        }
        match table {
            Table::Properties => self.every(map, Self::property),
            Table::Values => self.every(map, |p, _, _| p.fail("inputs of prompts are not kept apart from the request")),
            table => {
                let columns = columns_of(*table);
                self.every(map, |p, key, value| p.column(columns, key, value))
            }
        }
    }

    fn column(&mut self, columns: &'static [(&'static str, Column)], name: &str, value: &Value) -> Parsed {
        let Some((_, column)) = columns.iter().find(|(known, _)| *known == name) else {
            let known = columns.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
            return self.fail(format!("no such column; allowed: {known}"));
        };
        match column {
            Column::Plain(Field::User(_), _) if self.scope != Scope::Users => self.fail(NO_SUMS_OF_USERS),
            Column::Plain(field, kind) => self.condition(field, *kind, value),
            Column::Properties => self.keys(value, Self::property),
            Column::Scores => {
                self.keys(value, |p, key, value| p.condition(&Field::Score(key.to_owned()), Kind::Number, value))
            }
            Column::Body(_) if matches!(self.scope, Scope::Users | Scope::Metrics) => self.fail(NO_BODIES),
            Column::Body(field) => self.condition(&Field::Call(*field), Kind::Text, value),
            Column::Refused(why) => self.fail(*why),
        }
    }

    fn keys(&mut self, value: &Value, one: impl Fn(&mut Self, &str, &Value) -> Parsed) -> Parsed {
        match value {
            Value::Object(map) if !map.is_empty() => self.every(map, one),
            _ => self.fail("expected {key: {operator: value}}"),
        }
    }

    fn property(&mut self, key: &str, value: &Value) -> Parsed {
        let field = Field::Property(key.to_owned());
        match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                let text = self.text_value(value)?;
                self.leaf(field, Test::Text(TextOp::Equals, text))
            }
            value => self.condition(&field, Kind::MapText, value),
        }
    }

    /// `{operator: value, …}`: all of them.
    fn condition(&mut self, field: &Field, kind: Kind, value: &Value) -> Parsed {
        match value {
            Value::Object(map) if !map.is_empty() => self.every(map, |p, operator, value| {
                let test = p.test(kind, operator, value)?;
                p.leaf(field.clone(), test)
            }),
            _ => self.fail(format!("expected {{operator: value}}; allowed operators: {}", kind.operators())),
        }
    }

    fn leaf(&mut self, field: Field, test: Test) -> Parsed {
        self.leaves += 1;
        if self.leaves > MOST_LEAVES {
            return self.fail(format!("a filter may have {MOST_LEAVES} conditions"));
        }
        Ok(Filter::Leaf(Leaf { field, test }))
    }

    fn test(&self, kind: Kind, operator: &str, value: &Value) -> Result<Test, FilterError> {
        match kind {
            Kind::Text | Kind::MapText => {
                let Some(op) = text_op(operator) else { return self.no_operator(kind) };
                let text = self.text_value(value)?;
                if matches!(op, TextOp::Like | TextOp::ILike) && text.len() > MOST_PATTERN {
                    return self.fail(format!("a pattern may have {MOST_PATTERN} bytes"));
                }
                Ok(match (kind, op, text.as_str()) {
                    (Kind::Text, TextOp::Equals, "null") => Test::IsNull(true),
                    (Kind::Text, TextOp::NotEquals, "null") => Test::IsNull(false),
                    (Kind::Text, TextOp::Equals | TextOp::NotEquals, "__empty__") => Test::Text(op, String::new()),
                    _ => Test::Text(op, text),
                })
            }
            Kind::Number => {
                let Some(op) = number_op(operator) else { return self.no_operator(kind) };
                self.number_value(value).map(|number| Test::Number(op, number))
            }
            Kind::Time => {
                let Some(op) = number_op(operator) else { return self.no_operator(kind) };
                self.time_value(value).map(|at| Test::Time(op, at))
            }
            Kind::Bool => match operator {
                "equals" => self.bool_value(value).map(Test::Bool),
                "not-equals" => self.bool_value(value).map(|flag| Test::Bool(!flag)),
                _ => self.no_operator(kind),
            },
        }
    }

    fn no_operator<T>(&self, kind: Kind) -> Result<T, FilterError> {
        self.fail(format!("no such operator; allowed: {}", kind.operators()))
    }

    fn text_value(&self, value: &Value) -> Result<String, FilterError> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            _ => self.fail("expected a string"),
        }
    }

    fn number_value(&self, value: &Value) -> Result<f64, FilterError> {
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|n| n.is_finite()) {
            Some(number) => Ok(number),
            None => self.fail("expected a number"),
        }
    }

    fn bool_value(&self, value: &Value) -> Result<bool, FilterError> {
        match value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) if text == "true" => Ok(true),
            Value::String(text) if text == "false" => Ok(false),
            _ => self.fail("expected true or false"),
        }
    }

    fn time_value(&self, value: &Value) -> Result<Micros, FilterError> {
        let at = match value {
            Value::Number(number) => number.as_f64().and_then(from_millis),
            Value::String(text) => from_text(text.trim()),
            _ => None,
        };
        match at {
            Some(at) => Ok(at),
            None => self.fail("expected a date such as \"2026-01-31T12:00:00Z\", or milliseconds since 1970"),
        }
    }

    fn under<T>(
        &mut self,
        key: &str,
        work: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        self.path.push(key.to_owned());
        let result = work(self);
        self.path.pop();
        result
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, FilterError> {
        Err(FilterError { path: self.path.join("."), message: message.into() })
    }
}

fn text_op(name: &str) -> Option<TextOp> {
    Some(match name {
        "equals" => TextOp::Equals,
        "not-equals" => TextOp::NotEquals,
        "like" => TextOp::Like,
        "ilike" => TextOp::ILike,
        "contains" => TextOp::Contains,
        "not-contains" => TextOp::NotContains,
        _ => return None,
    })
}

fn number_op(name: &str) -> Option<NumberOp> {
    Some(match name {
        "equals" => NumberOp::Equals,
        "not-equals" => NumberOp::NotEquals,
        "gte" => NumberOp::Gte,
        "lte" => NumberOp::Lte,
        "gt" => NumberOp::Gt,
        "lt" => NumberOp::Lt,
        _ => return None,
    })
}

fn from_millis(ms: f64) -> Option<Micros> {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked on the same line")]
    (ms.is_finite() && ms.abs() < 9e15).then(|| Micros((ms * 1_000.0).round() as i64))
}

/// With an offset, or in UTC where none is given; a date alone is its midnight.
fn from_text(text: &str) -> Option<Micros> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(Micros(at.as_microsecond()));
    }
    if let Ok(ms) = text.parse::<f64>() {
        return from_millis(ms);
    }
    let civil = text.parse::<jiff::civil::DateTime>();
    let civil = civil.or_else(|_| text.parse::<jiff::civil::Date>().map(|date| date.at(0, 0, 0, 0))).ok()?;
    let at = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Micros(at.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{CallField, SessionField};
    use super::*;

    fn leaf(field: Field, test: Test) -> Filter {
        Filter::Leaf(Leaf { field, test })
    }

    fn property(key: &str, op: TextOp, value: &str) -> Filter {
        leaf(Field::Property(key.to_owned()), Test::Text(op, value.to_owned()))
    }

    #[test]
    fn short_form() {
        let filter = Filter::parse(&json!({"properties": {"Agent-Version": "v1.0"}}), Scope::Sessions);
        assert_eq!(filter, Ok(property("Agent-Version", TextOp::Equals, "v1.0")));
        let two = Filter::parse(&json!({"properties": {"a": "1", "b": {"contains": "2"}}}), Scope::Requests);
        let both = vec![property("a", TextOp::Equals, "1"), property("b", TextOp::Contains, "2")];
        assert_eq!(two, Ok(Filter::And(both)));
    }

    #[test]
    fn nothing_and_all() {
        assert_eq!(Filter::parse(&json!("all"), Scope::Users), Ok(Filter::ALL));
        assert_eq!(Filter::parse(&json!({}), Scope::Metrics), Ok(Filter::ALL));
    }

    #[test]
    fn branches_and_several_columns_are_all_applied() {
        let filter = json!({
            "left": {"sessions_request_response_rmt": {"session_total_cost": {"gte": "0.5"}}},
            "operator": "or",
            "right": {"request_response_rmt": {
                "cost": {"gte": 1, "lt": 2},
                "properties": {"x": {"equals": "null"}},
                "user_id": {"equals": "null"},
            }},
        });
        let number = |op, n| Test::Number(op, n);
        let cost = Field::Call(CallField::Cost);
        assert_eq!(
            Filter::parse(&filter, Scope::Sessions),
            Ok(Filter::Or(vec![
                leaf(Field::Session(SessionField::TotalCost), number(NumberOp::Gte, 0.5)),
                Filter::And(vec![
                    Filter::And(vec![
                        leaf(cost.clone(), number(NumberOp::Gte, 1.0)),
                        leaf(cost, number(NumberOp::Lt, 2.0)),
                    ]),
                    property("x", TextOp::Equals, "null"),
                    leaf(Field::Call(CallField::UserId), Test::IsNull(true)),
                ]),
            ]))
        );
    }

    #[test]
    fn dates() {
        for text in ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", "2026-01-31 12:00:00", "1769860800000"] {
            assert_eq!(from_text(text), Some(Micros(1_769_860_800_000_000)), "{text}");
        }
        assert_eq!(from_text("2026-01-31"), Some(Micros(1_769_817_600_000_000)));
        assert_eq!(from_text("soon"), None);
        assert_eq!(from_millis(1e300), None);
    }

    #[test]
    fn faults_name_their_place_and_what_is_allowed() {
        let deep = (0..70).fold(json!("all"), |inner, _| json!({"left": inner, "operator": "and", "right": "all"}));
        let wide: Map<String, Value> = (0..1_001).map(|i| (format!("k{i}"), json!("v"))).collect();
        for (filter, scope, path, allowed) in [
            (json!(1), Scope::Sessions, "filter", "all"),
            (json!(null), Scope::Sessions, "filter", "all"),
            (json!({"left": "all", "operator": "and"}), Scope::Sessions, "filter", "right"),
            (json!({"left": "all", "operator": "xor", "right": "all"}), Scope::Sessions, "filter.operator", "or"),
            (json!({"nope": {"a": {"equals": "b"}}}), Scope::Sessions, "filter.nope", "request_response_rmt"),
            (json!({"users_view": {}}), Scope::Sessions, "filter.users_view", "properties"),
            (
                json!({"request_response_rmt": {"nope": {}}}),
                Scope::Users,
                "filter.request_response_rmt.nope",
                "latency",
            ),
            (
                json!({"left": {"request_response_rmt": {"cost": {"gte": "dear"}}}, "operator": "and", "right": "all"}),
                Scope::Sessions,
                "filter.left.request_response_rmt.cost.gte",
                "number",
            ),
            (
                json!({"request_response_rmt": {"cost": {"contains": 1}}}),
                Scope::Sessions,
                "filter.request_response_rmt.cost.contains",
                "gte",
            ),
            (json!({"properties": {"a": {"gte": "x"}}}), Scope::Sessions, "filter.properties.a.gte", "ilike"),
            (json!({"properties": {"a": null}}), Scope::Sessions, "filter.properties.a", "equals"),
            (json!({"properties": {"a": {"equals": null}}}), Scope::Sessions, "filter.properties.a.equals", "string"),
            (
                json!({"request_response_rmt": {"threat": {"equals": "maybe"}}}),
                Scope::Sessions,
                "filter.request_response_rmt.threat.equals",
                "true or false",
            ),
            (
                json!({"request_response_rmt": {"request_created_at": {"gte": "soon"}}}),
                Scope::Sessions,
                "filter.request_response_rmt.request_created_at.gte",
                "date",
            ),
            (
                json!({"request_response_rmt": {"request_body": {"contains": "x"}}}),
                Scope::Metrics,
                "filter.request_response_rmt.request_body",
                "requests and sessions",
            ),
            (
                json!({"users_view": {"user_cost": {"gte": 1}}}),
                Scope::Metrics,
                "filter.users_view.user_cost",
                "user_user_id",
            ),
            (json!({"values": {"x": {"equals": "y"}}}), Scope::Requests, "filter.values.x", "not kept"),
            (json!({"properties": wide}), Scope::Sessions, "filter.properties.k1000", "1000"),
        ] {
            let error = Filter::parse(&filter, scope).expect_err(path);
            assert_eq!(error.path, path);
            assert!(error.message.contains(allowed), "{path}: {}", error.message);
        }
        assert!(Filter::parse(&deep, Scope::Sessions).is_err_and(|e| e.message.contains("64")));
    }
}
