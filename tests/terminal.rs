//! A person at a terminal: the passphrase is typed unseen, the words of a confirmation are asked for, and the terminal gets
//! its echo back whatever ends the prompt.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use rexpect::session::{PtySession, spawn_command};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};

use crate::support::{FEDROOT, Folder, LINE, aggregate, every};

const PATIENCE_MS: u64 = 60_000;

/// The program in a pseudo-terminal, under a shell that outlives it.
fn at_terminal(folder: &Folder, arguments: &str) -> PtySession {
    let mut command = folder.command("sh");
    command.args([
        "-c",
        &format!(
            "stty -F /dev/tty echo; echo $$ > shell.pid; {FEDROOT} {arguments}; echo exit=$?; read wait"
        ),
    ]);
    spawn_command(command, Some(PATIENCE_MS)).unwrap()
}

/// The other end of the terminal: its settings are the same.
fn terminal(session: &PtySession) -> File {
    session.process().get_file_handle().unwrap()
}

fn echoes(terminal: impl AsFd) -> bool {
    tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ECHO)
}

fn wait_for(what: &str, mut check: impl FnMut() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The process that asks: a child of the shell.
fn child(folder: &Folder) -> Pid {
    let shell = String::from_utf8(folder.read("shell.pid")).unwrap();
    let shell = shell.trim();
    let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    Pid::from_raw(children.split_whitespace().next().unwrap().parse().unwrap()).unwrap()
}

#[test]
fn the_passphrase_is_typed_twice_and_unseen_and_opens_the_key() {
    let folder = Folder::with_vault();
    let make = "key generate example.org/sandbox/typed --algorithm p384 --for saml --vault V";
    let mut session = at_terminal(&folder, make);
    session.exp_string("new passphrase for example.org/sandbox/typed#1: ").unwrap();
    session.send_line("five words nobody ever saw").unwrap();
    let between = session.exp_string("the same passphrase again: ").unwrap();
    assert!(!between.contains("nobody"), "the passphrase was echoed: {between}");
    session.send_line("five words nobody ever saw").unwrap();
    let rest = session.exp_string("exit=0").unwrap();
    assert!(!rest.contains("nobody"), "the passphrase was echoed: {rest}");

    let sign = "sign saml aggregate.xml --key example.org/sandbox/typed --output out.xml --vault V";
    let mut session = at_terminal(&folder, sign);
    session.exp_string("passphrase for example.org/sandbox/typed#1: ").unwrap();
    session.send_line("five words nobody ever saw").unwrap();
    session.exp_string("exit=0").unwrap();
    assert!(folder.path("out.xml").exists());
}

#[test]
fn a_token_is_shown_on_no_terminal() {
    let folder = every::vault("p384", "ES384");
    let sign = format!(
        "sign access-token token.toml --key {} --identity auditor.key --output - --vault V",
        every::LINE
    );
    let mut session = at_terminal(&folder, &sign);
    let shown = session.exp_string("exit=2").unwrap();
    assert!(shown.contains("standard output is a terminal") && !shown.contains("eyJ"), "{shown}");
    let mut session = at_terminal(&folder, &format!("{sign} > token"));
    session.exp_string("exit=0").unwrap();
    assert!(folder.read("token").starts_with(b"eyJ"), "a file or a pipe takes it");
}

#[test]
fn two_different_passphrases_make_no_key() {
    let folder = Folder::with_vault();
    let make = "key generate example.org/sandbox/typed --algorithm p384 --for saml --vault V";
    let mut session = at_terminal(&folder, make);
    session.exp_string("new passphrase").unwrap();
    session.send_line("the first passphrase").unwrap();
    session.exp_string("again").unwrap();
    session.send_line("another passphrase").unwrap();
    session.exp_string("the two passphrases differ; no key was made").unwrap();
    session.exp_string("exit=5").unwrap();
    assert!(!folder.path("V/keys/example.org/sandbox/typed").exists());
}

/// The words of the digest, as the screen numbers them.
fn words(screen: &str) -> Vec<String> {
    let mut words = vec![String::new(); 33];
    let tokens: Vec<&str> = screen.split_whitespace().collect();
    for pair in tokens.windows(2) {
        if let Ok(place) = pair[0].parse::<usize>()
            && (1..=32).contains(&place)
            && pair[1].chars().all(char::is_alphabetic)
        {
            words[place] = pair[1].into();
        }
    }
    words
}

const MAKE_PROD: &str =
    "key generate example.org/prod/metadata --algorithm p384 --for saml --recipient $AUDITOR --vault V";

/// Waits for the request, and types three of its words as somebody has them.
fn confirm(session: &mut PtySession, typed: impl FnOnce(Vec<String>) -> Vec<String>) {
    let words = typed(words(&session.exp_string("then type three of its words").unwrap()));
    for _ in 0..3 {
        session.exp_string("word ").unwrap();
        let place: usize = session.exp_string(":").unwrap().trim().parse().unwrap();
        session.send_line(&words[place]).unwrap();
    }
}

#[test]
fn prod_asks_for_three_words_of_the_request() {
    let folder = Folder::with_vault();
    let mut session = at_terminal(&folder, MAKE_PROD);
    confirm(&mut session, |words| words);
    session.exp_string("exit=0").unwrap();
    assert!(folder.path("V/keys/example.org/prod/metadata/1.toml").exists());
}

#[test]
fn wrong_words_make_no_key() {
    let folder = Folder::with_vault();
    let mut session = at_terminal(&folder, MAKE_PROD);
    confirm(&mut session, |words| vec!["aardvark".into(); words.len()]);
    session.exp_string("the words are not those of the request digest; no key was made").unwrap();
    session.exp_string("exit=3").unwrap();
    assert!(!folder.path("V/keys/example.org/prod").exists());
}

#[test]
fn a_signal_at_the_prompt_gives_the_echo_back() {
    let folder = Folder::with_vault();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let make = "key generate example.org/sandbox/typed --algorithm p384 --for saml --vault V";
        let mut session = at_terminal(&folder, make);
        session.exp_string("new passphrase").unwrap();
        let terminal = terminal(&session);
        wait_for("the echo goes off", || !echoes(&terminal));
        kill_process(child(&folder), signal).unwrap();
        wait_for("the echo comes back", || echoes(&terminal));
        session.exp_string("exit=").unwrap();
    }
    assert!(!folder.path("V/keys/example.org/sandbox/typed").exists());
}

