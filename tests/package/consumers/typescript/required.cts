// The same from CommonJS, as it is written without esModuleInterop.
import Potoroo = require('potoroo');
import slim = require('potoroo/slim');

const db: Potoroo.Database = new Potoroo('notes');
export const ready: Promise<void> = slim.initialize(new Uint8Array());
export const info: Promise<Potoroo.Core.DatabaseInfo> = db.info();
export const sameClass: boolean = Potoroo.default === slim.default && Potoroo.Potoroo === slim.Potoroo;
