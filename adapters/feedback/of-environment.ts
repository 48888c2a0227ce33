import { homePaths } from '../home.ts';
import type { FeedbackStore } from './port.ts';
import { postgresFeedback } from './postgres.ts';
import { sqliteFeedback } from './sqlite.ts';

/** Beside the served queries that it is about (adapters/query-log/of-environment.ts). */
export const feedbackOf = ({ home, store }: { readonly home: string; readonly store: string | null }): FeedbackStore =>
  store === null ? sqliteFeedback(homePaths(home).metrics) : postgresFeedback(store);