#[test]
fn control_c_at_the_prompt_ends_it_with_the_echo_on() {
    let folder = Folder::with_vault();
    let make = "key generate example.org/sandbox/typed --algorithm p384 --for saml --vault V";
    let mut session = at_terminal(&folder, make);
    session.exp_string("new passphrase").unwrap();
    let terminal = terminal(&session);
    wait_for("the echo goes off", || !echoes(&terminal));
    session.send_control('c').unwrap();
    wait_for("the echo comes back", || echoes(&terminal));
}

/// The shell hears Control-C, too, and outlives it.
fn at_a_terminal_that_is_interrupted(folder: &Folder, arguments: &str) -> PtySession {
    let mut command = folder.command("sh");
    command.args([
        "-c",
        &format!(
            "trap : INT TERM; stty -F /dev/tty echo; echo $$ > shell.pid; {FEDROOT} {arguments}; echo exit=$?"
        ),
    ]);
    spawn_command(command, Some(PATIENCE_MS)).unwrap()
}

#[test]
fn who_is_interrupted_at_the_words_is_told_what_was_not_done() {
    let folder = Folder::with_vault();
    for word in 0..2 {
        let mut session = at_a_terminal_that_is_interrupted(&folder, MAKE_PROD);
        for _ in 0..word {
            session.exp_string("word ").unwrap();
            session.send_line("aardvark").unwrap();
        }
        session.exp_string("word ").unwrap();
        session.exp_string(":").unwrap();
        match word {
            0 => session.send_control('c').unwrap(),
            _ => kill_process(child(&folder), Signal::TERM).unwrap(),
        }
        session.exp_string("error: interrupted; no key was made").unwrap();
        session.exp_string("exit=130").unwrap();
        assert!(echoes(terminal(&session)));
    }
    assert!(!folder.path("V/keys/example.org/prod").exists());
    // What is stopped at the words is on record, as what is refused there.
    let made = folder.fedroot(&["ledger", "show", "--identity", "auditor.key", "--vault", "V"]);
    assert!(made.stdout.contains("interrupted"), "{}", made.stdout);
}

#[test]
fn after_a_prompt_control_c_ends_the_program_as_before() {
    let folder = Folder::with_vault();
    let make = "key generate example.org/sandbox/typed --algorithm p384 --for saml --vault V";
    let mut session = at_terminal(&folder, make);
    for question in ["new passphrase", "again"] {
        session.exp_string(question).unwrap();
        session.send_line("five words nobody ever saw").unwrap();
    }
    session.exp_string("exit=0").unwrap();
    let sign = "sign saml aggregate.xml --key example.org/sandbox/typed --output out.xml --vault V";
    let mut session = at_terminal(&folder, sign);
    session.exp_string("passphrase for").unwrap();
    let (asking, terminal) = (child(&folder), terminal(&session));
    wait_for("the echo goes off", || !echoes(&terminal));
    session.send_line("five words nobody ever saw").unwrap();
    wait_for("the echo comes back", || echoes(&terminal));
    // nobody asks any more; the passphrase is tried, which takes longer than this
    std::thread::sleep(Duration::from_millis(200));
    kill_process(asking, Signal::INT).unwrap();
    session.exp_string("exit=130").unwrap();
    assert!(!folder.path("out.xml").exists());
}

