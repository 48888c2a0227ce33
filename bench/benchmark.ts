/** What a benchmark is, and how its figures are shown. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `≤ 2`, `≥ 0.8`; null where a figure only explains. */
  readonly target: string | null;
  readonly holds: boolean | null;
  readonly samples: number;
}

export interface Measured {
  readonly figures: readonly Figure[];
  readonly versions: Readonly<Record<string, string>>;
}

/** What a person may say of a run; a benchmark that it does not concern passes over it. */
export interface Options {
  /** How many are tried; null: as many as the benchmark is known by. */
  readonly canaries: number | null;
}

export interface Benchmark {
  readonly about: string;
  run(progress: (line: string) => void, options: Options): Promise<Measured>;
}

export const explaining = (name: string, value: number, unit: string, samples: number): Figure => ({
  name,
  value: rounded(value),
  unit,
  target: null,
  holds: null,
  samples,
});

export const atMost = (limit: number, figure: Figure): Figure => ({
  ...figure,
  target: `≤ ${limit}`,
  holds: figure.value <= limit,
});

export const atLeast = (limit: number, figure: Figure): Figure => ({
  ...figure,
  target: `≥ ${limit}`,
  holds: figure.value >= limit,
});

export const tableOf = (figures: readonly Figure[]): string => {
  const rows = [
    ['figure', 'value', 'unit', 'target', 'holds', 'samples'],
    ...figures.map(({ name, value, unit, target, holds, samples }) => [
      name,
      String(value),
      unit,
      target ?? '',
      holds === null ? '' : holds ? 'yes' : 'NO',
      String(samples),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

const rounded = (value: number): number => Number(value.toPrecision(4));
