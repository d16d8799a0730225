// A certified provider of OpenID Connect on a port of loopback, for tests: the npm package oidc-provider.
//
// Told by the environment: OIDC_MODULE is where the package lies, OIDC_TOLD a JSON object (see `told`). It prints its
// address in one line when it listens. POST /test takes {"do": ...}: what a test does to a provider.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { default: Provider } = await import(pathToFileURL(process.env.OIDC_MODULE));
const told = JSON.parse(process.env.OIDC_TOLD); // { clients, people: { NAME: claims }, format: "jwt" | "opaque", life }

let state = { life: told.life ?? 3600, keys: [makeKey()], people: told.people };
const asked = [];

function makeKey() {
	const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
	return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

const claimsOf = (name) => ({ preferred_username: name, ...state.people[name] });

async function grantFor(ctx) {
	const { client, session, result, provider } = ctx.oidc;
	const known = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
	if (known) return provider.Grant.find(known);
	const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
	grant.addOIDCScope("openid profile");
	grant.addResourceScope("urn:andond", "");
	await grant.save();
	return grant;
}

function make(issuer) {
	const server = { audience: "andond", scope: "", accessTokenTTL: state.life, accessTokenFormat: "jwt" };
	const resources = {
		enabled: told.format !== "opaque",
		defaultResource: () => "urn:andond",
		useGrantedResource: () => true,
		getResourceServerInfo: () => server,
	};
	const provider = new Provider(issuer, {
		clients: told.clients,
		jwks: { keys: state.keys },
		cookies: { keys: ["of a test"] },
		claims: { openid: ["sub"], profile: ["preferred_username", "roles", "realm_access", "resource_access", "tenant", "places"] },
		conformIdTokenClaims: false,
		features: { resourceIndicators: resources, rpInitiatedLogout: { enabled: true } },
		findAccount: (_ctx, id) => state.people[id] && { accountId: id, claims: () => ({ sub: id, ...claimsOf(id) }) },
		extraTokenClaims: (_ctx, token) => claimsOf(token.accountId),
		issueRefreshToken: () => told.refresh !== false,
		loadExistingGrant: grantFor,
		pkce: { required: () => true, methods: ["S256"] },
		rotateRefreshToken: true,
		ttl: { AccessToken: state.life, IdToken: state.life, Session: 86400, Grant: 86400, RefreshToken: 86400, Interaction: 600 },
	});
	return provider.callback();
}

const server = createServer(async (request, response) => {
	if (request.url !== "/test") {
		asked.push(`${request.method} ${request.url.split("?")[0]}`);
		return void answer(request, response);
	}
	let body = "";
	for await (const piece of request) body += piece;
	const { do: what, ...more } = JSON.parse(body);
	if (what === "rotate") state.keys = [makeKey()];
	if (what === "change") state = { ...state, ...more };
	if (what !== "tell") answer = make(issuer);
	response.end(JSON.stringify({ asked }));
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
let answer = make(issuer);
console.log(`listening at ${issuer}`);
process.stdin.on("end", () => process.exit()).resume();
