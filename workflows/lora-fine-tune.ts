import { allHandlersFinished, CancellationScope, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { LoraInput, PreparedData } from '../contracts/lora.ts';
import type { LoraEnd } from '../contracts/lora-messages.ts';
import { bare, FineTune } from './lora/fine-tune.ts';
import { dataWork, mayTrain, trainer } from './options.ts';

/** Trains an adapter: from data to a model in the registry, or to a checkpoint and a reason why not. */
export async function loraFineTune(input: LoraInput): Promise<LoraEnd> {
  const run = new FineTune(input); // abort, checkpointNow and extend are handled from here on
  const end = await run.toItsEnd(() => process(run, input));
  // Also where it was cancelled: how it ended is told, not that it was.
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (end) return end;
  return continueAsNew<typeof loraFineTune>({ ...input, memory: run.memory() });
}

/** null: to be continued as new. */
const process = async (run: FineTune, input: LoraInput): Promise<LoraEnd | null> => {
  if (!run.begun('asking')) {
    const answer = await run.state(
      'asking',
      () => permission(input),
      (given) => (given.allowed ? 'allowed' : given.because),
    );
    if (!answer.allowed) return run.ended('refused', answer.because);
  }

  const data = run.begun('training') ? run.data : await prepare(run, input);
  if (!data) return run.ended('failed', 'the run before has left no data');

  const trained = await run.state(
    'training',
    () => train(run, input, data),
    (why) => why ?? 'goes on in a new run',
  );
  if (trained === null) return null;
  if (run.stopped) return run.stopped;
  if (run.halted) return run.ended('failed', run.halted);
  const result = run.result;
  if (!result) return run.ended('failed', 'no step was taken');

  const order = { input: bare(input), data, trained: result, totalSteps: run.totalSteps };
  const { usage, ...evaluation } = await run.state(
    'evaluating',
    () => trainer('compare with the base model on held-out queries', run.silenceMs).evaluateLora(order),
    ({ verdict, before, after, queries }) =>
      `${verdict}: NDCG@10 ${before.toFixed(3)} → ${after.toFixed(3)} on ${queries} held-out queries`,
  );
  run.used(usage);
  const { model, card, parity, ...registered } = await run.state(
    'registering',
    () =>
      trainer('prove the parity and register', run.silenceMs).registerLora({
        ...order,
        evaluation,
        metrics: run.metrics,
      }),
    (registered) =>
      `adapter ${registered.model.slice(0, 12)}, served as trained to within ${registered.parity.toExponential(1)}`,
  );
  run.used(registered.usage);
  const { verdict, reasons = [] } = evaluation;
  const because = `${trained}; held against the base model: ${[verdict, ...reasons].join(', ')}; parity ${parity.toExponential(1)}`;
  return run.ended('trained', because, { model, card, evaluation });
};

const permission = ({ service, requestedBy, reason, token, mostSteps }: LoraInput) => {
  const { workflowId } = workflowInfo();
  const question = { key: `${workflowId}/start`, workflow: workflowId, service, requestedBy, reason, steps: mostSteps };
  return mayTrain({ ...question, ...(token !== undefined && { token }) });
};

const prepare = async (run: FineTune, input: LoraInput): Promise<PreparedData> => {
  const { from } = input;
  const data = await run.state(
    'preparing',
    async () => from?.data ?? dataWork.prepareLoraData(bare(input)),
    ({ examples, heldOutQueries }) =>
      from
        ? `the data of ${from.run}, from step ${from.step} on`
        : `${examples} examples, ${heldOutQueries} held-out queries`,
  );
  await run.noteStart(data);
  return data;
};

/** Why it is over; null where the history has grown long before it was. */
const train = async (run: FineTune, input: LoraInput, data: PreparedData): Promise<string | null> => {
  while (run.over === null) {
    if (historyIsLong(input)) return null;
    await run.leg(data);
  }
  return run.over;
};

const historyIsLong = ({ historyLimit = 10_000 }: LoraInput): boolean =>
  workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= historyLimit;
