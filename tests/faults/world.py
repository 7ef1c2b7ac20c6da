"""What tests/faults/run breaks and looks at: a folder with a vault, and everything that must hold afterwards."""

import atexit, collections, concurrent.futures, hashlib, json, os, pathlib, re, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINE = "example.org/sandbox/metadata"
WRITES = """write writev pwrite64 pwritev pwritev2 fdatasync fsync sync_file_range fallocate ftruncate truncate link linkat
    rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat symlinkat chmod fchmod fchmodat openat open creat
    copy_file_range sendfile utimensat""".split()
LEFTOVER = re.compile(r"\.fedroot-")
WHOLE_RECORD = re.compile(r"fedroot last signed v4 saml\n(entity .*\n)*facts .*\nend \d+\n")
violations, figures, skipped = [], collections.Counter(), []

# In memory where that is possible: what a power cut leaves is enumerated, not tried. FEDROOT_FAULTS_DIR names another place.
PLACE = os.environ.get("FEDROOT_FAULTS_DIR") or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
WORK = pathlib.Path(tempfile.mkdtemp(prefix="fedroot-faults-", dir=PLACE))
atexit.register(shutil.rmtree, WORK, ignore_errors=True)


def fail(case, what):
    violations.append(f"{case}: {what}")


def skip(section, why):
    skipped.append(f"{section}: {why}")
    print(f"SKIPPED: {section}: {why}", flush=True)


class World:
    """A folder with a vault, an auditor's identity, a document, and all that a case may look at afterwards."""

    def __init__(self, path, program):
        self.path, self.program, self.user = path, program, []

    def copy(self, name):
        shutil.copytree(self.path, WORK / name)
        return World(WORK / name, self.program)

    def gone(self):
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def log(self):
        return self.path / "V/ledger/ledger.jsonl"

    @property
    def state(self):
        return self.path / "V/ledger/state"

    def command(self, *arguments):
        return [*self.user, self.program, *arguments, "--json"]

    def start(self, arguments, before=(), **options):
        return subprocess.Popen([*before, *arguments], cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                                **options)

    def run(self, *arguments, before=(), **options):
        process = self.start(self.command(*arguments), before, **options)
        out, err = process.communicate(timeout=120)
        return Ran(process.returncode, out, err)

    def sign(self, output, **options):
        return self.run(*self.signing(output), **options)

    def signing(self, output):
        return ["sign", "saml", "entity.xml", "--key", LINE, "--identity", "auditor.key", "--output", output, "--vault", "V"]

    def lines(self):
        """The entries; what a torn write left, and a recovery named, is none."""
        found = []
        for line in self.log.read_bytes().split(b"\n")[:-1]:
            try:
                found.append(json.loads(line))
            except ValueError:
                pass
        return found


class Ran:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        try:
            self.json = json.loads(out)
        except ValueError:
            self.json = {}

    @property
    def fault(self):
        # On failure the JSON document may stand on either stream.
        found = re.search(r'"code"\s*:\s*"([a-z.-]+)"', self.out + self.err)
        return found[1] if found else ""

    def __str__(self):
        return f"exit {self.code} {self.fault} {(self.err or self.out).strip()[:200]}"


def make_base(program):
    """One world that all cases are copies of."""
    world = World(WORK / "base", program)
    world.path.mkdir()
    shutil.copy(ROOT / "tests/documents/entity.xml", world.path)
    shutil.copy(ROOT / "tests/keys/p384.pem", world.path)
    (world.path / "p384.pem").chmod(0o600)
    good = lambda ran: ran if ran.code == 0 else sys.exit(f"the base cannot be made: {ran}")
    world.auditor = good(world.run("identity", "generate", "--output", "auditor.key")).json["recipient"]
    good(world.run("init", "--vault", "V", "--auditor", world.auditor))
    good(world.run("key", "adopt", LINE, "--from", "p384.pem", "--for", "saml", "--recipient", world.auditor, "--vault", "V"))
    public = good(world.run("key", "export", LINE, "--vault", "V")).json["pem"]
    (world.path / "public.pem").write_text(public)
    good(world.sign("first.xml"))
    return world


