import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byPosition, positionBetween } from '../../www/src/board/positions.js';

/** Small and repeatable, so that a failure can be run again with its seed. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function assertBetween(position, before, after, hint) {
  assert.ok(before === undefined || before < position, `${hint}: ${before} < ${position}`);
  assert.ok(after === undefined || position < after, `${hint}: ${position} < ${after}`);
  assert.ok(!position.endsWith('0'), `${hint}: ${position} ends in 0, nothing could go before it`);
}

test('a position lies between its neighbours wherever notes are dropped', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = generator(seed);
    const list = [];
    for (let step = 0; step < 300; step += 1) {
      const index = Math.floor(random() * (list.length + 1));
      const position = positionBetween(list[index - 1], list[index], random);
      assertBetween(position, list[index - 1], list[index], `seed ${seed}, step ${step}`);
      list.splice(index, 0, position);
    }
  }
});

test('a thousand notes added at the end, or at the top, keep short positions', () => {
  for (const atTop of [false, true]) {
    let edge;
    for (let step = 0; step < 1000; step += 1) {
      const position = atTop ? positionBetween(undefined, edge) : positionBetween(edge, undefined);
      assertBetween(position, atTop ? undefined : edge, atTop ? edge : undefined, `step ${step}`);
      edge = position;
    }
    assert.ok(edge.length < 60, `${edge.length} characters: ${edge}`);
  }
});

test('two people who drop notes at the same spot get different positions nearly always', () => {
  const seen = new Set(Array.from({ length: 100 }, () => positionBetween('A', 'K')));
  assert.ok(seen.size > 80, `only ${seen.size} of 100 differ`);
});

test('equal positions are ordered by id, so everybody sees the same order', () => {
  const notes = [{ _id: 'card:b', position: 'V' }, { _id: 'card:a', position: 'V' }];
  assert.deepEqual(notes.sort(byPosition).map((note) => note._id), ['card:a', 'card:b']);
});
