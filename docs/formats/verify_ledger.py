#!/usr/bin/env python3
"""verify_ledger.py LEDGER [CHECKPOINT ...]: checks a ledger of format 1, written from ledger.md alone. Needs only Python."""
import base64, hashlib, re, sys

P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # Ed25519: RFC 8032, section 5.1
D = -121665 * pow(121666, P - 2, P) % P
sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()

def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(n, point):
    total = (0, 1, 1, 0)
    while n:
        total, point, n = add(total, point) if n & 1 else total, add(point, point), n >> 1
    return total

def same(a, b): return not (a[0] * b[2] - b[0] * a[2]) % P and not (a[1] * b[2] - b[1] * a[2]) % P

def point(data):
    y, sign = int.from_bytes(data, "little") % 2**255, data[31] >> 7
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    x = x if (x * x - x2) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    need(y < P and (x * x - x2) % P == 0 and not (x == 0 and sign), "no point")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P

def ed25519(key, message, signature):
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    zero = (0, 1, 1, 0)
    need(s < Q and not same(times(8, a), zero) and not same(times(8, r), zero), "weak signature")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    need(same(times(s, BASE), add(r, times(k, a))), "wrong signature")

def need(good, why):
    if not good: raise ValueError(why)

def b64(text, count=None):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data) == text and count in (None, len(data)), "base64")
    return data

BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
N, B = rb"(0|[1-9][0-9]{0,15})", rb'"([A-Za-z0-9+/=]*)"'
M = rb"\[" + N + rb"," + B + rb"\]"
LINE = re.compile(rb'(((\{"v":1,"i":' + N + rb',"t":"([a-z]+)","ts":' + N + rb',"prev":' + B
    + rb'(?:,"origin":"([A-Za-z0-9._:/-]{1,255})","pk0":' + B + rb')?(?:,"re":' + N + rb')?(?:,"root":' + B + rb')?(?:,"pk0":' + B
    + rb'(?:,"known":' + M + rb')?)?(?:,"junk":' + M + rb')?,"s":' + N + rb'(?:,"env":' + B + rb')?)'
    + rb',"n":' + B + rb',"c":' + B + rb',"x":' + B + rb',"pk":' + B + rb'),"sig":' + B + rb'\})\n')
KINDS = b"genesis config intent outcome denied stage receipt note checkpoint recovery reseal audit".split()

def entry(line, at):
    m = LINE.fullmatch(line)
    need(m and len(line) <= 65536, "no line of format 1")
    (whole, sealed, _, i, kind, ts, prev, origin, pk0, re_, root, fresh, known, known_root, junk, junk_hash, s, env, n, c, x, pk, sig) = m.groups()
    i, ts, s, re_ = int(i), int(ts), int(s), None if re_ is None else int(re_)
    need(kind in KINDS and ts <= 253402207200 and max(i, s, int(known or 0), int(junk or 0)) < 2**53, "kind or number")
    need((kind == b"genesis") == (i == 0) == (origin is not None) and (kind == b"reseal") == (fresh is not None), "genesis or reseal")
    need(root is None or kind == b"intent" and len(b64(root, 32)) == 32, "root")
    need(junk is not None if kind == b"recovery" else junk is None or kind == b"reseal", "junk")
    need(kind in (b"outcome", b"denied") if re_ is not None else kind != b"outcome", "re")
    need(known is None or b64(known_root, 32), "known"); b64(n, 16); b64(c, 32); b64(env or b"")
    need(len(b64(x)) > 16 and len(b64(x)) % 256 == 16, "x")
    need(i == at["size"] and b64(prev, 32) == at["prev"], "it does not follow the line before")
    need(s == i if env is not None else s < i and s == at["s"], "session")
    need(re_ is None or re_ in at["open"], "it closes no open intent")
    need(kind != b"intent" or len(at["open"]) < 128, "too many open intents")
    need((int(junk), b64(junk_hash, 32)) == (len(at["junk"]), sha(at["junk"])) if junk else not at["junk"], "junk")
    at["origin"] = at["origin"] or origin
    key = b64(pk0 or fresh, 32) if pk0 or fresh else at["key"]
    ed25519(key, b"fedroot-ledger/v1 seal\n" + at["origin"] + b"\n" + sealed, b64(sig, 64))
    at.update(size=i + 1, prev=sha(b"\0", whole), key=b64(pk, 32), s=s, junk=b"")
    at["open"] = at["open"] - {re_} | ({i} if kind == b"intent" else set())
    peaks, node, count = at["peaks"], at["prev"], i
    while count & 1: node, count = sha(b"\1", peaks.pop(), node), count >> 1
    peaks.append(node); root = peaks[-1]
    for peak in peaks[-2::-1]: root = sha(b"\1", peak, root)
    at["roots"][i + 1] = (root, at["key"])
    if kind in (b"recovery", b"reseal"): print(kind.decode(), "at entry", i)

if len(sys.argv) < 2: sys.exit(__doc__)
at = dict(size=0, prev=bytes(32), key=None, s=0, open=set(), junk=b"", origin=None, peaks=[], roots={})
why = "the ledger is empty"
for line in open(sys.argv[1], "rb"):
    try: entry(line, at)
    except ValueError as error: at["junk"], why = at["junk"] + line, why if at["junk"] else f"entry {at['size']}: {error}"
if at["junk"] or not at["size"]: sys.exit(f"refused: {why}")
for name in sys.argv[2:]:
    text, _, below = open(name, encoding="utf-8", newline="").read().partition("\n\n")
    origin, size, root = text.split("\n")
    need(origin.encode() == at["origin"] and int(size) in at["roots"] and b64(root.encode()) == at["roots"][int(size)][0], f"{name}: fork")
    who = f"{origin}/seal/{size}"; key = at["roots"][int(size)][1]
    sig = b64(next(l for l in below.split("\n") if l.startswith(f"\u2014 {who} ")).split(" ")[2].encode(), 68)
    need(sig[:4] == sha(who.encode(), b"\n\1", key)[:4], f"{name}: key"); ed25519(key, text.encode() + b"\n", sig[4:])
    print("complete up to", size)
print("consistent:", at["size"], "entries, root", base64.b64encode(at["roots"][at["size"]][0]).decode(), "open", sorted(at["open"]))
