/** What a person does who has nothing but Temporal's Web UI and a token that was printed elsewhere. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { resolveProgram } from '../../infra/setup/program.ts';
import { freePorts } from '../../infra/temporal/ports.ts';
import { pawlIn } from '../cli/cli-world.ts';
import { testPlan } from '../support/plan.ts';
import { eventually, type StartedCycle, startCycle, statusOf } from '../support/requests.ts';
import { createWorld, type World } from '../support/world.ts';

const program = await resolveProgram('browser', readEnvironment()).catch(() => null);
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

let world: World;
let ui: string;
let browser: Browser;
beforeAll(async () => {
  if (program === null) return;
  const [uiPort = 0] = await freePorts(1);
  ui = `http://127.0.0.1:${uiPort}`;
  world = await createWorld(testPlan({ approval: { expiresMs: 600_000 } }), { uiPort });
  browser = await chromium.launch({ executablePath: program, args: FLAGS });
});
afterAll(async () => {
  await browser?.close();
  await world?.end();
});

test.skipIf(program === null)("a printed token that is pasted into the Web UI's signal form approves", async () => {
  const { cycle, handle } = await waiting();
  const page = await browser.newPage();
  await page.goto(`${ui}/namespaces/default/workflows/${encodeURIComponent(handle.workflowId)}`);
  await page.getByText('User Metadata').first().click();
  await told(page, 'waits for a person');

  const { name, input } = await printedToken(cycle);
  await sendSignal(page, name, JSON.stringify({ token: `${input.token.slice(0, -4)}AAAA` }));
  await told(page, 'refused message: approve: its signature does not match its content');
  expect((await statusOf(handle)).approval).not.toBeNull();

  await sendSignal(page, name, JSON.stringify(input));
  expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  const { stages } = await statusOf(handle);
  expect(stages.find(({ stage }) => stage === 'approve')?.summary).toContain('ada');
});

const waiting = async (): Promise<StartedCycle> => {
  const started = await startCycle(world);
  await eventually(
    () => statusOf(started.handle),
    ({ approval }) => approval !== null,
  );
  return started;
};

/** What `pawl approve --print` says to put into the form. */
const printedToken = async (cycle: string): Promise<{ name: string; input: { token: string } }> => {
  const args = ['approve', cycle, '--service', 'docs', '--reason', 'seen in the Web UI', '--yes', '--print', '--json'];
  const { json } = await pawlIn(world.home, args, {
    PAWL_HOME: world.home,
    PAWL_TEMPORAL_ADDRESS: world.env.address,
  });
  return json as { name: string; input: { token: string } };
};

/** What the workflow says of itself stands in a frame of its own; R reads it anew. */
const told = (page: Page, what: string) =>
  eventually(
    async () => {
      await page.keyboard.press('r');
      return Promise.all(
        page.frames().map((frame) =>
          frame
            .locator('body')
            .textContent({ timeout: 1_000 })
            .catch(() => null),
        ),
      );
    },
    (texts) => texts.some((text) => text?.includes(what)),
    200,
  );

const sendSignal = async (page: Page, name: string, data: string): Promise<void> => {
  const seen = { visible: true } as const;
  await page.getByRole('button', { name: 'More Actions' }).filter(seen).click();
  await page.getByRole('menuitem', { name: 'Send a Signal' }).filter(seen).click();
  const form = page.getByTestId('signal-confirmation-modal').filter(seen);
  await form.getByTestId('signal-select-button').click();
  await form.getByRole('option', { name, exact: true }).click();
  await form.locator('[contenteditable]').filter(seen).click();
  // As pasted: the editor would otherwise add the brackets that it thinks are missing.
  await page.keyboard.insertText(data);
  await form.getByRole('button', { name: 'Submit' }).click();
  await form.waitFor({ state: 'hidden' });
};