#[test]
fn a_stopped_prompt_leaves_the_echo_on_and_goes_on_without() {
    let folder = Folder::with_vault();
    let make = "key generate example.org/sandbox/typed --algorithm p384 --for saml --vault V";
    let mut session = at_terminal(&folder, make);
    session.exp_string("new passphrase").unwrap();
    let terminal = terminal(&session);
    wait_for("the echo goes off", || !echoes(&terminal));
    let asking = child(&folder);
    kill_process(asking, Signal::TSTP).unwrap();
    wait_for("the echo comes back", || echoes(&terminal));
    kill_process(asking, Signal::CONT).unwrap();
    wait_for("the echo goes off again", || !echoes(&terminal));
    session.send_line("five words nobody ever saw").unwrap();
    session.exp_string("again").unwrap();
    session.send_line("five words nobody ever saw").unwrap();
    session.exp_string("exit=0").unwrap();
}

/// What a person sees while a large document is reviewed.
fn seen(folder: &Folder, environment: &str, arguments: &str) -> String {
    let mut command = folder.command("sh");
    command.args(["-c", &format!("{environment} {FEDROOT} {arguments} > said; echo exit=$?")]);
    let mut session = spawn_command(command, Some(PATIENCE_MS)).unwrap();
    let seen = session.exp_string("exit=0").unwrap();
    session.exp_eof().unwrap();
    seen
}

#[test]
fn progress_is_shown_to_who_waits_and_to_nobody_else() {
    let folder = Folder::with_one_line();
    aggregate::write(&folder.path("large.xml"), 6_000_000).unwrap();
    let review = |name: &str| format!("review saml {name} --key {LINE} --vault V");
    let shown = seen(&folder, "TERM=xterm", &review("large.xml"));
    assert!(shown.contains("fedroot: reviewing [") && shown.contains("% of "), "{shown}");
    assert!(String::from_utf8(folder.read("said")).unwrap().contains("entities"), "the review itself");
    // the line is taken back before anything else is said
    let last = shown.rfind("fedroot: reviewing").unwrap();
    assert!(shown[last..].contains("\u{1b}[2K") && shown.contains("fedroot: next: "), "{shown:?}");
    for (environment, name) in
        [("TERM=xterm", "aggregate.xml"), ("TERM=dumb", "large.xml"), ("TERM=xterm NO_COLOR=1", "large.xml")]
    {
        let shown = seen(&folder, environment, &review(name));
        assert!(!shown.contains("reviewing") && !shown.contains('\u{1b}'), "{environment} {name}: {shown}");
    }
    let piped = folder.fedroot(&["review", "saml", "large.xml", "--key", LINE, "--vault", "V"]);
    assert!(!piped.stderr.contains("reviewing"), "{}", piped.stderr);
}

#[test]
fn a_profile_that_changes_while_somebody_confirms_signs_nothing() {
    let folder = Folder::with_vault();
    let mut session = at_terminal(&folder, MAKE_PROD);
    confirm(&mut session, |words| words);
    session.exp_string("exit=0").unwrap();
    let sign = "sign saml entity.xml --key example.org/prod/metadata --identity auditor.key --output out.xml --vault V";
    let mut session = at_terminal(&folder, sign);
    let profile = folder.path("V/keys/example.org/prod/metadata/profile.toml");
    let reviewed = std::fs::read_to_string(&profile).unwrap();
    confirm(&mut session, |words| {
        std::fs::write(&profile, format!("{reviewed}\n# changed\n")).unwrap();
        words
    });
    session
        .exp_string("the key or the profile of example.org/prod/metadata changed since the review")
        .unwrap();
    session.exp_string("exit=3").unwrap();
    assert!(!folder.path("out.xml").exists());

    std::fs::write(&profile, reviewed).unwrap();
    let mut session = at_terminal(&folder, sign);
    confirm(&mut session, |words| words);
    session.exp_string("exit=0").unwrap();
}

#[test]
fn a_process_that_asks_for_a_secret_leaves_no_dump_and_gains_no_privileges() {
    let folder = Folder::with_vault();
    let make = "key generate example.org/sandbox/typed --algorithm p384 --for saml --vault V";
    let mut session = at_terminal(&folder, make);
    session.exp_string("new passphrase").unwrap();
    let process = format!("/proc/{}", child(&folder).as_raw_nonzero());
    let read = |name: &str| std::fs::read_to_string(format!("{process}/{name}")).unwrap();
    let limits = read("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    assert!(read("status").contains("NoNewPrivs:\t1"), "{}", read("status"));
    assert!(read("status").contains("Umask:\t0077"), "{}", read("status"));
    // what may not be traced belongs to root, whoever runs it (proc(5))
    assert_eq!(std::fs::metadata(format!("{process}/environ")).unwrap().uid(), 0);
    session.send_control('c').unwrap();
}

#[test]
fn a_signed_document_is_never_written_to_a_terminal() {
    let folder = Folder::with_one_line();
    let sign = format!("sign saml entity.xml --key {LINE} --identity auditor.key --output - --vault V");
    let mut session = at_terminal(&folder, &sign);
    session.exp_string("standard output is a terminal").unwrap();
    session.exp_string("exit=2").unwrap();
}
