//! `fedroot observe`: that exactly this artefact was seen where it is published. Windows count from it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::ui::Output;
use super::{Common, document, parsed};
use crate::artefact::kind;
use crate::base::bytes::Hashing;
use crate::base::clock::Instant;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::ceremony::{self, Observed};
use crate::key::Line;
use crate::lifecycle::{Receipt, Source};
use crate::policy::is_place;

/// What stands for the certificate of a key, which is seen like a document.
const CERTIFICATE: &str = "certificate";

/// `fedroot observe`
#[derive(Args, Debug)]
pub(super) struct Observe {
    /// The kind of document, or `certificate`
    #[arg(value_name = "KIND", value_parser = kinds_and_certificate())]
    kind: String,
    /// The file exactly as it was fetched, of single entities any one of them; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// When it was fetched
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    seen_at: Instant,
    /// The URL that it was fetched from
    #[arg(long, value_name = "URL", required_unless_present = "said", value_parser = url)]
    from: Option<String>,
    /// Nobody fetched it, and an officer says, with this reason, that it stands everywhere
    #[arg(long, value_name = "REASON", conflicts_with = "from")]
    said: Option<String>,
    /// An adopted key signed it before it was adopted, so that the vault does not know of it: what is outstanding of that time
    /// is then waited for
    #[arg(long)]
    before_adoption: bool,
    /// The key line whose keys it lists; found by the digest, or the key, when absent
    #[arg(long, value_name = "LINE", value_parser = parsed::<Line>)]
    key: Option<Line>,
}

fn kinds_and_certificate() -> clap::builder::PossibleValuesParser {
    let names = crate::artefact::KINDS.iter().map(|kind| kind.name()).chain([CERTIFICATE]);
    clap::builder::PossibleValuesParser::new(names)
}

/// A place that a file is fetched from: the profile's publication points are written the same way.
fn url(text: &str) -> Result<String, String> {
    let why = "it is no URL: write it as https://md.example.org/federation.xml";
    is_place(text).then(|| text.to_owned()).ok_or_else(|| why.into())
}

impl Observe {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let document = document(&self.file, |path| match self.kind.as_str() {
            CERTIFICATE => disk::Document::open(path),
            name => kind(name)?.open_signed(path),
        })?;
        let mut hashing = Hashing::new(document.reader());
        std::io::copy(&mut hashing, &mut std::io::sink())
            .map_err(|e| disk::fault("read", document.name().as_ref(), &e))?;
        let digest = hashing.finish().0;
        let from = match (self.from, &self.said) {
            (Some(from), _) => Source::Point(from),
            (None, said) => Source::Said(said.clone().unwrap_or_default()),
        };
        let receipt = Receipt { digest, seen: self.seen_at, from };
        let mut vault = common.open_vault()?;
        if self.before_adoption {
            let artefact = (kind(&self.kind)?, &document);
            let (line, reason) = (self.key.as_ref(), self.said.as_deref());
            let (key, entry) = ceremony::observe_elsewhere(&mut vault, line, artefact, &receipt, reason)?;
            let mut output = Output::json(json!({
                "key": key.to_string(), "digest": digest.to_string(), "seen": self.seen_at.to_string(), "entry": entry,
            }));
            output.line(format!("{key} signed {digest} before it was adopted"));
            output.note(format!("the ledger has it as entry {entry}"));
            return Ok(output);
        }
        let noted = ceremony::observe(&mut vault, self.key.as_ref(), &receipt, self.said.as_deref())?;
        let receipts = noted.iter().map(|Observed { line, entry, elsewhere, .. }| {
            json!({"line": line.to_string(), "entry": entry, "counts": elsewhere.is_empty(), "points": elsewhere})
        });
        let mut output = Output::json(json!({
            "digest": digest.to_string(),
            "seen": self.seen_at.to_string(),
            "changed": noted.iter().any(|observed| observed.is_new),
            "receipts": receipts.collect::<Vec<_>>(),
        }));
        for Observed { line, entry, is_new, elsewhere } in noted {
            output.line(format!("{line}: {digest} was seen at {}", self.seen_at));
            let already = if is_new { "" } else { " already" };
            output.note(format!("the ledger has it{already} as entry {entry}"));
            if !elsewhere.is_empty() {
                let points = elsewhere.join(", ");
                output.note(format!(
                    "no window of {line} counts from it: its profile names other points: {points}"
                ));
            }
        }
        Ok(output)
    }
}
