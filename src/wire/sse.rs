//! Server-sent events and JSON lines, split from a whole captured body.
//!
//! Written here and not taken from `sse-stream` (which the proxy's side may use): that crate is an asynchronous decoder
//! that copies every field, stops for good at the first invalid byte and drops an unfinished last block. A capture is
//! whole in memory, may be damaged, and its unfinished last block may hold the usage. This splitter borrows.
//!
//! Line ends are LF, CRLF or CR; several `data` lines of a block are joined by LF; comments, `id` and `retry` are skipped
//! (WHATWG HTML, section 9.2.6).

use std::borrow::Cow;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The `event` field, empty where there was none.
    pub name: &'a str,
    pub data: Cow<'a, str>,
}

/// Splits a body of server-sent events. Blocks without data are left out.
pub fn events(text: &str) -> Events<'_> {
    Events { rest: text.strip_prefix('\u{feff}').unwrap_or(text) }
}

/// Whether a text without a content type begins like an event stream.
pub fn looks_like_events(text: &str) -> bool {
    let start = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    ["data:", "event:", "id:", "retry:", ":"].iter().any(|field| start.starts_with(field))
}

/// The iterator of [`events`].
#[derive(Clone, Debug)]
pub struct Events<'a> {
    rest: &'a str,
}

impl<'a> Events<'a> {
    fn next_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let line_feed = self.rest.find('\n');
        let line = self.rest.get(..line_feed.unwrap_or(self.rest.len()))?;
        // A CR before the LF ends the line too, unless it is the LF's own.
        if let Some(at) = line.find('\r')
            && !(line_feed.is_some() && at + 1 == line.len())
        {
            self.rest = self.rest.get(at + 1..).unwrap_or("");
            return line.get(..at);
        }
        self.rest = line_feed.and_then(|at| self.rest.get(at + 1..)).unwrap_or("");
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let mut name = "";
        let mut data: Option<Cow<'a, str>> = None;
        while let Some(line) = self.next_line() {
            if line.is_empty() {
                if let Some(data) = data.take() {
                    return Some(Event { name, data });
                }
                name = "";
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => {
                    data = Some(match data {
                        None => Cow::Borrowed(value),
                        Some(before) => Cow::Owned(before.into_owned() + "\n" + value),
                    });
                }
                "event" => name = value,
                _ => {}
            }
        }
        data.map(|data| Event { name, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(String, String)> {
        events(text).map(|e| (e.name.to_owned(), e.data.into_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(n, d)| ((*n).to_owned(), (*d).to_owned())).collect()
    }

    #[test]
    fn every_line_end_gives_the_same_events() {
        let lf = "event: a\ndata: 1\n\n: comment\n\ndata:2\ndata: 3\n\nid: 7\n\ndata\n\n";
        let expected = pairs(&[("a", "1"), ("", "2\n3"), ("", "")]);
        assert_eq!(split(lf), expected);
        assert_eq!(split(&lf.replace('\n', "\r\n")), expected);
        assert_eq!(split(&lf.replace('\n', "\r")), expected);
        assert_eq!(split(&format!("\u{feff}{lf}")), expected);
    }

    #[test]
    fn an_unfinished_last_block_counts() {
        assert_eq!(split("data: 1\n\ndata: 2"), pairs(&[("", "1"), ("", "2")]));
        assert_eq!(split("data: 1\n\nevent: x"), pairs(&[("", "1")]));
        assert_eq!(split(""), pairs(&[]));
        assert_eq!(split("\n\n\r\r\n"), pairs(&[]));
    }

    #[test]
    fn a_name_without_data_does_not_leak_into_the_next_block() {
        assert_eq!(split("event: ping\n\ndata: 1\n\n"), pairs(&[("", "1")]));
    }

    #[test]
    fn a_million_data_lines_of_one_block_are_joined_in_linear_time() {
        let text = "data: x\n".repeat(1_000_000);
        assert_eq!(split(&text)[0].1.len(), 1_999_999);
    }
}
