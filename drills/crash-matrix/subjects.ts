/** What would be known of an experiment's subjects: few while the challenger has a small share, enough once it has half. */
import type { ControlStore } from '../../adapters/control/port.ts';
import type { AbLook, AbSums, ArmSums } from '../../contracts/ab.ts';

const [FEW, ENOUGH] = [10, 1_000];
const DEVIATION = 0.05;

/** All that a look finds hangs on what serves, so that one that is repeated finds the same. */
export const subjectsOn =
  (control: ControlStore, meanOf: (service: string, variant: string) => number) =>
  async (look: AbLook): Promise<AbSums> => {
    const { service, champion, challenger, metrics, now } = look;
    const { arms = [] } = (await control.state(service)) ?? {};
    const share = arms.find(({ variant }) => variant === challenger)?.share ?? 0;
    const before = look.sums ?? { phases: [], crossed: 0, unnamed: 0, until: now };
    if (share === 0) return before;
    const n = share < 0.5 ? FEW : ENOUGH;
    const armOf = (variant: string): ArmSums => sumsOf(n, meanOf(service, variant), metrics);
    const phase = { share, champion: armOf(champion), challenger: armOf(challenger) };
    return { ...before, phases: [...before.phases.filter((one) => one.share !== share), phase], until: now };
  };

const sumsOf = (n: number, mean: number, metrics: readonly string[]): ArmSums => {
  const products = [n * (mean ** 2 + DEVIATION ** 2), n * mean, 0, 0, n, 0, 0, 0, 0, 0];
  const sums = { n, sums: [n * mean, n, 0, 0], products } as const;
  return { enrolled: n, metrics: Object.fromEntries(metrics.map((metric) => [metric, sums])) };
};
