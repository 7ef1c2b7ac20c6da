//! Attacks on signed metadata: those of the corpus and our own, each refused for its reason.

mod corpus;
mod own;

use fedroot::artefact::{Verified, kind};
use fedroot::base::disk::Document;
use fedroot::base::fault::Fault;
use fedroot::key::PublicKey;

use crate::support::{Folder, signing};

fn verify(document: Vec<u8>, trust: &[PublicKey]) -> Result<Verified, Fault> {
    kind("saml").unwrap().verify(&Document::from_bytes("attack", document), trust)
}

/// `good`, or the code of the refusal.
fn verdict(document: Vec<u8>, trust: &[PublicKey]) -> &'static str {
    verify(document, trust).map_or_else(|fault| fault.code().name, |_| "good")
}

/// A signed aggregate and its parts.
struct Signed {
    whole: String,
    /// The root's ID.
    id: String,
    signature: String,
    /// The document without its signature.
    bare: String,
    trust: Vec<PublicKey>,
    /// The same document, signed by somebody else.
    foreign: String,
}

impl Signed {
    fn new() -> Self {
        let folder = Folder::with_one_line();
        let auditor = folder.auditor.clone();
        let adopt =
            ["key", "adopt", "example.org/sandbox/other", "--from", "p384-other.pem", "--for", "saml"];
        folder.good(&[&adopt[..], &["--recipient", &auditor, "--vault", "V"]].concat());
        let mut arguments = signing("signed.xml");
        arguments[2] = "aggregate.xml";
        folder.good(&arguments);
        (arguments[4], arguments[8]) = ("example.org/sandbox/other", "foreign.xml");
        folder.good(&arguments);
        let text = |name: &str| String::from_utf8(folder.read(name)).unwrap();
        let (whole, foreign) = (text("signed.xml"), text("foreign.xml"));
        let signature = between(&whole, "<ds:Signature ", "</ds:Signature>");
        let bare = whole.replace(&signature, "");
        let id = whole.split(" ID=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let trust = vec![PublicKey::from_pem(&text("metadata.pub")).unwrap()];
        Self { whole, id, signature, bare, trust, foreign }
    }

    /// The signed document with one change, which must be one.
    fn with(&self, from: &str, to: &str) -> String {
        assert!(self.whole.contains(from), "{from} is not there");
        self.whole.replacen(from, to, 1)
    }

    /// The root element alone, for use inside another one.
    fn root(text: &str) -> String {
        text.split_once("?>").unwrap().1.trim().to_owned()
    }

    /// The signed document with more at the end of its root.
    fn ending(&self, more: &str) -> String {
        self.with("</EntitiesDescriptor>", &format!("{more}</EntitiesDescriptor>"))
    }

    fn verdict(&self, document: impl Into<Vec<u8>>) -> &'static str {
        verdict(document.into(), &self.trust)
    }

    /// The verdicts of a family of attacks.
    #[track_caller]
    fn expect(&self, attacks: &[(&str, String, &str)]) {
        assert_eq!(self.verdict(self.whole.as_str()), "good", "the control");
        for (name, document, expected) in attacks {
            let found = self.verdict(document.as_str());
            assert_eq!(found, *expected, "{name}: {document:.2000}");
        }
    }
}

fn between(text: &str, from: &str, to: &str) -> String {
    let start = text.find(from).unwrap();
    let end = text[start..].find(to).unwrap() + start + to.len();
    text[start..end].to_owned()
}
