// @openid-federation/core as a peer of the tests. Each line: a folder <tab> the subject's identifier <tab> the anchor's.
//
// The folder holds `site.json`: what is answered at which address. Answers the resolved metadata as JSON, or `no REASON`. Nothing
// leaves the machine: the library's `fetch` reads that file. Runs where its modules are.

import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto; // before node 20
globalThis.CryptoKey ??= webcrypto.CryptoKey;
const jose = await import("jose");
const { resolveTrustChains } = await import("@openid-federation/core");

async function verifyJwtCallback({ jwt, jwk }) {
  try {
    await jose.compactVerify(jwt, await jose.importJWK(jwk, jose.decodeProtectedHeader(jwt).alg));
    return true;
  } catch {
    return false;
  }
}

for (const line of readFileSync(0, "utf8").split("\n").filter((line) => line !== "")) {
  const [folder, entityId, anchor] = line.split("\t");
  const site = JSON.parse(readFileSync(`${folder}/site.json`, "utf8"));
  globalThis.fetch = async (address) => {
    // the library asks with `iss` too, and with an empty query
    const { origin, pathname, searchParams } = new URL(address);
    const sub = searchParams.get("sub");
    const found = site[`${origin}${pathname}${sub === null ? "" : `?sub=${sub}`}`];
    const headers = { "content-type": "application/entity-statement+jwt" };
    return new Response(found ?? "", { status: found === undefined ? 404 : 200, headers });
  };
  try {
    const chains = await resolveTrustChains({ entityId, trustAnchorEntityIds: [anchor], verifyJwtCallback });
    if (chains.length !== 1) throw new Error(`${chains.length} chains`);
    console.log(JSON.stringify(chains[0].resolvedLeafMetadata));
  } catch (problem) {
    console.log("no", `${problem} ${problem.cause ?? ""}`.replace(/\s+/g, " "));
  }
}
