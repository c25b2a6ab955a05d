// The demo server as a person starts it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openBoard } from './board.mjs';

const program = fileURLToPath(new URL('../../www/serve.mjs', import.meta.url));

test('the demo prints one address, where the board is filled and syncs, and ends when interrupted', async () => {
  const demo = spawn(process.execPath, [program, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await once(createInterface(demo.stdout), 'line');
    const url = line.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
    assert.ok(url, `no address in "${line}"`);
    const board = await openBoard({ app: { url } });
    await board.sees('Click a note to edit it');
    await board.state('Up to date');
    assert.equal(await board.page.locator('.card').count(), 5);
    board.unharmed();
    await board.close();
  } finally {
    demo.kill('SIGINT');
  }
  const [code] = await once(demo, 'exit');
  assert.equal(code, 0);
});
