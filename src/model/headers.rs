//! Header lines of a call. They are kept and passed on far more often than they are looked at, so they stay in the form in
//! which journal and store have them: the JSON of a list of `[name, value]`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Names in lower case and values, in the order in which they came.
pub type HeaderLines = Vec<(String, String)>;

/// Header lines as they came, names in lower case, credentials replaced by `[redacted]`.
#[derive(Clone, Debug, Default)]
pub struct Headers(Option<String>);

/// The JSON of no lines.
const NOTHING: &str = "[]";
/// Bytes that most lists need, so that writing one does not grow its memory step by step.
const ROOM: usize = 1_024;

impl Headers {
    /// No lines.
    pub const NONE: Self = Self(None);

    /// The JSON of these lines, `[]` where there is none.
    pub fn json(&self) -> &str {
        self.0.as_deref().unwrap_or(NOTHING)
    }

    /// The lines; none where the JSON is something else.
    pub fn lines(&self) -> HeaderLines {
        serde_json::from_str(self.json()).unwrap_or_default()
    }
}

impl<N: Serialize, V: Serialize> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        let mut json = Vec::with_capacity(ROOM);
        let written = serde_json::Serializer::new(&mut json).collect_seq(lines);
        let json = written.ok().and_then(|()| String::from_utf8(json).ok());
        Self(json.filter(|json| json != NOTHING))
    }
}

/// A list where a person reads the format, its JSON as one text where not.
impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.lines().serialize(serializer)
        } else {
            self.json().serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Box::<RawValue>::deserialize(deserializer).map(|json| Self(Some(json.get().to_owned())))
        } else {
            String::deserialize(deserializer).map(|json| Self(Some(json)))
        }
    }
}

/// Whether the value of a header of that name (in lower case) is a credential, which is kept nowhere.
pub fn is_credential(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "authorization",
        "proxy-authorization",
        "helicone-auth",
        "x-api-key",
        "api-key",
        "cookie",
        "set-cookie",
        "x-goog-api-key",
        "x-amz-security-token",
        "aws-access-key",
        "aws-secret-key",
        "aws-session-token",
        "x-auth-token",
    ];
    NAMES.contains(&name) || ["-api-key", "-secret", "-token"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back() {
        let lines = [("accept", "*/*"), ("x-odd", "a \"quoted\"\tvalue é")];
        let headers: Headers = lines.into_iter().collect();
        let json = r#"[["accept","*/*"],["x-odd","a \"quoted\"\tvalue é"]]"#;
        assert_eq!(headers.json(), json);
        assert_eq!(headers.lines(), lines.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(serde_json::to_string(&headers).unwrap(), json);
        let read: Headers = serde_json::from_str(json).unwrap();
        assert_eq!(read.lines(), headers.lines());
        let packed = rmp_serde::to_vec_named(&headers).unwrap();
        assert_eq!(rmp_serde::from_slice::<Headers>(&packed).unwrap().json(), json);
    }

    #[test]
    fn none_and_odd_ones_are_no_lines() {
        assert_eq!(serde_json::to_string(&Headers::default()).unwrap(), "[]");
        assert_eq!(Headers::from_iter::<[(&str, &str); 0]>([]).json(), "[]");
        for odd in ["[]", "{}", "null", "[1]", r#"[["a"]]"#] {
            assert_eq!(serde_json::from_str::<Headers>(odd).unwrap().lines(), [], "{odd}");
        }
    }
}
