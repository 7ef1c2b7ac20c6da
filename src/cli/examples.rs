//! Examples of each command: at the end of its `--help`, and in its man page. Each is one that the program takes.

/// Commands, and one to three examples of each.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("identity generate", &["--output auditor.key > auditor.txt"]),
    (
        "init",
        &[
            "--vault vault --auditor age1… --origin example.org/ledger",
            "--vault vault --auditor age1… --auditor age1…",
        ],
    ),
    (
        "key generate",
        &[
            "example.org/prod/metadata --algorithm p384 --profile profile.toml --dry-run",
            "example.org/prod/metadata --algorithm p384 --profile profile.toml --reason 'ceremony of 22 November'",
            "example.org/sandbox/metadata --algorithm rsa4096 --for saml --recipient age1…",
        ],
    ),
    (
        "key adopt",
        &["example.org/staging/metadata --from old.pem --profile profile.toml --reason 'moved from xmlsec1'"],
    ),
    ("key list", &["", "--json"]),
    ("key show", &["example.org/prod/metadata"]),
    (
        "key export",
        &[
            "example.org/prod/metadata > federation.pem",
            "example.org/prod/metadata#2 --format jwk",
            "example.org/prod/metadata --format certificate",
        ],
    ),
    ("key suspend", &["example.org/prod/metadata --reason 'the safe was found open'"]),
    ("key resume", &["example.org/prod/metadata --reason 'nothing was touched' --with 'Ada L.'"]),
    ("key destroy", &["example.org/prod/metadata#1 --reason 'retired in March' --dry-run"]),
    (
        "review",
        &[
            "saml metadata.xml --key example.org/prod/metadata",
            "saml metadata.xml --key example.org/prod/metadata --html review.html",
            "federation DIR --key example.org/prod/anchor --json",
        ],
    ),
    (
        "sign",
        &[
            "saml metadata.xml --key example.org/prod/metadata --output signed.xml",
            "saml metadata.xml --key example.org/prod/metadata --split mdq --identity custodian.key",
            "bundle RELEASE --key example.org/prod/releases --output RELEASE/MANIFEST.sha384",
        ],
    ),
    (
        "verify",
        &[
            "saml signed.xml --trust federation.pem",
            "saml mdq --trust federation.pem --json",
            "entity-statement leaf.jwt statement.jwt anchor.jwt --trust anchor.pem --at 2027-01-13T09:00:00Z",
        ],
    ),
    (
        "rotate plan",
        &[
            "example.org/prod/metadata",
            "example.org/prod/metadata --until 2028-01-01T00:00:00Z --svg plan.svg",
        ],
    ),
    (
        "rotate rehearse",
        &[
            "example.org/prod/metadata --from 2027-01-04T09:00:00Z --to 2027-07-01T00:00:00Z --document saml metadata.xml",
            "example.org/prod/metadata --from 2027-01-04T09:00:00Z --to 2027-07-01T00:00:00Z --emergency 2027-02-01T00:00:00Z --standby hidden --document saml metadata.xml",
        ],
    ),
    (
        "rotate stage",
        &[
            "example.org/prod/metadata --reason 'rotation of 2027'",
            "example.org/prod/metadata --standby --recipient age1… --reason 'for emergencies'",
        ],
    ),
    ("rotate publish", &["example.org/prod/metadata --reason 'rotation of 2027'"]),
    (
        "rotate activate",
        &[
            "example.org/prod/metadata --dry-run",
            "example.org/prod/metadata --reason 'rotation of 2027' --with 'Ada L.'",
        ],
    ),
    ("rotate rollback", &["example.org/prod/metadata#1 --reason 'a consumer rejects the new key'"]),
    ("rotate retire", &["example.org/prod/metadata#1 --reason 'rotation of 2027'"]),
    ("rotate revoke", &["example.org/prod/metadata#1 --reason 'replaced by #2' --superseded"]),
    (
        "rotate emergency",
        &[
            "example.org/prod/metadata --reason 'a copy was found' --dry-run",
            "example.org/prod/metadata --reason 'a copy was found' --since 2027-01-13T09:00:00Z --output notice.txt",
        ],
    ),
    ("rotate notice", &["example.org/prod/metadata", "example.org/prod/metadata#1 --output notice.txt"]),
    ("rotate renew-certificate", &["example.org/prod/metadata --reason 'it ends in spring'"]),
    (
        "observe",
        &[
            "saml fetched.xml --seen-at 2027-01-13T09:00:00Z --from https://md.example.org/federation.xml",
            "bundle sha256:… --never-published 'signed by mistake, and thrown away'",
            "certificate root.pem --seen-at 2027-01-13T09:00:00Z --said 'all sites confirmed it by telephone'",
        ],
    ),
    ("status", &["", "--exit-code --within P14D", "example.org/prod/metadata --svg life.svg"]),
    ("ledger verify", &["", "--since checkpoint.txt", "--ledger /media/mirror --json"]),
    ("ledger show", &["--identity auditor.key"]),
    ("ledger checkpoint", &["--output checkpoint.txt --reason 'for the notary'", "--words"]),
    ("ledger prove", &["17 --output entry-17.tlog-proof"]),
    (
        "ledger check-proof",
        &[
            "signed.xml.tlog-proof --document signed.xml --ledger ledger.jsonl",
            "entry-17.tlog-proof --trust-note checkpoint.txt",
        ],
    ),
    ("ledger disclose", &["17 --identity auditor.key --output entry-17.tlog-proof"]),
    ("ledger check-disclosure", &["entry-17.tlog-proof --trust-note checkpoint.txt"]),
    (
        "ledger export",
        &[
            "--format csv --identity auditor.key --output ledger.csv",
            "--format evidence --checkpoint checkpoint.txt --output evidence",
        ],
    ),
    ("ledger audit", &["--nonce 'heads of the paper of 13 January' --output answer.tlog-proof"]),
    ("ledger auditors list", &[""]),
    (
        "ledger auditors add",
        &["age1… --output challenge.age", "age1… --answer WORDS --reason 'joined the board'"],
    ),
    ("ledger auditors answer", &["challenge.age --identity auditor.key"]),
    ("ledger auditors remove", &["age1… --reason 'left the board'"]),
    ("ledger rewrap", &["--identity old.key --to age1… --output sessions.jsonl"]),
    ("ledger mirror", &["/media/mirror"]),
    ("ledger rebuild", &["--identity auditor.key --compare", "--identity auditor.key"]),
    (
        "ledger recover",
        &["--reason 'the power failed'", "--acknowledge --reason 'restored from the backup of 3 May'"],
    ),
    ("ledger witness request", &["--output request.txt"]),
    (
        "ledger witness sign",
        &["request.txt --memory witness --name witness.example.org/w1 --output cosigned.txt"],
    ),
    ("ledger witness add", &["cosigned.txt --key NAME+ID+KEY"]),
];

