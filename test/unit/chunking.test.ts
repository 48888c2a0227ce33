import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChunkSettings } from '../../contracts/retrieval.ts';
import { DOCUMENT_FORMATS } from '../../contracts/retrieval.ts';
import { blocksOf } from '../../domain/chunking/blocks.ts';
import { type ChunkSource, chunksOf, type SimilaritiesOf } from '../../domain/chunking/chunks.ts';
import { headingsOf } from '../../domain/chunking/outline.ts';
import { sentencesOf } from '../../domain/chunking/sentences.ts';
import { hash32 } from '../../domain/random.ts';

const texts = (document: ChunkSource, settings: ChunkSettings, similarities?: SimilaritiesOf): string[] =>
  chunksOf(document, settings, similarities).map(({ text }) => text);
const prose = (text: string): ChunkSource => ({ text, format: 'text' });
const markdown = (text: string): ChunkSource => ({ text, format: 'markdown' });
const code = (text: string): ChunkSource => ({ text, format: 'code' });
/** Any similarities at all, the same for the same sentences. */
const anySimilarities: SimilaritiesOf = (sentences) =>
  sentences.slice(1).map((sentence) => (hash32(sentence) % 100) / 100);

/** Texts that are full of what the chunkers look for. */
const token = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'word', 'Sentence', 'e.g.', '3.14', 'fs.readFile', '. ', '! ', '? ') },
  { weight: 3, arbitrary: fc.constantFrom('\n', '\n\n', '\r\n', ' ', '  ', '\t', '\u00a0', '\ufeff') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '\n# Top\n',
      '\n## Below\n',
      '\n- item\n',
      '\n| a | b |\n',
      '\n```js\n',
      '\n~~~\n',
      '\n===\n',
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom('\n---\n', '\nclass A {\n', '\n  m() {\n', '\n  }\n', '}\n', '\n// note\n') },
  { weight: 1, arbitrary: fc.constantFrom('😀', '👩‍👩‍👧', '。', '日本', '\u200b', '\ud83d', '\ude00', '"', ')') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
);
const anyText = fc.array(token, { maxLength: 60 }).map((tokens) => tokens.join(''));
const anyFormat = fc.constantFrom(...DOCUMENT_FORMATS);
const anySize = fc.integer({ min: 2, max: 60 });
const anySettings: fc.Arbitrary<ChunkSettings> = fc.oneof(
  fc.constant({ method: 'whole' } as const),
  fc.record({ method: fc.constantFrom('recursive' as const, 'structure' as const), size: anySize }),
  fc.record({
    method: fc.constant('semantic' as const),
    size: anySize,
    breaks: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc
    .record({ size: anySize, share: fc.double({ min: 0, max: 0.5, noNaN: true }) })
    .map(({ size, share }) => ({ method: 'fixed' as const, size, overlap: Math.floor(size * share) })),
);

describe('whatever the document and the settings are', () => {
  const holds = (rule: (document: ChunkSource, settings: ChunkSettings) => void) =>
    fc.assert(
      fc.property(anyText, anyFormat, anySettings, (text, format, settings) => rule({ text, format }, settings)),
      { numRuns: 1_000 },
    );

  test('a chunk is exactly what stands between its ends', () =>
    holds((document, settings) => {
      for (const { start, end, text } of chunksOf(document, settings, anySimilarities))
        expect(text).toBe(document.text.slice(start, end));
    }));

  test('everything but white space is in a chunk, and only a fixed size repeats anything', () =>
    holds((document, settings) => {
      let covered = 0;
      for (const { start, end } of chunksOf(document, settings, anySimilarities)) {
        expect(document.text.slice(covered, start).trim()).toBe('');
        if (settings.method !== 'fixed') expect(start).toBeGreaterThanOrEqual(covered);
        expect(end).toBeGreaterThan(covered);
        covered = end;
      }
      expect(document.text.slice(covered).trim()).toBe('');
    }));

  test('a chunk holds something, ends with no white space, and is no longer than its size', () =>
    holds((document, settings) => {
      for (const { text } of chunksOf(document, settings, anySimilarities)) {
        expect(text).not.toBe('');
        expect(text.trim()).toBe(text);
        if (settings.method !== 'whole') expect(text.length).toBeLessThanOrEqual(settings.size);
      }
    }));

  test('no character is cut into halves', () =>
    holds((document, settings) => {
      const isHalved = (at: number) => /^[\ud800-\udbff][\udc00-\udfff]$/.test(document.text.slice(at - 1, at + 1));
      for (const { start, end } of chunksOf(document, settings, anySimilarities))
        expect(isHalved(start) || isHalved(end)).toBe(false);
    }));

  test('a sentence ends with no white space, and together they hold everything else', () =>
    holds(({ text }) => {
      let covered = 0;
      for (const { start, end } of sentencesOf(text)) {
        expect(text.slice(covered, start).trim()).toBe('');
        expect(text.slice(start, end)).toBe(text.slice(start, end).trim());
        expect(end).toBeGreaterThan(start);
        covered = end;
      }
      expect(text.slice(covered).trim()).toBe('');
    }));
});

describe('a sentence', () => {
  test.each([
    [
      'Call fs.readFile. It takes 3.14 s, e.g. Linux needs less.',
      ['Call fs.readFile.', 'It takes 3.14 s, e.g. Linux needs less.'],
    ],
    [
      'Dr. Smith and J. Doe (Fig. 5) agree. So do I. Really!',
      ['Dr. Smith and J. Doe (Fig. 5) agree.', 'So do I.', 'Really!'],
    ],
    ['Is it "ready?" he asked. (It was.) Fine…', ['Is it "ready?" he asked.', '(It was.)', 'Fine…']],
    ['hard-wrapped\nlines of Prose\nGo on. Next.', ['hard-wrapped\nlines of Prose\nGo on.', 'Next.']],
    ['1. Open it.\n2. Read it\n- or not', ['1. Open it.', '2. Read it', '- or not']],
    ['A title\n\nIts text', ['A title', 'Its text']],
    ['これは文です。次の文。', ['これは文です。', '次の文。']],
    ['z.B. hier, bzw. Dort. Und d.h. Ende.', ['z.B. hier, bzw. Dort.', 'Und d.h. Ende.']],
    ['Visit example.com/a.B?c=1. Then go.', ['Visit example.com/a.B?c=1.', 'Then go.']],
    ['There were 42. Then none.', ['There were 42.', 'Then none.']],
    [' \n ', []],
  ])('%j', (text, expected) => {
    expect(sentencesOf(text).map(({ start, end }) => text.slice(start, end))).toEqual(expected);
  });
});

describe('a fixed size', () => {
  const words = Array.from({ length: 400 }, (_, n) => `word${n}`).join(' ');

  test('repeats the end of the chunk before, from a word on', () => {
    const chunks = chunksOf(prose(words), { method: 'fixed', size: 300, overlap: 60 });
    for (const [n, chunk] of chunks.entries()) {
      expect(chunk.text).toMatch(/^word\d+( word\d+)*$/);
      const before = chunks[n - 1];
      if (before) expect(before.end - chunk.start).toBeGreaterThan(40);
      if (before) expect(before.end - chunk.start).toBeLessThanOrEqual(60);
    }
  });

  test('repeats nothing where it is told so', () => {
    expect(texts(prose(words), { method: 'fixed', size: 300, overlap: 0 }).join(' ')).toBe(words);
  });

  test('cuts where it must, in what has no white space', () => {
    expect(texts(prose('x'.repeat(25)), { method: 'fixed', size: 10, overlap: 2 })).toEqual([
      'x'.repeat(10),
      'x'.repeat(10),
      'x'.repeat(9),
    ]);
  });
});

test('what a fixed size repeats is never all that a chunk holds, nor half a character', () => {
  const gap = `abcdefghij${' '.repeat(30)}x`;
  expect(texts(prose(gap), { method: 'fixed', size: 10, overlap: 5 })).toEqual(['abcdefghij', 'x']);
  const [, second] = texts(prose('😀'.repeat(12)), { method: 'fixed', size: 10, overlap: 5 });
  expect(second).toBe('😀'.repeat(5));
});

describe('by paragraph, sentence and word', () => {
  const paragraph = (length: number) =>
    fc.array(fc.constantFrom('lorem', 'Ipsum.', 'dolor', 'Sit!'), { maxLength: length });
  const paragraphs = fc.array(paragraph(25), { maxLength: 12 }).map((all) => all.map((words) => words.join(' ')));

  test('a paragraph that fits is never cut, nor a sentence, nor a word', () => {
    fc.assert(
      fc.property(paragraphs, fc.integer({ min: 8, max: 120 }), (all, size) => {
        const text = all.join('\n\n');
        const chunks = texts(prose(text), { method: 'recursive', size });
        const isWhole = (part: string) =>
          part === '' || part.length > size || chunks.some((chunk) => chunk.includes(part));
        expect(all.filter((part) => !isWhole(part))).toEqual([]);
        const sentences = sentencesOf(text).map(({ start, end }) => text.slice(start, end));
        expect(sentences.filter((part) => !isWhole(part))).toEqual([]);
        expect(chunks.flatMap((chunk) => chunk.split(/\s+/))).toEqual(text.split(/\s+/).filter((word) => word !== ''));
      }),
      { numRuns: 1_000 },
    );
  });

  test('short paragraphs share a chunk, up to the size', () => {
    expect(texts(prose('One.\n\nTwo.\n\nThree.\n\nFour.'), { method: 'recursive', size: 12 })).toEqual([
      'One.\n\nTwo.',
      'Three.',
      'Four.',
    ]);
  });

  test('a few words before a paragraph that is cut anyway are no chunk of their own', () => {
    const long = Array.from({ length: 12 }, (_, n) => `Sentence number ${n}.`).join(' ');
    const [first] = texts(prose(`Intro\n\n${long}`), { method: 'recursive', size: 100 });
    expect(first).toMatch(/^Intro\n\nSentence number 0\..*\.$/s);
  });

  test('lines stand for sentences in code', () => {
    const text = 'const a = 1;\nconst b = "x. Y";\nconst c = 3;';
    expect(texts(code(text), { method: 'recursive', size: 20 })).toEqual([
      'const a = 1;',
      'const b = "x. Y";',
      'const c = 3;',
    ]);
  });
});

describe('Markdown by structure', () => {
  const guide = [
    '---\ntitle: Guide\n---',
    '# Guide #\n\nAn introduction that says what this is about.',
    '## Install\n\nRun this:\n\n```sh\n# not a heading\n\nnpm install pawl --save-exact\nnpm run verify\n```',
    'Usage\n-----\n\n- first item\n\n- second item\n  goes on',
    '### Options\n\n| name | value |\n|------|-------|\n| size | 1000 |',
    '# Licence\n\nFree.',
  ].join('\n\n');

  test('a section is a chunk under the path of its headings', () => {
    const chunks = chunksOf(markdown(guide), { method: 'structure', size: 150 });
    expect(chunks.map(({ headings, text }) => [headings.join(' > '), text.slice(0, 12)])).toEqual([
      ['', '---\ntitle: G'],
      ['Guide', '# Guide #\n\nA'],
      ['Guide > Install', '## Install\n\n'],
      ['Guide > Usage', 'Usage\n-----\n'],
      ['Licence', '# Licence\n\nF'],
    ]);
  });

  test('a section that does not fit gives its own sections', () => {
    const chunks = chunksOf(markdown(guide), { method: 'structure', size: 100 });
    expect(chunks.map(({ headings }) => headings.join(' > '))).toEqual([
      '',
      'Guide',
      'Guide > Install',
      'Guide > Usage',
      'Guide > Usage > Options',
      'Licence',
    ]);
  });

  test('fenced code, a list and a table that fit are not cut', () => {
    for (let size = 90; size < 400; size++) {
      const chunks = texts(markdown(guide), { method: 'structure', size });
      for (const part of [/```sh[^`]*```/, /- first item.*goes on/s, /\| name.*1000 \|/s]) {
        const [block = ''] = part.exec(guide) ?? [];
        expect(chunks.some((chunk) => chunk.includes(block))).toBe(true);
      }
    }
  });

  test('code that is longer than a chunk is cut between its lines', () => {
    const lines = Array.from({ length: 20 }, (_, n) => `const value${n} = ${n};`).join('\n');
    const chunks = texts(markdown(`# Code\n\n\`\`\`js\n${lines}\n\`\`\``), { method: 'structure', size: 100 });
    expect(chunks.length).toBeGreaterThan(4);
    for (const line of lines.split('\n')) expect(chunks.some((chunk) => chunk.split('\n').includes(line))).toBe(true);
    expect(chunks[0]).toContain('# Code');
  });

  test('a heading with nothing of its own goes with the section below', () => {
    const body = 'words '.repeat(12);
    const chunks = chunksOf(markdown(`# A\n\n## B\n\n${body}\n\n## C\n\n${body}`), { method: 'structure', size: 100 });
    expect(chunks.map(({ headings, text }) => [headings.join(' > '), text.slice(0, 9)])).toEqual([
      ['A > B', '# A\n\n## B'],
      ['A > C', '## C\n\nwor'],
    ]);
  });

  test('very short sections next to each other share a chunk under the heading above them', () => {
    const sections = Array.from({ length: 30 }, (_, n) => `## S${n}\n\ntext`).join('\n\n');
    const chunks = chunksOf(markdown(`# All\n\n${sections}`), { method: 'structure', size: 200 });
    expect(chunks.length).toBeLessThan(6);
    for (const { headings, text } of chunks) {
      expect(headings).toContain('All');
      expect(text.length).toBeLessThanOrEqual(200);
    }
  });

  test('short sections under different headings stay apart', () => {
    const text = `# A\n\n${'words '.repeat(32)}\n\n## Short\n\nx\n\n# B\n\ny`;
    const chunks = chunksOf(markdown(text), { method: 'structure', size: 200 });
    expect(chunks.map(({ headings }) => headings)).toEqual([['A'], ['A', 'Short'], ['B']]);
  });

  test('a section that fits is whole, even where the heading above it does not fit with it', () => {
    const section = `## B\n\n${'x'.repeat(92)}`;
    const chunks = chunksOf(markdown(`# A\n\n${section}\n\n## C\n\nmore`), { method: 'structure', size: 100 });
    expect(chunks.map(({ text }) => text)).toEqual(['# A', section, '## C\n\nmore']);
  });

  test.each([
    ['list', Array.from({ length: 20 }, (_, n) => `- item number ${n}. It has. Sentences`)],
    ['table', Array.from({ length: 20 }, (_, n) => `| row number ${n}. | It has. | Sentences |`)],
  ])('a %s that is longer than a chunk is cut between its lines', (_, rows) => {
    const chunks = texts(markdown(rows.join('\n')), { method: 'structure', size: 100 });
    expect(chunks.flatMap((chunk) => chunk.split('\n'))).toEqual(rows);
  });

  test.each([
    ['one line and an underline', 'Title\n---\n\ntext', ['2 Title']],
    ['both kinds', '# One #\n\nTwo\n===\n### C#', ['1 One', '1 Two', '3 C#']],
    ['two lines and a rule', 'one\ntwo\n---\ntext', []],
    ['an item and a rule', '- item\n---\n1. item\n---\n> said\n===', []],
    ['a rule', '\n---\n\ntext', []],
    ['front matter with a comment', '---\n# not a heading\n\ntitle: x\n---\n# Title', ['1 Title']],
    ['a tag and seven signs', '#tag\n####### seven', []],
    ['fenced code', '~~~\n# a\n```\n# b\n~~~~\n# C', ['1 C']],
    ['an inline fence', '```code``` here\n# A', ['1 A']],
  ])('the headings of %s', (_, text, expected) => {
    expect([...headingsOf(text)].map(({ level, title }) => `${level} ${title}`)).toEqual(expected);
  });

  test.each([
    ['paragraphs', 'one\ntwo\n\nthree', ['prose: one\ntwo', 'prose: three']],
    ['a list right after its paragraph', 'these:\n- one\n- two', ['prose: these:', 'list: - one\n- two']],
    [
      'a list with empty lines',
      '- one\n\n  more of one\n\n- two\ngoes on\n\nafter',
      ['list: - one\n\n  more of one\n\n- two\ngoes on', 'prose: after'],
    ],
    ['a table with bars at the ends', '| a |\n|---|\n| 1 |\n\nafter', ['table: | a |\n|---|\n| 1 |', 'prose: after']],
    ['a table without', 'a | b\n--|:-:\n1 | 2', ['table: a | b\n--|:-:\n1 | 2']],
    [
      'code with empty lines',
      'text\n```\na\n\n- b\n```\ntext',
      ['prose: text', 'code: ```\na\n\n- b\n```', 'prose: text'],
    ],
  ])('the blocks of %s', (_, text, expected) => {
    const blocks = [...blocksOf(text, { start: 0, end: text.length })];
    expect(blocks.map(({ kind, start, end }) => `${kind}: ${text.slice(start, end)}`)).toEqual(expected);
  });

  test('a document that fits is one chunk, under its heading if it has but one at the top', () => {
    expect(chunksOf(markdown('# A\n\ntext\n\n## B\n\nmore'), { method: 'structure', size: 500 })).toMatchObject([
      { headings: ['A'] },
    ]);
    expect(chunksOf(markdown('# A\n\ntext\n\n# B\n\nmore'), { method: 'structure', size: 500 })).toMatchObject([
      { headings: [] },
    ]);
  });

  test('the other ways of cutting name the headings too', () => {
    const body = 'Some words here. '.repeat(10);
    for (const settings of [
      { method: 'fixed', size: 100, overlap: 0 },
      { method: 'recursive', size: 100 },
      { method: 'semantic', size: 100, breaks: 0.5 },
    ] as const) {
      const chunks = chunksOf(markdown(`# A\n\n${body}\n\n## B\n\n${body}`), settings, anySimilarities);
      expect(chunks[0]?.headings).toEqual(['A']);
      expect(chunks.at(-1)?.headings).toEqual(['A', 'B']);
    }
  });

  test('a heading of a megabyte is not repeated in full with each chunk', () => {
    const [first] = chunksOf(markdown(`# ${'😀'.repeat(500_000)}\n\ntext`), { method: 'structure', size: 1_000 });
    expect(first?.headings[0]?.length).toBe(200);
  });
});

describe('code by structure', () => {
  const source = [
    "import { a } from './a.ts';\nimport { b } from './b.ts';\nimport { c } from './c.ts';",
    '/** Adds. */\nexport function add(x: number, y: number): number {\n  const sum = x + y;\n\n  return sum;\n}',
    'class Shelf\n{\n  books = [];\n\n  put(book) {\n    this.books.push(book);\n\n    return this;\n  }\n\n  take() {\n    return this.books.pop();\n  }\n}',
  ].join('\n\n');

  test('a block that fits stays whole, with the comment above it', () => {
    expect(texts(code(source), { method: 'structure', size: 160 })).toEqual(source.split(/\n\n(?=\S)/));
  });

  test.each([
    ['before a comment, not after it', ['const first = 1;', '// about the second\nconst second = 2;'], 40],
    [
      'after an empty line rather than before the next',
      ['const a = 1;\nconst b = 2;\n', 'const c = 3;\nconst d = 4;'],
      45,
    ],
    ['never before what closes a block', ['const a = 1;', 'call({\n  b,\n});'], 25],
  ])('it is cut %s', (_, parts, size) => {
    expect(texts(code(parts.join('\n')), { method: 'structure', size })).toEqual(parts.map((part) => part.trim()));
  });

  test('a block that does not fit is cut between its parts, which name what they stand in', () => {
    const chunks = chunksOf(code(source), { method: 'structure', size: 120 });
    expect(chunks.map(({ headings, text }) => [headings, text.split('\n', 1)[0]])).toEqual([
      [[], "import { a } from './a.ts';"],
      [[], '/** Adds. */'],
      [[], 'class Shelf'],
      [['class Shelf'], 'take() {'],
    ]);
  });
});

describe('by meaning', () => {
  const text = 'Cats purr. Cats sleep. Tax is due. Tax is high. Rain falls.';
  const alike = [0.9, 0.1, 0.8, 0.2];

  test.each([
    [1, 1_000, ['Cats purr. Cats sleep. Tax is due. Tax is high. Rain falls.']],
    [0.75, 1_000, ['Cats purr. Cats sleep.', 'Tax is due. Tax is high. Rain falls.']],
    [0.5, 1_000, ['Cats purr. Cats sleep.', 'Tax is due. Tax is high.', 'Rain falls.']],
    [1, 24, ['Cats purr. Cats sleep.', 'Tax is due. Tax is high.', 'Rain falls.']],
    [1, 9, ['Cats', 'purr.', 'Cats', 'sleep.', 'Tax is', 'due.', 'Tax is', 'high.', 'Rain', 'falls.']],
  ])('with breaks at %d and a size of %d', (breaks, size, expected) => {
    expect(texts(prose(text), { method: 'semantic', size, breaks }, () => alike)).toEqual(expected);
  });

  test('the share of breaks is exact', () => {
    const many = Array.from({ length: 101 }, (_, n) => `Sentence ${n}.`).join(' ');
    const settings = { method: 'semantic', size: 1_000, breaks: 0.07 } as const;
    expect(texts(prose(many), settings, (all) => all.slice(1).map((__, n) => n / 100))).toHaveLength(94);
  });

  test('needs a similarity for each pair of neighbours', () => {
    const settings = { method: 'semantic', size: 100, breaks: 0.5 } as const;
    expect(() => chunksOf(prose(text), settings)).toThrow(/hand them in/);
    expect(() => chunksOf(prose(text), settings, () => [0.5])).toThrow('5 sentences need 4 similarities');
    expect(() => chunksOf(prose(text), settings, () => [0, 0, Number.NaN, 0])).toThrow('each a number');
  });
});

test.each<[ChunkSettings, RegExp]>([
  [{ method: 'recursive', size: 1 }, /^size: expected a whole number of at least 2, found 1/],
  [{ method: 'structure', size: 10.5 }, /^size:/],
  [
    { method: 'fixed', size: 100, overlap: 51 },
    /^overlap: expected a whole number from 0 to half of size \(50\), found 51/,
  ],
  [{ method: 'fixed', size: 100, overlap: -1 }, /^overlap:/],
  [{ method: 'semantic', size: 100, breaks: 1.5 }, /^breaks: expected a share from 0 to 1, found 1.5/],
])('settings that cannot work are refused: %j', (settings, message) => {
  expect(() => chunksOf(prose('text'), settings, anySimilarities)).toThrow(message);
});

/** A rule that looks again and again at the same text would need hours here, and so run into the test's time-out. */
describe('a hostile text takes no more than its length', () => {
  const LENGTH = 300_000;
  const filled = (part: string) => part.repeat(Math.ceil(LENGTH / part.length));
  test.each([
    ['one line of letters', filled('a')],
    ['one line of brackets', filled('(')],
    ['one line of fences', filled('`')],
    ['white space', `a${filled(' ')}b`],
    ['empty lines', `a${filled('\n')}b`],
    ['empty lines that hold spaces', filled(`a${' \n'.repeat(600)}`)],
    ['points', filled('.')],
    ['sentences of a letter', filled('. A')],
    ['abbreviations', filled('e.g. ')],
    ['headings', filled('# a\n')],
    ['nested headings', filled('# a\n## b\n### c\n')],
    ['one heading', `# ${filled('a # ')}`],
    ['underlines', filled('a\n-\n')],
    ['fences that open and close', filled('```\n')],
    ['items', filled('- a\n')],
    ['rows', filled('| a ')],
    ['brackets that close', filled('}\n')],
    ['ever deeper lines', Array.from({ length: 770 }, (_, n) => `${' '.repeat(n)}a`).join('\n')],
    ['lines that are indented by thousands', filled(`\n${' '.repeat(5_000)}a`)],
  ])('%s', (_, text) => {
    for (const format of DOCUMENT_FORMATS) {
      for (const settings of [
        { method: 'fixed', size: 1_000, overlap: 500 },
        { method: 'recursive', size: 1_000 },
        { method: 'structure', size: 1_000 },
        { method: 'semantic', size: 1_000, breaks: 1 },
      ] as const) {
        const count = chunksOf({ text, format }, settings, (all) => all.slice(1).map(() => 1)).length;
        expect(count).toBeLessThanOrEqual((30 * LENGTH) / 1_000);
      }
    }
  });
});
