//! What a document of a federation must and must not say, as far as it shows by itself. Each check names its rule.

mod claims;
mod keys;
mod marks;
mod metadata;
mod superior;

pub(super) use self::claims::STANDARD;
use std::collections::BTreeMap;

pub(super) use self::metadata::metadata_keys;
use super::identifier::{not_a_url, not_an_identifier};
use super::statement::{Form, Found, Statement};
use crate::base::clock::Instant;
use crate::format::json::{Map, Value};

/// Clocks of a federation may differ by so many seconds.
pub(super) const SKEW_SECONDS: i64 = 120;

/// Breaches of one rule that are told one by one: a document of others can hold a hundred thousand.
const TOLD_MAX: usize = 100;

/// What was found so far.
#[derive(Default)]
struct Findings {
    found: Vec<Found>,
    /// How often each rule was broken.
    counts: BTreeMap<&'static str, usize>,
}

impl Findings {
    fn add(&mut self, rule: &'static str, detail: impl Into<String>) {
        let count = self.counts.entry(rule).or_default();
        *count += 1;
        if *count <= TOLD_MAX {
            self.found.push(Found { rule, detail: detail.into() });
        }
    }

    /// All of it: of a rule that was broken more often than is told, how much more often.
    fn finish(self) -> Vec<Found> {
        let Self { mut found, counts } = self;
        for (rule, count) in counts.into_iter().filter(|(_, count)| *count > TOLD_MAX) {
            found.push(Found { rule, detail: format!("and {} more of these", count - TOLD_MAX) });
        }
        found
    }

    fn when(&mut self, is_so: bool, rule: &'static str, detail: impl FnOnce() -> String) {
        if is_so {
            self.add(rule, detail());
        }
    }

    /// A text that has to be an Entity Identifier.
    fn identifier(&mut self, place: &str, value: &Value) {
        match value.as_str() {
            None => self.add("openid.claim.type", format!("{place} is not a string")),
            Some(text) => {
                if let Some(why) = not_an_identifier(text) {
                    self.add("openid.id.syntax", format!("{place} is '{text}', no Entity Identifier: {why}"));
                }
            }
        }
    }

    /// A text that has to be a URL.
    fn url(&mut self, rule: &'static str, place: &str, value: &Value) {
        match value.as_str().map(|text| (text, not_a_url(text))) {
            None => self.add("openid.claim.type", format!("{place} is not a string")),
            Some((text, Some(why))) => self.add(rule, format!("{place} is '{text}': {why}")),
            Some(_) => {}
        }
    }

    /// A claim that has to be an object, if it is there.
    fn object<'a>(&mut self, place: &str, value: Option<&'a Value>) -> Option<&'a Map<String, Value>> {
        let Value::Object(members) = value? else {
            self.add("openid.claim.type", format!("{place} is not an object"));
            return None;
        };
        Some(members)
    }

    /// A claim that has to be an array, if it is there.
    fn array<'a>(&mut self, place: &str, value: Option<&'a Value>) -> Option<&'a [Value]> {
        let Value::Array(values) = value? else {
            self.add("openid.claim.type", format!("{place} is not an array"));
            return None;
        };
        Some(values)
    }
}

pub(super) fn check(statement: &Statement, at: Instant) -> Vec<Found> {
    let mut findings = Findings::default();
    claims::header(statement, &mut findings);
    claims::required(statement, &mut findings);
    claims::dates(statement, at, &mut findings);
    claims::critical(statement, &mut findings);
    keys::check(statement, at, &mut findings);
    match statement.form() {
        Form::EntityConfiguration => {
            claims::metadata(statement, &mut findings);
            superior::configuration(statement, at, &mut findings);
            marks::own(statement, at, &mut findings);
        }
        Form::SubordinateStatement => {
            claims::metadata(statement, &mut findings);
            superior::subordinate(statement, &mut findings);
        }
        Form::TrustMark => marks::mark(statement, at, &mut findings),
        Form::TrustMarkDelegation | Form::TrustMarkStatus | Form::HistoricalKeys | Form::SignedJwkSet => {}
    }
    findings.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_found_too_often_is_counted_and_no_rule_is_lost_behind_it() {
        let claims = json!({"trust_marks": vec![json!({}); 5_000], "trust_mark_owners": 7});
        let statement = Statement::new(Form::EntityConfiguration, claims.as_object().unwrap().clone());
        let found = check(&statement, Instant::from_unix(0).unwrap());
        assert!(found.len() < 2 * TOLD_MAX + 20, "{}", found.len());
        let has =
            |rule: &str, detail: &str| found.iter().any(|it| it.rule == rule && it.detail.contains(detail));
        assert!(has("openid.claim.type", "trust_mark_owners is not an object"));
        assert!(
            has("openid.claim.missing", "more of these") && has("openid.claim.missing", "trust_marks[0]")
        );
    }
}
