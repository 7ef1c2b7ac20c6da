//! `fedroot key`: make, adopt, show, export, suspend and destroy keys.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use rand_core::CryptoRng;
use serde_json::{Value, json};

use super::progress::Progress;
use super::prompt::{Answers, Passphrase};
use super::rotate::{Step, Subject};
use super::ui::Output;
use super::{Common, algorithms, kinds, parsed};
use crate::base::bytes::Digest;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::base::random;
use crate::base::recipient::Recipient;
use crate::base::secret::Secret;
use crate::base::text::visible;
use crate::ceremony::{self, Approver, Making};
use crate::custody::{Catalogue, Origin, Record, Sealing, Vault};
use crate::format::jose;
use crate::key::{Environment, KeyId, Line, MALFORMED, algorithm};
use crate::lifecycle::{Move, ORDER, Stage};
use crate::policy::{PROFILE, Profile};

const PROFILE_BYTES_MAX: u64 = 1 << 20;
const KEY_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make the first key of a line
    Generate(Generate),
    /// Take a key that was made elsewhere as the first key of a line
    Adopt(Adopt),
    /// List the key lines
    List,
    /// Show the keys of a line
    Show(Show),
    /// Print the public half of a line's key
    Export(Export),
    /// Let a key sign nothing until it is resumed; asks for no secret
    Suspend(Step),
    /// Let a suspended key go back to where it was
    Resume(Step),
    /// Overwrite and remove the private half of a retired or revoked key
    Destroy(Step),
}

/// `fedroot key generate`
#[derive(Args, Debug)]
pub(super) struct Generate {
    /// The key line: TENANT/ENVIRONMENT/PURPOSE, such as example.org/sandbox/metadata
    #[arg(value_parser = parsed::<Line>)]
    line: Line,
    /// The algorithm of the key
    #[arg(long, value_parser = algorithms())]
    algorithm: String,
    #[command(flatten)]
    making: MakingArguments,
}

/// `fedroot key adopt`
#[derive(Args, Debug)]
pub(super) struct Adopt {
    /// The key line: TENANT/ENVIRONMENT/PURPOSE, such as example.org/sandbox/metadata
    #[arg(value_parser = parsed::<Line>)]
    line: Line,
    /// The private key: unencrypted PKCS#8, PEM or DER, in a file that only its owner may read
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    making: MakingArguments,
}

#[derive(Args, Debug)]
struct MakingArguments {
    /// The kind of document that the line signs (can be repeated)
    #[arg(long = "for", value_name = "KIND", value_parser = kinds(), required_unless_present = "profile")]
    kinds: Vec<String>,
    /// The line's profile, instead of the built-in one: TOML
    #[arg(long, value_name = "FILE", conflicts_with = "kinds")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    keeping: Keeping,
}

/// How a new key is kept, and what its maker says.
#[derive(Args, Debug)]
pub(super) struct Keeping {
    /// Seal the key to this age recipient instead of a passphrase (can be repeated)
    #[arg(long = "recipient", value_name = "age1…", conflicts_with_all = ["passphrase_fd", "passphrase_file"])]
    recipients: Vec<String>,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Confirm the request with this digest
    #[arg(long, value_name = "sha256:…", value_parser = parsed::<Digest>)]
    confirm: Option<Digest>,
    /// Print the request digest, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// `fedroot key show`
#[derive(Args, Debug)]
pub(super) struct Show {
    /// The key line
    #[arg(value_parser = parsed::<Line>)]
    line: Line,
}

/// `fedroot key export`
#[derive(Args, Debug)]
pub(super) struct Export {
    /// The key line, for the key that signs, or one of its keys: TENANT/ENVIRONMENT/PURPOSE#VERSION
    #[arg(value_parser = parsed::<Subject>, value_name = "LINE[#N]")]
    subject: Subject,
    /// How the public key is written
    #[arg(long, value_enum, default_value_t = Format::Pem)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// SubjectPublicKeyInfo in PEM
    Pem,
    /// JSON Web Key
    Jwk,
    /// The line's self-signed certificate in PEM
    Certificate,
}

impl Command {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        match self {
            Self::Generate(Generate { line, algorithm: name, making }) => {
                making.run(&line, || algorithm(&name).map(Origin::Generate), common)
            }
            Self::Adopt(adopt) => {
                let from = adopt.from;
                let (is_dry, line) = (adopt.making.keeping.is_dry(), adopt.line.clone());
                let mut output =
                    adopt.making.run(&adopt.line, || read_private_key(&from).map(Origin::Adopt), common)?;
                if !is_dry {
                    output.warn(format!(
                        "{} still holds the private key in the clear: destroy it",
                        from.display()
                    ));
                    output.warn(format!(
                        "what {line}#1 signed before is not known here: tell what is still out there with \
                         `fedroot observe KIND FILE --before-adoption`"
                    ));
                }
                Ok(output)
            }
            Self::List => list(&common.catalogue()?),
            Self::Show(show) => show.run(&common.catalogue()?),
            Self::Export(export) => {
                export.run(&common.catalogue()?).map_err(|fault| fault.but("nothing was exported"))
            }
            Self::Suspend(step) => step.run(Move::Suspend, common),
            Self::Resume(step) => step.run(Move::Resume, common),
            Self::Destroy(step) => step.run(Move::Destroy, common),
        }
    }
}

