// An authorization server: oidc-provider, addressed as Microsoft's is, and beside it Google's service accounts, strictly as
// Google documents them.
//
//   node server.mjs DIRECTORY-OF-NODE_MODULES SETTINGS LOG
//
// SETTINGS is a JSON file, read anew with every request; what is in LOG is one JSON object for each request, with all secrets.
// The first line of LOG tells address and key.

import { X509Certificate, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const [, , modules, settingsFile, logFile] = process.argv;
const { Provider, errors } = await import(join(modules, 'oidc-provider/lib/index.js'));
const settings = () => JSON.parse(readFileSync(settingsFile));
const log = (entry) => appendFileSync(logFile, `${JSON.stringify(entry)}\n`);

// The clock of this server, which may be wrong.
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [Date.now()]));
  }

  static now() {
    return RealDate.now() + settings().clock_is_ahead_seconds * 1000;
  }
};
const seconds = () => Math.floor(Date.now() / 1000);

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const { tenant, resources, clients, service_accounts: accounts } = settings();
const KID = 'k1';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const sockets = createServer().listen(0, '127.0.0.1');
await new Promise((listening) => { sockets.once('listening', listening); });
const issuer = `http://127.0.0.1:${sockets.address().port}`;
const tokenPath = `/${tenant}/oauth2/v2.0/token`;

// A scope is a resource and what may be done there, as at Microsoft.
const resourceOf = (scope = '') => resources.find((it) => scope.split(' ').some((word) => word.startsWith(it)));
const resourceServer = (ctx, resource) => ({
  audience: resource,
  scope: `${resource}/.default ${resource}/IMAP.AccessAsUser.All ${resource}/`,
  accessTokenTTL: settings().token_life_seconds,
  accessTokenFormat: 'jwt',
  jwt: { sign: { alg: 'RS256' } },
});
const thumbprints = new Map();

function client({ id, secret, certificate, grants }) {
  const common = { client_id: id, grant_types: grants, redirect_uris: [], response_types: [] };
  if (secret) return { ...common, client_secret: secret, token_endpoint_auth_method: 'client_secret_post' };
  if (!certificate) return { ...common, token_endpoint_auth_method: 'none' };
  const { fingerprint256, publicKey: key } = new X509Certificate(certificate);
  thumbprints.set(id, Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'));
  return { ...common, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.export({ format: 'jwk' })] } };
}

const provider = new Provider(issuer, {
  routes: {
    token: tokenPath,
    device_authorization: `/${tenant}/oauth2/v2.0/devicecode`,
  },
  clients: [
    ...clients.map(client),
    client({ id: 'service-accounts', grants: [JWT_BEARER] }),
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: KID, alg: 'RS256', use: 'sig' }] },
  cookies: { keys: ['of tests'] },
  clientAuthMethods: ['client_secret_post', 'private_key_jwt', 'none'],
  clockTolerance: settings().clock_tolerance_seconds,
  // Microsoft knows a certificate by its SHA-256 in the header.
  assertJwtClientAuthClaimsAndHeader(ctx, claims, header, { clientId }) {
    if (header['x5t#S256'] !== thumbprints.get(clientId)) {
      throw new errors.InvalidClientAuth('the certificate named by x5t#S256 is not registered');
    }
  },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx) => resourceOf(ctx.oidc.params.scope),
      useGrantedResource: () => true,
      getResourceServerInfo: resourceServer,
    },
  },
  // Dovecot wants this type.
  formats: {
    customizers: {
      jwt(ctx, token, jwt) {
        jwt.header = { typ: 'JWT' };
        jwt.payload.nbf = jwt.payload.iat;
      },
    },
  },
  issueRefreshToken: (ctx, { grantTypes }) => grantTypes.includes('refresh_token'),
  rotateRefreshToken: true,
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
});

// https://developers.google.com/identity/protocols/oauth2/service-account#httprest
function googleRefuses(code, words) {
  const error = new errors.CustomOIDCProviderError(code, words);
  error.statusCode = 400;
  throw error;
}

function decoded(part) {
  return JSON.parse(Buffer.from(part, 'base64url'));
}

provider.registerGrantType(JWT_BEARER, async (ctx, next) => {
  const parts = (ctx.oidc.params.assertion ?? '').split('.');
  let header;
  let claims;
  try {
    [header, claims] = [decoded(parts[0]), decoded(parts[1])];
  } catch {
    googleRefuses('invalid_grant', 'Bad Request');
  }
  const account = accounts.find(({ email }) => email === claims.iss);
  if (!account) googleRefuses('invalid_grant', 'Invalid grant: account not found');
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  if (parts.length !== 3 || header.alg !== 'RS256' || header.kid !== account.key_id
    || !verify('sha256', signed, createPublicKey(account.public_key), Buffer.from(parts[2], 'base64url'))) {
    googleRefuses('invalid_grant', 'Invalid JWT Signature.');
  }
  if (claims.aud !== issuer + tokenPath) googleRefuses('invalid_grant', 'Invalid JWT: audience is not the token endpoint');
  const now = seconds();
  const isShort = claims.exp > claims.iat && claims.exp - claims.iat <= 3600;
  if (!isShort || claims.iat > now + 60 || claims.exp <= now) {
    googleRefuses('invalid_grant', 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. '
      + 'Check your iat and exp values in the JWT claim.');
  }
  if (!claims.sub?.endsWith(`@${account.domain}`)) googleRefuses('invalid_grant', 'Invalid email or User ID');
  if (!account.scopes.includes(claims.scope)) {
    googleRefuses('unauthorized_client', 'Client is unauthorized to retrieve access tokens using this method, or client not '
      + 'authorized for any of the scopes requested.');
  }
  const { AccessToken, ResourceServer } = provider;
  const { sub, scope } = claims;
  const grantId = `${account.email} ${sub}`;
  const token = new AccessToken({ accountId: sub, client: ctx.oidc.client, grantId, gty: 'jwt-bearer', scope });
  const resource = resourceOf(scope);
  token.resourceServer = new ResourceServer(resource, resourceServer(ctx, resource));
  ctx.body = { access_token: await token.save(), expires_in: token.expiration, token_type: 'Bearer' };
  await next();
}, ['assertion', 'scope']);

// Every question for a token is written down with its answer, which tells the time of this server.
provider.use(async (ctx, next) => {
  ctx.set('Date', new Date().toUTCString());
  if (ctx.method !== 'POST' || !ctx.path.startsWith(`/${tenant}/`)) return next();
  const chunks = [];
  for await (const chunk of ctx.req) chunks.push(chunk);
  const asked = new URLSearchParams(Buffer.concat(chunks).toString());
  // Google's service accounts are no clients: who asks is told by the assertion alone.
  if (asked.get('grant_type') === JWT_BEARER) asked.set('client_id', 'service-accounts');
  ctx.req.body = asked.toString();
  await next();
  log({
    path: ctx.path,
    status: ctx.status,
    grant: asked.get('grant_type')?.split(':').pop(),
    asked: Object.fromEntries(asked),
    answered: ctx.body,
  });
});

// What the answer does not tell: which rule was broken.
for (const event of ['grant.error', 'device_authorization.error']) {
  provider.on(event, (ctx, error) => log({ event, error: error.error_detail ?? error.error_description }));
}
provider.on('server_error', (ctx, error) => log({ event: 'server_error', error: error.stack }));
sockets.on('request', provider.callback());
log({ issuer, kid: KID, key: publicKey.export({ type: 'spki', format: 'pem' }) });
