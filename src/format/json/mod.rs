//! JSON text (RFC 8259), read strictly: what two readers could take for two things is refused.
//!
//! What comes out is plain [`Value`]s whose members keep their order. `serde_json` reads the text; this room adds what it
//! lets pass: members that stand twice, numbers that lose digits, and texts without bounds.

use std::collections::HashSet;

mod reader;

pub use reader::{Limits, Numbers, WHOLE_MAX, object, read};
pub use serde_json::{Map, Value};

/// The strings of an array that is not empty and in which none stands twice: what `crit` and its like have to be.
pub fn name_set(value: &Value) -> Option<Vec<&str>> {
    let names: Vec<&str> = value.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
    let mut seen = HashSet::new();
    let is_set = names.iter().all(|name| seen.insert(*name));
    (!names.is_empty() && is_set).then_some(names)
}

use crate::base::fault::{Class, Code};

/// Text that is not JSON.
pub const MALFORMED: Code =
    Code::new("json.malformed", Class::Usage, "a text is not JSON as RFC 8259 has it");
/// A member that stands twice in one object.
pub const DUPLICATE: Code =
    Code::new("json.duplicate", Class::Usage, "a member stands twice in one JSON object");
/// A number that not every reader takes for the same.
pub const NUMBER: Code = Code::new(
    "json.number",
    Class::Usage,
    "a JSON number is not a whole number that every reader holds exactly",
);
/// More of something than is read.
pub const LIMIT: Code =
    Code::new("json.limit", Class::Usage, "a JSON text is too large, too deep or has too many values");

/// The codes of this room.
pub const CODES: &[&Code] = &[&MALFORMED, &DUPLICATE, &NUMBER, &LIMIT];
