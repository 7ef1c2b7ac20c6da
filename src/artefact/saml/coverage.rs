//! What exactly the signature of metadata covers, and how others check the same claim.

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

use super::MD;
use crate::artefact::commands::{self, is_pss, lines};
use crate::base::fault::Fault;
use crate::format::xml::Event;
use crate::format::xml::dsig::Verified;
use crate::key::{PublicKey, Scheme, Signature};

/// What a document has besides the octets that its signature covers.
#[derive(Default)]
pub(super) struct Outside {
    inside: bool,
    root: String,
    comments: u64,
    instructions: u64,
}

impl Outside {
    /// Takes the next event in.
    pub(super) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) if tag.depth() == 0 => {
                self.inside = true;
                tag.local().clone_into(&mut self.root);
            }
            Event::End(tag) if tag.depth() == 0 => self.inside = false,
            Event::Comment(_) => self.comments += 1,
            Event::Instruction { .. } if !self.inside => self.instructions += 1,
            _ => {}
        }
    }

    /// What the signature covers and what it does not, as names and values.
    pub(super) fn coverage(&self, found: &Verified) -> Vec<(&'static str, Value)> {
        let signature = &found.signature;
        let whole = signature.reference_uri.is_empty();
        let extent = if whole { "the whole document" } else { "the root element" };
        let outside = if whole { 0 } else { self.instructions };
        let mut rows = vec![
            ("extent", json!(extent)),
            ("element", json!(format!("{{{MD}}}{}", self.root))),
            ("id", json!(found.id)),
            ("reference", json!(signature.reference_uri)),
            ("octets", json!(found.octets)),
            ("digest", json!(signature.digest_method.name())),
            ("digest_value", json!(Base64::encode_string(&found.digest))),
            ("comments_outside", json!(self.comments)),
            ("instructions_outside", json!(outside)),
            ("signature_from_byte", json!(found.place.start)),
            ("signature_to_byte", json!(found.place.end)),
        ];
        if !signature.prefix_list.is_empty() {
            rows.push(("inclusive_prefixes", json!(signature.prefix_list.join(" "))));
        }
        rows
    }

    /// Commands for `sh` that check the same claim without this program. They read the file `$document`.
    pub(super) fn commands(
        &self,
        found: &Verified,
        key: &PublicKey,
        scheme: &Scheme,
        value: &Signature,
    ) -> Result<String, Fault> {
        let Self { root, .. } = self;
        let newer = if is_pss(scheme) { "# (xmlsec1 knows this padding from 1.3 on) " } else { "" };
        let signed_info = lines(&found.signed_info);
        let (signer, signature) = (commands::signer(key)?, commands::signature(key, value)?);
        let check = commands::check(scheme, "\"$folder/signature\"", "\"$folder/signed-info\"");
        let digest = self.digest_commands(found);
        Ok(format!(
            "{signer}\
             # gzip passes on what is not compressed\n\
             gzip -dcf \"$document\" > \"$folder/document.xml\"\n\
             document=\"$folder/document.xml\"\n\
             # digest and signature, whatever the document says of its key\n\
             {newer}xmlsec1 --verify --enabled-key-data raw-x509-cert --enabled-reference-uris empty,same-doc \
             --id-attr:ID {MD}:{root} --pubkey-pem \"$folder/signer.pem\" \"$document\"\n\
             # the signature alone, over these canonical octets of SignedInfo\n\
             openssl base64 -d > \"$folder/signed-info\" <<'END'\n{signed_info}END\n\
             {signature}{check}{digest}"
        ))
    }

    /// The digest alone, where xmllint's canonical form is the one that was signed: it keeps comments, and knows neither
    /// a part of a document nor inclusive prefixes.
    fn digest_commands(&self, found: &Verified) -> String {
        let signature = &found.signature;
        let partial = self.instructions > 0 && !signature.reference_uri.is_empty();
        if self.comments > 0 || partial || !signature.prefix_list.is_empty() {
            return "# the digest alone: comments, instructions or inclusive prefixes are in the way of xmllint\n".into();
        }
        let (start, end) = (found.place.start, found.place.end + 1);
        let hash = signature.digest_method.name();
        let digest = Base64::encode_string(&found.digest);
        format!(
            "# the digest alone: the document without its signature, in canonical form\n\
             digest=$({{ head -c {start} \"$document\"; tail -c +{end} \"$document\"; }} | xmllint --nonet --exc-c14n - | \
             openssl dgst -{hash} -binary | openssl base64 -A)\n\
             test \"$digest\" = '{digest}'\n\
             echo \"digest $digest\"\n"
        )
    }
}
