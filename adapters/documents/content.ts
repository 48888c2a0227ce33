/** What a document is kept as: one text, the same in every store, so that a digest tells whether it has changed. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DOCUMENT_FORMATS, type SourceDocument } from '../../contracts/retrieval.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';

const content = z.object({
  title: z.string(),
  text: z.string(),
  format: z.enum(DOCUMENT_FORMATS),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

export const contentOf = ({ title, text, format, metadata }: SourceDocument): string =>
  canonicalJson({ title, text, format, metadata });
export const documentOf = (id: string, text: string): SourceDocument => ({ id, ...content.parse(JSON.parse(text)) });
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
