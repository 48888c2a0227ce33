/** The gateway as it is, over engines that are worse as the trial says: `node gateway.ts TOLD`. */
import { faultsIn } from '../../drills/scenarios/faults.ts';
import { run } from '../../gateway/main.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { type Degradation, degradedEngine } from './degraded-engine.ts';

const [file = ''] = process.argv.slice(2);
await run(readEnvironment().home, degradedEngine(faultsIn<Degradation>(file)));
