import { Connection } from '@temporalio/client';
import { expect, test } from 'vitest';
import { registerSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { timeSkippingServer } from '../support/temporal.ts';
import { timeSkippingEnvironment } from '../support/time-skipping.ts';

test.skipIf(timeSkippingServer() === null)(
  'a week passes in a moment, with the search attributes registered',
  async () => {
    const env = await timeSkippingEnvironment(timeSkippingServer() ?? '');
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
