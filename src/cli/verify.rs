//! `fedroot verify`: a stranger's view of a signed document.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::ledger::Trusted;
use super::progress::Progress;
use super::ui::Output;
use super::{USAGE, document, is_stream, parsed, verify_chain};
use crate::artefact::{Verified, kind};
use crate::base::clock::{Clock, Instant, SystemClock};
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::ceremony;

/// `fedroot verify`
#[derive(Args, Debug)]
pub(super) struct Verify {
    /// The kind of document
    #[arg(value_parser = verify_chain::verifiable())]
    kind: String,
    /// The signed document, or one compressed with gzip, or the folder that `sign --split` or `sign federation` wrote, or the
    /// statements of a chain in any order; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    documents: Vec<PathBuf>,
    /// A public key or certificate (PEM), a JWK or a JWK set to trust; for a chain also the anchor's configuration, whose keys
    /// speak for no other anchor (can be repeated)
    #[arg(long, value_name = "FILE", required = true)]
    trust: Vec<PathBuf>,
    /// Judge validity by this time instead of now
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    at: Option<Instant>,
    /// Print commands for sh that check the same with other programs
    #[arg(long)]
    explain: bool,
    /// Refuse a document for another audience than this one, the service's own URL
    #[arg(long, value_name = "URL")]
    audience: Option<String>,
    /// The historical keys of a chain's anchor, for a time at which it used them
    #[arg(long, value_name = "FILE")]
    historical: Option<PathBuf>,
    /// The proof that the ledger has this signature, with one of the next three to hold it against
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    trusted: Trusted,
}

impl Verify {
    pub(super) fn run(self) -> Result<Output, Fault> {
        let at = self.at.unwrap_or_else(|| SystemClock.now());
        if self.kind == verify_chain::NAME {
            if self.explain || self.proof.is_some() || self.audience.is_some() {
                let fault = USAGE.fault("--explain, --proof and --audience are for a single document");
                return Err(fault.hint("a chain of statements is for everybody, and has no one signature"));
            }
            return verify_chain::run(&self.documents, &self.trust, self.historical.as_deref(), at);
        }
        if self.historical.is_some() {
            return Err(USAGE
                .fault(format!(
                    "--historical is for a chain, and this is a document of the kind {}",
                    self.kind
                ))
                .hint(format!("leave it out; a chain is verified as {}", verify_chain::NAME)));
        }
        let [path] = self.documents.as_slice() else {
            return Err(USAGE
                .fault(format!("{} documents of the kind {} were named", self.documents.len(), self.kind))
                .hint(format!("verify one at a time; a chain is verified as {}", verify_chain::NAME)));
        };
        let trust =
            self.trust.iter().map(|path| ceremony::trust(path)).collect::<Result<Vec<_>, _>>()?.concat();
        let kind = kind(&self.kind)?;
        if self.explain && is_stream(path) {
            return Err(
                USAGE.fault("--explain needs a file: other programs cannot read standard input again")
            );
        }
        let progress = Progress::reading("verifying");
        let times = if self.proof.is_some() { 2 } else { 1 };
        let document = progress.watch(document(path, |path| kind.open_signed(path))?, times)?;
        let verified = ceremony::verify(kind, &document, &trust, at)?;
        verified.check_audience(self.audience.as_deref())?;
        let proved = match &self.proof {
            Some(proof) => {
                let (_, proved) = self.trusted.check(proof)?;
                ceremony::check_artefact(&proved, &document)?;
                Some(proved.index)
            }
            None => self.trusted.none_given()?,
        };
        let key = verified.key.fingerprint().to_string();
        let coverage = verified.coverage.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let coverage = coverage.collect::<Map<_, _>>();
        let mut output = Output::json(json!({
            "key": key,
            "scheme": verified.scheme.name,
            "coverage": coverage,
            "covered": verified.facts,
            "valid_until": verified.valid_until.map(|until| until.to_string()),
            "at": at.to_string(),
            "ledger_entry": proved,
        }));
        if self.explain {
            return explained(output, &document, &verified);
        }
        output.line(format!("the signature is good: it covers {}", verified.covers));
        if let Some(index) = proved {
            output.line(format!("the ledger has it as entry {index}"));
        }
        output.row("signed with", verified.scheme.name);
        output.row("by the key", &key);
        show(&mut output, &verified);
        Ok(output)
    }
}

/// What nobody expects of a document, whoever signed it.
const ODD: [(&str, &str); 3] = [
    (
        "comments_in_values",
        "a comment stands inside a value: it is not signed, and some readers cut the value there",
    ),
    (
        "sections_in_values",
        "a CDATA section stands beside other text inside a value: where it begins is not signed, and some readers cut the value there",
    ),
    (
        "misplaced_entities",
        "an entity, a group, or a role or its parts stand where some readers find them and others do not: they are not counted",
    ),
];

/// What exactly is covered, and what it says.
fn show(output: &mut Output, verified: &Verified) {
    for (name, value) in verified.coverage.iter().filter(|(name, value)| is_for_people(name, value)) {
        if let Some(members) = value.as_object() {
            let name = name.replace('_', " ");
            members.iter().for_each(|(member, value)| output.row(&name, &format!("{member} ({value})")));
            continue;
        }
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        output.row(&name.replace('_', " "), if value.is_empty() { "(empty)" } else { &value });
    }
    for (name, note) in ODD {
        if verified.coverage.iter().any(|(own, value)| *own == name && *value != json!(0)) {
            output.warn(note);
        }
    }
    for fact in verified.facts.iter().filter(|fact| !fact.is_item()) {
        output.row(&fact.path, &fact.value);
    }
    if verified.valid_until.is_none() {
        output.warn("the document does not say until when it is valid");
    }
}

/// Whether people want to see it: not what the first line says already, nor the place of the
/// signature, nor that nothing odd is there.
fn is_for_people(name: &str, value: &Value) -> bool {
    match name {
        "extent" | "signature_from_byte" | "signature_to_byte" => false,
        "comments_outside" | "instructions_outside" => *value != json!(0),
        _ if ODD.iter().any(|(own, _)| *own == name) => *value != json!(0),
        _ => true,
    }
}

/// The commands that check the same.
fn explained(mut output: Output, document: &Document, verified: &Verified) -> Result<Output, Fault> {
    let Some(commands) = &verified.commands else {
        return Err(USAGE
            .fault("no commands of other programs are known that check all of this at once")
            .hint("the documents of a folder can be checked one by one: name one of them, and its kind"));
    };
    let script = format!("set -eu\ndocument={}\n{commands}", quoted(document.name()));
    output.json.insert("commands".into(), script.as_str().into());
    output.text = script;
    Ok(output)
}

/// A path as one word of a shell, which no program takes for an option.
fn quoted(path: &str) -> String {
    let here = if path.starts_with('-') { "./" } else { "" };
    format!("'{here}{}'", visible(path).to_string().replace('\'', "'\\''"))
}
