import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RULES } from '../../check/check.ts';

test('docs/guide/check.md names each rule of the checker, and no other', () => {
  const guide = readFileSync(new URL('../../docs/guide/check.md', import.meta.url), 'utf8');
  const [, rules = ''] =
    guide
      .split(/^## /m)
      .filter((section) => section.startsWith('The rules'))[0]
      ?.split('The rules') ?? [];
  const named = [...rules.matchAll(/^- (.+)$/gm)].map(([, rule]) => rule);
  expect(named).toEqual(Object.keys(RULES));
  expect(guide).toContain(`${named.length} rules over`);
});
