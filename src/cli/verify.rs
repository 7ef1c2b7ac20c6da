//! `fedroot verify`: a stranger's view of a signed document.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::ledger::Trusted;
use super::ui::Output;
use super::{USAGE, document, parsed, verify_chain};
use crate::artefact::kind;
use crate::base::clock::{Clock, Instant, SystemClock};
use crate::base::fault::Fault;
use crate::ceremony;

/// `fedroot verify`
#[derive(Args, Debug)]
pub(super) struct Verify {
    /// The kind of document
    #[arg(value_parser = verify_chain::verifiable())]
    kind: String,
    /// The signed document, or the statements of a chain in any order; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    documents: Vec<PathBuf>,
    /// A public key or certificate to trust, PEM; for a chain also a JWK set or the anchor's configuration (can be repeated)
    #[arg(long, value_name = "FILE", required = true)]
    trust: Vec<PathBuf>,
    /// Judge validity by this time instead of now
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    at: Option<Instant>,
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
            if self.audience.is_some() {
                return Err(USAGE.fault("a chain of statements is for everybody: it has no audience"));
            }
            return verify_chain::run(&self.documents, &self.trust, self.historical.as_deref(), at);
        }
        let ([path], None) = (self.documents.as_slice(), &self.historical) else {
            return Err(USAGE
                .fault(format!("a document of the kind {} stands alone, without historical keys", self.kind))
                .hint(format!("verify one at a time; a chain is verified as {}", verify_chain::NAME)));
        };
        let trust =
            self.trust.iter().map(|path| ceremony::trust(path)).collect::<Result<Vec<_>, _>>()?.concat();
        let kind = kind(&self.kind)?;
        let document = document(path, |path| kind.open_signed(path))?;
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
        let mut output = Output::json(json!({
            "key": key,
            "scheme": verified.scheme.name,
            "covered": verified.facts,
            "valid_until": verified.valid_until.map(|until| until.to_string()),
            "at": at.to_string(),
            "ledger_entry": proved,
        }));
        output.line(format!("the signature is good: it covers {}", verified.covers));
        if let Some(index) = proved {
            output.line(format!("the ledger has it as entry {index}"));
        }
        output.row("signed with", verified.scheme.name);
        output.row("by the key", &key);
        for fact in verified.facts.iter().filter(|fact| !fact.is_item()) {
            output.row(&fact.path, &fact.value);
        }
        if verified.valid_until.is_none() {
            output.note("the document does not say until when it is valid");
        }
        Ok(output)
    }
}
