// npm's jose as a peer of the tests: many tokens in one start.
//
// `verify`: lines TOKEN <tab> JWK. `detached`: lines JWS <tab> JWK <tab> PAYLOAD, unencoded (RFC 7797). `sign`: lines ALG <tab>
// CLAIMS <tab> TYP <tab> TOKEN <tab> JWK, with a new key, which the claims get as `jwks`. All are names of files but ALG and
// TYP. Answers `ok`, or `no REASON`. Runs where its modules are.

import { readFileSync, writeFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto; // before node 20
globalThis.CryptoKey ??= webcrypto.CryptoKey;
const jose = await import("jose");

const text = (path) => readFileSync(path, "utf8").trim();
const json = (path) => JSON.parse(text(path));

// Keys without `alg` serve the algorithm that the header names, as far as their type allows it.
async function key(jwk, jws) {
  return jose.importJWK(jwk, jwk.alg ?? jose.decodeProtectedHeader(jws).alg);
}

async function verify(token, jwk) {
  if (text(token).startsWith("{")) {
    const jws = json(token);
    await jose.generalVerify(jws, await key(json(jwk), jws.signatures[0]));
  } else {
    await jose.compactVerify(text(token), await key(json(jwk), text(token)));
  }
}

async function detached(path, jwk, payload) {
  const [head, middle, signature] = text(path).split(".");
  if (middle !== "") throw new Error("the payload is not detached");
  const jws = { protected: head, signature, payload: new Uint8Array(readFileSync(payload)) };
  await jose.flattenedVerify(jws, await key(json(jwk), jws), { crit: { b64: true } });
}

async function sign(alg, claims, typ, token, jwk) {
  const pair = await jose.generateKeyPair(alg, { extractable: true });
  const own = await jose.exportJWK(pair.publicKey);
  Object.assign(own, { alg, kid: await jose.calculateJwkThumbprint(own), use: "sig" });
  const payload = Buffer.from(JSON.stringify({ ...json(claims), jwks: { keys: [own] } }));
  const signing = new jose.CompactSign(payload).setProtectedHeader({ alg, typ, kid: own.kid });
  writeFileSync(token, await signing.sign(pair.privateKey));
  writeFileSync(jwk, JSON.stringify(own));
}

const act = { verify, detached, sign }[process.argv[1]];
for (const line of readFileSync(0, "utf8").split("\n").filter((line) => line !== "")) {
  try {
    await act(...line.split("\t"));
    console.log("ok");
  } catch (problem) {
    console.log("no", `${problem}`.replace(/\s+/g, " "));
  }
}
