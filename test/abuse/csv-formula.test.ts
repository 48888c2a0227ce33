import { expect, test } from 'vitest';
import { evidenceFolder, readFolder } from '../../adapters/evidence/folder.ts';
import { homePaths } from '../../adapters/home.ts';
import { CYCLE, cycleEvidence } from '../support/cycle-evidence.ts';
import { SERVICE } from '../support/search-service.ts';

test('abuse 38: no cell of the dataset is a formula to the spreadsheet that opens it', async () => {
  const { service, order, seal } = await cycleEvidence();
  const { artifacts } = service.deps;
  const asked = ['=HYPERLINK("http://x","y")', '+1+cmd|calc', '-2+3', '@SUM(A1)', '\t=1', '\r=1', '\n=1'];
  const judged = asked.map((text, at) => ({ id: `=q${at}`, text, judgements: { '@doc': -1, 'a "plain", one': 2 } }));
  const left = (await artifacts.getJson(order.evidence.augment ?? { uri: '', sha256: '' })) as { manifest: object };
  const manifest = {
    ...left.manifest,
    train: await artifacts.putJson(judged),
    candidates: await artifacts.putJson([{ word: '=w', synonyms: ['-s'], score: 7.5, source: 'corpus' }]),
  };
  const augment = await artifacts.putJson({ ...left, manifest, dataset: await artifacts.putJson(manifest) });
  await seal({ ...order, evidence: { ...order.evidence, augment } });

  const files = await readFolder(evidenceFolder(homePaths(service.config.folder).evidence, SERVICE, CYCLE));
  const text = files?.get('augmented_dataset.csv')?.toString() ?? '';
  const rows = parseCsv(text);
  expect(rows).toContainEqual(['judgement', 'judged:train', "'=q0", `'${asked[0]}`, "'@doc", '-1']);
  expect(rows).toContainEqual(['judgement', 'judged:train', "'=q6", "'\n=1", 'a "plain", one', '2']);
  expect(rows).toContainEqual(['synonym', 'mined:corpus', '', "'=w", "'-s", '7.5']);
  for (const cell of rows.flatMap((row) => row.slice(0, -1))) expect(cell).not.toMatch(/^[=+\-@\t\r\n]/);
  for (const row of rows.slice(1)) expect(Number.isFinite(Number(row.at(-1))), 'a number, not a text').toBe(true);
});

/** As RFC 4180 has it. */
const parseCsv = (text: string): string[][] => {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
};
