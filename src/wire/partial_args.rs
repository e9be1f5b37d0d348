//! Arguments of a function call that Vertex streams (`streamFunctionCallArguments`): each `partialArgs` holds values with the
//! JSON path (RFC 9535) of their place, texts in pieces. See Google's `PartialArg`.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Number, Value};

/// Steps of a path; a place deeper than that is left out.
const MAX_STEPS: usize = 32;

/// Values that the calls of one answer may have in all. A short path can ask for many, so what is made is counted.
pub(super) const MOST_VALUES: usize = 10_000;

/// One value, or a piece of one, and its place.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialArg {
    json_path: String,
    string_value: Option<String>,
    number_value: Option<Number>,
    bool_value: Option<bool>,
    null_value: Option<IgnoredAny>,
}

#[derive(Debug, PartialEq)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Lays the values of a `partialArgs` over the arguments so far, and takes what it makes off `room`. What is no such list, or
/// has no place in them, is left out.
pub(super) fn lay(arguments: &mut Map<String, Value>, partial: &Value, room: &mut usize) {
    for item in partial.as_array().into_iter().flatten() {
        let Ok(item) = PartialArg::deserialize(item) else { continue };
        let Some(steps) = steps(&item.json_path).filter(|steps| steps.len() <= *room) else { continue };
        let Some(place) = place(arguments, &steps, room) else { continue };
        match item {
            PartialArg { string_value: Some(piece), .. } => match place {
                Value::String(text) => text.push_str(&piece),
                other => *other = Value::String(piece),
            },
            PartialArg { number_value: Some(number), .. } => *place = Value::Number(number),
            PartialArg { bool_value: Some(truth), .. } => *place = Value::Bool(truth),
            PartialArg { null_value: Some(IgnoredAny), .. } => *place = Value::Null,
            _ => {}
        }
    }
}

/// `$.a.b[0]['c']`, without its `$`.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == MAX_STEPS {
            return None;
        }
        if let Some(named) = rest.strip_prefix('.') {
            let end = named.find(['.', '[']).unwrap_or(named.len());
            let (name, after) = named.split_at_checked(end)?;
            steps.push(Step::Key(name));
            rest = after;
        } else {
            let inside = rest.strip_prefix('[')?;
            let quote = inside.chars().next().filter(|first| matches!(first, '\'' | '"'));
            let (text, after) = match quote {
                Some(quote) => inside.strip_prefix(quote)?.split_once(quote)?,
                None => inside.split_at_checked(inside.find(']')?)?,
            };
            steps.push(if quote.is_some() { Step::Key(text) } else { Step::Index(text.parse().ok()?) });
            rest = after.strip_prefix(']')?;
        }
    }
    (!steps.is_empty()).then_some(steps)
}

/// The value at a place, made where it is not there yet, for which there is room. An element of a list can only be the next.
fn place<'v>(arguments: &'v mut Map<String, Value>, steps: &[Step<'_>], room: &mut usize) -> Option<&'v mut Value> {
    let mut made = || {
        *room = room.saturating_sub(1);
        Value::Null
    };
    let (Step::Key(first), rest) = steps.split_first()? else { return None };
    let mut at = arguments.entry(*first).or_insert_with(&mut made);
    for step in rest {
        match step {
            Step::Key(key) => {
                if at.is_null() {
                    *at = Value::Object(Map::new());
                }
                at = at.as_object_mut()?.entry(*key).or_insert_with(&mut made);
            }
            Step::Index(index) => {
                if at.is_null() {
                    *at = Value::Array(Vec::new());
                }
                let list = at.as_array_mut()?;
                if *index == list.len() {
                    list.push(made());
                }
                at = list.get_mut(*index)?;
            }
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_come_to_their_places() {
        let mut arguments = Map::new();
        for partial in [
            json!([{"jsonPath": "$.city", "stringValue": "Par", "willContinue": true}]),
            json!([{"jsonPath": "$.city", "stringValue": "is"}, {"jsonPath": "$.days", "numberValue": 3}]),
            json!([{"jsonPath": "$.who[0].name", "stringValue": "Ada"}, {"jsonPath": "$.who[1]['the.name']", "stringValue": ""}]),
            json!([{"jsonPath": "$.who[0].here", "boolValue": false}, {"jsonPath": "$[\"x y\"]", "nullValue": "NULL_VALUE"}]),
        ] {
            lay(&mut arguments, &partial, &mut MOST_VALUES.clone());
        }
        let whole = json!({
            "city": "Paris", "days": 3, "who": [{"name": "Ada", "here": false}, {"the.name": ""}], "x y": null
        });
        assert_eq!(Value::Object(arguments), whole);
    }

    #[test]
    fn what_has_no_place_is_left_out() {
        let deep = format!("${}", ".a".repeat(MAX_STEPS + 1));
        let mut arguments = Map::from_iter([("a".to_owned(), json!("text"))]);
        for path in [
            "",
            "$",
            "a",
            "$a",
            "$[0]",
            "$.a.b",
            "$.a[0]",
            "$.l[1]",
            "$.l[99999999999999999999]",
            "$['a",
            "$.l[",
            &deep,
        ] {
            lay(&mut arguments, &json!([{"jsonPath": path, "numberValue": 1}]), &mut MOST_VALUES.clone());
        }
        for partial in
            [json!(7), json!([7]), json!([{"numberValue": 1}]), json!([{"jsonPath": 1}]), json!([{"jsonPath": "$.a"}])]
        {
            lay(&mut arguments, &partial, &mut MOST_VALUES.clone());
        }
        assert_eq!(arguments.get("a"), Some(&json!("text")));
        assert!(
            arguments.iter().all(|(key, value)| key == "a" || value.as_array().is_some_and(Vec::is_empty)),
            "{arguments:?}"
        );
    }
    #[test]
    fn what_is_made_is_bounded() {
        let (mut arguments, mut room) = (Map::new(), 40);
        for n in 0..100 {
            let path = format!("$.k{n}{}", ".a".repeat(9));
            lay(&mut arguments, &json!([{"jsonPath": path, "numberValue": n}]), &mut room);
        }
        assert_eq!((arguments.len(), room), (4, 0));
        lay(&mut arguments, &json!([{"jsonPath": "$.k0", "numberValue": 1}]), &mut room);
        assert!(arguments["k0"].is_object(), "not even what is there already, where there is no room");
    }
}
