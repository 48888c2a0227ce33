/** What a workflow can be found by in the Web UI and with `temporal workflow list`. Names are permanent. */
import { defineSearchAttributeKey, type SearchAttributePair, TypedSearchAttributes } from '@temporalio/common';

export const searchAttributes = {
  service: defineSearchAttributeKey('PawlService', 'KEYWORD'),
  cycle: defineSearchAttributeKey('PawlCycle', 'KEYWORD'),
  stage: defineSearchAttributeKey('PawlStage', 'KEYWORD'),
  verdict: defineSearchAttributeKey('PawlVerdict', 'KEYWORD'),
  environment: defineSearchAttributeKey('PawlEnvironment', 'KEYWORD'),
} as const;
export type SearchAttributeName = keyof typeof searchAttributes;

export const attributesOf = (values: Partial<Record<SearchAttributeName, string>>): TypedSearchAttributes =>
  new TypedSearchAttributes(
    Object.entries(values).map(
      ([name, value]): SearchAttributePair => ({
        key: searchAttributes[name as SearchAttributeName],
        value,
      }),
    ),
  );