fn read_private_key(path: &std::path::Path) -> Result<Secret<Vec<u8>>, Fault> {
    let bytes = Secret::new(disk::read_private(path, KEY_BYTES_MAX)?);
    let Ok(text) = std::str::from_utf8(bytes.expose()) else { return Ok(bytes) };
    if !text.contains("-----BEGIN") {
        return Ok(bytes);
    }
    let label = text.split_once("-----BEGIN ").and_then(|(_, rest)| Some(rest.split_once("-----")?.0));
    let label = label.unwrap_or_default();
    let wrong = |why: String| MALFORMED.fault(format!("{}: {why}", path.display())).hint(form_of(label));
    if label != "PRIVATE KEY" {
        return Err(wrong(format!("the PEM holds '{label}', not 'PRIVATE KEY' (unencrypted PKCS#8)")));
    }
    let read = der::SecretDocument::from_pem(text).map_err(|_| wrong("its PEM is damaged".into()))?;
    Ok(Secret::new(read.1.as_bytes().to_vec()))
}

/// How a PEM of this label comes into the form that is taken.
fn form_of(label: &str) -> &'static str {
    match label {
        "OPENSSH PRIVATE KEY" => {
            "`ssh-keygen -p -m PKCS8 -N '' -f COPY` rewrites a copy of it in the form that is taken"
        }
        label if label.ends_with("PUBLIC KEY") || label.contains("CERTIFICATE") => {
            "that is the public half: give the private key"
        }
        _ => "`openssl pkcs8 -topk8 -nocrypt -in KEY -out FILE` writes the form that is taken",
    }
}

