//! The one view of a document: what it says, as an ordered list of paths and values. The screen, the rules, the difference,
//! the JSON and the ledger all read it, so that they cannot disagree.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::base::bytes::{Digest, hex};
use crate::base::fault::Fault;

/// One thing a document says. Values are foreign text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fact {
    /// What it is about, such as `validUntil`.
    pub path: String,
    /// What the document says.
    pub value: String,
    /// What the reader should know beside it, such as the value that was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

impl Fact {
    /// Whether it names one of the many items that a document consists of.
    pub fn is_item(&self) -> bool {
        matches!(self.path.as_str(), "entity" | "file" | "document")
    }
}

/// Facts of which there are as many as a document has items. They are read when somebody asks, and not kept in memory.
pub trait Items: Send + Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// The fact at a place.
    ///
    /// # Errors
    ///
    /// Those of reading it again.
    fn item(&self, place: usize) -> Result<Fact, Fault>;
}

/// What a document says, in its order. A clone costs nothing until one of the two changes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts(Arc<Vec<Fact>>);

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.as_slice().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::deserialize(from).map(|facts| Self(Arc::new(facts)))
    }
}

impl IntoIterator for Facts {
    type Item = Fact;
    type IntoIter = std::vec::IntoIter<Fact>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

impl Facts {
    /// Adds a fact. A value is cut, and says so, where it is longer than anything that makes sense.
    pub fn add(&mut self, path: impl Into<String>, value: impl AsRef<str>) {
        self.push(Fact { path: path.into(), value: clip(value.as_ref()), remark: None });
    }

    /// Adds a fact with a remark.
    pub fn add_with(&mut self, path: impl Into<String>, value: impl AsRef<str>, remark: impl AsRef<str>) {
        let (value, remark) = (clip(value.as_ref()), Some(clip(remark.as_ref())));
        self.push(Fact { path: path.into(), value, remark });
    }

    fn push(&mut self, fact: Fact) {
        Arc::make_mut(&mut self.0).push(fact);
    }

    /// Adds what a JSON value says, in its order: a member is `outer.inner`, an element `list[0]`, or `keys[NAME]` where each
    /// is a key with a name of its own, so that a key keeps its path when others come and go. Of long texts, such as the
    /// numbers of keys, the digest is told.
    pub fn add_json(&mut self, path: &str, value: &Value) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, inner) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.add_json(&path, inner);
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                let names: Vec<_> = elements.iter().filter_map(name).collect();
                let is_named = names.len() == elements.len()
                    && names.iter().collect::<BTreeSet<_>>().len() == names.len();
                for (number, element) in elements.iter().enumerate() {
                    match names.get(number).filter(|_| is_named) {
                        Some(name) => self.add_json(&format!("{path}[{name}]"), element),
                        None => self.add_json(&format!("{path}[{number}]"), element),
                    }
                }
            }
            Value::String(text) if text.len() > JSON_BYTES_MAX => {
                self.add(path, format!("{} of {} bytes", Digest::of(text.as_bytes()), text.len()));
            }
            Value::String(text) => self.add(path, text),
            other => self.add(path, other.to_string()),
        }
    }

    /// Those of the facts that are wanted.
    #[must_use]
    pub fn only(&self, is_wanted: impl Fn(&Fact) -> bool) -> Self {
        Self(Arc::new(self.0.iter().filter(|fact| is_wanted(fact)).cloned().collect()))
    }

    /// Adds all facts of another list.
    pub fn append(&mut self, mut others: Self) {
        Arc::make_mut(&mut self.0).append(Arc::make_mut(&mut others.0));
    }

    /// The first value under this path.
    pub fn value(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|fact| fact.path == path).map(|fact| fact.value.as_str())
    }

    /// Every value under this path.
    pub fn values<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |fact| fact.path == path).map(|fact| fact.value.as_str())
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter()
    }
}

/// What a key in JSON is called: its `kid`, else the beginning of the digest of what it says.
fn name(element: &Value) -> Option<String> {
    let kid = element.get("kid").and_then(Value::as_str).map(str::to_owned);
    let digest =
        || hex(Digest::of(element.to_string().as_bytes()).as_bytes()).get(..NAME_CHARS).map(str::to_owned);
    kid.or_else(|| element.get("kty").and_then(|_| digest()))
}

/// What of a digest is enough to name a key.
const NAME_CHARS: usize = 16;
/// Longer texts in JSON are told by their digest.
const JSON_BYTES_MAX: usize = 200;
/// The most of one value that is kept. An entityID has at most 1,024 (saml-metadata-2.0-os, section 2.2.1).
const VALUE_CHARS_MAX: usize = 2_048;

/// A foreign value that cannot fill the memory or the screen.
pub fn clip(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        None => value.to_owned(),
        Some((end, _)) => {
            let count = value.chars().count();
            format!("{}… ({count} characters)", value.get(..end).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_paths_and_values_in_its_order() {
        let json = serde_json::json!({
            "z": 1, "a": {"empty": {}, "list": ["x", null, [true]]},
            "keys": [{"kid": "k2", "n": "AA"}, {"kid": "k1"}],
            "twice": [{"kid": "k"}, {"kid": "k"}],
            "nameless": [{"kty": "EC"}, {"kid": "k"}],
        });
        let mut facts = Facts::default();
        facts.add_json("", &json);
        let told: Vec<_> = facts.iter().map(|fact| format!("{}={}", fact.path, fact.value)).collect();
        assert_eq!(
            told,
            [
                "z=1",
                "a.empty={}",
                "a.list[0]=x",
                "a.list[1]=null",
                "a.list[2][0]=true",
                "keys[k2].kid=k2",
                "keys[k2].n=AA",
                "keys[k1].kid=k1",
                "twice[0].kid=k",
                "twice[1].kid=k",
                "nameless[cb763a9b2d780bc1].kty=EC",
                "nameless[k].kid=k"
            ]
        );
    }
}
