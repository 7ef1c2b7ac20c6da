//! `fedroot verify entity-statement`: a whole trust chain of OpenID Federation, offline.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use serde_json::json;

use super::document;
use super::ui::Output;
use crate::artefact::KINDS;
use crate::artefact::openid::Chain;
use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::ceremony;

/// What stands in the place of a kind for a chain.
pub(super) const NAME: &str = "entity-statement";

/// What can be verified: documents of every kind, and chains.
pub(super) fn verifiable() -> clap::builder::PossibleValuesParser {
    let kinds = KINDS.iter().map(|kind| PossibleValue::new(kind.name()).help(kind.about()));
    let chain =
        PossibleValue::new(NAME).help("the statements of a trust chain of OpenID Federation, in any order");
    clap::builder::PossibleValuesParser::new(kinds.chain([chain]))
}

/// Verifies a chain and shows what comes of it.
pub(super) fn run(
    files: &[PathBuf],
    trust: &[PathBuf],
    historical: Option<&Path>,
    at: Instant,
) -> Result<Output, Fault> {
    let documents = files.iter().map(|path| document(path, Document::open)).collect::<Result<Vec<_>, _>>()?;
    let chain = ceremony::verify_chain(&documents, trust, historical, at)?;
    let mut output = Output::json(members(&chain, at));
    output.line("the chain is good: every statement is signed by the one above it, up to the anchor");
    for (n, entity) in chain.entities.iter().enumerate() {
        let name = match n {
            _ if n + 1 == chain.entities.len() => "anchor",
            0 => "subject",
            _ => "intermediate",
        };
        output.row(name, entity);
    }
    let historical = if chain.is_historical { ", a historical one" } else { "" };
    output.row("by the key", &format!("{}{historical}", chain.anchor_key));
    output.row("valid until", &chain.expires.to_string());
    for mark in &chain.marks {
        let state = mark.unverified.as_ref().map_or("good".to_owned(), |why| format!("not verified: {why}"));
        output.row("trust mark", &format!("{} by {}: {state}", mark.mark_type, mark.issuer));
    }
    output.line("metadata, resolved");
    for line in ceremony::pretty(&chain.metadata).lines() {
        output.line(format!("  {}", visible(line)));
    }
    for (place, found) in &chain.notes {
        output.note(format!("{place}: {found}"));
    }
    Ok(output)
}

fn members(chain: &Chain, at: Instant) -> serde_json::Value {
    let marks = chain.marks.iter().map(|mark| {
        json!({
            "type": mark.mark_type,
            "issuer": mark.issuer,
            "expires": mark.expires.map(|ends| ends.to_string()),
            "verified": mark.unverified.is_none(),
            "reason": mark.unverified,
        })
    });
    let notes = chain
        .notes
        .iter()
        .map(|(place, found)| json!({"file": place, "rule": found.rule, "detail": found.detail}));
    json!({
        "entities": chain.entities,
        "anchor_key": chain.anchor_key,
        "historical": chain.is_historical,
        "valid_until": chain.expires.to_string(),
        "at": at.to_string(),
        "policy": chain.policy.to_value(),
        "metadata": chain.metadata,
        "trust_marks": marks.collect::<Vec<_>>(),
        "notes": notes.collect::<Vec<_>>(),
    })
}
