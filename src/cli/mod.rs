//! The only room that talks to people: arguments in, acts called, output shown.

mod emergency;
mod examples;
mod exit;
mod identity;
mod init;
mod key;
mod ledger;
mod manual;
mod observe;
mod page;
mod plan;
mod progress;
mod prompt;
mod rehearse;
mod review;
mod rotate;
mod sign;
mod signals;
mod split;
mod status;
mod ui;
mod verify;
mod verify_chain;

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::ui::Output;
use crate::artefact::KINDS;
use crate::base::clock::{Clock, Instant, SystemClock};
use crate::base::disk::{self, Document, Pending};
use crate::base::fault::{Class, Code, Fault};
use crate::base::recipient::SECRET_PREFIX;
use crate::base::text::visible;
use crate::custody::{Catalogue, Operator, Vault};
use crate::key::ALGORITHMS;

/// Arguments that cannot be understood.
const USAGE: Code = Code::new("usage", Class::Usage, "the arguments cannot be understood");
/// A passphrase or answer is needed and nobody can be asked.
const NO_TERMINAL: Code =
    Code::new("terminal.missing", Class::Environment, "an answer is needed and there is no terminal");
/// The person interrupted.
const INTERRUPTED: Code = Code::new("interrupted", Class::Interrupted, "the person interrupted");

/// The codes of this room.
const CODES: &[&Code] = &[&USAGE, &NO_TERMINAL, &INTERRUPTED, &status::DUE];

const STDIN_BYTES_MAX: u64 = 4 << 30;

/// Keeps the offline root keys of an identity federation: no signature without a reason, a review and a record
#[derive(Debug, Parser)]
#[command(
    name = "fedroot",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    max_term_width = 110
)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Everywhere")]
struct Common {
    /// The folder of the vault; the variable FEDROOT_VAULT names it otherwise
    #[arg(long, global = true, value_name = "DIR")]
    vault: Option<PathBuf>,
    /// Print one JSON document instead of text, on errors too; its member `warnings` has what warns
    #[arg(long, global = true)]
    json: bool,
    /// Never ask: fail where an answer is needed
    #[arg(long, global = true)]
    batch: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make age identities, which read ledgers and open keys
    #[command(subcommand)]
    Identity(identity::Command),
    /// Make a vault and begin its ledger
    Init(init::Init),
    /// Make, adopt, show, export, suspend and destroy keys
    #[command(subcommand)]
    Key(key::Command),
    /// Show what a signature would cover, what the rules find, and what changed; touches no key
    ///
    /// Of entities that changed, the values that would be signed are shown, the riskiest first. A key is shown as the SHA-256
    /// of its SubjectPublicKeyInfo, in DER, for a certificate the same as `openssl x509 -in CERT -noout -pubkey | openssl pkey
    /// -pubin -outform DER | openssl dgst -sha256`. `--json` has more of them than the screen.
    Review(review::Review),
    /// Review a document, then sign it
    Sign(sign::Sign),
    /// Verify a signed document with a trusted key; needs no vault
    Verify(verify::Verify),
    /// Rotate the keys of a line: next key, moves, plan, emergency
    #[command(subcommand)]
    Rotate(rotate::Command),
    /// Note that a signed document was seen where it is published: windows count from it
    Observe(observe::Observe),
    /// Show what is due, missing or about to end; needs no secret
    Status(status::Status),
    /// Check, read, prove, export, witness and recover the ledger
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Write the man pages and completions
    #[command(hide = true)]
    Manual(manual::Manual),
}

/// All that the program takes, with examples in its help.
fn command() -> clap::Command {
    examples::with(Arguments::command(), "")
}

/// Runs the program.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    signals::harden();
    let given: Vec<OsString> = arguments.collect();
    if let Some(fault) = secret_in(&given) {
        return ExitCode::from(ui::finish(Err(fault), given.iter().any(|argument| argument == "--json")));
    }
    let parsed = command().try_get_matches_from(&given).and_then(|matches| {
        let parsed = Arguments::from_arg_matches(&matches)?;
        Ok((outputs(&matches), parsed))
    });
    let (outputs, Arguments { mut common, command }) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return ExitCode::from(misused(error, &given)),
    };
    common.vault = common.vault.or_else(vault_of_environment);
    let done = check_outputs(&outputs, &common).and_then(|()| run(command, &common));
    ExitCode::from(ui::finish(done, common.json))
}

