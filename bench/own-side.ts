/** Pawl's own side of a benchmark hears and answers as the peers do, which are written in Python (side.py). */
import { createInterface } from 'node:readline';

export async function* orders<Order>(): AsyncGenerator<Order> {
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line) as Order;
}

export const answer = (name: string, value: unknown): void =>
  void process.stdout.write(`${JSON.stringify({ [name]: value })}\n`);