/// Makes a key in a vault.
type Make =
    fn(&mut Vault<'_>, Making, &mut dyn Approver, &mut dyn CryptoRng) -> Result<(Record, Digest), Fault>;

impl Keeping {
    /// Whether nothing is to be done.
    pub(super) const fn is_dry(&self) -> bool {
        self.dry_run
    }

    /// Makes the next key of a line, of what `making` says, or tells what that would write.
    pub(super) fn run(
        self,
        line: &Line,
        making: impl FnOnce(&Catalogue, Sealing, Option<String>) -> Result<Making, Fault>,
        make: Make,
        common: &Common,
    ) -> Result<Output, Fault> {
        let making = |catalogue: &Catalogue| making(catalogue, self.sealing()?, self.reason.clone());
        if self.dry_run {
            let making = making(&common.catalogue()?)?;
            let request = ceremony::generate_request(&making)?.digest().to_string();
            return dry_run(&making.key, &request, common);
        }
        let mut vault = common.open_vault()?;
        let making = making(&vault)
            .map_err(|fault| ceremony::refuse_key(&mut vault, line, self.reason.as_deref(), fault))?;
        let mut answers = Answers {
            passphrase: self.passphrase,
            identity: None,
            confirm: self.confirm.into_iter().collect(),
            batch: common.batch,
            show: false,
            progress: Progress::working("making the key"),
        };
        let (record, request) = make(&mut vault, making, &mut answers, &mut random::system())?;
        let json =
            members(json!({"line": line.to_string(), "request": request.to_string(), "changed": true}));
        let mut output = Output { json, ..Output::default() };
        describe(&mut output, &record)?;
        Ok(output)
    }

    fn sealing(&self) -> Result<Sealing, Fault> {
        let recipients: Vec<_> =
            self.recipients.iter().map(|text| Recipient::parse(text)).collect::<Result<_, _>>()?;
        Ok(if recipients.is_empty() { Sealing::Passphrase } else { Sealing::Recipients(recipients) })
    }
}

impl MakingArguments {
    fn run(
        self,
        line: &Line,
        origin: impl FnOnce() -> Result<Origin, Fault>,
        common: &Common,
    ) -> Result<Output, Fault> {
        let Self { kinds, profile, keeping } = self;
        let is_dry = keeping.is_dry();
        let making = |_: &Catalogue, sealing, reason| {
            let profile_text = profile_text(&kinds, profile.as_deref(), line.environment())?;
            Ok(Making {
                key: line.version(1),
                origin: origin()?,
                sealing,
                profile_text,
                standby: false,
                reason,
            })
        };
        let mut output = keeping.run(line, making, ceremony::generate, common)?;
        if !is_dry {
            let at = common.vault_flag();
            output.note(format!(
                "next: give the public key to those who rely on it: fedroot key export {line}{at}"
            ));
        }
        Ok(output)
    }
}

fn profile_text(kinds: &[String], path: Option<&Path>, environment: Environment) -> Result<String, Fault> {
    let Some(path) = path else {
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        let profile = Profile::built_in(&kinds, environment);
        check_kinds(&profile).map_err(|fault| fault.at("the built-in profile"))?;
        return profile.to_toml();
    };
    let at = |fault: Fault| fault.at(path.display());
    let text = String::from_utf8(disk::read(path, PROFILE_BYTES_MAX)?)
        .map_err(|_| at(PROFILE.fault("it is not UTF-8")))?;
    let profile = Profile::parse(&text).map_err(at)?;
    check_kinds(&profile).map_err(at)?;
    Ok(text)
}

/// Refuses a profile that names kinds of which the line could sign no document.
fn check_kinds(profile: &Profile) -> Result<(), Fault> {
    for name in &profile.kinds {
        if let Some(setting) = crate::artefact::kind(name)?.wants(profile) {
            return Err(PROFILE
                .fault(format!("it has no {setting}: the line could sign nothing of the kind {name}"))
                .hint(format!("set {setting} in a profile of its own, and give that with --profile")));
        }
    }
    Ok(())
}

fn dry_run(key: &KeyId, request: &str, common: &Common) -> Result<Output, Fault> {
    let KeyId { line, version } = key;
    if *version == 1 {
        common.catalogue()?.allow_new_line(line)?;
    }
    let files = ["key.age", "cert.pem", "toml"].map(|name| format!("keys/{line}/{version}.{name}"));
    let profile = (*version == 1).then(|| format!("keys/{line}/profile.toml"));
    let writes: Vec<String> = profile.into_iter().chain(files).collect();
    let mut output = Output::json(json!({
        "dry_run": true, "line": line.to_string(), "request": request, "writes": writes,
        "ledger": ["intent", "outcome"],
    }));
    output.line("nothing was done; it would write");
    for write in &writes {
        output.line(format!("  {write}"));
    }
    output.line("  two ledger entries: intent, outcome");
    output.row("request digest", request);
    Ok(output)
}

fn list(catalogue: &Catalogue) -> Result<Output, Fault> {
    let mut rows = Vec::new();
    let mut output = Output::default();
    let mut shown = Vec::new();
    for line in catalogue.lines()? {
        for record in catalogue.records(&line)? {
            let (key, public) = (record.key()?.to_string(), record.public()?);
            let rest = format!("{:<9} {:<9} {}", public.title(), record.stage(), public.fingerprint());
            shown.push((key, rest));
            rows.push(json(&record)?);
        }
    }
    let width = shown.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
    for (key, rest) in shown {
        output.line(format!("{key:<width$}  {rest}"));
    }
    if rows.is_empty() {
        output.note("the vault holds no key yet: `fedroot key generate` makes one");
    }
    let strays = strays(catalogue, &mut output)?;
    output.json = members(json!({"keys": rows, "strays": strays}));
    output.refusal = harmed(catalogue, None, &mut output)?;
    Ok(output)
}

/// Notes what stands among the key lines and is none.
pub(super) fn strays(catalogue: &Catalogue, output: &mut Output) -> Result<Vec<String>, Fault> {
    let strays: Vec<_> = catalogue.strays()?.iter().map(|path| path.display().to_string()).collect();
    for stray in &strays {
        output.warn(format!("{stray} is no key line, and nothing reads it: move it out of the vault"));
    }
    Ok(strays)
}

/// Notes what is not with the files of keys as the ledger has it, and yields the first such thing.
fn harmed(catalogue: &Catalogue, line: Option<&Line>, output: &mut Output) -> Result<Option<Fault>, Fault> {
    let harmed = catalogue.harmed(line)?;
    harmed.iter().skip(1).for_each(|(_, fault)| output.warn(fault.to_string()));
    Ok(harmed.into_iter().next().map(|(_, fault)| fault))
}

impl Show {
    fn run(self, catalogue: &Catalogue) -> Result<Output, Fault> {
        let mut output = Output::default();
        let mut keys = Vec::new();
        for record in catalogue.records(&self.line)? {
            describe(&mut output, &record)?;
            keys.push(json(&record)?);
        }
        let profile = catalogue.profile_text(&self.line)?;
        output.line("profile");
        for line in profile.lines() {
            output.line(format!("  {}", visible(line)).trim_end());
        }
        let digest = Profile::digest(&profile).to_string();
        output.json = members(
            json!({"line": self.line.to_string(), "keys": keys, "profile": profile, "profile_digest": digest}),
        );
        output.refusal = harmed(catalogue, Some(&self.line), &mut output)?;
        Ok(output)
    }
}

impl Export {
    fn run(self, catalogue: &Catalogue) -> Result<Output, Fault> {
        let record = match &self.subject {
            Subject::Line(line) => catalogue.signing_record(line)?,
            Subject::Key(key) => catalogue.record(key)?,
        };
        if let Subject::Line(line) = &self.subject
            && record.state().is_none_or(|state| state.standing() != Stage::Active)
        {
            return Err(ORDER
                .fault(format!("no key of {line} signs now"))
                .hint(format!("name one, such as {}: `fedroot key show {line}` lists them", record.key()?)));
        }
        let (key, public) = (record.key()?, record.public()?);
        let (text, member, value) = match self.format {
            Format::Pem => {
                let pem = public.to_pem()?;
                (pem.clone(), "pem", Value::String(pem))
            }
            Format::Jwk => {
                let jwk = jose::jwk(&public);
                (format!("{jwk:#}\n"), "jwk", jwk)
            }
            Format::Certificate => {
                let pem = ceremony::certificate(catalogue, &record)?;
                (pem.clone(), "certificate", Value::String(pem))
            }
        };
        let mut output = Output::json(
            json!({"key": key.to_string(), "public": public.fingerprint().to_string(), member: value}),
        );
        output.text = text;
        Ok(output)
    }
}

/// Adds a key's public record to the output.
fn describe(output: &mut Output, record: &Record) -> Result<(), Fault> {
    let public = record.public()?;
    output.line(record.key()?.to_string());
    output.row("algorithm", &public.title());
    output.row("stage", record.stage().name());
    output.row(if record.is_adopted() { "adopted" } else { "created" }, record.created());
    output.row("public key", &public.fingerprint().to_string());
    output.row("thumbprint", &jose::thumbprint(&public));
    for to in record.sealed_to() {
        output.row("sealed to", to);
    }
    output.row("sealed file", record.sealed_digest());
    if let Value::Object(described) = json(record)? {
        output.json.extend(described);
    }
    Ok(())
}

fn json(record: &Record) -> Result<Value, Fault> {
    let (key, public) = (record.key()?, record.public()?);
    Ok(json!({
        "key": key.to_string(),
        "line": key.line.to_string(),
        "algorithm": public.algorithm().name(),
        "size": public.title(),
        "stage": record.stage().name(),
        "created": record.created(),
        "adopted": record.is_adopted(),
        "public": public.fingerprint().to_string(),
        "thumbprint": jose::thumbprint(&public),
        "sealed_to": record.sealed_to(),
        "sealed": record.sealed_digest(),
    }))
}

pub(super) fn members(value: Value) -> serde_json::Map<String, Value> {
    Output::json(value).json
}
