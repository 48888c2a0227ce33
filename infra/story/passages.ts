/** Passages of technical prose from installed packages: doc comments with the symbol they describe, and README sections. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The first sentence is what a person asks; title and text are what a search has to find. */
export interface Passage {
  readonly from: string;
  readonly question: string;
  readonly title: string;
  readonly text: string;
}

const COMMENT = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/[ \t]*\n?[ \t]*([^\n]*)/g;
const LONGEST_FILE = 4_000_000;
const LONGEST_TEXT = 1_200;
const FEWEST_QUESTION_WORDS = 5;
const MOST_QUESTION_WORDS = 30;
const FEWEST_TEXT_WORDS = 6;

/** All passages of one installed package, in an order that does not depend on the machine. */
export function passagesOf(modules: string, name: string): Passage[] {
  return filesOf(join(modules, name)).flatMap((path) => {
    const text = readFileSync(join(modules, name, path), 'utf8');
    if (text.length > LONGEST_FILE) return [];
    const from = `${name}/${path}`;
    return path.endsWith('.md') ? fromMarkdown(from, text) : fromComments(from, text);
  });
}

/** Declarations come before implementations, so that of two copies of a comment the one with types stays. */
function filesOf(folder: string): string[] {
  const kinds = [/\.d\.[cm]?ts$/, /\.[cm]?ts$/, /\.[cm]?js$/, /\.md$/i];
  const kindOf = (path: string): number => kinds.findIndex((kind) => kind.test(path));
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter(
      (path) => kindOf(path) >= 0 && !/(^|\/)node_modules\//.test(path) && !/\.min\.|changelog|license/i.test(path),
    )
    .sort((a, b) => kindOf(a) - kindOf(b) || (a < b ? -1 : 1));
}

function fromComments(from: string, source: string): Passage[] {
  const found: Passage[] = [];
  for (const [, comment = '', declaration = ''] of source.matchAll(COMMENT)) {
    const lines = comment.split('\n').map((line) => line.replace(/^\s*\*? ?/, ''));
    const tagsAt = lines.findIndex((line) => /^\s*@(?!link)/.test(line));
    const prose = (tagsAt < 0 ? lines : lines.slice(0, tagsAt)).join('\n');
    const tags = tagsAt < 0 ? '' : lines.slice(tagsAt).join(' ').replace(/@\w+/g, ' ');
    const signature = declaration.replace(/^\s*(export|declare|default|public|readonly|async|static)\s+/g, '').trim();
    const symbol = symbolOf(signature);
    if (symbol === null) continue;
    const passage = passageOf(from, symbol, prose, `${signature} `, tags);
    if (passage !== null) found.push(passage);
  }
  return found;
}

const KEYWORDS =
  /\b(?:export|declare|default|public|private|protected|readonly|async|static|abstract|const|let|var|function|class|interface|type|namespace|get|set|new)\b/g;

function symbolOf(signature: string): string | null {
  return /[A-Za-z_$][\w$.]*/.exec(signature.replace(KEYWORDS, ' '))?.[0] ?? null;
}

function fromMarkdown(from: string, source: string): Passage[] {
  const sections = source
    .replace(/```[\s\S]*?```/g, ' ')
    .split(/^#{1,5} +/m)
    .slice(1);
  return sections.flatMap((section) => {
    const [heading = '', ...body] = section.split('\n');
    return passageOf(from, plain(heading), body.join('\n'), '', '') ?? [];
  });
}

function passageOf(from: string, title: string, prose: string, before: string, after: string): Passage | null {
  const flat = plain(prose);
  const end = /[.!?:](?=\s|$)/.exec(flat);
  const question = end === null ? flat : flat.slice(0, end.index);
  const text = `${before}${end === null ? '' : flat.slice(end.index + 1)} ${plain(after)}`.replace(/\s+/g, ' ').trim();
  const count = wordCount(question);
  if (count < FEWEST_QUESTION_WORDS || count > MOST_QUESTION_WORDS || wordCount(text) < FEWEST_TEXT_WORDS) return null;
  return { from, question: question.trim(), title, text: text.slice(0, LONGEST_TEXT) };
}

const wordCount = (text: string): number => text.match(/[A-Za-z]{2,}/g)?.length ?? 0;

/** Markdown and JSDoc without their marks: links keep their words, code keeps its names. */
const plain = (text: string): string =>
  text
    .replace(/!\[[^\]]*\]\([^)]*\)/g, ' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\{@\w+ ([^}|]*)[^}]*\}/g, '$1')
    .replace(/<[^>]*>/g, ' ')
    .replace(/https?:\S+/g, ' ')
    .replace(/[`*|#]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