/// Refuses a secret among the arguments, without showing it.
fn secret_in(given: &[OsString]) -> Option<Fault> {
    let is_secret =
        |argument: &OsString| argument.to_string_lossy().to_ascii_uppercase().contains(SECRET_PREFIX);
    given.iter().any(is_secret).then(|| {
        USAGE.fault("an age identity, which is a secret, stands in the arguments; nothing was done").hint(
            "give its recipient (age1…) or the file that holds it; every user of this machine could read it: make another one",
        )
    })
}

/// The options that name what is to be written: a file or a folder.
const OUTPUTS: [&str; 7] = ["output", "copy", "split", "html", "svg", "ical", "folder"];

/// The commands that write their `--output` to standard output, where it is named `-`.
const STREAMING: [&str; 2] = ["sign", "export"];

/// What the command line names to be written: the option, the place, and whether that may be standard output.
fn outputs(matches: &ArgMatches) -> Vec<(&'static str, PathBuf, bool)> {
    let (mut outputs, mut level, mut command) = (Vec::new(), Some(matches), "");
    while let Some(matches) = level {
        for option in OUTPUTS {
            let named = matches.try_get_one::<PathBuf>(option).ok().flatten();
            let streams = option == "output" && STREAMING.contains(&command);
            outputs.extend(named.map(|path| (option, path.clone(), streams)));
        }
        let next = matches.subcommand();
        (command, level) = (next.map_or("", |(name, _)| name), next.map(|(_, matches)| matches));
    }
    outputs
}

/// Refuses outputs that are in each other's way, lie in the vault, or are standard output where a file is wanted.
fn check_outputs(outputs: &[(&str, PathBuf, bool)], common: &Common) -> Result<(), Fault> {
    for (place, (option, path, streams)) in outputs.iter().enumerate() {
        match is_stream(path) {
            true if *streams => continue,
            true => {
                return Err(USAGE
                    .fault(format!(
                        "--{option} - is standard output, and this writes a file; nothing was done"
                    ))
                    .hint("name a file; ./- is one of that name"));
            }
            false => common.check_outside(path)?,
        }
        let same = outputs.iter().take(place).find(|(_, other, _)| disk::is_same_place(other, path));
        if let Some((other, ..)) = same {
            return Err(USAGE
                .fault(format!("--{other} and --{option} are both {}; nothing was done", path.display()))
                .hint("give each a place of its own"));
        }
    }
    Ok(())
}

/// Not clap's to read: in its usage lines a variable that is set makes the option look required.
#[expect(clippy::disallowed_methods, reason = "cli is the room that reads the environment")]
fn vault_of_environment() -> Option<PathBuf> {
    std::env::var_os("FEDROOT_VAULT").filter(|name| !name.is_empty()).map(PathBuf::from)
}

fn run(command: Command, common: &Common) -> Result<Output, Fault> {
    match command {
        Command::Identity(command) => command.run(),
        Command::Init(init) => init.run(common),
        Command::Key(command) => command.run(common),
        Command::Review(review) => review.run(common),
        Command::Sign(sign) => sign.run(common),
        Command::Verify(verify) => verify.run(),
        Command::Rotate(command) => command.run(common),
        Command::Observe(observe) => observe.run(common),
        Command::Status(status) => status.run(common),
        Command::Ledger(command) => command.run(common),
        Command::Manual(manual) => manual.run(),
    }
}

/// Shows help, the version, or what was wrong with the arguments.
fn misused(error: clap::Error, given: &[OsString]) -> u8 {
    // clap repeats arguments, and they are foreign text: so it judges them once more in a form that is safe to show.
    let safe: Vec<String> =
        given.iter().map(|argument| visible(&argument.to_string_lossy()).to_string()).collect();
    let (error, is_safe) =
        command().try_get_matches_from(&safe).err().map_or((error, false), |error| (error, true));
    let mut text = error.render().to_string();
    if !is_safe {
        // only what has to be escaped is wrong with it
        text = text.lines().map(|line| format!("{}\n", visible(line))).collect();
    }
    if error.use_stderr() && safe.iter().any(|argument| argument == "--json") {
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let lines = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
            .filter(|line| !line.is_empty());
        let (tips, message): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("tip: "));
        let tips: String = tips.iter().map(|tip| format!("{}; ", tip.trim_start_matches("tip: "))).collect();
        let hint = format!("{tips}`{} --help` lists what it takes", named(&safe));
        return ui::finish(Err(USAGE.fault(message.join(" ")).hint(hint)), true);
    }
    match ui::usage(&text, !error.use_stderr()) {
        Ok(()) if error.use_stderr() => exit::code(Class::Usage),
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => exit::code(Class::Environment),
        Ok(()) | Err(_) => 0,
    }
}

