// Sessions and users of a CouchDB: the methods of pouchdb-authentication.
import { method, plainMethod } from './callbacks';
import type { Database, Doc, Options } from './database';
import { PotorooError, toError } from './errors';
import { clone } from './json';
import { serverRequest } from './remote';

/** Members of a user's document that metadata must not replace. */
const RESERVED = ['_id', '_rev', 'name', 'type', 'roles', 'password', 'password_scheme', 'iterations', 'derived_key', 'salt'];

const logIn = method('logIn', function (username: unknown, password: unknown, options?: Options) {
  demand(this, { username, password });
  return ask(this, options, 'POST', '_session', { name: username, password });
});

const logOut = method('logOut', function (options?: Options) {
  demand(this, {});
  return ask(this, options, 'DELETE', '_session');
});

const signUp = method('signUp', function (username: unknown, password: unknown, options?: Options) {
  demand(this, { username, password });
  const user = { name: username, password, roles: [], type: 'user', _id: idOf(username) };
  return putUser(this, user, options);
});

export const userMethods = {
  logIn,
  login: logIn,
  logOut,
  logout: logOut,
  signUp,
  signup: signUp,

  /** Who is logged in. */
  getSession: method('getSession', function (options?: Options) {
    demand(this, {});
    return ask(this, options, 'GET', '_session');
  }),

  getUser: method('getUser', function (username: unknown, options?: Options) {
    demand(this, { username });
    return getUser(this, username, options);
  }),

  /** Sets metadata and roles. */
  putUser: method('putUser', async function (username: unknown, options?: Options) {
    demand(this, { username });
    return putUser(this, await getUser(this, username, options), options);
  }),

  deleteUser: method('deleteUser', async function (username: unknown, options?: Options) {
    demand(this, { username });
    const { _id, _rev } = await getUser(this, username, options);
    return ask(this, options, 'DELETE', `${userPath(_id)}?rev=${encodeURIComponent(String(_rev))}`);
  }),

  changePassword: method('changePassword', async function (username: unknown, password: unknown, options?: Options) {
    demand(this, { username, password });
    const user = await getUser(this, username, options);
    return ask(this, options, 'PUT', userPath(user._id), { ...user, password });
  }),

  /** A copy under the new name takes the old one's place. */
  changeUsername: method('changeUsername', async function (oldName: unknown, newName: unknown, options?: Options) {
    demand(this, { 'new username': newName, 'username to rename': oldName });
    const taken = await getUser(this, newName, options).then(() => true, () => false);
    if (taken) throw Object.assign(authenticationError('user already exists'), { taken });
    const user = await getUser(this, oldName, options);
    const { _rev, ...copy } = user;
    const renamed = { ...copy, _id: idOf(newName), name: newName, roles: options?.roles ?? user.roles ?? [] };
    await ask(this, options, 'PUT', userPath(renamed._id), renamed);
    return ask(this, options, 'PUT', userPath(user._id), { ...user, _deleted: true });
  }),

  signUpAdmin: method('signUpAdmin', async function (username: unknown, password: unknown, options?: Options) {
    demand(this, { username, password });
    return ask(this, options, 'PUT', await adminPath(this, username, options), password);
  }),

  deleteAdmin: method('deleteAdmin', async function (username: unknown, options?: Options) {
    demand(this, { username });
    return ask(this, options, 'DELETE', await adminPath(this, username, options));
  }),

  /** The nodes of the cluster. */
  getMembership: method('getMembership', function (options?: Options) {
    demand(this, {});
    return ask(this, options, 'GET', '_membership');
  }),

  getUsersDatabaseUrl: plainMethod('getUsersDatabaseUrl', function (this: Database): string {
    const { name } = this.__opts;
    return `${String(name).replace(/\/*$/, '').replace(/\/[^/]*$/, '')}/_users`;
  }),
};

async function putUser(db: Database, user: Doc, options: Options | undefined): Promise<unknown> {
  const metadata = (options?.metadata ?? {}) as Doc;
  const reserved = Object.keys(metadata).find((name) => RESERVED.includes(name));
  if (reserved) throw authenticationError(`cannot use reserved word in metadata: "${reserved}"`);
  const changed = { ...user, ...clone(metadata), ...(options?.roles ? { roles: options.roles } : {}) };
  return ask(db, options, 'PUT', userPath(user._id), changed);
}

function getUser(db: Database, username: unknown, options: Options | undefined): Promise<Doc> {
  return ask(db, options, 'GET', userPath(idOf(username)));
}

const idOf = (username: unknown) => `org.couchdb.user:${String(username)}`;

const userPath = (id: unknown) => `_users/${encodeURIComponent(String(id))}`;

/** Where the configuration has the server's administrators; one of version 1 has no nodes. */
async function adminPath(db: Database, username: unknown, options: Options | undefined): Promise<string> {
  const admin = `/admins/${encodeURIComponent(String(username))}`;
  if (options?.configUrl) return String(options.configUrl) + admin;
  try {
    const { all_nodes } = (await ask(db, options, 'GET', '_membership')) as { all_nodes: string[] };
    return `_node/${all_nodes[0]}/_config${admin}`;
  } catch (error) {
    if ((error as { error?: unknown }).error !== 'illegal_database_name') throw error;
    return `_config${admin}`;
  }
}

async function ask(db: Database, options: Options | undefined, method: string, path: string, body?: unknown): Promise<Doc> {
  // pouchdb-authentication takes headers in this place.
  const { headers } = (options?.ajax ?? {}) as { headers?: Record<string, string> };
  const answer = await serverRequest(db, path, {
    method,
    headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const parsed = (await answer.json().catch(() => ({}))) as Doc;
  if (answer.ok) return parsed;
  const { error, reason } = parsed;
  throw toError({ ...parsed, status: answer.status, name: error ?? 'unknown_error', message: reason ?? answer.statusText });
}

function demand(db: Database, given: Record<string, unknown>): void {
  if (!db._remote) {
    throw authenticationError(
      'This plugin only works for the http/https adapter. ' +
        'So you should use new PouchDB("http://mysite.com:5984/mydb") instead.',
    );
  }
  for (const [name, value] of Object.entries(given)) if (!value) throw authenticationError(`You must provide a ${name}`);
}

function authenticationError(message: string): PotorooError {
  return new PotorooError(400, 'authentication_error', message);
}
