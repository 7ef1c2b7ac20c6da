//! The one view of a document: what it says, as an ordered list of paths and values. The screen, the rules, the difference,
//! the JSON and the ledger all read it, so that they cannot disagree.

use serde::{Deserialize, Serialize};

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

/// What a document says, in its order.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Facts(Vec<Fact>);

impl Facts {
    /// Adds a fact. A value is cut, and says so, where it is longer than anything that makes sense.
    pub fn add(&mut self, path: impl Into<String>, value: impl AsRef<str>) {
        self.0.push(Fact { path: path.into(), value: clip(value.as_ref()), remark: None });
    }

    /// Adds a fact with a remark.
    pub fn add_with(&mut self, path: impl Into<String>, value: impl AsRef<str>, remark: impl AsRef<str>) {
        let (value, remark) = (clip(value.as_ref()), Some(clip(remark.as_ref())));
        self.0.push(Fact { path: path.into(), value, remark });
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
