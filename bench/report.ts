/** Rows of figures, printed as a table. */

export interface Row {
  readonly label: string;
  readonly values: Readonly<Record<string, number>>;
}

export function row(label: string, values: Readonly<Record<string, number>>): Row {
  return { label, values };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ label }) => label.length));
  return rows
    .map(({ label, values }) => {
      const cells = Object.entries(values).map(([name, value]) => `${name} ${format(value)}`);
      return `  ${label.padEnd(width)}  ${cells.join('   ')}`;
    })
    .join('\n');
}

function format(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
