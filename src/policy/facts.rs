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
    /// Adds a fact.
    pub fn add(&mut self, path: impl Into<String>, value: impl Into<String>) {
        self.0.push(Fact { path: path.into(), value: value.into(), remark: None });
    }

    /// Adds a fact with a remark.
    pub fn add_with(&mut self, path: impl Into<String>, value: impl Into<String>, remark: impl Into<String>) {
        self.0.push(Fact { path: path.into(), value: value.into(), remark: Some(remark.into()) });
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
