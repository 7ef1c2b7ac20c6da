//! What tests stand on: a folder of their own, the program, fixed keys, and peers that may be absent.

pub(crate) mod aggregate;
pub(crate) mod answers;
pub(crate) mod every;
pub(crate) mod federation;
pub(crate) mod world;
pub(crate) mod openid;
pub(crate) mod quirks;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use fedroot::base::disk;
use fedroot::base::fault::Fault;
use fedroot::base::recipient::Identities;
use fedroot::base::secret::Secret;
use tempfile::TempDir;

/// The program under test.
pub(crate) const FEDROOT: &str = env!("CARGO_BIN_EXE_fedroot");

/// The P-384 line of every vault here.
pub(crate) const LINE: &str = "example.org/sandbox/metadata";

/// Signs the entity with that line.
pub(crate) fn signing(output: &str) -> [&str; 11] {
    [
        "sign",
        "saml",
        "entity.xml",
        "--key",
        LINE,
        "--identity",
        "auditor.key",
        "--output",
        output,
        "--vault",
        "V",
    ]
}

/// A folder of its own for each test, with an auditor's identity, fixed keys and small documents in it.
pub(crate) struct Folder {
    dir: TempDir,
    pub(crate) auditor: String,
}

/// What came of a command.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// It was refused, as JSON says, with this code and for these reasons.
    pub(crate) fn refused(&self, code: &str, why: &[&str]) {
        assert_eq!(self.code, 3, "{}{}", self.stdout, self.stderr);
        let said: serde_json::Value = serde_json::from_str(&self.stdout).unwrap();
        assert_eq!(said["code"], code, "{said}");
        let message = said["message"].as_str().unwrap();
        assert!(why.iter().all(|why| message.contains(why)), "{why:?}\n{message}");
    }
}

impl Folder {
    /// A folder without a vault.
    pub(crate) fn empty() -> Self {
        let dir = tempfile::Builder::new().prefix("fedroot-test-").tempdir().unwrap();
        let mut folder = Self { dir, auditor: String::new() };
        for source in ["keys", "documents"] {
            for entry in fs::read_dir(root().join("tests").join(source)).unwrap() {
                let entry = entry.unwrap();
                let copy = folder.path(entry.file_name().to_str().unwrap());
                fs::copy(entry.path(), &copy).unwrap();
                private(&copy);
            }
        }
        let made = folder.fedroot(&["identity", "generate", "--output", "auditor.key"]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        made.stdout.trim().clone_into(&mut folder.auditor);
        fs::write(folder.path("pw"), "a passphrase of the tests\n").unwrap();
        private(&folder.path("pw"));
        folder
    }

    /// A folder with a vault `V` that holds a P-384 and an RSA-4096 line in sandbox, each sealed to the auditor's identity.
    pub(crate) fn with_vault() -> Self {
        Self::with_lines(&[(LINE, "p384.pem"), ("example.org/sandbox/legacy", "rsa4096.pem")])
    }

    /// The same with the P-384 line only.
    pub(crate) fn with_one_line() -> Self {
        Self::with_lines(&[(LINE, "p384.pem")])
    }

    fn with_lines(lines: &[(&str, &str)]) -> Self {
        let folder = Self::empty();
        let auditor = folder.auditor.clone();
        folder.good(&["init", "--vault", "V", "--auditor", &auditor]);
        for (line, key) in lines {
            folder.good(&[
                "key",
                "adopt",
                line,
                "--from",
                key,
                "--for",
                "saml",
                "--recipient",
                &auditor,
                "--vault",
                "V",
            ]);
            let public = folder.good(&["key", "export", line, "--vault", "V"]);
            fs::write(folder.path(&format!("{}.pub", line.rsplit('/').next().unwrap())), public.stdout)
                .unwrap();
        }
        folder
    }

    /// Makes the first key of a line with this profile, sealed to the auditor.
    pub(crate) fn generate(&self, line: &str, profile: &str) {
        fs::write(self.path("profile.toml"), profile).unwrap();
        let sealed = ["--profile", "profile.toml", "--recipient", &self.auditor, "--vault", "V"];
        self.good(&[&["key", "generate", line, "--algorithm", "p384"][..], &sealed].concat());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Runs the program here.
    pub(crate) fn fedroot(&self, arguments: &[&str]) -> Ran {
        ran(&self.command(FEDROOT).args(arguments).output().unwrap())
    }

    /// Runs the program here, which must succeed.
    pub(crate) fn good(&self, arguments: &[&str]) -> Ran {
        let ran = self.fedroot(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}{}", ran.stdout, ran.stderr);
        ran
    }

    /// Runs a shell line here, with the program in its path.
    pub(crate) fn shell(&self, line: &str) -> Ran {
        ran(&self.command("sh").args(["-c", line]).output().unwrap())
    }

    /// A command that runs here, with nothing of the caller's environment but the path.
    pub(crate) fn command(&self, program: &str) -> Command {
        let bin = Path::new(FEDROOT).parent().unwrap().display();
        let mut command = Command::new(program);
        command
            .current_dir(self.dir())
            .env_clear()
            .env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()))
            .env("HOME", self.dir())
            .env("AUDITOR", &self.auditor)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        command
    }
}

fn ran(output: &Output) -> Ran {
    Ran {
        // A signal shows as 128 and its number, as shells tell it.
        code: output.status.code().unwrap_or_else(|| {
            use std::os::unix::process::ExitStatusExt;
            128 + output.status.signal().unwrap_or(0)
        }),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Other tests start programs, and between fork and exec those hold the locks of this process.
pub(crate) fn patiently<T>(mut act: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
    for _ in 0..200 {
        match act() {
            Err(fault) if fault.code() == &disk::BUSY => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            other => return other,
        }
    }
    act()
}

/// The identities of the auditor of a folder.
pub(crate) fn identities(folder: &Folder) -> Identities {
    Identities::parse(&Secret::new(folder.read("auditor.key"))).unwrap()
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether an absent peer or corpus is a failure.
fn required() -> bool {
    std::env::var("FEDROOT_REQUIRE_PEERS").is_ok_and(|value| value == "1")
}

/// Whether these programs are here. When one is not, says loudly what is not shown.
pub(crate) fn peers(test: &str, programs: &[&str]) -> bool {
    programs.iter().all(|program| {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output()
            .unwrap()
            .status
            .success();
        if !found {
            skip(test, program);
        }
        found
    })
}

/// The corpus of real data, where there is one. When there is none, says loudly what is not shown.
pub(crate) fn corpus(test: &str) -> Option<PathBuf> {
    static CORPUS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let corpus = CORPUS
        .get_or_init(|| std::env::var_os("FEDROOT_CORPUS").map(PathBuf::from).filter(|path| path.is_dir()));
    if corpus.is_none() {
        skip(test, "the corpus (FEDROOT_CORPUS)");
    }
    corpus.clone()
}

/// Says loudly what is not shown, or fails when nothing may be skipped.
pub(crate) fn skip(test: &str, what: &str) {
    assert!(!required(), "{test} needs {what}, and FEDROOT_REQUIRE_PEERS=1 forbids to skip it");
    eprintln!("SKIPPED: {test}: {what} is not here");
}

/// Every file below a folder with one of these endings, sorted.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
