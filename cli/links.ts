import { workflowLink } from '../infra/temporal/target.ts';
import type { Context } from './context.ts';

/** Where a workflow is seen in the Web UI; null where nobody knows of one. */
export const linkTo = async (context: Context, workflowId: string): Promise<string | null> =>
  workflowLink((await context.temporal()).target, workflowId);
