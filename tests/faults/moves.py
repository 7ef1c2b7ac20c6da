"""Every move in the life of a key, disturbed at every system call that writes.

After each case the keys stand where they stood before or where the move leads, never between; a move that was acknowledged
happened; the move can be made again unless it happened; the next signature works, where a key is active; and an auditor finds
the journal to be what the ledger says.
"""

import datetime

from injection import inject
from world import *

PROFILE = """version = 1
kinds = ["saml"]
policy_ref = "tests/faults"

[[channels]]
name = "metadata"
kind = "saml-anchor"
distribution = "PT0S"
notice = "PT0S"
skew = "PT0S"
retire_safety = "PT0S"
"""
REASON = ["--reason", "tests"]


class Move:
    """A move: the world before it, its command, and the stages of the keys before and after. `through`: stages that an act of
    two moves goes through."""

    def __init__(self, name, base, command, after, through=(), again=4):
        self.name, self.base, self.command, self.again = name, base, command, again
        self.before = stages(base)
        self.allowed = [self.before, *through, after]
        self.after = after


def rotate(act, *more):
    return ["rotate", act, LINE, *more, "--vault", "V"]


def confirmed(world, command):
    """The command with the digest of its request, for what is final."""
    ran = world.run(*command, "--dry-run")
    return [*command, "--confirm", ran.json["request"]]


def stages(world):
    ran = world.run("key", "list", "--vault", "V")
    return {int(key["key"].split("#")[1]): key["stage"] for key in ran.json.get("keys", [])}


def grown(base, name, *commands):
    """A copy of a world in which these commands were run."""
    world = base.copy(name)
    for command in commands:
        ran = world.run(*command)
        if ran.code != 0:
            sys.exit(f"the world '{name}' cannot be made: {' '.join(command)}: {ran}")
    return world


def moves(base):
    """The moves and the worlds that they start from. Every window is open at once."""
    empty = base.copy("moves")
    shutil.rmtree(empty.path / "V")
    (empty.path / "profile.toml").write_text(PROFILE)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    sealed = ["--recipient", base.auditor]
    one = grown(empty, "one", ["init", "--vault", "V", "--auditor", base.auditor],
                ["key", "adopt", LINE, "--from", "p384.pem", "--profile", "profile.toml", *sealed, "--vault", "V"])
    stage, publish = rotate("stage", *sealed), rotate("publish")
    observe = ["observe", "saml", "new.xml", "--seen-at", now, "--from", "https://md.example.org/", "--vault", "V"]
    staged = grown(one, "staged", stage)
    published = grown(staged, "published", publish)
    doubled = grown(published, "doubled", [*published.signing("old.xml"), "--copy", "new.xml"])
    observe[4] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    observed = grown(doubled, "observed", observe)
    activated = grown(observed, "activated", rotate("activate"))
    suspend = ["key", "suspend", LINE, *REASON, "--vault", "V"]
    suspended = grown(one, "suspended", suspend)
    standby = grown(one, "standby", rotate("stage", "--standby", *sealed))
    retired = grown(published, "retired", ["rotate", "retire", f"{LINE}#2", "--vault", "V"])
    revoke = confirmed(one, rotate("revoke", *REASON))
    renew = rotate("renew-certificate", "--identity", "auditor.key")
    destroy = confirmed(retired, ["key", "destroy", f"{LINE}#2", "--vault", "V"])
    emergency = confirmed(standby, rotate("emergency", *REASON))
    both = {1: "active", 2: "published"}
    return [
        Move("stage", one, stage, {1: "active", 2: "generated"}, again=3),
        Move("publish", staged, publish, both),
        Move("observe", doubled, observe, both, again=0),
        Move("activate", observed, rotate("activate"), {1: "retiring", 2: "active"}),
        Move("rollback", activated, rotate("rollback", *REASON), {1: "active", 2: "retiring"}, again=0),
        Move("retire", published, ["rotate", "retire", f"{LINE}#2", "--vault", "V"], {1: "active", 2: "retired"}),
        Move("destroy", retired, destroy, {1: "active", 2: "destroyed"}, again=3),
        Move("suspend", one, suspend, {1: "suspended"}),
        Move("resume", suspended, ["key", "resume", LINE, *REASON, "--vault", "V"], {1: "active"}),
        Move("revoke", one, revoke, {1: "revoked"}),
        Move("emergency", standby, emergency, {1: "revoked", 2: "active"}, [{1: "revoked", 2: "standby"}]),
        Move("renew-certificate", one, renew, {1: "active"}, again=0),
    ]


def check_of(move):
    def check(case, world, ran, base_log, before):
        lines = check_ledger(case, world, base_log)
        if lines is None:
            recovered = world.run("ledger", "recover", "--vault", "V")
            if recovered.code != 0:
                return fail(case, f"recovering does not work afterwards: {recovered}")
        now = stages(world)
        happened = now == move.after and move.after != move.before
        if now not in move.allowed:
            fail(case, f"the keys are {now}, neither before nor after the move")
        if ran.code == 0 and now != move.after:
            fail(case, f"exit code 0, and the keys are {now}")
        figures["moves that happened" if happened else "moves that did not"] += 1
        if move.name == "emergency" and now not in (move.before, move.after):
            figures["emergencies cut in two"] += 1
        again(case, world, move, happened)
        made = {str(path.relative_to(world.path)) for path in (world.path / "V/keys").rglob("*")}
        kept = {name: digest for name, digest in before.items() if (world.path / name).exists() or not is_gone(name, move)}
        if move.name == "renew-certificate":
            kept = {name: digest for name, digest in kept.items() if not name.endswith("cert.pem")}
        signed = world.sign("later.xml")
        if (signed.code == 0) != ("active" in stages(world).values()):
            fail(case, f"the next signature, of keys that are {stages(world)}: {signed}")
        check_nothing_else(case, world, kept, made | {"later.xml"})
        check_ledger(case, world, base_log)
        ran = world.run("ledger", "rebuild", "--compare", "--identity", "auditor.key", "--vault", "V")
        if ran.code != 0:
            fail(case, f"the journal is not what the ledger says: {ran}")

    return check


def is_gone(name, move):
    return move.name == "destroy" and name.endswith("2.key.age")


def again(case, world, move, happened):
    """The same command once more: refused where the move happened, and it happens where it did not."""
    command = move.command
    if move.name == "emergency" and stages(world) != move.before:
        command = rotate("emergency", *REASON)
        command = command if happened else confirmed(world, command)
    ran = world.run(*command)
    expected = move.again if happened else 0
    if move.name == "emergency" and happened:
        expected = 4  # the key that took over is not the next one that these words stop
    if ran.code != expected:
        fail(case, f"a second attempt after {now_or_not(happened)}: {ran}")
    if not happened and stages(world) != move.after:
        fail(case, f"a second attempt leads to {stages(world)}")
    if move.name == "destroy" and (world.path / f"V/keys/{LINE}/2.key.age").exists():
        fail(case, "a key is destroyed, and its sealed file is there")


def now_or_not(happened):
    return "the move happened" if happened else "it did not happen"


def run(base, faults, names=None):
    for move in moves(base):
        if names is None or move.name in names:
            inject(f"move {move.name}", move.base, move.command, check_of(move), faults)
