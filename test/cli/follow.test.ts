import { describe, expect, test } from 'vitest';
import { eventsBetween } from '../../cli/follow.ts';
import type { CycleStatus, StageReport } from '../../contracts/messages.ts';

const stage = (name: StageReport['stage'], state: StageReport['state']): StageReport => ({
  stage: name,
  state,
  startedAt: '2026-11-21T12:00:00Z',
  endedAt: state === 'running' ? null : '2026-11-21T12:00:01Z',
  summary: null,
});
const look = (changes: Partial<CycleStatus>): CycleStatus => ({
  service: 'docs',
  cycle: 'si_2026_11_21_001',
  workflowId: 'pawl:docs:cycle:si_2026_11_21_001',
  environment: 'staging',
  stage: null,
  paused: false,
  approval: null,
  stages: [],
  promises: [],
  end: null,
  ...changes,
});
const end = { outcome: 'kept', because: 'no gate is breached', challenger: null, champion: null } as const;
const named = (before: CycleStatus | null, after: CycleStatus): string[] =>
  eventsBetween(before, after).map((event) =>
    event.event === 'stage' ? `${event.stage} ${event.state}` : event.event,
  );

describe('what is new since the last look', () => {
  const first = look({ stages: [stage('monitor', 'running')] });

  test('the first look tells everything so far', () => expect(named(null, first)).toEqual(['monitor running']));
  test('a look at the same tells nothing', () => expect(named(first, first)).toEqual([]));
  test('a stage that ended and one that began between two looks are both told', () => {
    const next = look({ stages: [stage('monitor', 'done'), stage('diagnose', 'running')] });
    expect(named(first, next)).toEqual(['monitor done', 'diagnose running']);
  });
  test('the same stage a second time is told as its own', () => {
    const once = look({ stages: [stage('approve', 'done')] });
    const twice = look({ stages: [stage('approve', 'done'), stage('approve', 'waiting')] });
    expect(named(once, twice)).toEqual(['approve waiting']);
  });
  test('a pause and its end are told', () => {
    expect(named(first, { ...first, paused: true })).toEqual(['paused']);
    expect(named({ ...first, paused: true }, first)).toEqual(['resumed']);
  });
  test('the end comes last, and once', () => {
    const over = look({ stages: [stage('monitor', 'done')], end });
    expect(named(first, over)).toEqual(['monitor done', 'end']);
    expect(named(over, over)).toEqual([]);
  });
});
