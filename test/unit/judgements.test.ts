import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCsv } from '../../adapters/judgements/csv.ts';
import { type JudgedLine, type JudgementFormat, judgedText, parseJudged } from '../../adapters/judgements/formats.ts';
import { type JudgementTexts, mergeJudgements } from '../../adapters/judgements/merge.ts';
import { parseJudgements } from '../../adapters/service/data.ts';

const QUERIES = '{"_id":"q1","text":"How to read?"}\n{"_id":"q2","text":"why"}';
const JUDGED = 'query-id\tcorpus-id\tscore\nq1\ta\t1\r\nq1\tb\t0';
const texts = (train = ''): JudgementTexts => ({
  queries: { name: 'queries.jsonl', text: QUERIES },
  judgements: { name: 'test.tsv', text: JUDGED },
  others: [{ split: 'train', source: { name: 'train.tsv', text: train } }],
});
const line = (over: Partial<JudgedLine>): JudgedLine => ({ id: null, query: null, document: 'a', grade: 1, ...over });
const merge = (lines: readonly JudgedLine[], { replace = false, train = '' } = {}) =>
  mergeJudgements(texts(train), lines, { replace });

describe('what comes in', () => {
  test('is added below what is there, which keeps its bytes', () => {
    const merged = merge([line({ id: 'q2', document: 'c', grade: 2 })]);
    expect(merged.judgements).toBe(`${JUDGED}\nq2\tc\t2\n`);
    expect(merged.queries).toBe(QUERIES);
  });

  test('and is there already, by the id or by the words of its query, changes nothing', () => {
    const merged = merge([
      line({ id: 'q1' }),
      line({ query: 'HOW to read' }),
      line({ id: 'q1', document: 'b', grade: 0 }),
    ]);
    expect(merged).toMatchObject({ judgements: JUDGED, queries: QUERIES, added: 0, repeated: 3 });
  });

  test('with a new query brings its text, under its own id or one that its words always get', () => {
    const one = merge([
      line({ query: 'Where is it?' }),
      line({ query: 'where is IT', document: 'b' }),
      line({ id: 'q9', query: 'x' }),
    ]);
    expect(one).toMatchObject({ newQueries: 2, added: 3 });
    const [, , fresh = '', own = ''] = one.queries.split('\n');
    expect(JSON.parse(own)).toEqual({ _id: 'q9', text: 'x' });
    expect(JSON.parse(fresh)).toMatchObject({ _id: expect.stringMatching(/^q-[0-9a-f]{12}$/), text: 'Where is it?' });
    expect(merge([line({ query: 'where is it' })]).queries).toContain(JSON.parse(fresh)._id);
  });

  test('and contradicts is refused as a whole, or replaces that one line', () => {
    const lines = [line({ id: 'q1', grade: 3 }), line({ id: 'q2' })];
    expect(() => merge(lines)).toThrow(/q1 a: 1, now 3/);
    const merged = merge(lines, { replace: true });
    expect(merged.judgements).toBe('query-id\tcorpus-id\tscore\nq1\ta\t3\r\nq1\tb\t0\nq2\ta\t1\n');
    expect(merged).toMatchObject({ added: 1, replaced: 1 });
  });

  test('and is judged on the other side is refused: what is held out is never learned from', () => {
    expect(() => merge([line({ id: 'q2' })], { train: 'q2\tz\t1' })).toThrow(/judged in train/);
  });

  test('with an id that nobody knows and no text is refused', () => {
    expect(() => merge([line({ id: 'q7' })])).toThrow(/queries.jsonl lacks it/);
  });
});

const word = fc.stringMatching(/^[a-zA-Z0-9_-]{1,8}$/);
const judged = fc.uniqueArray(fc.record({ id: word, document: word, grade: fc.integer({ min: -2, max: 4 }) }), {
  selector: ({ id, document }) => `${id} ${document}`,
});
test.each<JudgementFormat>(['trec', 'tsv', 'csv', 'jsonl'])('%s: what is written is read again', (format) => {
  fc.assert(
    fc.property(judged, (lines) => {
      const all = lines.filter(({ id }) => id !== 'query-id').map((one) => line(one));
      expect(parseJudged(format, { name: 'x', text: judgedText(format, all) })).toEqual(all);
    }),
  );
});

test('texts with commas, quotes and line breaks stand in a CSV and come back', () => {
  const lines = [line({ query: 'say "hi", then\ngo', document: 'a,b' })];
  expect(parseJudged('csv', { name: 'x', text: judgedText('csv', lines) })).toEqual(lines);
});

test.each<[JudgementFormat, string, RegExp]>([
  ['trec', 'q1 0 a 1\nq1 a 1\n', /x:2 .*4 columns, found 3/],
  ['tsv', 'q1\ta\tmany\n', /x:1 .*grade/],
  ['csv', 'query,grade\nx,1\n', /head such as/],
  ['csv', 'query,document,grade\nx,a,\n', /x:2 .*grade/],
  ['csv', 'query,document,grade\n"x"y,a,1\n', /x:2 .*quote/],
  ['csv', 'document,grade\na,1\n', /a query-id or the text/],
  ['jsonl', '{"query":"x","document":"a","grade":1e9}\n', /from -10 to 10/],
  ['jsonl', '{"query":"x","document":"a\\tb","grade":1}\n', /control characters/],
])('%s: a bad line is named, with what was expected: %j', (format, text, message) => {
  expect(() => parseJudged(format, { name: 'x', text })).toThrow(message);
});

test('a CSV names the line at which a row begins, whatever stands in its cells', () => {
  expect(parseCsv({ name: 'x', text: '\ufeffa,"b\n""c"\r\n\r\nd,' })).toEqual([
    { cells: ['a', 'b\n"c'], number: 1 },
    { cells: ['d', ''], number: 4 },
  ]);
});

test('what a merge leaves is what the pipeline parses', () => {
  const { judgements } = merge([line({ id: 'q2', document: 'c', grade: 2 })]);
  expect(Object.fromEntries(parseJudgements({ name: 'x', text: judgements }))).toEqual({
    q1: { a: 1, b: 0 },
    q2: { c: 2 },
  });
});
