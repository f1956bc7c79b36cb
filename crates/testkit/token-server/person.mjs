// Somebody with a browser at the authorization server's pages for devices (RFC 8628, section 3.3).
//
//   node person.mjs allow|deny SERVER USER-CODE LOGIN
//   node person.mjs refresh-token SERVER CLIENT-ID SCOPE LOGIN   signs a device in, and prints its refresh token
//
// SERVER is the address below which its endpoints are.

const [, , does, server, ...given] = process.argv;
const cookies = new Map();

async function open(address, form) {
  const answer = await fetch(address, {
    method: form ? 'POST' : 'GET',
    body: form,
    redirect: 'manual',
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
  });
  for (const cookie of answer.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
    if (value) cookies.set(name, value);
    else cookies.delete(name);
  }
  const next = answer.headers.get('location');
  return next ? open(new URL(next, address)) : { address, status: answer.status, text: await answer.text() };
}

async function visit(allows, code, login) {
  const types = { user_code: code, login, password: 'of no account' };
  let page = await open(new URL('/device', server));
  for (let form = 0; form < 6; form += 1) {
    const [, action, inside] = /<form[^>]* action="([^"]+)"[^>]*>([^]*?)<\/form>/.exec(page.text) ?? [];
    if (!action) break;
    const fields = new URLSearchParams();
    for (const [input] of inside.matchAll(/<(?:input|button)[^>]*>/g)) {
      const name = /\bname="([^"]*)"/.exec(input)?.[1];
      const value = /\bvalue="([^"]*)"/.exec(input)?.[1];
      if (name && name !== 'abort') fields.set(name, types[name] ?? value ?? '');
    }
    const aborts = !allows && page.text.includes('abort');
    if (aborts) {
      fields.set('abort', 'yes');
      fields.delete('confirm');
    }
    page = await open(new URL(action, page.address), fields);
    if (aborts) return;
  }
  if (!allows || !page.text.includes('Sign-in Success')) throw new Error(`the pages end with: ${page.text}`);
}

async function ask(path, fields) {
  const answer = await fetch(`${server}${path}`, { method: 'POST', body: new URLSearchParams(fields) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(told));
  return told;
}

if (does === 'refresh-token') {
  const [client, scope, login] = given;
  const { device_code: device, user_code: code } = await ask('/devicecode', { client_id: client, scope });
  await visit(true, code, login);
  const grant = 'urn:ietf:params:oauth:grant-type:device_code';
  const { refresh_token: token } = await ask('/token', { grant_type: grant, client_id: client, device_code: device });
  console.log(token);
} else {
  await visit(does === 'allow', ...given);
}
