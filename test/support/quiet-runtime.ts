import { DefaultLogger, Runtime } from '@temporalio/worker';

// Expected failures would fill the output of the tests; what matters of them is asserted on.
Runtime.install({ logger: new DefaultLogger('ERROR') });
