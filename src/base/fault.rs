//! The one shape of trouble: what went wrong, which class it is, and the way out.
//!
//! Every room lists its codes as constants; scripts match on the code's name, people read the message and the hint.

use std::fmt;

/// What kind of trouble a fault is. It alone decides the exit code of the program.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Class {
    /// A bug of ours.
    Internal,
    /// Arguments, configuration or a malformed input.
    Usage,
    /// A review finding, policy, a bad signature, a failed verification.
    Refused,
    /// Too early, or the wrong stage.
    NotYet,
    /// A secret is missing or wrong.
    Secret,
    /// The ledger is damaged or would fork.
    Ledger,
    /// Input and output, devices, terminals.
    Environment,
    /// The person interrupted.
    Interrupted,
}

/// A stable name for one reason to stop. Shapes: lower case, `room.reason`, never reused for another meaning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Code {
    /// The name scripts match on, such as `saml.dtd`.
    pub name: &'static str,
    /// The class, and with it the exit code.
    pub class: Class,
    /// One sentence for the manual.
    pub meaning: &'static str,
}

impl Code {
    /// Declares a code; used in constants only.
    pub const fn new(name: &'static str, class: Class, meaning: &'static str) -> Self {
        Self { name, class, meaning }
    }

    /// Makes a fault of this code. `message` says what, where and which value, in lower case without a full stop.
    pub fn fault(&'static self, message: impl Into<String>) -> Fault {
        Fault(Box::new(Inner { code: self, message: message.into(), hint: None }))
    }
}

/// fedroot itself, or a library under it, failed.
pub const INTERNAL: Code = Code::new("internal", Class::Internal, "fedroot itself failed: a bug");

/// Something that stopped an act: a code, a message, and a hint that names the way out.
#[derive(Clone)]
pub struct Fault(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: &'static Code,
    message: String,
    hint: Option<String>,
}

impl Fault {
    /// Adds the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Puts the place in front of the message, as in `FILE: message`.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.0.message = format!("{place}: {}", self.0.message);
        self
    }

    /// Adds what was not done, as in `message; nothing was signed`.
    #[must_use]
    pub fn but(mut self, consequence: &str) -> Self {
        if !self.0.message.ends_with(consequence) {
            self.0.message = format!("{}; {consequence}", self.0.message);
        }
        self
    }

    /// The stable code.
    pub fn code(&self) -> &'static Code {
        self.0.code
    }

    /// What went wrong, where, with which value. May hold foreign text: show it through [`super::text::visible`].
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The way out, where one is known.
    pub fn way_out(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.0.code.name, self.0.message)
    }
}

impl std::error::Error for Fault {}
