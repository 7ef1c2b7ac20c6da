//! The difference between what is about to be signed and what was signed last with the same key line.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Facts;

/// One path whose values differ.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Change {
    /// What it is about.
    pub path: String,
    /// The values that were there and are gone.
    pub removed: Vec<String>,
    /// The values that are there and were not.
    pub added: Vec<String>,
}

/// Compares facts with the facts last signed, path by path; paths in the order of the new document, then the vanished ones.
/// What fedroot itself put into the new document, and remarks on, is no change of the document.
pub fn difference(last: &Facts, now: &Facts) -> Vec<Change> {
    let mut seen: BTreeSet<&str> =
        now.iter().filter(|fact| fact.remark.is_some()).map(|fact| fact.path.as_str()).collect();
    let paths =
        now.iter().chain(last.iter()).map(|fact| fact.path.as_str()).filter(|path| seen.insert(*path));
    let without = |from: &Facts, these: &Facts, path: &str| -> Vec<String> {
        let these: BTreeSet<&str> = these.values(path).collect();
        from.values(path).filter(|value| !these.contains(value)).map(str::to_owned).collect()
    };
    paths
        .map(|path| Change {
            path: path.to_owned(),
            removed: without(last, now, path),
            added: without(now, last, path),
        })
        .filter(|change| !change.removed.is_empty() || !change.added.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(pairs: &[(&str, &str)]) -> Facts {
        let mut facts = Facts::default();
        for (path, value) in pairs {
            facts.add(*path, *value);
        }
        facts
    }

    #[test]
    fn equal_facts_do_not_differ() {
        let same = facts(&[("entity", "a"), ("entity", "b")]);
        assert_eq!(difference(&same, &same), []);
    }

    #[test]
    fn what_we_set_ourselves_is_no_change() {
        let last = facts(&[("validUntil", "1"), ("entity", "a")]);
        let mut now = facts(&[("entity", "a")]);
        now.add_with("validUntil", "2", "from the profile");
        assert_eq!(difference(&last, &now), []);
    }

    #[test]
    fn what_comes_goes_and_changes_is_named() {
        let last = facts(&[("validUntil", "1"), ("entity", "a"), ("entity", "b"), ("Name", "x")]);
        let now = facts(&[("validUntil", "2"), ("entity", "b"), ("entity", "c")]);
        let change = |path: &str, removed: &[&str], added: &[&str]| Change {
            path: path.into(),
            removed: removed.iter().map(ToString::to_string).collect(),
            added: added.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(
            difference(&last, &now),
            [
                change("validUntil", &["1"], &["2"]),
                change("entity", &["a"], &["c"]),
                change("Name", &["x"], &[])
            ]
        );
    }
}