/// The examples of a command, as people type them; none of a command that has further ones.
pub(super) fn of(command: &str) -> impl Iterator<Item = String> {
    let found = EXAMPLES.iter().find(|(name, _)| *name == command);
    let command = command.to_owned();
    let whole = move |example: &&str| format!("fedroot {command} {example}").trim_end().to_owned();
    found.into_iter().flat_map(|(_, examples)| *examples).map(whole)
}

/// The same command, with examples at the end of its help and of that of its own commands. `path`: how people type it.
pub(super) fn with(mut command: clap::Command, path: &str) -> clap::Command {
    let inner: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    for name in inner {
        let path = format!("{path} {name}");
        command = command.mut_subcommand(name, |inner| with(inner, path.trim_start()));
    }
    let examples: String = of(path).map(|example| format!("\n  {example}")).collect();
    if examples.is_empty() { command } else { command.after_help(format!("Examples:{examples}")) }
}

#[cfg(test)]
mod tests {
    use super::super::command;
    use super::*;

    /// What `age1…` and `NAME+ID+KEY` stand for.
    const AUDITOR: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    const WITNESS: &str = "witness.example.org/w1+d16f8926+BD7mVsVxzOd+dTE9irqH+wGoqUL5cFM0cXvbFUKNR3Wv";

    /// The words of a command line, where quotes keep some together.
    fn words(line: &str) -> Vec<String> {
        let line = line.split(" > ").next().unwrap();
        let parts = line.split('\'').enumerate().map(|(n, part)| match n % 2 {
            0 => part.to_owned(),
            _ => part.replace(' ', "\u{a0}"),
        });
        let joined: String = parts.collect();
        joined
            .split(' ')
            .map(|word| word.replace('\u{a0}', " ").replace("age1…", AUDITOR).replace("NAME+ID+KEY", WITNESS))
            .collect()
    }

    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set());
        let mut is_leaf = true;
        for inner in inner {
            is_leaf = false;
            leaves(inner, format!("{path} {}", inner.get_name()).trim_start(), found);
        }
        if is_leaf {
            found.push(path.to_owned());
        }
    }

    #[test]
    fn every_command_has_examples_that_the_program_takes() {
        let mut commands = Vec::new();
        leaves(&command(), "", &mut commands);
        for name in &commands {
            let examples: Vec<String> = of(name).collect();
            assert!((1..=3).contains(&examples.len()), "{name} has {} examples", examples.len());
            for example in examples {
                let parsed = command().try_get_matches_from(words(&example));
                let matches = parsed.unwrap_or_else(|error| panic!("{example}: {error}"));
                let mut path = Vec::new();
                let mut level = matches.subcommand();
                while let Some((name, inner)) = level {
                    path.push(name);
                    level = inner.subcommand();
                }
                assert_eq!(path.join(" "), *name, "{example}");
            }
        }
        let named: Vec<&str> = EXAMPLES.iter().map(|(name, _)| *name).collect();
        for name in &named {
            assert!(commands.iter().any(|command| command == name), "there is no command {name}");
        }
        assert_eq!(named.len(), commands.len(), "each command stands there once");
    }

    #[test]
    fn an_example_that_went_stale_would_be_found() {
        for stale in
            ["fedroot status --no-such-option", "fedroot observe saml x", "fedroot init --vault 'a b'"]
        {
            assert!(command().try_get_matches_from(words(stale)).is_err(), "{stale}");
        }
    }

    #[test]
    fn help_ends_with_examples() {
        let help = command().try_get_matches_from(["fedroot", "ledger", "witness", "sign", "--help"]);
        // lines are broken as wide as the terminal is
        let help = help.unwrap_err().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        let last = of("ledger witness sign").last().unwrap();
        assert!(help.contains("Examples: fedroot ledger") && help.ends_with(&last), "{help}");
    }
}
