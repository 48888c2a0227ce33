/**
 * PostgreSQL keeps no NUL in a text, and what people and programs write may hold one. It is written as a mark and a digit,
 * and so is the mark itself; every other text stays as it is.
 */
import {
  type KyselyPlugin,
  OperationNodeTransformer,
  type PrimitiveValueListNode,
  type QueryId,
  type ValueNode,
} from 'kysely';

/** Of the private use area: nothing else means anything by it. */
const MARK = '\uF8F0';

export const storable = (text: string): string => text.replaceAll(MARK, `${MARK}1`).replaceAll('\0', `${MARK}0`);
export const readable = (stored: string): string =>
  stored.replaceAll(/\uF8F0([01])/g, (_, digit) => (digit === '0' ? '\0' : MARK));

const storableValue = (value: unknown): unknown => {
  if (typeof value === 'string') return storable(value);
  return Array.isArray(value) ? value.map(storableValue) : value;
};

class Storable extends OperationNodeTransformer {
  protected override transformValue(node: ValueNode, _?: QueryId): ValueNode {
    return { ...node, value: storableValue(node.value) };
  }
  protected override transformPrimitiveValueList(node: PrimitiveValueListNode, _?: QueryId): PrimitiveValueListNode {
    return { ...node, values: node.values.map(storableValue) };
  }
}

/** For what is sent; `readable` is for the driver, which knows what is text. */
export const storableTexts = (): KyselyPlugin => {
  const transformer = new Storable();
  return {
    transformQuery: ({ node, queryId }) => transformer.transformNode(node, queryId),
    transformResult: async ({ result }) => result,
  };
};
