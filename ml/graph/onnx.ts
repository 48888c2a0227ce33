/** A graph as an ONNX file. The field numbers are those of onnx.proto. */
import { Message } from './protobuf.ts';
import type { Attribute, Constant, DataType, Node, Tensor } from './tensor.ts';

const IR_VERSION = 10;
const OPSETS = { '': 21, 'com.microsoft': 1 } as const;
const ELEMENT_TYPES: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
};
const EXTERNAL = 1;

export interface GraphParts {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly nodes: readonly Node[];
  readonly constants: readonly Constant[];
}

export const onnxModel = (parts: GraphParts): Uint8Array => {
  const { inputs, outputs, nodes, constants } = withoutDeadCode(parts);
  const graph = new Message();
  for (const [i, node] of nodes.entries()) graph.message(1, nodeProto(node, `n${i}`));
  graph.text(2, 'pawl');
  for (const constant of constants) graph.message(5, tensorProto(constant));
  for (const input of inputs) graph.message(11, valueInfo(input));
  for (const output of outputs) graph.message(12, valueInfo(output));
  const model = new Message().int(1, IR_VERSION).text(2, 'pawl').message(7, graph);
  for (const [domain, version] of Object.entries(OPSETS)) {
    model.message(8, new Message().text(1, domain).int(2, version));
  }
  return model.toBytes();
};

/** Inputs stay, as they are what the caller feeds; nodes and constants go that no output depends on. */
const withoutDeadCode = ({ inputs, outputs, nodes, constants }: GraphParts): GraphParts => {
  const live = new Set(outputs.map(({ name }) => name));
  const kept = nodes.toReversed().filter((node) => {
    if (!node.outputs.some(({ name }) => live.has(name))) return false;
    for (const input of node.inputs) if (input) live.add(input.name);
    return true;
  });
  return { inputs, outputs, nodes: kept.reverse(), constants: constants.filter(({ tensor }) => live.has(tensor.name)) };
};

const nodeProto = ({ op, domain, inputs, outputs, attributes }: Node, name: string): Message => {
  const node = new Message();
  for (const input of inputs) node.text(1, input?.name ?? '');
  for (const output of outputs) node.text(2, output.name);
  node.text(3, name).text(4, op);
  for (const [key, value] of Object.entries(attributes)) node.message(5, attributeProto(key, value));
  return node.text(7, domain);
};

const attributeProto = (name: string, attribute: Attribute): Message => {
  const proto = new Message().text(1, name);
  if ('float' in attribute) return proto.float(2, attribute.float).int(20, 1);
  if ('int' in attribute) return proto.int(3, attribute.int).int(20, 2);
  if ('text' in attribute) return proto.text(4, attribute.text).int(20, 3);
  for (const int of attribute.ints) proto.int(8, int);
  return proto.int(20, 7);
};

const tensorProto = ({ tensor, data }: Constant): Message => {
  const proto = new Message();
  for (const dim of tensor.shape) proto.int(1, dim as number);
  proto.int(2, ELEMENT_TYPES[tensor.type]).text(8, tensor.name);
  if (data instanceof Uint8Array) return proto.bytes(9, data);
  const { file, offset, length } = data;
  for (const [key, value] of Object.entries({ location: file, offset: `${offset}`, length: `${length}` })) {
    proto.message(13, new Message().text(1, key).text(2, value));
  }
  return proto.int(14, EXTERNAL);
};

const valueInfo = ({ name, shape, type }: Tensor): Message => {
  const dims = new Message();
  for (const dim of shape) {
    dims.message(1, typeof dim === 'number' ? new Message().int(1, dim) : new Message().text(2, dim));
  }
  const tensorType = new Message().int(1, ELEMENT_TYPES[type]).message(2, dims);
  return new Message().text(1, name).message(2, new Message().message(1, tensorType));
};
