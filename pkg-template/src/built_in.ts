// What are plugins of PouchDB's, and part of every database here, because most applications install them.
import { dumpMethods } from './dump';
import { loadMethods } from './load';
import { transform } from './transform';
import { upsertMethods } from './upsert';
import { userMethods } from './users';

export const builtInMethods = { ...upsertMethods, ...userMethods, ...dumpMethods, ...loadMethods, transform };
