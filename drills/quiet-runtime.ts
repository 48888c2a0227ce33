import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

// Expected failures would fill the output; what matters of them is looked at, not logged.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
});
