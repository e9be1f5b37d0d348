//! What a scripted upstream answers: a head and a list of steps. Pure data; `upstream` puts it on a wire.

use std::time::Duration;

use bytes::Bytes;

/// An answer, step by step.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub framing: Framing,
    pub steps: Vec<Step>,
    pub trailers: Vec<(String, String)>,
}

/// How the end of the body is marked on HTTP/1.1. HTTP/2 only looks at whether there is a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `content-length`: the sum of all `Send` steps.
    Length,
    /// `transfer-encoding: chunked`, one chunk per `Send`.
    Chunked,
    /// Neither: the body ends with the connection.
    UntilClose,
    /// No head is written at all: the steps are the raw bytes of the wire (HTTP/1.1 only).
    Raw,
    /// A head without body and without framing headers of ours: HEAD, 204, 304.
    None,
}

/// One step of an answer's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Send(Bytes),
    /// Nothing for so long; ends early if the peer goes away.
    Wait(Duration),
    /// Nothing until the peer goes away.
    Stall,
    /// Breaks off with RST, whatever was announced.
    Reset,
    /// Breaks off with FIN, whatever was announced.
    Close,
}

impl Reply {
    /// An answer without body.
    pub fn status(status: u16) -> Self {
        let framing = if matches!(status, 204 | 304) { Framing::None } else { Framing::Length };
        Self { status, headers: Vec::new(), framing, steps: Vec::new(), trailers: Vec::new() }
    }

    /// A JSON answer with a length.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::status(status).header("content-type", "application/json").send(body.to_string())
    }

    /// An event stream in chunks; the steps are the chunks.
    pub fn events<B: Into<Bytes>>(chunks: impl IntoIterator<Item = B>) -> Self {
        let empty = Self::status(200).header("content-type", "text/event-stream; charset=utf-8").chunked();
        chunks.into_iter().fold(empty, Self::send)
    }

    /// These bytes and nothing else, on a connection that is closed afterwards.
    pub fn raw(wire: impl Into<Bytes>) -> Self {
        let mut reply = Self::status(0).send(wire);
        reply.framing = Framing::Raw;
        reply
    }

    /// Says nothing at all until the peer goes away (HTTP/1.1 only).
    pub fn silence() -> Self {
        let mut reply = Self::status(0).step(Step::Stall);
        reply.framing = Framing::Raw;
        reply
    }

    /// Breaks off before the head.
    pub fn reset_at_once() -> Self {
        let mut reply = Self::status(0).step(Step::Reset);
        reply.framing = Framing::Raw;
        reply
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn chunked(self) -> Self {
        self.framed(Framing::Chunked)
    }

    #[must_use]
    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    #[must_use]
    pub fn send(self, bytes: impl Into<Bytes>) -> Self {
        self.step(Step::Send(bytes.into()))
    }

    #[must_use]
    pub fn wait(self, pause: Duration) -> Self {
        self.step(Step::Wait(pause))
    }

    #[must_use]
    pub fn stall(self) -> Self {
        self.step(Step::Stall)
    }

    #[must_use]
    pub fn reset(self) -> Self {
        self.step(Step::Reset)
    }

    #[must_use]
    pub fn close(self) -> Self {
        self.step(Step::Close)
    }

    /// The same steps with a pause before each `Send` but the first.
    #[must_use]
    pub fn paced(mut self, pause: Duration) -> Self {
        let mut steps = Vec::with_capacity(self.steps.len() * 2);
        for (n, step) in self.steps.drain(..).enumerate() {
            if n > 0 && matches!(step, Step::Send(_)) {
                steps.push(Step::Wait(pause));
            }
            steps.push(step);
        }
        self.steps = steps;
        self
    }

    /// All bytes of the body.
    pub fn body(&self) -> Vec<u8> {
        self.steps
            .iter()
            .filter_map(|step| if let Step::Send(bytes) = step { Some(&bytes[..]) } else { None })
            .flatten()
            .copied()
            .collect()
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}