def tree(path):
    """Every file below a folder that must not change, with its digest."""
    changing = ("V/ledger/", "V/signed/", "V/journal.jsonl")
    found = {}
    for file in path.rglob("*"):
        name = str(file.relative_to(path))
        if file.is_file() and not name.startswith(changing) and not LEFTOVER.search(name):
            found[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


# ---- what must hold afterwards ----

def check_ledger(case, world, base_log):
    """The ledger is consistent or refused, and only grew. Gives its lines, or None where it was refused."""
    ran = world.run("ledger", "verify", "--vault", "V")
    if not world.log.exists() or not world.log.read_bytes().startswith(base_log):
        fail(case, "an acknowledged entry is gone")
        return None
    if ran.code == 0:
        return world.lines()
    if ran.code != 6 or ran.fault != "ledger.torn":
        fail(case, f"the ledger cannot be verified: {ran}")
    figures["refused as torn"] += 1
    return None


def artefacts(world):
    """The documents that the ledger says were signed: digest by index of the intent."""
    ran = world.run("ledger", "show", "--identity", "auditor.key", "--vault", "V")
    entries = ran.json.get("entries", [])
    return {entry["re"]: entry["body"]["artefact"] for entry in entries
            if entry["type"] == "outcome" and (entry["body"] or {}).get("result") == "signed"}


def check_outputs(case, world, names):
    """Each finished document is whole, verifies, and stands in the ledger with intent and outcome."""
    recorded = set(artefacts(world).values())
    for name in names:
        digest = "sha256:" + hashlib.sha256((world.path / name).read_bytes()).hexdigest()
        if digest not in recorded:
            fail(case, f"{name} exists, and no outcome in the ledger has its digest")
        ran = world.run("verify", "saml", name, "--trust", "public.pem")
        if ran.code != 0:
            fail(case, f"{name} exists and does not verify: {ran}")


def check_nothing_else(case, world, before, expected):
    after = tree(world.path)
    for name, digest in before.items():
        if after.get(name) != digest:
            fail(case, f"{name} changed or is gone")
    for name in after.keys() - before.keys() - set(expected):
        fail(case, f"{name} appeared")
    for file in (world.path / "V/signed").rglob("*"):
        if file.is_file() and not LEFTOVER.search(file.name) and not WHOLE_RECORD.fullmatch(file.read_text()):
            fail(case, f"{file.name} is not whole")


def check_sign(case, world, ran, base_log, before):
    """All that is promised after one signature that was disturbed."""
    outputs = [name for name in ["out.xml"] if (world.path / name).exists()]
    check_nothing_else(case, world, before, ["out.xml"])
    lines = check_ledger(case, world, base_log)
    if lines is None and outputs:
        fail(case, "a document was finished, and the ledger is refused")
    if ran.code == 0 and not outputs:
        fail(case, "exit code 0 without the document")
    if lines is not None:
        check_outputs(case, world, outputs)
        closed = {line["re"] for line in lines if "re" in line}
        opened = [line["i"] for line in lines if line["t"] == "intent" and line["i"] not in closed]
        figures["intents left open"] += len(opened)
        intent = ran.json.get("ledger_intent")
        if ran.code == 0 and (intent is None or lines[intent]["t"] != "intent" or intent not in closed):
            fail(case, "exit code 0 without intent and outcome")
    figures["documents finished"] += len(outputs)
    later = world.sign("later.xml")
    if lines is None:
        if later.code != 6 or (world.path / "later.xml").exists():
            fail(case, f"signed with a refused ledger: {later}")
    elif later.code != 0:
        fail(case, f"the next signature does not work: {later}")
    else:
        check_ledger(case, world, base_log)
        check_outputs(case, world, ["later.xml"])
        ran = world.run("ledger", "rebuild", "--compare", "--identity", "auditor.key", "--vault", "V")
        if ran.code != 0:
            fail(case, f"the journal is not what the ledger says: {ran}")


def each(cases, run):
    with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        list(pool.map(run, cases))
