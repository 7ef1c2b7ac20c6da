// Consumers that know nothing of fedroot: npm's jose, a clock that is a number, and one pinned key. They fetch the configuration
// of a ceremony when it appears, verify it with the keys that they trust, and from then on trust those that it lists. One fetches
// each of them; another one any later one, as long as the one that he has is valid. And the other way round: keys that did not
// sign verify nothing, and nothing is valid after its end.
//
// usage: node follow.mjs REHEARSAL MODULES

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto; // before node 20
globalThis.CryptoKey ??= webcrypto.CryptoKey;
const [rehearsal, modules] = process.argv.slice(2);
const found = createRequire(`${modules}/`).resolve("jose");
const jose = await import(pathToFileURL(found));
const read = (name) => readFileSync(`${rehearsal}/${name}`, "utf8").trim();
const steps = JSON.parse(read("steps.json"));
const pem = (version) => read(`${steps.ceremonies.find((it) => it.trusted.includes(version)).at}/trust/${version}.pem`);

async function jwk(version) {
  const own = await jose.exportJWK(await jose.importSPKI(pem(version), "ES384", { extractable: true }));
  return { ...own, alg: "ES384", kid: await jose.calculateJwkThumbprint(own) };
}

// What a key set verifies at a time; throws where the header names none of its keys.
async function verify(jwt, keys, typ, at) {
  const options = { typ, algorithms: ["ES384"], currentDate: new Date(at), issuer: "https://anchor.example.org" };
  return (await jose.jwtVerify(jwt, jose.createLocalJWKSet({ keys }), options)).payload;
}

async function refused(jwt, keys, typ, at, why) {
  const accepted = await verify(jwt, keys, typ, at).then(() => true, () => false);
  if (accepted) throw new Error(`${why}: it was accepted`);
}

const all = await Promise.all(steps.keys.map((key) => jwk(key.version)));
let trusted = all.slice(0, 1); // from another channel: the key of the first ceremony
let kept = []; // configurations that somebody still has
for (const step of steps.ceremonies) {
  const file = (kind) => step.files.find((file) => file.kind === kind);
  const configuration = file("entity-configuration");
  const [jwt, history] = [read(configuration.file), read(file("historical-keys").file)];
  const claims = await verify(jwt, trusted, "entity-statement+jwt", configuration.appears);
  const others = all.filter((key) => key.kid !== all[configuration.signed_by - 1].kid);
  kept = kept.filter((old) => old.until > configuration.appears);
  for (const old of kept) await verify(jwt, old.keys, "entity-statement+jwt", configuration.appears);
  await refused(jwt, others, "entity-statement+jwt", configuration.appears, "with the other key");
  await refused(jwt, all, "entity-statement+jwt", configuration.valid_until, "after its end");

  // It follows what it verified, and finds exactly the keys that the rehearsal says.
  trusted = claims.jwks.keys;
  kept.push({ until: configuration.valid_until, keys: trusted });
  const listed = configuration.lists.map((version) => all[version - 1].kid).sort();
  if (trusted.map((key) => key.kid).sort().join() !== listed.join()) throw new Error("other keys are listed");
  const past = await verify(history, trusted, "jwk-set+jwt", configuration.appears);
  await refused(history, others, "jwk-set+jwt", configuration.appears, "historical keys with the other key");
  const names = (keys) => keys.map((key) => `#${all.findIndex((own) => own.kid === key.kid) + 1}`).join(" ") || "none";
  console.log(`${step.at}  signed by #${configuration.signed_by}, lists ${names(trusted)}, historical ${names(past.keys)}`);
}
