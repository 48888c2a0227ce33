/** What the log tells of experiments: who was enrolled when, and what became of them. */
import type { Database } from '../sqlite/database.ts';
import type { QueryLog } from './port.ts';
import { exposedOf, subjectAnswerOf } from './rows.ts';

/** Later answers to the same subject by the same arm expose nobody anew; a row that comes again neither. */
export const EXPOSE = `
  INSERT INTO exposures (service, experiment, subject, variant, at, phase, answer) VALUES (:service, :experiment, :subject, :variant, :at, :phase, :answer)
  ON CONFLICT DO NOTHING`;

/** What somebody was shown, of one variant. */
const OWN = 'mirrored = 0 AND of_answer IS NULL AND teams IS NULL';

export const experimentReads = ({
  db,
  attempt,
}: Database): Pick<QueryLog, 'exposures' | 'ofSubject' | 'answeredBy' | 'unnamed' | 'subjects'> => {
  const exposed = db.prepare(`
    SELECT subject, variant, at, phase FROM exposures e
    WHERE service = :service AND experiment = :experiment AND variant IN (:one, :other)
      AND (at, subject) > (:at, :subject) AND at < :to
      AND NOT EXISTS (
        SELECT 1 FROM exposures o
        WHERE o.service = e.service AND o.experiment = e.experiment AND o.subject = e.subject
          AND o.variant IN (:one, :other) AND (o.at, o.variant) < (e.at, e.variant))
    ORDER BY at, subject LIMIT :limit`);
  // What was told of an answer after the window is no part of it: looked at later, it would read otherwise.
  const answers = db.prepare(`
    SELECT at, query, ranked, latency_ms, error, cost, tenant,
      EXISTS (SELECT 1 FROM feedback f WHERE f.answer = q.answer AND f.kind = 'click' AND f.at < :to) AS clicked
    FROM queries q WHERE subject = :subject AND service = :service AND at >= :from AND at < :to AND ${OWN}
    ORDER BY at, rowid LIMIT :limit`);
  const answered = db.prepare(`
    SELECT 1 FROM queries
    WHERE subject = :subject AND service = :service AND at >= :from AND at < :to AND experiment = :experiment
      AND variant = :variant AND ${OWN} LIMIT 1`);
  const unnamed = db.prepare(`
    SELECT count(*) AS n FROM queries
    WHERE service = :service AND experiment = :experiment AND at >= :from AND at < :to
      AND subject IS NULL AND of_answer IS NULL`);
  const WHOSE = 'FROM queries WHERE subject IS NOT NULL AND service = :service AND at >= :from AND at < :to';
  const counted = db.prepare(`SELECT count(DISTINCT subject) AS n ${WHOSE}`);
  const some = db.prepare(`SELECT DISTINCT subject ${WHOSE} ORDER BY subject LIMIT :most`);

  return {
    exposures: async ({ service, experiment, variants: [one, other], after: { at, subject }, to, limit }) =>
      attempt(() => exposed.all({ service, experiment, one, other, at, subject, to, limit })).map(exposedOf),
    ofSubject: async ({ service, subject, from, to, limit }) =>
      attempt(() => answers.all({ service, subject, from, to, limit })).map(subjectAnswerOf),
    answeredBy: async ({ service, subject, experiment, variant, from, to }) =>
      attempt(() => answered.get({ service, subject, experiment, variant, from, to })) !== undefined,
    unnamed: async ({ service, experiment, from, to }) =>
      Number(attempt(() => unnamed.get({ service, experiment, from, to }))?.n),
    subjects: async ({ service, from, to, most }) =>
      attempt(() => ({
        count: Number(counted.get({ service, from, to })?.n),
        some: some.all({ service, from, to, most }).map(({ subject }) => String(subject)),
      })),
  };
};
