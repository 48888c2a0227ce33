/** The gateway as it is, over engines that a trial makes bad: `node gateway.ts FAULTS`. */
import { run } from '../../gateway/main.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { faultsIn } from './faults.ts';
import { faultyEngine } from './faulty-engine.ts';

const [file = ''] = process.argv.slice(2);
await run(readEnvironment().home, faultyEngine(faultsIn(file)));