/// The command that the arguments name, as far as there is one.
fn named(given: &[String]) -> String {
    let (root, mut name) = (command(), "fedroot".to_owned());
    let mut command = &root;
    for word in given.iter().skip(1) {
        if let Some(inner) = command.find_subcommand(word) {
            (command, name) = (inner, format!("{name} {word}"));
        }
    }
    name
}

impl Common {
    /// How a next command names the vault.
    fn vault_flag(&self) -> String {
        self.vault.as_ref().map_or(String::new(), |vault| format!(" --vault {}", quoted(vault)))
    }

    fn vault(&self) -> Result<&Path, Fault> {
        self.vault.as_deref().ok_or_else(|| {
            USAGE.fault("no vault was named").hint("name it with --vault DIR or the variable FEDROOT_VAULT")
        })
    }

    /// Refuses to write into the vault: nothing does but its own acts.
    fn check_outside(&self, output: &Path) -> Result<(), Fault> {
        if !self.vault.as_ref().is_some_and(|vault| disk::is_within(output, vault)) {
            return Ok(());
        }
        Err(USAGE
            .fault(format!("{} lies in the vault; nothing was done", output.display()))
            .hint("name a place outside it"))
    }

    fn catalogue(&self) -> Result<Catalogue, Fault> {
        Catalogue::open(self.vault()?)
    }

    fn open_vault(&self) -> Result<Vault<'static>, Fault> {
        Vault::open(self.vault()?, operator(), &SystemClock)
    }
}

/// The time, for acts that only look.
fn now() -> Instant {
    SystemClock.now()
}

/// Who runs this, as the machine says.
fn operator() -> Operator {
    let uid = rustix::process::getuid().as_raw();
    Operator {
        user: login_name(uid).unwrap_or_default(),
        uid,
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
    }
}

/// The name of a user in the system's table: unlike the environment, not the caller's to choose.
fn login_name(uid: u32) -> Option<String> {
    let table = String::from_utf8(disk::read("/etc/passwd".as_ref(), 1 << 20).ok()?).ok()?;
    let mut users = table.lines().map(|line| line.split(':'));
    users.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// Opens the document that was named, as its kind does: `-` is standard input. It is read more than once, so it waits in a
/// nameless file in the folder for temporary files.
#[expect(clippy::disallowed_methods, reason = "cli is the room that reads standard input")]
fn document(path: &Path, open: impl FnOnce(&Path) -> Result<Document, Fault>) -> Result<Document, Fault> {
    if !is_stream(path) {
        return open(path);
    }
    let name = "standard input";
    let mut waiting = Pending::beside(&scratch()?.join(name))?;
    let mut input = std::io::stdin().lock().take(STDIN_BYTES_MAX + 1);
    let length =
        std::io::copy(&mut input, &mut waiting).map_err(|e| disk::fault("read", name.as_ref(), &e))?;
    if length > STDIN_BYTES_MAX {
        return Err(disk::TOO_LARGE
            .fault(format!("{name} is larger than {STDIN_BYTES_MAX} bytes"))
            .hint("give the document as a file"));
    }
    waiting.document(name)
}

/// The folder for temporary files.
fn scratch() -> Result<PathBuf, Fault> {
    let folder = std::env::temp_dir();
    if disk::is_folder(&folder) {
        return Ok(folder);
    }
    Err(disk::MISSING
        .fault(format!("the folder for temporary files is not there: {}", folder.display()))
        .hint("make it, or name another one with the variable TMPDIR"))
}

/// Whether a path stands for a standard stream.
fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A path as a shell wants it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/+:@%".contains(c);
    if path.chars().all(is_plain) && !path.is_empty() {
        path
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

/// Reads a value of an argument; what was wrong with it comes with the way out.
fn parsed<T: std::str::FromStr<Err = Fault>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|fault| hinted(&fault))
}

/// What was wrong with a value, and the way out.
fn hinted(fault: &Fault) -> String {
    fault.way_out().map_or_else(|| fault.to_string(), |hint| format!("{fault}; {hint}"))
}

/// Reads a whole number.
fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "a whole number is expected".into())
}

/// The values of an option that come from the table of kinds.
fn kinds() -> clap::builder::PossibleValuesParser {
    let value =
        |kind: &&dyn crate::artefact::Kind| clap::builder::PossibleValue::new(kind.name()).help(kind.about());
    clap::builder::PossibleValuesParser::new(KINDS.iter().map(value))
}

/// The values of an option that come from the table of algorithms.
fn algorithms() -> clap::builder::PossibleValuesParser {
    let value = |row: &&dyn crate::key::LineAlgorithm| {
        clap::builder::PossibleValue::new(row.name()).help(row.title())
    };
    clap::builder::PossibleValuesParser::new(ALGORITHMS.iter().map(value))
}
