#!/usr/bin/env python3
"""usage: verify_ledger.py ledger.jsonl [IDENTITY]   written from docs/formats/ledger.md alone"""
import sys, re, json, hashlib, hmac, base64, subprocess
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives import hashes
H = lambda b: hashlib.sha256(b).digest()
NUM, B = r"(0|[1-9][0-9]{0,15})", r'"([A-Za-z0-9+/]+={0,2})"'
LINE = re.compile(r'\{"v":1,"i":%s,"t":"([a-z]+)","ts":%s,"prev":%s(?:,"origin":"([A-Za-z0-9._:/-]{1,255})","pk0":%s)?(?:,"re":%s)?(?:,"root":%s)?,"s":%s(?:,"env":%s)?,"n":%s,"c":%s,"x":%s,"pk":%s,"sig":%s\}'
    % (NUM, NUM, B, B, NUM, B, NUM, B, B, B, B, B, B))
KINDS = "genesis config intent outcome denied stage receipt note checkpoint recovery reseal audit".split()
def b64(s, n=None):
    raw = base64.b64decode(s, validate=True)
    assert base64.b64encode(raw).decode() == s and n in (None, len(raw)), "base64"
    return raw
def fold(peaks):
    h = peaks[-1]
    for p in reversed(peaks[:-1]): h = H(b"\1" + p + h)
    return h
def verify(path, identity=None):
    prev, peaks, opened, s, origin, key, i = bytes(32), [], set(), None, None, None, -1
    for i, raw in enumerate(open(path, "rb")):
        assert raw.endswith(b"\n"), "torn"
        line = raw[:-1]; assert len(line) <= 65535
        m = LINE.fullmatch(line.decode("ascii")); assert m, "grammar"
        n, t, ts, pv, org, pk0, rei, root, sess, env, salt, c, x, pk, sig = m.groups()
        assert t in KINDS and all(int(v) < 2**53 for v in (n, ts, sess, rei or "0")) and int(ts) <= 253402207200
        assert int(n) == i and b64(pv) == prev and (t == "genesis") == (i == 0) == (org is not None)
        if i == 0: origin, key = org, b64(pk0, 32)
        assert rei is None if t not in ("outcome", "denied") else rei is not None or t == "denied"
        assert root is None or t == "intent" and b64(root, 32)
        head = line[:line.rindex(b',"sig":')]
        Ed25519PublicKey.from_public_bytes(key).verify(b64(sig, 64), f"fedroot-ledger/v1 seal\n{origin}\n".encode() + head)
        assert int(sess) == (i if env else s); s = int(sess)
        if rei: opened.remove(int(rei))
        if t == "intent": opened.add(i); assert len(opened) <= 128
        prev, key, ct, salt, c = H(b"\0" + line), b64(pk, 32), b64(x), b64(salt, 16), b64(c, 32)
        assert len(ct) > 16 and (len(ct) - 16) % 256 == 0
        h, k = prev, i
        while k & 1: h, k = H(b"\1" + peaks.pop() + h), k >> 1
        peaks.append(h)
        if identity:
            if env: sk = subprocess.run(["age", "-d", "-i", identity], input=b64(env), capture_output=True, check=True).stdout
            okm = HKDF(hashes.SHA256(), 64, salt, b"fedroot-ledger/v1 record").derive(sk)
            pt = ChaCha20Poly1305(okm[:32]).decrypt(bytes(12), ct, line[:line.index(b',"n":')])
            assert hmac.digest(okm[32:], pt, "sha256") == c; print(i, t, json.loads(pt))
        elif env: b64(env)
    assert i >= 0, "empty"
    return i + 1, base64.b64encode(fold(peaks)).decode(), sorted(opened)
if __name__ == "__main__":
    try: print("consistent: size %d root %s open %s" % verify(*sys.argv[1:3]))
    except Exception as why: sys.exit(f"FAIL {type(why).__name__} {why}")
