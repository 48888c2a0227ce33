import { Connection } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { registerSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { timeSkippingServer } from '../support/temporal.ts';

test.skipIf(timeSkippingServer() === null)(
  'a week passes in a moment, with the search attributes registered',
  async () => {
    const env = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path: timeSkippingServer() ?? '' } },
    });
    const connection = await Connection.connect({ address: env.address });
    try {
      await registerSearchAttributes(connection, 'default');
      const before = await env.currentTimeMs();
      await env.sleep('7 days');
      expect((await env.currentTimeMs()) - before).toBeGreaterThanOrEqual(7 * 86_400_000);
    } finally {
      await connection.close();
      await env.teardown();
    }
  },
);
