/** A chart in one line of text. Several that share a scale can stand below each other. */

export interface Scale {
  readonly from: number;
  readonly to: number;
}

/** null: nothing is known there. */
export type Values = ReadonlyArray<number | null>;

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const PLAIN = ['_', '.', '-', '=', '+', '*', '#', '@'] as const;
const WIDTH = 48;

/** From the least to the most of all these values; null where there is none. */
export const scaleOf = (...charts: readonly Values[]): Scale | null => {
  const known = charts.flat().filter((value) => value !== null && Number.isFinite(value)) as number[];
  if (known.length === 0) return null;
  return known.reduce<Scale>(({ from, to }, value) => ({ from: Math.min(from, value), to: Math.max(to, value) }), {
    from: known[0] ?? 0,
    to: known[0] ?? 0,
  });
};

export interface Drawing {
  readonly scale?: Scale | null;
  /** As wide as there are values, and never wider than this. */
  readonly width?: number;
  /** Of characters that every terminal and every font knows. */
  readonly plain?: boolean;
}

/** One character a value; of more values than there is room for, each character is the mean of those that fall together. */
export const sparkline = (
  values: Values,
  { scale = scaleOf(values), width = WIDTH, plain = false }: Drawing = {},
): string => {
  const levels = plain ? PLAIN : BLOCKS;
  return squeezed(values, width)
    .map((value) => (value === null || scale === null ? ' ' : levels[levelOf(value, scale, levels.length)]))
    .join('');
};

/** The chart between the ends of its scale: `-1.2 % ▁▂▅▇█ 4.0 %`. */
export const chart = (values: Values, say: (value: number) => string, drawing: Drawing = {}): string => {
  const scale = drawing.scale === undefined ? scaleOf(values) : drawing.scale;
  if (scale === null) return '';
  return `${say(scale.from)} ${sparkline(values, { ...drawing, scale })} ${say(scale.to)}`;
};

/** What is beyond the scale is drawn at its end; where the scale is a point, everything is in its middle. */
const levelOf = (value: number, { from, to }: Scale, levels: number): number => {
  const place = to > from ? (value - from) / (to - from) : 0.5;
  return Math.min(levels - 1, Math.max(0, Math.floor(place * levels)));
};

const squeezed = (values: Values, width: number): Values => {
  if (values.length <= width) return values.map((value) => (value !== null && Number.isFinite(value) ? value : null));
  return Array.from({ length: width }, (_, at) => {
    const [begin, end] = [at, at + 1].map((edge) => Math.floor((edge * values.length) / width));
    const here = values.slice(begin, end).filter((value) => value !== null && Number.isFinite(value)) as number[];
    return here.length === 0 ? null : here.reduce((sum, value) => sum + value, 0) / here.length;
  });
};
