//! What happens between the review and the end of a signature: files that change or appear meanwhile.

use std::fs;

use fedroot::artefact;
use fedroot::base::bytes::{Digest, hex};
use fedroot::base::clock::SystemClock;
use fedroot::base::fault::Fault;
use fedroot::base::random;
use fedroot::ceremony::{self, Done, Signing, Target};
use fedroot::custody::{Operator, Vault};
use fedroot::key::{KeyId, Line};

use crate::support::answers::Answers;
use crate::support::{Folder, LINE};

fn sign(
    folder: &Folder,
    (kind, document, line): (&str, &str, &str),
    (output, copy): (&str, Option<&str>),
    meddle: &dyn Fn(&KeyId),
) -> Result<Done, Fault> {
    let kind = artefact::kind(kind).unwrap();
    let (document, output) = (folder.path(document), folder.path(output));
    let (line, copy): (Line, _) = (line.parse().unwrap(), copy.map(|copy| folder.path(copy)));
    let signing = Signing {
        kind,
        document: &document,
        open: &|path| kind.open(path),
        line: &line,
        version: None,
        environment: None,
        output: Target::File(&output),
        copy: copy.as_deref(),
        reason: None,
        released: None,
        dry_run: false,
    };
    let operator = Operator { user: "test".into(), uid: 0, host: "test".into() };
    let mut vault = Vault::open(&folder.path("V"), operator, &SystemClock).unwrap();
    ceremony::sign(&mut vault, &signing, &mut Answers(folder, meddle), &mut random::system())
}

#[test]
fn what_was_signed_is_kept_under_what_it_is_about_whatever_becomes_of_the_document() {
    const SOFTWARE: &str = "example.org/sandbox/software";
    let folder = Folder::with_one_line();
    let profile = "version = 1\nkinds = [\"software-statement\"]\npolicy_ref = \"test\"\n\
        [software_statement]\nissuer = \"https://fed.example.org\"\n";
    folder.generate(SOFTWARE, profile);
    let public = folder.good(&["key", "export", SOFTWARE, "--vault", "V"]);
    fs::write(folder.path("a.pub"), public.stdout).unwrap();
    let text = |id: &str| {
        format!(
            "[metadata]\nsoftware_id = \"{id}\"\nclient_name = \"Enrolment\"\n\
             redirect_uris = [\"https://enrol.example.org/callback\"]\n\
             token_endpoint_auth_method = \"private_key_jwt\"\njwks_uri = \"https://enrol.example.org/jwks\"\n"
        )
    };
    let write = |id: &str| fs::write(folder.path("s.toml"), text(id)).unwrap();
    let kept = |id: &str| {
        let name = hex(Digest::of(id.as_bytes()).as_bytes());
        folder.path(&format!("V/signed/{SOFTWARE}/software-statement-{name}.last")).exists()
    };
    write("AAAA");
    let of = ("software-statement", "s.toml", SOFTWARE);
    let done = sign(&folder, of, ("a.jwt", None), &|_| write("BBBB")).unwrap();
    assert!(done.afterthought.is_none());
    let signed = folder.good(&["verify", "software-statement", "a.jwt", "--trust", "a.pub"]);
    assert!(signed.stdout.contains("AAAA") && !signed.stdout.contains("BBBB"), "{}", signed.stdout);
    assert!(kept("AAAA") && !kept("BBBB"));
}

/// A line with a proof beside each document, whose successor is published.
fn rotating() -> Folder {
    let folder = Folder::with_one_line();
    let profile = "version = 1\nkinds = [\"saml\"]\npolicy_ref = \"test\"\n[ledger]\nproof = true\n";
    fs::write(folder.path(&format!("V/keys/{LINE}/profile.toml")), profile).unwrap();
    folder.good(&["rotate", "stage", LINE, "--recipient", &folder.auditor, "--vault", "V"]);
    folder.good(&["rotate", "publish", LINE, "--vault", "V"]);
    folder
}

#[test]
fn a_document_and_its_copy_appear_together_each_with_its_proof_or_not_at_all() {
    const ALL: [&str; 4] = ["new.xml", "new.xml.tlog-proof", "old.xml", "old.xml.tlog-proof"];
    let folder = rotating();
    let of = ("saml", "aggregate.xml", LINE);
    let is_there = || ALL.map(|name| folder.path(name).exists());
    // Somebody takes the name of the document while the second key is opened.
    let meddle = |key: &KeyId| {
        if key.version == 2 {
            fs::write(folder.path("old.xml"), "somebody else's").unwrap();
        }
    };
    let fault = sign(&folder, of, ("old.xml", Some("new.xml")), &meddle).err().unwrap();
    assert!(fault.message().contains("not delivered: sign it again"), "{fault}");
    assert_eq!(is_there(), [false, false, true, false], "only what somebody else put there");
    fs::remove_file(folder.path("old.xml")).unwrap();
    sign(&folder, of, ("old.xml", Some("new.xml")), &|_| {}).unwrap();
    assert_eq!(is_there(), [true; 4]);
    for name in ["old.xml", "new.xml"] {
        let proof = format!("{name}.tlog-proof");
        folder.good(&[
            "ledger",
            "check-proof",
            &proof,
            "--document",
            name,
            "--ledger",
            "V/ledger/ledger.jsonl",
        ]);
    }
}
