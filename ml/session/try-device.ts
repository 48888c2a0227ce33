import { Graph } from '../graph/graph.ts';
import { type Device, usageOfDevice } from './device.ts';
import { openSession } from './session.ts';

/** Fails where the device cannot be had, with what to do about it. */
export async function tryDevice(device: Device): Promise<void> {
  const graph = new Graph();
  graph.output('y', graph.add(graph.input('x', [1]), 1));
  const session = await openSession(graph.toModel(), '.', usageOfDevice(device, 1).choice);
  await session.close();
}
