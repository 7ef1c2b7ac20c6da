//! Runs `tests/scenarios/*.txt`: one file per promise or refusal, as a person would type it.
//!
//! `$ ` starts a shell line in a folder with a vault `V` (see `support`); the lines below it are what it prints, both
//! streams together; `? N` is its exit code, 0 when there is none. `…` inside a line stands for any text, alone on a line
//! for any lines. `#` starts a comment, an empty line ends a step. The first line `# no vault` asks for an empty
//! folder, a line `# needs PROGRAM` skips the scenario loudly where that is absent.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::support::{Folder, files, peers, root};

#[derive(Default)]
struct Step {
    line: usize,
    command: String,
    printed: Vec<String>,
    code: i32,
}

fn parse(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: number + 1, command: command.into(), ..Step::default() });
            open = true;
        } else if let Some(code) = line.strip_prefix("? ").filter(|_| open) {
            steps.last_mut().unwrap().code = code.trim().parse().unwrap();
        } else if line.is_empty() || line.starts_with('#') {
            open = false;
        } else {
            assert!(open, "line {}: output without a command", number + 1);
            steps.last_mut().unwrap().printed.push(line.into());
        }
    }
    steps
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn matches(patterns: &[String], lines: &[&str]) -> bool {
    match (patterns, lines) {
        ([], []) => true,
        ([any, patterns @ ..], _) if any == "…" => {
            (0..=lines.len()).any(|skip| matches(patterns, &lines[skip..]))
        }
        ([pattern, patterns @ ..], [line, lines @ ..]) => {
            line_matches(pattern, line) && matches(patterns, lines)
        }
        _ => false,
    }
}

fn run(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).unwrap();
    let folder = if text.starts_with("# no vault") { Folder::empty() } else { Folder::with_vault() };
    let needed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# needs ")).collect();
    if !peers(&path.display().to_string(), &needed) {
        return Ok(());
    }
    let steps = parse(&text);
    assert!(!steps.is_empty(), "{} tests nothing", path.display());
    for step in steps {
        let ran = folder.shell(&format!("{{ {}\n}} 2>&1", step.command));
        let lines: Vec<&str> = ran.stdout.lines().collect();
        if ran.code != step.code || !matches(&step.printed, &lines) {
            return Err(format!(
                "{}:{}: $ {}\nexpected (exit {}):\n{}\n\nprinted (exit {}):\n{}\n",
                path.display(),
                step.line,
                step.command,
                step.code,
                step.printed.join("\n"),
                ran.code,
                ran.stdout
            ));
        }
    }
    Ok(())
}

#[test]
fn every_scenario_goes_as_written() {
    let scenarios = files(&root().join("tests/scenarios"), ".txt");
    assert!(scenarios.len() > 20, "the scenarios are gone");
    let failures = std::thread::scope(|scope| {
        let threads: Vec<_> = scenarios
            .chunks(scenarios.len().div_ceil(4))
            .map(|share| scope.spawn(|| share.iter().filter_map(|path| run(path).err()).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let mut report = String::new();
    for failure in &failures {
        writeln!(report, "{failure}").unwrap();
    }
    assert!(failures.is_empty(), "{} of {} scenarios differ:\n{report}", failures.len(), scenarios.len());
}

#[test]
fn the_runner_can_fail() {
    let pattern = |patterns: &[&str], lines: &[&str]| {
        matches(&patterns.iter().map(ToString::to_string).collect::<Vec<_>>(), lines)
    };
    assert!(pattern(&["a…c", "…", "z"], &["abbc", "x", "y", "z"]));
    assert!(pattern(&["…"], &[]));
    assert!(!pattern(&["a"], &["ab"]));
    assert!(!pattern(&["a"], &["a", "b"]));
    assert!(!pattern(&["a…c"], &["acb"]));
    assert!(!pattern(&["a", "…", "z"], &["a", "b"]));
}
